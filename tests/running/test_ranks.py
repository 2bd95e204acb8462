"""One model fitted by two ranks on loopback, each with its share of the rows."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from doing import events_of, held_out, said_of, trained, workload_of
from killing import bytes_of, processes_of, wait_until_quiet

from fitscale.errors import UsageError
from fitscale.records.run import Event, Order
from fitscale.running.command import Told
from fitscale.running.training import train
from fitscale.store import folder, versions

JOB = {
    "name": "ranks",
    "data": {"uri": "synthetic://?rows=140000&columns=5&categorical=1&missing=0.05", "target": "y"},
    "evaluate": {"holdout": "20%", "early_stopping": {"rounds": 40, "validation": "10%"}},
    "model": {"estimator": "xgboost.XGBClassifier", "params": {"n_estimators": 40, "max_depth": 4, "subsample": 0.8}},
}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run by two ranks that nothing interrupted."""
    run = tmp_path_factory.mktemp("two") / "run"
    trained(JOB, run, "data-parallel")
    return run


def test_two_ranks_are_equivalent_to_one(tmp_path: Path, two: Path) -> None:
    """Another recipe (it names its ranks), on the same hold-out rows, as good, and near in what it predicts."""
    trained(JOB, tmp_path / "run", "in-memory")
    ours, theirs = versions.manifest(two, 1), versions.manifest(tmp_path / "run", 1)
    assert [recipe.ranks for recipe in ours.recipes.values()] == [2]
    assert ours.scores["roc_auc"] == pytest.approx(theirs.scores["roc_auc"], abs=0.005)
    a, b = held_out(two), held_out(tmp_path / "run")
    assert a.column("row").equals(b.column("row"))
    assert np.abs(said_of(a) - said_of(b)).mean() < 0.15 * said_of(b).std()


def test_both_ranks_worked(two: Path) -> None:
    """Each has a log of events with every round in it."""
    (attempt,) = [path for path in folder.attempts(two) if folder.read_order(two, path.name).kind == "fit"]
    for rank in (0, 1):
        lines = (attempt / f"events.{rank}.jsonl").read_text().splitlines()
        rounds = [Event.from_json(line) for line in lines if '"kind":"units"' in line]
        assert [event.data["units"] for event in rounds] == list(range(1, 41))


@pytest.mark.parametrize("rank", [0, 1])
def test_a_gang_that_lost_a_rank_goes_on_from_its_checkpoint(
    tmp_path: Path, two: Path, monkeypatch: pytest.MonkeyPatch, rank: int
) -> None:
    """One rank is killed: the other is ended, the gang starts again, and the bytes are those of the undisturbed run."""
    monkeypatch.setenv("FITSCALE_CHECKPOINT_S", "0")
    run = tmp_path / "run"
    killed: list[int] = []
    resumed: list[Any] = []

    def see(name: str, order: Order, event: Event) -> None:
        if event.kind == "checkpoint" and not killed:
            killed.extend(processes_of(run, f"{name}.{rank}"))
            os.kill(killed[0], signal.SIGKILL)
        if event.kind == "resumed":
            resumed.append(event.data["units"])

    train(workload_of(JOB, tmp_path), run, choose="data-parallel", told=Told(event=see))
    assert len(killed) == 1
    assert resumed
    assert min(resumed) >= 5
    assert [event["cause"] for event in events_of(run, "attempt-ended")][:2] == ["killed", "done"]
    wait_until_quiet(run)
    assert bytes_of(run) == bytes_of(two)


def test_too_few_rows_for_two_ranks_are_refused_with_the_next_step(tmp_path: Path) -> None:
    """A rank without rows could not take part. Four thousand are shared; two hundred are one batch."""
    few = {**JOB, "data": {"uri": "synthetic://?rows=200&columns=5", "target": "y"}}
    with pytest.raises(UsageError, match="no training rows"):
        trained(few, tmp_path / "run", "data-parallel")
