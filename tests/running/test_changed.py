"""What changes under an unfinished version is named, with the next step; nothing that was done is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from doing import interrupted, trained, units_of
from killing import bytes_of, command, write_job

from fitscale.errors import SourceChanged
from fitscale.records.run import Event, Order
from fitscale.running.command import Told
from fitscale.running.state import state_of
from fitscale.store import checkpoints, chunks, versions

TREES = {
    "name": "trees",
    "data": {"uri": "synthetic://?rows=4000&columns=4&categorical=1&missing=0.1", "target": "y"},
    "evaluate": {"holdout": "20%", "early_stopping": {"rounds": 150, "validation": "10%"}},
    "model": {
        "estimator": "xgboost.XGBClassifier",
        "params": {"n_estimators": 150, "max_depth": 4, "subsample": 0.7, "colsample_bytree": 0.7},
    },
}
SLOW = {
    "name": "slow",
    "data": TREES["data"],
    "model": {"estimator": "baseline.Classifier", "params": {"passes": 12, "sleep_s": 0.1}},
}


def rows(seed: int, n: int = 3000) -> pa.Table:
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, n))
    return pa.table({"a": a, "b": b, "y": (a + b + random.normal(size=n) > 0).astype(np.int64)})


@pytest.fixture
def on_files(tmp_path: Path) -> dict[str, Any]:
    """The job on two Parquet files in a folder."""
    (tmp_path / "rows").mkdir()
    for k in range(2):
        pq.write_table(rows(k), tmp_path / "rows" / f"{k}.parquet")
    return {**TREES, "data": {"uri": "rows", "target": "y"}}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    run = tmp_path_factory.mktemp("uninterrupted") / "run"
    trained(TREES, run, "in-memory")
    return bytes_of(run)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A run in memory that was interrupted, to be copied, and the units of its last checkpoint."""
    run = tmp_path_factory.mktemp("kept") / "run"
    units = interrupted(TREES, run, "in-memory")
    return run, units


@pytest.fixture
def unfinished(kept: tuple[Path, int], tmp_path: Path) -> tuple[Path, int]:
    """A copy of it."""
    shutil.copytree(kept[0], tmp_path / "run")
    return tmp_path / "run", kept[1]


# The source.


def test_a_source_that_changed_under_an_unfinished_version(tmp_path: Path, on_files: dict[str, Any]) -> None:
    """Another row, another file, a file that is gone: 75, what changed, and --fresh. Put back, it goes on from its checkpoint."""
    run, folder = tmp_path / "run", tmp_path / "rows"
    units = interrupted(on_files, run, "in-memory")
    kept = (folder / "1.parquet").read_bytes()
    changes: list[Callable[[], object]] = [
        lambda: pq.write_table(rows(7), folder / "1.parquet"),
        lambda: pq.write_table(rows(7), folder / "2.parquet"),
        (folder / "1.parquet").unlink,
    ]
    for change, named in zip(changes, ("1.parquet", "2.parquet", "1.parquet"), strict=True):
        change()
        with pytest.raises(
            SourceChanged, match=f"the data changed since version 1 was begun .*{named}.*--fresh"
        ) as raised:
            trained(on_files, run, "in-memory")
        assert raised.value.exit_code == 75
        (folder / "2.parquet").unlink(missing_ok=True)
        (folder / "1.parquet").write_bytes(kept)
    assert trained(on_files, run, "in-memory").manifest.version == 1
    assert min(n for _, n in units_of(run, "resumed")) == units
    trained(on_files, tmp_path / "once", "in-memory")
    assert bytes_of(run) == bytes_of(tmp_path / "once")


def test_fresh_takes_the_data_as_it_is_now(tmp_path: Path, on_files: dict[str, Any]) -> None:
    """The unfinished version is left, and the next one is of the new rows; finished, new rows need no flag."""
    run, folder = tmp_path / "run", tmp_path / "rows"
    interrupted(on_files, run, "in-memory")
    pq.write_table(rows(8), folder / "1.parquet")
    first = trained(on_files, run, "in-memory", fresh=True).manifest
    pq.write_table(rows(9), folder / "2.parquet")
    second = trained(on_files, run, "in-memory").manifest
    assert (first.version, second.version) == (1, 2)
    assert first.recipes["fit"].data != second.recipes["fit"].data


def test_a_source_that_changes_while_it_is_read(tmp_path: Path, on_files: dict[str, Any]) -> None:
    """Between two passes of a stream: the worker notices, and the command ends with 75 and without a version."""
    run = tmp_path / "run"
    slow = {**SLOW, "data": on_files["data"]}

    def see(name: str, order: Order, event: Event) -> None:
        if event.kind == "units" and event.data["units"] == 2:
            pq.write_table(rows(11), tmp_path / "rows" / "0.parquet")

    with pytest.raises(SourceChanged, match=r"0\.parquet"):
        trained(slow, run, "out-of-core", told=Told(event=see))
    assert not versions.numbers(run)


def test_what_is_added_while_a_run_goes_on_is_noticed(tmp_path: Path, on_files: dict[str, Any]) -> None:
    """The version is of the rows that it was begun on, the command says what came since, and gives the next one those too."""
    run, notes = tmp_path / "run", []

    def see(name: str, order: Order, event: Event) -> None:
        pq.write_table(rows(11), tmp_path / "rows" / "2.parquet")

    job = {**on_files, "model": {"estimator": "baseline.Classifier"}, "evaluate": {}}
    first = trained(job, run, told=Told(event=see, note=notes.append))
    assert first.manifest.version == 1
    [note] = notes
    assert "changed while version 1 was trained (1 file added: 2.parquet); the same command trains on it" in note
    again = trained(job, run, told=Told(note=notes.append))
    assert (again.manifest.version, len(notes)) == (2, 1)
    assert first.manifest.recipes["fit"].data != again.manifest.recipes["fit"].data


# The libraries.


def test_a_library_that_changed_under_an_unfinished_version(tmp_path: Path) -> None:
    """75, with both versions and --fresh; with the old library the same command goes on."""
    run, other = tmp_path / "run", tmp_path / "other"
    job = write_job(tmp_path, SLOW)
    interrupted(SLOW, run, "in-memory", at=2)
    other.mkdir()
    (other / "sitecustomize.py").write_text("import numpy\nnumpy.__version__ = '2.99.0'\n")

    def again(*flags: str, path: str = "") -> tuple[int, str]:
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in (path, os.environ.get("PYTHONPATH", "")) if p)}
        done = subprocess.run(command(job, run, *flags), env=env, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    code, said = again(path=str(other))
    assert code == 75
    assert f"begun with numpy {np.__version__}, now there is numpy 2.99.0" in said
    assert "--fresh" in said
    assert not versions.numbers(run)
    code, said = again("--fresh", path=str(other))
    assert code == 0, said
    assert versions.manifest(run, 1).recipes["fit"].versions == {"numpy": "2.99.0"}
    code, said = again()
    assert code == 0, said  # finished: another library makes the next version
    assert versions.manifest(run, 2).recipes["fit"].versions == {"numpy": np.__version__}


# What was kept of the unfinished version.


def _newest(run: Path) -> Path:
    return max(path for path in run.glob("tasks/*/ckpt/*") if path.name.isdigit())


def _cut(run: Path) -> None:
    state = _newest(run) / "state"
    state.write_bytes(state.read_bytes()[:-7])


def _flip(run: Path) -> None:
    state = _newest(run) / "state"
    raw = bytearray(state.read_bytes())
    raw[len(raw) // 2] ^= 1
    state.write_bytes(raw)


def _without_meta(run: Path) -> None:
    (_newest(run) / "meta.json").unlink()


def _gone(run: Path) -> None:
    shutil.rmtree(_newest(run))


def _all_gone(run: Path) -> None:
    shutil.rmtree(_newest(run).parent)


@pytest.mark.parametrize("damage", [_cut, _flip, _without_meta, _gone, _all_gone])
def test_a_checkpoint_that_is_gone_or_torn(
    unfinished: tuple[Path, int], uninterrupted: dict[str, str], damage: Callable[[Path], None]
) -> None:
    """The one before it is taken, or none: the same bytes."""
    run, units = unfinished
    before = sorted(int(path.name) for path in _newest(run).parent.iterdir() if path.name.isdigit())
    assert before[-1] == units
    damage(run)
    trained(TREES, run, "in-memory")
    resumed = [n for _, n in units_of(run, "resumed")]
    assert resumed == ([] if damage is _all_gone else [before[-2]])
    assert bytes_of(run) == uninterrupted


@pytest.mark.parametrize(("begun", "ended"), [("in-memory", "out-of-core"), ("out-of-core", "quantised")])
def test_a_checkpoint_crosses_forms(tmp_path: Path, uninterrupted: dict[str, str], begun: str, ended: str) -> None:
    """What was begun in one form is finished in another, from where it was: the same bytes as in memory at one go."""
    run = tmp_path / "run"
    units = interrupted(TREES, run, begun)
    trained(TREES, run, ended)
    assert [n for _, n in units_of(run, "resumed")] == [units]
    assert state_of(run).finished[1].candidate.name == ended
    assert bytes_of(run) == uninterrupted


def test_a_committed_payload_that_is_gone_is_named(tmp_path: Path) -> None:
    """A commit names its payload; without it there is an error with the file and the next step, and no version."""
    run = tmp_path / "run"
    job = write_job(tmp_path, TREES)
    env = {**os.environ, "FITSCALE_CRASH": "attempt.ended"}
    subprocess.run(command(job, run, "--choose", "in-memory"), env=env, capture_output=True, check=False)
    (digest,) = [path.name for path in (run / "tasks").iterdir()]
    lost = chunks.read(run, digest, 0).models
    (run / "models" / lost).unlink()
    done = subprocess.run(command(job, run, "--choose", "in-memory"), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert lost in done.stderr
    assert "--fresh" in done.stderr
    assert not versions.numbers(run)
    assert checkpoints.latest(run, digest, pickles=False, trusted=False) is None
    done = subprocess.run(command(job, run, "--fresh"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
