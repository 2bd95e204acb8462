"""A disk that fills up: the command says so and ends with 75; with room again, the same command finishes with the same bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

sys.path.insert(0, str(Path(__file__).parent))
from killing import bytes_of, train, wait_until_quiet, write_job

from fitscale.records.run import Event
from fitscale.store import versions

TREES = {
    "name": "trees",
    "data": {"uri": "synthetic://?rows=20000&columns=8&categorical=1&missing=0.1", "target": "y"},
    "evaluate": {"holdout": "20%", "early_stopping": {"rounds": 8, "validation": "10%"}},
    "model": {
        "estimator": "xgboost.XGBClassifier",
        "params": {"n_estimators": 20, "max_depth": 6, "subsample": 0.7},
    },
}
MANY = {
    "name": "many",
    "data": {"uri": "synthetic://?rows=20000&columns=8&groups=60", "target": "y", "groups": ["group"]},
    "model": {"estimator": "sklearn.tree.DecisionTreeClassifier", "params": {"max_depth": 8}},
}
FROM_CSV = {**TREES, "name": "staged", "data": {"uri": "rows.csv", "target": "y"}}


@pytest.fixture(scope="module", autouse=True)
def rows(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A megabyte of text, of which as much would be staged."""
    random = np.random.default_rng(0)
    x = random.normal(size=(20_000, 6))
    table = pa.table({**{f"x{k}": x[:, k] for k in range(6)}, "y": (x[:, 0] > 0).astype(int)})
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    csv.write_csv(table, path)
    FROM_CSV["data"] = {"uri": str(path), "target": "y"}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """A file system in memory, of so many kilobytes; asked again, it has another size."""
    at = tmp_path / "disk"
    at.mkdir()

    def of(kilobytes: int) -> Path:
        option = f"{'remount,' if os.path.ismount(at) else ''}size={kilobytes}k"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", option, "tmpfs", str(at)], capture_output=True, text=True, check=False
        )
        if done.returncode and "CI" not in os.environ:
            pytest.skip(f"mounting takes a right that is not there: {done.stderr.strip()}")
        assert done.returncode == 0, done.stderr
        return at

    yield of
    if os.path.ismount(at):
        subprocess.run(["umount", "-l", str(at)], check=True)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, Any], str], dict[str, str]]:
    known: dict[str, dict[str, str]] = {}

    def of(document: dict[str, Any], choose: str) -> dict[str, str]:
        if document["name"] not in known:
            folder = tmp_path_factory.mktemp(document["name"])
            code, said = train(write_job(folder, document), folder / "run", "--choose", choose)
            assert code == 0, said
            known[document["name"]] = bytes_of(folder / "run")
        return known[document["name"]]

    return of


@pytest.mark.parametrize(
    ("document", "choose", "kilobytes"),
    [
        pytest.param(TREES, "in-memory", 36, id="before anything is trained"),
        pytest.param(TREES, "in-memory", 120, id="checkpoints"),
        pytest.param(FROM_CSV, "in-memory", 400, id="staging"),
        pytest.param(TREES, "out-of-core", 600, id="XGBoost's cache"),
        pytest.param(MANY, "many-models", 400, id="the rows by group"),
        pytest.param(MANY, "many-models", 1200, id="models"),
    ],
)
def test_a_full_disk_costs_nothing_that_was_committed(
    tmp_path: Path, disk: Any, undisturbed: Any, document: dict[str, Any], choose: str, kilobytes: int
) -> None:
    """Wherever it fills up: 75 and the word, no version, nothing left running; and what was committed is not done again."""
    job, run = write_job(tmp_path, document), disk(kilobytes) / "run"
    code, said = train(job, run, "--choose", choose)
    assert code == 75, said
    assert "the disk is full; what was committed is kept: make room, then give the same command again" in said
    wait_until_quiet(run)
    assert not versions.numbers(run)
    before = {path: path.read_bytes() for path in run.glob("tasks/*/chunks/[0-9]*")}
    if kilobytes == 1200:
        assert before  # one of two is done
    disk(100_000)
    code, said = train(job, run, "--choose", choose)
    assert code == 0, said
    assert bytes_of(run) == undisturbed(document, choose)
    assert all(path.read_bytes() == raw for path, raw in before.items())
    lines = [line for path in run.glob("attempts/*/events.*.jsonl") for line in path.read_text().splitlines()]
    done = [event.data["k"] for event in map(Event.from_json, lines) if event.kind == "chunk"]
    assert len(done) == len(set(done))
