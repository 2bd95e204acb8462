"""A run is begun once, opened only where it is one, and keeps what was written first."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fitscale.errors import FitscaleError, StorageFull, UsageError
from fitscale.records.data import Piece, Snapshot
from fitscale.records.run import RUN_FORMAT, Order, Task
from fitscale.store import folder


def test_a_run_is_begun_once(tmp_path: Path) -> None:
    """Beginning again finds it; another name does not change it."""
    run = tmp_path / "deep" / "run"
    folder.create(run, "flights")
    before = (run / "run.json").read_bytes()
    folder.create(run, "flights")
    folder.create(run, "renamed")
    assert (run / "run.json").read_bytes() == before
    assert folder.check(run) == "flights"


def test_a_folder_that_holds_other_things_is_no_run(tmp_path: Path) -> None:
    """It is neither begun in nor opened, and nothing in it changes."""
    (tmp_path / "thesis.txt").write_text("x")
    with pytest.raises(UsageError, match="is not a run, and not empty; name another folder with --run"):
        folder.create(tmp_path, "flights")
    with pytest.raises(UsageError, match=r"is no run \(it has no run.json\); begin one with 'fitscale train"):
        folder.check(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_beginning_that_was_killed_is_begun_again(tmp_path: Path, start: Callable[..., Any]) -> None:
    """Killed before run.json has its name, and with the lock or a plan there already, the next command begins the run."""
    code = """
import os, signal, sys
from pathlib import Path
from fitscale.store import folder
os.link = lambda *a, **k: signal.raise_signal(signal.SIGKILL)
folder.create(Path(sys.argv[1]), "flights")
"""
    run = tmp_path / "run"
    process = start(code, run)
    process.wait()
    assert process.returncode == -9
    assert not (run / "run.json").exists()
    (run / "lock").touch()
    (run / "plans").mkdir()
    folder.create(run, "flights")
    assert folder.check(run) == "flights"


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    """A run of a newer version is neither opened nor written to; the error says what to install."""
    (tmp_path / "run.json").write_text(json.dumps({"fitscale": RUN_FORMAT + 1, "name": "x"}))
    for refused in (lambda: folder.check(tmp_path), lambda: folder.create(tmp_path, "x")):
        with pytest.raises(UsageError, match=r"made by a newer fitscale .*pip install -U fitscale"):
            refused()
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", '{"fitscale": "soon"}', '{"fitscale": null}', '{"name": "x"}', "\x00"]
)
def test_a_run_json_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    """Torn or foreign: the error has the file's path."""
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(UsageError, match=r"run\.json: cannot be read"):
        folder.check(tmp_path)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder that even root cannot write to."""
    path = tmp_path / "read-only"
    path.mkdir()
    mounted = subprocess.run(["mount", "--bind", str(path), str(path)], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"nothing can be mounted here: {mounted.stderr.strip()}")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(path)], check=True)
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def test_a_folder_that_cannot_be_written_is_refused(read_only: Path) -> None:
    """A file system that takes no writes: the reason, and --run."""
    with pytest.raises(
        UsageError, match=r"cannot write here \(Read-only file system\); name another folder with --run"
    ):
        folder.create(read_only / "run", "x")
    with pytest.raises(UsageError, match="cannot write here"):
        folder.create(read_only, "x")


@pytest.mark.parametrize("place", ["file/run", "file/a/b", "file", "x" * 300])
def test_a_place_that_cannot_be_a_folder_is_refused(tmp_path: Path, place: str) -> None:
    """A path through a regular file, or with a name that is too long."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="cannot write here"):
        folder.create(tmp_path / place, "x")
    assert (tmp_path / "file").read_text() == "x"


def test_a_full_disk_is_resumable(small_disk: Path, full_disk: Callable[[], Path]) -> None:
    """A beginning that finds no room ends with 75, and with room it is begun."""
    ballast = full_disk()
    with pytest.raises(StorageFull):
        folder.create(small_disk / "run", "x")
    ballast.unlink()
    folder.create(small_disk / "run", "x")
    assert folder.check(small_disk / "run") == "x"


def _snapshot(modified: float, rows: int = 5) -> Snapshot:
    piece = Piece(path="a.parquet", bytes=100, pin="p", parts=((rows, 100),), modified=modified)
    return Snapshot(source="files", root="/data", columns=(("y", "double"),), pieces=(piece,))


def test_a_snapshot_is_its_contents(tmp_path: Path) -> None:
    """Times only hint at a change: a copied file is the same data under the same name; other rows are other data."""
    name = folder.write_snapshot(tmp_path, _snapshot(1.0))
    before = (tmp_path / "data" / name / "snapshot.json").read_bytes()
    assert folder.write_snapshot(tmp_path, _snapshot(2.0)) == name
    assert (tmp_path / "data" / name / "snapshot.json").read_bytes() == before
    assert folder.read_snapshot(tmp_path, name).rows == 5
    assert folder.write_snapshot(tmp_path, _snapshot(1.0, rows=6)) != name


def test_a_task_that_was_written_stands(tmp_path: Path, task_of: Callable[..., Task]) -> None:
    """Its chunks were cut once: another cut of the same recipe does not replace them."""
    digest = folder.write_task(tmp_path, task_of(n_chunks=4))
    assert folder.write_task(tmp_path, task_of(n_chunks=9)) == digest
    assert folder.read_task(tmp_path, digest) == task_of(n_chunks=4)
    assert folder.write_task(tmp_path, task_of(seed=1)) != digest


@pytest.mark.parametrize("text", [None, "", "{}", '{"recipe": 1}'])
def test_a_task_that_cannot_be_read_is_named(tmp_path: Path, text: str | None) -> None:
    """Gone or torn: the error has the file's path."""
    if text is not None:
        (tmp_path / "tasks" / "abc").mkdir(parents=True)
        (tmp_path / "tasks" / "abc" / "task.json").write_text(text)
    with pytest.raises(UsageError, match=r"tasks/abc/task\.json: cannot be read"):
        folder.read_task(tmp_path, "abc")


def test_a_run_without_a_plan_says_how_to_make_one(tmp_path: Path) -> None:
    """Plans count from one."""
    assert folder.next_plan(tmp_path) == 1
    with pytest.raises(UsageError, match="has no plan yet; make one with 'fitscale plan WORKLOAD'"):
        folder.read_plan(tmp_path)


def test_an_order_is_given_once(tmp_path: Path) -> None:
    """An attempt is told one thing; attempts are listed as they began, the tenth after the ninth."""
    order = Order(kind="fit", epoch=9, task="t")
    for name in ("9-1", "10-2", "10-10", "9-2"):
        assert folder.write_order(tmp_path, name, order) == tmp_path / "attempts" / name
        assert folder.read_order(tmp_path, name) == order
    with pytest.raises(FitscaleError, match="with other contents"):
        folder.write_order(tmp_path, "9-1", order.but(threads=2))
    (tmp_path / "attempts" / "notes").mkdir()
    assert [path.name for path in folder.attempts(tmp_path)] == ["9-1", "9-2", "10-2", "10-10"]


def test_clearing_scratch_keeps_what_attempts_said(tmp_path: Path) -> None:
    """Caches go; orders and events stay."""
    for name in ("1-1", "1-2"):
        path = folder.write_order(tmp_path, name, Order(kind="fit", epoch=1))
        (path / "scratch" / "0").mkdir(parents=True)
        (path / "scratch" / "0" / "cache").write_bytes(bytes(1000))
        (path / "events.0.jsonl").write_text("{}\n")
    folder.clear_scratch(tmp_path)
    folder.clear_scratch(tmp_path)
    for path in folder.attempts(tmp_path):
        assert sorted(p.name for p in path.iterdir()) == ["events.0.jsonl", "order.json"]
