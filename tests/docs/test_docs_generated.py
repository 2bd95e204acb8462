"""The reference pages say what the code says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _docs(root: Path, flag: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(item for item in sys.path if item)}
    argv = [sys.executable, str(root / "scripts" / "docs"), flag]
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=False)


def test_the_reference_is_not_stale() -> None:
    """Commands, keys, exit codes and protocols are as in the code; else: python scripts/docs --write."""
    done = _docs(ROOT, "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_stale_page_is_noticed(tmp_path: Path) -> None:
    """A word that was changed by hand and a page that is gone are shown, and the check ends with 1; writing mends them."""
    for folder in ("scripts/docs", "docs/reference"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copytree(ROOT / "benchmarks", tmp_path / "benchmarks", ignore=shutil.ignore_patterns("results"))
    pages = tmp_path / "docs" / "reference"
    (pages / "commands.md").unlink()
    (pages / "workload.schema.json").write_text("{}")
    for name in ("workload.md", "exit-codes.md", "plugins.md", "strategies.md"):
        (pages / name).write_text((pages / name).read_text().replace("# ", "# Old ", 1))
    stale = _docs(tmp_path, "--check")
    assert stale.returncode == 1
    assert stale.stdout.count("-# Old ") == 4
    assert "+# Commands" in stale.stdout
    assert "7 of 7" in stale.stderr
    assert _docs(tmp_path, "--write").stdout.count("wrote") == 7
    assert (tmp_path / "docs" / "benchmarks.md").read_text().count("Not measured yet") == 22
    theirs = ROOT / "docs" / "reference"
    assert {path.name: path.read_bytes() for path in pages.iterdir()} == {
        path.name: path.read_bytes() for path in theirs.iterdir()
    }
