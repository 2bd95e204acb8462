"""Some groups of a version are trained again: the others stay, byte by byte, and are not written again."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from doing import trained, workload_of
from killing import bytes_of, kill_after, write_job
from killing import train as train_killed

from fitscale.errors import DataError, UsageError
from fitscale.models.asked import Asked
from fitscale.models.drift import drift
from fitscale.models.opened import Run
from fitscale.running.training import train
from fitscale.store import versions

STEPS = 150
HOUR = np.timedelta64(3600, "s")
START = np.datetime64("2026-01-01T00", "s")
SHIFTED = ("m04", "m17", "m30")


def rows(first: int, *, shifted: bool, twice: bool = False) -> pa.Table:
    rng = np.random.default_rng(first)
    parts = []
    for key in (f"m{k:02d}" for k in range(40)):
        y = rng.normal(size=STEPS) + (5.0 if shifted and key in SHIFTED else 0.0)
        at = START + (first + np.arange(STEPS)) * HOUR
        part = pa.table({"metric": [key] * STEPS, "at": at, "value": y})
        parts.append(pa.concat_tables([part, part.slice(0, 1)]) if twice and key == "m09" else part)
    return pa.concat_tables(parts)


def job(**params: Any) -> dict[str, Any]:
    return {
        "name": "metrics",
        "data": {
            "uri": "metrics.parquet", "target": "value", "groups": ["metric"], "time": "at", "step": "1h", "horizon": 10,
        },
        "model": {"estimator": "series.AR", "params": params},
        "needs": {"max_failed": 1},
    }  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Version 1 of forty series, of which one failed; then newer rows in their place, of which three have shifted."""
    pq.write_table(rows(0, shifted=False, twice=True), tmp_path / "metrics.parquet")
    assert trained(job(), tmp_path / "run").manifest.failed == 1
    pq.write_table(rows(STEPS, shifted=True), tmp_path / "metrics.parquet")
    return tmp_path / "run"


def models_of(run: Path, version: int) -> dict[str, bytes]:
    return {key[0]: payload for key, payload in Run(run, version).payloads().items()}


def again(run: Path, only: str) -> Any:
    return train(workload_of(job(), run.parent), run, only=only)


def test_what_drifted_is_trained_again_and_nothing_else(run: Path) -> None:
    found, _ = drift(Run(run), Asked())
    assert found.drifted == 3
    before = set((run / "models").iterdir())
    about = again(run, "drifted").manifest
    assert (about.version, about.base, about.retrained, about.models, about.failed) == (2, 1, 3, 39, 1)
    old, new = models_of(run, 1), models_of(run, 2)
    assert {key for key in old if old[key] != new[key]} == set(SHIFTED)
    index = Run(run).models()
    assert index.column("metric").to_pylist() == sorted(f"m{k:02d}" for k in range(40))
    written = sum(path.stat().st_size for path in set((run / "models").iterdir()) - before)
    assert written < 40_000  # of three series, their predictions and two tables of three rows
    assert versions.current(run) == 2
    assert Run(run).ahead(2).num_rows == 2 * 39
    found, _ = drift(Run(run), Asked())
    assert found.drifted == 0
    with pytest.raises(UsageError, match="no group of version 2 is meant"):
        again(run, "drifted")


def test_what_failed_is_trained_again_once_it_is_mended(run: Path) -> None:
    about = again(run, "failed").manifest
    assert (about.retrained, about.models, about.failed) == (1, 40, 0)
    assert Run(run).entry(("m09",)) is not None
    with pytest.raises(UsageError, match="no group of version 2 is meant"):
        again(run, "failed")


def test_one_key_and_then_another(run: Path) -> None:
    """Each makes a version on top of the last."""
    for version, key in ((2, "m00"), (3, "m39")):
        about = again(run, key).manifest
        assert (about.version, about.base, about.retrained) == (version, version - 1, 1)
    first, last = models_of(run, 1), models_of(run, 3)
    assert {key for key in first if first[key] != last[key]} == {"m00", "m39"}


def test_what_is_trained_again_is_in_few_files_where_there_is_room_for_few(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the version before stay as they are, instead of being written anew because the new ones are many."""
    drift(Run(run), Asked())
    before = versions.manifest(run, 1).payloads
    monkeypatch.setattr("fitscale.work.finish.MOST_FILES", len(before) + 2)  # and three chunks
    monkeypatch.setattr("fitscale.running.tasks.CHUNK_S", 1e-9)  # a chunk for each group
    train(workload_of(job(), run.parent), run, only="drifted", choose="many-models@inline")
    after = versions.manifest(run, 2).payloads
    assert set(before) & set(after)
    assert len(after) == len(before) + 1
    assert len(set(after) - set(before)) == 1


def test_many_files_become_few(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions on top of versions do not name ever more files."""
    monkeypatch.setattr("fitscale.work.finish.MOST_FILES", 1)
    first = models_of(run, 1)
    train(workload_of(job(), run.parent), run, only="m01", choose="batched-models@inline")
    assert len(versions.manifest(run, 2).payloads) == 1
    second = models_of(run, 2)
    assert {key for key in first if first[key] != second[key]} == {"m01"}


def test_a_group_of_which_nothing_is_held_out(tmp_path: Path) -> None:
    """Its model stands beside those that know their errors, and knows none of its own."""
    rng = np.random.default_rng(0)
    table = pa.table({"shop": np.repeat(np.arange(20), 3), "x": rng.normal(size=60), "y": rng.normal(size=60)})
    pq.write_table(table, tmp_path / "shops.parquet")
    document = {
        "name": "shops",
        "data": {"uri": str(tmp_path / "shops.parquet"), "target": "y", "groups": ["shop"]},
        "model": {"estimator": "batched.Ridge"},
    }
    trained(document, tmp_path / "run")
    whole = Run(tmp_path / "run").models("n_holdout = 0 and status = 'fitted'").column("shop")[0].as_py()
    about = train(workload_of(document, tmp_path), tmp_path / "run", only=str(whole)).manifest
    assert (about.version, about.retrained) == (2, 1)
    run = Run(tmp_path / "run")
    assert run.errors()["error_rows"][run.places()[whole,]] == 0
    assert run.errors()["error_rows"].sum() > 0


def test_what_is_not_there_is_told(run: Path, tmp_path: Path) -> None:
    for only, told in (
        ("drifted", "look for drift of version 1 first"),
        ("m99", "knows no such group"),
    ):
        with pytest.raises(UsageError, match=told):
            again(run, only)
    with pytest.raises(UsageError, match="another estimator than version 1"):
        train(workload_of(job(lags=3), run.parent), run, only="m01")
    with pytest.raises(UsageError, match="has no finished version yet"):
        train(workload_of(job(), tmp_path), tmp_path / "none", only="failed")
    assert not (tmp_path / "none").exists()
    other = rows(STEPS, shifted=False)
    there = pa.array([key != "m09" for key in other.column("metric").to_pylist()])
    pq.write_table(other.filter(there), run.parent / "metrics.parquet")
    with pytest.raises((UsageError, DataError), match="no row is of one of the groups"):
        again(run, "failed")


AT_ONCE = ("--choose", "batched-models")  # of so few the plan may choose either, by what it measures


def test_killed_on_the_way_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    path = write_job(tmp_path, job(lags=1))
    for name in ("whole", "killed"):
        pq.write_table(rows(0, shifted=False), tmp_path / "metrics.parquet")
        assert train_killed(path, tmp_path / name, *AT_ONCE)[0] == 0
    pq.write_table(rows(STEPS, shifted=True), tmp_path / "metrics.parquet")
    assert train_killed(path, tmp_path / "whole", "--only", "m17", *AT_ONCE)[0] == 0
    for seconds in (0.9, 1.2, 1.5):
        kill_after(path, tmp_path / "killed", seconds, "--only", "m17", *AT_ONCE)
    if versions.current(tmp_path / "killed") == 1:
        assert train_killed(path, tmp_path / "killed", "--only", "m17", *AT_ONCE)[0] == 0
    assert bytes_of(tmp_path / "killed", 2) == bytes_of(tmp_path / "whole", 2)
    assert json.loads((tmp_path / "whole" / "versions" / "2" / "manifest.json").read_text())["base"] == 1
