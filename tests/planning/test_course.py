"""What all rounds take, from the first: those that get cheaper are told from those that do not, and doubt is said."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitscale.planning.forecasts.course import course_of
from fitscale.planning.probing import STEPS, from_beginning, is_measured
from fitscale.records.plan import Law, Term
from fitscale.records.run import Event

WHOLE, SETTLING, LATER = 200, 12.0, 0.8


def seconds(k: np.ndarray, falls: float, each: float = 0.2) -> np.ndarray:
    return each * (1 + falls * np.exp(-k / SETTLING))


def course(n: int, falls: float, noise: float = 0.0, seed: int = 0) -> tuple[float, float]:
    """(Forecast over truth, its deviation) from the first n of the rounds, the very first left out."""
    k = np.arange(1, WHOLE + 1)
    all_s = seconds(k, falls) * (1 + noise * np.random.default_rng(seed).normal(size=WHOLE))
    seen = slice(1, n + 1)
    found = course_of(k[seen], np.ones(n), all_s[seen], WHOLE, SETTLING, LATER)
    return found.seconds / all_s.sum(), found.deviation


@pytest.mark.parametrize("falls", [0.0, 0.25, 0.8])
def test_how_far_rounds_fall_is_seen_in_time(falls: float) -> None:
    """After twenty of two hundred it is nearly right, and after forty right, whether they get much cheaper or not at all."""
    assert course(20, falls)[0] == pytest.approx(1.0, abs=0.08)
    assert course(40, falls)[0] == pytest.approx(1.0, abs=0.02)


def test_a_fall_that_comes_late_is_not_ruled_out() -> None:
    """Rounds that took the same for sixty of 320, and four fifths of it from the hundredth on: the interval has it."""
    k = np.arange(1, 321)
    took = np.where(k < 60, 0.17, np.maximum(0.135, 0.17 - 0.001 * (k - 60)))
    found = course_of(k[1:60], np.ones(59), took[1:60], 320, 36.0, 0.7)
    assert took.sum() < found.seconds < 0.95 * 320 * 0.17
    assert found.seconds * (1 - 2 * found.deviation) < took.sum()


@pytest.mark.parametrize("falls", [0.0, 0.25, 0.6])
def test_what_cannot_be_seen_yet_is_in_the_deviation(falls: float) -> None:
    """Three rounds tell little, and say so: the truth is within two deviations, which shrink with each round."""
    early, late = course(3, falls), course(40, falls)
    assert abs(early[0] - 1) < 2 * early[1]
    assert late[1] < 0.4 * early[1]


def test_the_truth_lies_within_the_interval_nine_times_in_ten() -> None:
    """Of fits whose rounds fall as they usually do, with a tenth of noise."""
    rng = np.random.default_rng(1)
    hits = 0
    for seed in range(200):
        falls = max(0.0, 1 / LATER - 1 + 0.3 * rng.normal())
        ratio, deviation = course(int(rng.integers(3, 25)), falls, noise=0.1, seed=seed)
        hits += abs(ratio - 1) <= 1.645 * max(deviation, 0.02)
    assert hits >= 170


@given(
    n=st.integers(1, 40), each=st.floats(1e-4, 1e3), falls=st.floats(0, 1), units=st.integers(1, 50), settling=st.floats(1, 1e4)
)  # fmt: skip
def test_it_is_in_proportion(n: int, each: float, falls: float, units: int, settling: float) -> None:
    """Twice the seconds of a round are twice of all, and several rounds in a report are as many reports of one."""
    k = np.arange(1, n + 1) * units
    y = each * (1 + falls * np.exp(-k / settling))
    one, two = (course_of(k, [units] * n, times * y, 5_000, settling, LATER) for times in (1.0, 2.0))
    assert two.seconds == pytest.approx(2 * one.seconds, rel=1e-6)
    assert two.deviation == pytest.approx(one.deviation, rel=1e-6)
    assert math.isfinite(one.seconds)
    assert one.seconds > 0


def told(rounds: int, falls: float) -> list[Event]:
    at = np.cumsum(seconds(np.arange(1, rounds + 1), falls))
    return [Event(kind="units", at=float(s), data={"units": k + 1, "cpu_s": float(s)}) for k, s in enumerate(at)]


def boosting(later: float = LATER) -> Law:
    term = Term(name="cells", amount=1.0, prior=1.0)
    return Law(units=WHOLE, later=later, settling=SETTLING, time={"iterations": (term,)}, memory=(), storage=())


def test_a_beginning_is_looked_at_until_its_pace_is_known() -> None:
    """No longer than it may, and of what does not get cheaper no longer than a second."""
    events = told(WHOLE, 0.6)

    def seen(**how: Any) -> int:
        return next(n for n in range(len(events)) if is_measured(events[:n], **how))

    plain = seen()
    assert seen(law=boosting(later=1.0), most_s=60.0) == plain
    assert plain < seen(law=boosting(), most_s=2.0) < seen(law=boosting(), most_s=60.0) <= 0.2 * WHOLE


def test_of_many_reports_a_few_are_kept(bench: Any) -> None:
    """Together they are all seconds that were seen."""
    events = told(WHOLE, 0.6)
    found = from_beginning(bench.candidate(), bench.shape(), events, 0.0)
    assert found is not None
    assert len(found.steps) == STEPS
    assert sum(units for _, units, _, _ in found.steps) == found.units == WHOLE - 1
    assert sum(units * wall_s for _, units, wall_s, _ in found.steps) == pytest.approx(events[-1].at - events[0].at)


def test_a_pause_is_no_part_of_a_round(bench: Any) -> None:
    """A beginning that was parked while a rival was looked at."""
    events = told(10, 0.0)
    parked = [
        Event(kind="paused", at=events[4].at + 0.01, data={}),
        Event(kind="unpaused", at=events[4].at + 9.01, data={}),
    ]
    later = [event.but(at=event.at + 9.0) for event in events[5:]]
    found = from_beginning(bench.candidate(), bench.shape(), [*events[:5], *parked, *later], 0.0)
    assert found is not None
    assert max(wall_s for _, _, wall_s, _ in found.steps) == pytest.approx(0.2, rel=0.01)
