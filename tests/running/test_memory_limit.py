"""A worker that its memory limit ended goes on from its checkpoint by what holds less; where nothing does, that is the result."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from doing import events_of, interrupted, orders_of, trained, units_of
from killing import bytes_of

from fitscale.errors import NothingRuns
from fitscale.store import checkpoints, versions

ROWS, COLUMNS = 600_000, 24  # 58 MB as a matrix; compact bins hold a quarter of it
JOB = {
    "name": "large",
    "data": {"uri": "rows.parquet", "target": "y"},
    "evaluate": {"holdout": "5%"},
    "model": {"estimator": "xgboost.XGBClassifier", "params": {"n_estimators": 10, "max_depth": 3, "subsample": 0.7}},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("large")
    X = np.random.default_rng(0).standard_normal((COLUMNS, ROWS), dtype=np.float32)
    columns = {f"x{i}": X[i] for i in range(COLUMNS)} | {"y": (X[0] + X[1] > 0).astype(np.int64)}
    pq.write_table(pa.table(columns), folder / "rows.parquet", row_group_size=8192, compression="none")
    return folder


def test_it_goes_on_with_what_holds_less(folder: Path) -> None:
    """Begun in memory with room, gone on with in too little: what was done is kept, and finished with the same bytes.

    In 80 MB nothing can go on: exit code 3, with the figures, and the checkpoint stays. In 165 MB the matrix passes the
    limit and another form of the same recipe takes the checkpoint over.
    """
    run = folder / "run"
    units = interrupted(JOB, run, "in-memory", at=5)
    with pytest.raises(NothingRuns, match="what was finished is kept; allow more memory in 'where'") as raised:
        trained(JOB, run, memory="80 MB")
    assert raised.value.exit_code == 3
    figures = re.findall(
        r"([\w-]+) was ended .*?: anonymous memory [\d.]+ MB passed the limit of 80 MB", str(raised.value)
    )
    assert figures[0] == "in-memory"
    assert set(figures) == {"in-memory", "quantised", "out-of-core"}
    assert set(_causes(run, epoch=2)) == {"memory"}
    assert not versions.numbers(run)
    (task,) = [path.name for path in (run / "tasks").iterdir()]
    kept = checkpoints.latest(run, task, pickles=False, trusted=False)
    assert kept is not None
    assert kept.units == units

    trained(JOB, run, memory="165 MB")
    assert _causes(run, epoch=3) == ["memory", "done", "done"]
    tried = [event["candidate"] for event in events_of(run, "attempt-started") if event["attempt"].startswith("3-")]
    assert tried[0] == "in-memory"
    assert tried[1] in ("quantised", "out-of-core")
    assert units_of(run, "resumed")[-1] == ("3-2", units)
    trained(JOB, folder / "undisturbed", "in-memory")
    assert bytes_of(run) == bytes_of(folder / "undisturbed")


def test_a_pool_goes_on_with_fewer_workers(tmp_path: Path) -> None:
    """Two workers that share too little are followed by one that has it all: the same bytes."""
    many = {
        "name": "many",
        "data": {"uri": "synthetic://?rows=20000&columns=3&groups=20", "target": "y", "groups": ["group"]},
        "model": {"estimator": "baseline.Classifier", "params": {"passes": 200}},
    }
    run = tmp_path / "run"
    interrupted(many, run, "many-models")
    trained(many, run, memory="100 MB")
    assert _causes(run, epoch=2)[-3:] == ["memory", "done", "done"]
    assert [order.workers for order in orders_of(run) if order.kind == "groups"] == [2, 2, 1]
    trained(many, tmp_path / "undisturbed", "many-models")
    assert bytes_of(run) == bytes_of(tmp_path / "undisturbed")


def _causes(run: Path, epoch: int) -> list[str]:
    """How the attempts of a command ended."""
    return [e["cause"] for e in events_of(run, "attempt-ended") if e["attempt"].startswith(f"{epoch}-")]
