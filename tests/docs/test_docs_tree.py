"""The shipped decision tree and its page are what scripts/tree makes of the planner's choices."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _tree(*asked: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(item for item in sys.path if item)}
    argv = [sys.executable, str(ROOT / "scripts" / "tree"), *asked]
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_tree_is_what_the_planner_chooses_now() -> None:
    """Fitted anew from the tables it is the same; of each table three workloads, chosen for anew, are as written."""
    done = _tree("--check", "3")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_it_agrees_on_workloads_that_no_table_has() -> None:
    """By another seed than the page's."""
    done = _tree("--fresh", "40", "3")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["all"] >= 0.93, found


def test_a_word_that_is_unknown_is_answered_with_the_usage() -> None:
    done = _tree("--draw")
    assert done.returncode == 2
    assert "--check" in done.stderr
