"""Several ranks: they stop together, and none outlives a dead one for long."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fitscale.errors import DataError, UsageError
from fitscale.frameworks.xgboost import XGBoost
from fitscale.records.data import Folds
from fitscale.records.run import Estimator, Recipe
from fitscale.testing.arrays import ArrayFeed, DirectContext
from fitscale.testing.trying import Case, feed_for, free_port

PARAMS = {"n_estimators": 20, "max_depth": 3, "subsample": 0.8}

RANK = """
import os, sys
from pathlib import Path
from fitscale.contracts import Stopped
from fitscale.frameworks.xgboost import XGBoost
from fitscale.records.run import Estimator, Recipe
from fitscale.testing.arrays import DirectContext
from fitscale.testing.trying import Case, feed_for

rank, port, recipe, folder = int(sys.argv[1]), int(sys.argv[2]), Recipe.from_json(sys.argv[3]), Path(sys.argv[4])
stop, die = int(sys.argv[5]), int(sys.argv[6])
framework, case = XGBoost(), Case(recipe.estimator)
feed = feed_for(case, framework.traits(case.estimator), form="shard")
state = folder / "state"
context = DirectContext(segment=5, scratch=folder, rank=rank, world=2, port=port, stop_after=stop if rank else None)
report = context.report

def dying(units, *rest, **more):
    if rank and units == die:
        os._exit(3)
    return report(units, *rest, **more)

context.report = dying
try:
    fitted = framework.fit(feed, recipe, state.read_bytes() if state.exists() else None, context)
    (folder / f"model.{rank}").write_bytes(fitted.payload)
except Stopped:
    if rank == 0:
        state.write_bytes(context.checkpoints[max(context.checkpoints)])
    sys.exit(75)
"""


def recipe() -> Recipe:
    estimator = Estimator(path="xgboost.XGBClassifier", params=PARAMS)
    return Recipe(
        framework="xgboost",
        estimator=estimator,
        encoding="",
        data="",
        target="y",
        folds=Folds(seed=0),
        segment=5,
        ranks=2,
    )


def gang(folder: Path, *, stop: int = 10**6, die: int = 10**6) -> list[int]:
    """Two ranks; how each ended. -9 is one that had to be killed."""
    port = free_port("127.0.0.2")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "OMP_NUM_THREADS": "1"}
    folder.mkdir(exist_ok=True)
    argv = [str(port), recipe().to_json(), str(folder), str(stop), str(die)]
    ranks = [
        subprocess.Popen([sys.executable, "-c", RANK, str(rank), *argv], env=env, stderr=subprocess.DEVNULL)
        for rank in range(2)
    ]
    try:
        return [rank.wait(timeout=60) for rank in ranks]
    except subprocess.TimeoutExpired:
        return [-9, -9]
    finally:
        for rank in ranks:
            rank.kill()
            rank.wait()


def test_ranks_stop_together_and_go_on_to_the_same_model(tmp_path: Path) -> None:
    """One rank that is told to stop stops both after the same round; the gang that follows ends with the same bytes."""
    assert gang(tmp_path / "whole") == [0, 0]
    assert gang(tmp_path / "parts", stop=10) == [75, 75]
    assert gang(tmp_path / "parts") == [0, 0]
    whole = [(tmp_path / "whole" / f"model.{rank}").read_bytes() for rank in range(2)]
    parts = [(tmp_path / "parts" / f"model.{rank}").read_bytes() for rank in range(2)]
    assert whole[0] == whole[1] == parts[0] == parts[1]


def test_a_dead_rank_fails_the_others(tmp_path: Path) -> None:
    """The survivor ends with an error of its own, and writes no model."""
    first, second = gang(tmp_path, die=7)
    assert second == 3
    assert first not in (0, 75, -9)
    assert not list(tmp_path.glob("model.*"))


def test_a_rank_needs_a_port_and_rows(tmp_path: Path) -> None:
    """Said before anything hangs."""
    framework = XGBoost()
    case = Case(recipe().estimator)
    feed = feed_for(case, framework.traits(case.estimator), form="shard")
    with pytest.raises(UsageError, match="no port"):
        framework.fit(feed, recipe(), None, DirectContext(scratch=tmp_path, world=2))
    small = ArrayFeed(feed.matrix("train").X[:64], feed.matrix("train").y[:64], form="shard", batch_rows=64)
    with pytest.raises(DataError, match="rank 1 of 2 has no training rows in batches of 64: take fewer ranks"):
        framework.fit(small, recipe(), None, DirectContext(scratch=tmp_path, rank=1, world=2, port=1))
