"""What weights may be: numbers as they are, or shares that sum to 100 %; anything else is told with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitscale.errors import WorkloadError
from fitscale.workload.spec import parse
from fitscale.workload.team import parse_team, team_document
from fitscale.workload.weights import MEASURES

JOB = {"name": "j", "data": {"uri": "a.parquet", "target": "y"}, "model": {"estimator": "a.B"}}


def read(weights: Any) -> dict[str, float]:
    return parse(JOB | {"needs": {"weights": weights}}, file=None, folder=Path()).needs.weights


def test_numbers_need_not_sum_to_anything() -> None:
    assert read({"time": 3, "storage": 0.5}) == {"time": 3.0, "storage": 0.5}


def test_shares_are_of_a_hundred() -> None:
    """Rounded thirds are one, too."""
    assert read({"time": "75%", "budget": "25 %"}) == {"time": 75.0, "budget": 25.0}
    assert read({"time": "33.33%", "budget": "33.33%", "storage": "33.33%"})


def test_cost_is_another_word_for_budget() -> None:
    assert read({"cost": 1}) == {"budget": 1.0}


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        ({"tme": 1}, "no measurement 'tme'; did you mean 'time'"),
        ({"time": -1}, r"needs\.weights\.time: -1 must be at least 0"),
        ({"time": 0, "budget": 0}, "no weight is above 0"),
        ({}, "no weight is above 0"),
        ({"time": "much"}, "'much' is not a weight; write a number"),
        ({"time": "x%"}, "'x%' is not a weight"),
        ({"time": True}, "True is not a weight"),
        ({"time": float("nan")}, "is not a weight"),
        ({"time": float("inf")}, "is not a weight"),
        ({"time": "70%", "budget": "20%"}, r"the shares sum to 90 % \(70 \+ 20\), not to 100 %"),
        ({"time": "70%", "budget": 1}, "numbers and shares of 100 % side by side"),
        ({"cost": 1, "budget": 2}, "'budget' is budget, which has a weight already"),
        ([1, 2], "is not a section; write 'weights: {time: 3, budget: 1}'"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(weights: Any, told: str) -> None:
    with pytest.raises(WorkloadError, match=told):
        read(weights)


def test_a_team_has_weights_for_all_its_jobs() -> None:
    """The same keys, errors and words, and written as they were read."""
    team = parse_team({"weights": {"people": 2, "cost": 1}})
    assert team.weights == {"people": 2.0, "budget": 1.0}
    assert parse_team(team_document(team)) == team
    with pytest.raises(WorkloadError, match="no measurement 'speed'"):
        parse_team({"weights": {"speed": 1}})


NUMBER = st.floats(0, 1e6, allow_nan=False)


@given(st.dictionaries(st.sampled_from(MEASURES), NUMBER, min_size=1))
def test_what_was_read_is_what_was_written(weights: dict[str, float]) -> None:
    if any(weights.values()):
        assert read(weights) == weights


@given(
    st.dictionaries(
        st.text(max_size=9) | st.sampled_from(MEASURES), st.none() | st.text(max_size=5) | NUMBER | st.booleans()
    )
)
def test_anything_else_is_an_error_with_a_place(weights: dict[str, Any]) -> None:
    """Never another exception, whatever stands there."""
    told, found = "", {}
    try:
        found = read(weights)
    except WorkloadError as error:
        told = str(error)
    assert "needs.weights" in told or any(found.values())
    assert all(weight >= 0 for weight in found.values())
