"""Trials of a search are stopped where they are poor, and taken up again where they were interrupted."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitscale.records.tuning import Step
from fitscale.work.rungs import by_trial, goes_on, guide, params_of, seconds_of, unended


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60, unique=True))
def test_a_third_of_those_that_were_judged_would_go_on(values: list[float]) -> None:
    """Each against all others: the best third, and always the best."""
    stay = [value for k, value in enumerate(values) if goes_on(value, values[:k] + values[k + 1 :])]
    assert len(stay) == math.ceil(len(values) / 3)
    assert max(values) in stay


def test_equal_scores_go_on_together() -> None:
    assert all(goes_on(1.0, [1.0] * n) for n in range(9))


def test_the_search_is_guided_by_every_other_block() -> None:
    """The rest of them compare at the end; of few rows the score itself; nothing where there is none."""
    assert guide([1.0, 9.0, 3.0, 9.0], 7.0) == 2.0
    assert guide([None, 9.0, 3.0, None], 7.0) == 3.0
    assert guide([], 7.0) == 7.0
    assert guide([1.0], 7.0, greater=False) == -1.0
    assert guide([], None) is None
    assert guide([float("inf")], 1.0) is None


def test_what_a_rung_takes_is_the_median_of_those_seen() -> None:
    """Before any was, three times the one before it; nothing is known before the first trial."""
    seen = [Step(trial=k, state="going", rung=0, score=0.5, seconds=s) for k, s in enumerate((9.0, 1.0, 2.0))]
    assert seconds_of(seen, 3) == [2.0, 6.0, 18.0]
    assert seconds_of([], 3) == [0.0, 0.0, 0.0]
    failed = Step(trial=9, state="failed", rung=0, seconds=100.0)
    assert seconds_of([*seen, failed], 1) == [2.0]


@pytest.mark.parametrize(
    ("last", "is_taken_up"),
    [("begun", True), ("going", True), ("cut", True), ("done", False), ("stopped", False), ("failed", False)],
)
def test_what_was_interrupted_is_taken_up_again(last: str, is_taken_up: bool) -> None:
    trials = by_trial([Step(trial=3, state="begun", params={"a": 1}), Step(trial=3, state=last)])  # type: ignore[arg-type]
    assert (3 in unended(trials)) == is_taken_up
    assert params_of(trials[3]) == {"a": 1}
