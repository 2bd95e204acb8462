"""Progress from events alone: done, rate, what is left, beside the forecast."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
import plans

from fitscale.cli.following import bar_lines, progress_line
from fitscale.records.data import Folds
from fitscale.records.run import Chunk, Estimator, Event, Order, Recipe, Sample, Task, Traits
from fitscale.records.workload import DataSpec, Evaluation
from fitscale.running.progress import Tracker, tasks_of, units_of
from fitscale.running.status import status_of
from fitscale.store import folder
from fitscale.store.journal import Journal
from fitscale.store.lock import RunLock

FIT = Order(kind="fit", task="t", epoch=1, memory_bytes=2_000_000_000)
GROUPS = Order(kind="groups", task="t", epoch=1, workers=2, memory_bytes=1_000_000_000)


def task(**changes: Any) -> Task:
    recipe = Recipe(
        framework="xgboost", estimator=Estimator(path="x.Y", params={"n_estimators": 100}), encoding="e", data="d", target="y",
        folds=Folds(seed=0),
    )  # fmt: skip
    traits = Traits(
        target="classifier",
        can={},
        input="codes",
        missing="ok",
        progress="rounds",
        units=100,
        units_param="n_estimators",
    )
    given_ = {"recipe": recipe, "name": "fit", "data": DataSpec(uri="u", target="y"), "traits": traits, "snapshot": "s"}
    return Task(**{**given_, **changes})


def event(kind: str, at: float, **data: Any) -> Event:
    return Event(kind=kind, at=at, data=data)


def test_units_and_their_rate_give_what_is_left() -> None:
    """Two rounds a second, 100 in all: at round 20 there are 40 s to go, and a fifth is done."""
    tracker = Tracker(began=0.0)
    tracker.learn("t", task())
    for k in range(1, 21):
        tracker.see("1-1", FIT, event("units", k * 0.5, units=k))
    tracker.see("1-1", FIT, event("memory", 10.0, bytes=7, peak=9))
    found = tracker.progress(10.0)
    assert (found.doing, found.task, found.unit, found.done, found.total) == ("fitting", "fit", "rounds", 20, 100)
    assert found.per_s == pytest.approx(2.0)
    assert found.remaining_s is not None
    assert found.remaining_s.value == pytest.approx(40.0)
    assert found.remaining_s.low < 40.0 < found.remaining_s.high
    assert found.share == pytest.approx(0.2, abs=0.01)
    assert (found.memory_bytes, found.peak_bytes, found.limit_bytes) == (7, 9, 2_000_000_000)


def test_what_was_done_before_is_not_counted_into_the_rate() -> None:
    """A resumed attempt stands at round 60 at once, and is not that fast."""
    tracker = Tracker(began=100.0)
    tracker.learn("t", task())
    tracker.see("2-1", FIT, event("resumed", 100.0, units=60))
    assert (tracker.progress(101.0).done, tracker.progress(101.0).resumed) == (60, 60)
    for k in range(61, 71):
        tracker.see("2-1", FIT, event("units", 100.0 + (k - 60), units=k))
    found = tracker.progress(110.0)
    assert found.per_s == pytest.approx(1.0)
    assert found.remaining_s is not None
    assert found.remaining_s.value == pytest.approx(30.0)


def test_a_pause_is_not_slowness() -> None:
    """Planning parked it for 50 s between two rounds of a second each."""
    tracker = Tracker(began=0.0)
    tracker.learn("t", task())
    for at, kind, units in ((1, "units", 1), (2, "units", 2), (2, "paused", 0), (52, "unpaused", 0), (53, "units", 3)):
        tracker.see("1-1", FIT, event(kind, float(at), units=units))
    assert tracker.progress(53.0).per_s == pytest.approx(1.0)


def test_groups_are_counted_with_those_that_were_done_before() -> None:
    """Chunk 0 was committed by an earlier attempt; chunk 2 is done now; failures are counted."""
    chunks = (Chunk(start=0, stop=10, rows=100), Chunk(start=10, stop=30, rows=400), Chunk(start=30, stop=40, rows=500))
    tracker = Tracker(began=0.0)
    tracker.learn("t", task(chunks=chunks), frozenset({0}))
    tracker.see("1-1", GROUPS, event("started", 0.0))
    tracker.see("1-1", GROUPS, event("chunk", 5.0, k=2, rows=500, failed=1, unfit=2))
    found = tracker.progress(5.0)
    assert (found.unit, found.done, found.total, found.failed, found.unfit) == ("groups", 20, 40, 1, 2)
    assert found.remaining_s is not None
    assert found.remaining_s.value == pytest.approx(4.0)  # 400 rows at 100 a second
    assert found.limit_bytes == 2_000_000_000
    assert "1 group failed, 2 unfit" in progress_line(found)


def test_before_anything_is_measured_the_forecast_stands() -> None:
    """And once it is past, nothing is made up."""
    tracker = Tracker(began=0.0)
    tracker.forecast(plans.forecast(60.0, 1.0))
    tracker.learn("t", task())
    tracker.see("1-1", FIT, event("started", 0.0))
    early, late = tracker.progress(10.0), tracker.progress(90.0)
    assert early.remaining_s is not None
    assert early.remaining_s.value == pytest.approx(50.0)
    assert late.remaining_s is None
    assert "so far, forecast" in progress_line(late)


def test_probes_are_no_progress() -> None:
    """A part of the rows that is fitted to measure says so."""
    tracker = Tracker(began=0.0)
    tracker.learn("t", task())
    tracker.see("1-1", FIT.but(samples=(Sample(rows=10),)), event("units", 1.0, units=5))
    assert tracker.progress(1.0).doing == "probing"


def test_status_shows_the_fit_that_was_parked_for_a_probe(tmp_path: Path) -> None:
    """Attempts overlap: the one whose events are the latest is at work, whichever was begun last."""
    run = tmp_path / "run"
    folder.create(run, "job")
    digest = folder.write_task(run, task())
    with RunLock(run) as held:
        journal = Journal(run, held.epoch)
        journal.append("command", command="train")
        for name, order, events in (
            (
                "1-1",
                FIT.but(task=digest),
                [event("units", 1.0, units=2), event("paused", 2.0), event("units", 9.0, units=40)],
            ),
            ("1-2", FIT.but(task=digest, samples=(Sample(rows=10),)), [event("units", 3.0, units=5)]),
        ):
            journal.append("attempt-started", attempt=name, candidate="in-memory", order="fit")
            attempt = folder.write_order(run, name, order)
            (attempt / "events.0.jsonl").write_text("".join(f"{each.to_json()}\n" for each in events))
        found = status_of(run, now=10.0).progress
    assert found is not None
    assert (found.doing, found.done, found.total) == ("fitting", 40, 100)


def test_a_long_line_ends_between_its_parts() -> None:
    """At 80 columns: what works and how fast, then what is left and the memory."""
    tracker = Tracker(began=0.0)
    tracker.forecast(plans.forecast(60.0, 2e9))
    tracker.learn("t", task())
    for k in range(1, 21):
        tracker.see("1-1", FIT, event("units", k * 0.5, units=k))
    tracker.see("1-1", FIT, event("memory", 10.0, bytes=1_200_000_000, peak=9))
    first, second = bar_lines(tracker.progress(10.0), 80)
    assert first.endswith(" fit: 20 of 100 rounds, 2/s")
    assert second.startswith("19 %, 40 s (37–43) left, forecast 60 s (46–78); ")
    assert second.endswith("1.2 GB of at most 2 GB")


def test_several_fits_are_counted() -> None:
    """Cross-validation fits each part and then all rows; what is left includes those that were not begun."""
    workload = plans.workload(evaluate=Evaluation(holdout=None, cv=5))
    assert tasks_of(workload) == 6
    tracker = Tracker(tasks_of(workload), 0.0)
    tracker.learn("t", task())
    for k in range(1, 101):
        tracker.see("1-1", FIT, event("units", float(k), units=k))
    tracker.see("1-1", FIT, event("ended", 101.0, cause="done"))
    tracker.learn("u", task(name="cv 2/5"))
    tracker.see("1-2", FIT.but(task="u"), event("units", 102.0, units=1))
    tracker.see("1-2", FIT.but(task="u"), event("units", 103.0, units=2))
    found = tracker.progress(103.0)
    assert (found.tasks_done, found.tasks, found.task) == (1, 6, "cv 2/5")
    assert found.remaining_s is not None
    assert found.remaining_s.value > 98.0
    assert progress_line(found).startswith("cv 2/5 (2 of 6): 2 of 100 rounds")


def test_a_final_fit_has_its_own_number_of_rounds() -> None:
    """Early stopping found 37: the recipe says so, not the workload."""
    recipe = task().recipe
    assert units_of(task(recipe=recipe.but(estimator=Estimator(path="x.Y", params={"n_estimators": 37})))) == 37


@given(
    steps=st.lists(
        st.tuples(st.floats(0, 100), st.sampled_from(["units", "paused", "unpaused", "memory", "resumed", "ended"])),
        max_size=30,
    )
)
def test_no_order_of_events_breaks_it(steps: list[tuple[float, str]]) -> None:
    """Events of killed attempts end anywhere; the share stays within 0 and 1 and the line can be written."""
    tracker = Tracker(began=0.0)
    tracker.forecast(plans.forecast(60.0, 1.0))
    tracker.learn("t", task())
    for number, (gap, kind) in enumerate(steps):
        tracker.see("1-1", FIT, event(kind, number + gap / 200, units=number, bytes=1, peak=2, cause="done"))
        found = tracker.progress(number + 1.0)
        assert 0.0 <= found.share <= 1.0
        assert 0 <= found.done <= found.total
        lines = bar_lines(found, 60)
        assert max(map(len, lines)) <= 60
        assert "; ".join(lines) == bar_lines(found, 1_000)[0]
