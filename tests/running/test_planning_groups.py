"""`plan` of many models fits a few of the groups, and what it fitted is the run's own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from doing import events_of, workload_of

from fitscale.planning import loop
from fitscale.planning.wording import PRIORS
from fitscale.records.run import Event
from fitscale.running import partitioning, tasks
from fitscale.running.training import plan_only, train
from fitscale.store import chunks, folder

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
    before = set(folder.attempts(run))
    done = train(job, run)
    assert done.manifest.models == 20
    cuts = [event for event in events_of(run, "attempt-started") if event["order"] == "partition"]
    assert len(cuts) == 1  # the plan's
    paths = [path for attempt in set(folder.attempts(run)) - before for path in attempt.glob("events.*.jsonl")]
    events = [Event.from_json(line) for path in paths for line in path.read_text().splitlines()]
    again = {int(event.data["k"]) for event in events if event.kind == "chunk"}
    assert again
    assert not again & kept
    assert chunks.committed(run, task) == again | kept


def test_rows_that_take_long_to_cut_are_left_to_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "NO_PROBE_S", 0.0)
    monkeypatch.setattr(partitioning, "PLAN_CUT_S", 0.0)
    run = tmp_path / "run"
    plan = plan_only(workload_of(MANY, tmp_path), run)
    assert plan.decision.chosen is not None
    assert plan.decision.chosen.forecast.source == PRIORS
    assert not list((run / "attempts").glob("*"))


def test_a_plan_does_not_wait_for_a_group_that_takes_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One group may have nearly all of the rows, and a chunk ends with its last group."""
    monkeypatch.setattr(loop, "NO_PROBE_S", 0.0)
    monkeypatch.setattr(loop, "PLAN_BEGIN_S", 0.0)
    run = tmp_path / "run"
    plan = plan_only(workload_of(MANY, tmp_path), run)
    assert plan.decision.chosen is not None
    assert plan.decision.chosen.forecast.source == PRIORS
    assert [event["order"] for event in events_of(run, "attempt-started")] == ["partition"]


def test_of_thousands_of_groups_a_few_are_timed_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most half a hundredth of them; what they took is what the forecast is made of, and `train` does not fit them again."""
    monkeypatch.setattr(loop, "NO_PROBE_S", 0.0)
    groups = 4_000
    document = {
        **MANY,
        "data": {"uri": f"synthetic://?rows=24000&columns=3&groups={groups}", "target": "y", "groups": ["group"]},
        "model": {"estimator": "sklearn.linear_model.Ridge"},
    }
    document["data"] = {**document["data"], "uri": document["data"]["uri"] + "&classes=0"}
    job, run = workload_of(document, tmp_path), tmp_path / "run"
    plan = plan_only(job, run)
    [measured] = plan.measurements
    assert 8 <= len(measured.timed) <= groups * 0.005
    assert plan.decision.chosen is not None
    assert f"{len(measured.timed)} groups" in plan.decision.chosen.forecast.source
    [(digest, kept)] = _chunks(run).items()
    probes = {k for k, chunk in enumerate(folder.read_task(run, digest).chunks) if chunk.probe}
    assert probes <= kept
    made = train(job, run).manifest
    assert plan.profile.groups is not None
    assert made.models + made.unfit == plan.profile.groups.n
