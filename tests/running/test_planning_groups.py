"""`plan` of many models fits a few of the groups, and what it fitted is the run's own."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from doing import events_of, workload_of

from fitscale.data.partition import Partition, join_groups, partition
from fitscale.errors import DataError
from fitscale.planning import loop
from fitscale.planning.wording import PRIORS
from fitscale.records.run import Event
from fitscale.records.workload import DataSpec
from fitscale.running import part, partitioning, tasks
from fitscale.running.planning import plan_only
from fitscale.running.training import train
from fitscale.store import chunks, folder
from fitscale.testing.tables import reader_over

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


@pytest.mark.parametrize("share", [0.2, 1.0])
def test_of_rows_that_take_long_to_cut_a_part_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float) -> None:
    """Cutting and fits are forecast from it; of the part itself nothing stays, and `train` cuts all rows."""
    monkeypatch.setattr(partitioning, "PLAN_CUT_S", 0.0)
    monkeypatch.setattr(part, "PART_S", share * 2_000 * 5 * partitioning.CUT_CELL_S)
    job, run = workload_of(MANY, tmp_path), tmp_path / "run"
    plan = plan_only(job, run)
    assert plan.decision.chosen is not None
    assert plan.decision.chosen.forecast.source != PRIORS
    assert plan.cut is not None
    assert plan.cut.seconds.origin == "forecast"
    assert plan.cut.kept_bytes > 0
    assert not plan.cut.done
    [measured] = plan.measurements
    assert measured.units / 2_000 <= share
    for left in ("tasks/*", "data/by-group-*", "attempts/*", "scratch/*"):
        assert not list(run.glob(left))
    assert train(job, run).manifest.models == 20


def test_a_part_that_is_wrong_leaves_the_forecast_to_priors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be so by itself: of all rows it is told when the run comes to them."""

    def wrong(*_: object) -> None:
        raise DataError("one class in all of the part's rows")

    monkeypatch.setattr(partitioning, "PLAN_CUT_S", 0.0)
    monkeypatch.setattr(part, "partition_of", wrong)
    plan = plan_only(workload_of(MANY, tmp_path), tmp_path / "run")
    assert plan.decision.chosen is not None
    assert plan.decision.chosen.forecast.source == PRIORS


@given(
    rows=st.lists(st.integers(1, 30), min_size=1, max_size=40),
    sizes=st.lists(st.integers(1, 200), min_size=1, max_size=5),
)
@settings(max_examples=30, deadline=None)
def test_groups_that_are_joined_have_all_rows_and_the_sizes_that_were_asked_for(
    tmp_path_factory: pytest.TempPathFactory, rows: list[int], sizes: list[int]
) -> None:
    """But for the last one, which has what is left over."""
    folder = tmp_path_factory.mktemp("joined")
    keys = np.repeat(np.arange(len(rows)), rows)
    reader = reader_over(pa.table({"key": keys, "y": np.arange(len(keys)) * 1.0}))
    data = DataSpec(uri="rows", target="y", groups=("key",))
    partition(reader, data, ("y",), folder / "cut")
    joined = join_groups(folder / "cut", sizes)
    there = Partition(folder / "cut")
    assert joined == there.sizes.tolist()
    assert sum(joined) == sum(rows)
    assert all(have >= size for have, size in zip(joined[:-1], itertools.cycle(sizes), strict=False))
    assert all(have < size + max(rows) for have, size in zip(joined[:-1], itertools.cycle(sizes), strict=False))


@pytest.mark.parametrize("by_key", [True, False])
def test_groups_of_all_rows_are_expected_from_those_of_a_part(by_key: bool) -> None:
    """Of a table by key the part has a tenth of them, else a tenth of each."""
    seen = [100, 300] * 5 if by_key else [10, 30] * 50
    about = SimpleNamespace(
        shape=SimpleNamespace(rows=16_000, holdout_rows=4_000, validation_rows=0),
        profile=SimpleNamespace(groups=SimpleNamespace(n=100)),
    )
    expected = part._expected(about, seen, 0.1)
    assert len(expected) == 100
    assert set(expected) == {100, 300}


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
