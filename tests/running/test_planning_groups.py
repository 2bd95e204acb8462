"""`plan` of many models fits a few of the groups, and what it fitted is the run's own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from doing import events_of, workload_of

from fitscale.planning import loop
from fitscale.planning.wording import PRIORS
from fitscale.running import partitioning, tasks
from fitscale.running.training import plan_only, train
from fitscale.store import chunks

MANY = {
    "name": "many",
    "data": {"uri": "synthetic://?rows=2000&columns=3&groups=20", "target": "y", "groups": ["group"]},
    "evaluate": {"holdout": "25%"},
    "model": {"estimator": "baseline.Classifier", "params": {"passes": 4, "sleep_s": 0.002}},
}


def _chunks(run: Path) -> dict[str, set[int]]:
    return {path.name: chunks.committed(run, path.name) for path in (run / "tasks").glob("*")}


def test_a_plan_is_by_chunks_that_train_does_not_do_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "NO_PROBE_S", 0.0)
    monkeypatch.setattr(tasks, "CHUNK_S", 1e-9)  # a chunk for each group
    job, run = workload_of(MANY, tmp_path), tmp_path / "run"
    plan = plan_only(job, run)
    assert plan.decision.chosen is not None
    assert plan.decision.chosen.forecast.source != PRIORS
    [(task, kept)] = _chunks(run).items()
    assert len(kept) >= 4
    assert not events_of(run, "version-begun")
    began = len(list((run / "attempts").iterdir()))
    done = train(job, run)
    assert done.manifest.models == 20
    cuts = [event for event in events_of(run, "attempt-started") if event["order"] == "partition"]
    assert len(cuts) == 1  # the plan's
    later = sorted((run / "attempts").iterdir(), key=lambda path: path.stat().st_mtime)[began:]
    again = {
        int(line.split('"k":')[1].split(",")[0].split("}")[0])
        for attempt in later
        for path in attempt.glob("events.*.jsonl")
        for line in path.read_text().splitlines()
        if '"kind":"chunk"' in line
    }
    assert not again & kept
    assert chunks.committed(run, task) >= again | kept


def test_rows_that_take_long_to_cut_are_left_to_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "NO_PROBE_S", 0.0)
    monkeypatch.setattr(partitioning, "PLAN_CUT_S", 0.0)
    run = tmp_path / "run"
    plan = plan_only(workload_of(MANY, tmp_path), run)
    assert plan.decision.chosen is not None
    assert plan.decision.chosen.forecast.source == PRIORS
    assert not list((run / "attempts").glob("*"))
