"""What a month of runs promises: each in one environment at a time, and no surprise from another job or environment."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fitscale.planning.portfolio.schedule import (
    MONTH_S,
    Load,
    at_once,
    is_endless,
    is_kept,
    is_late,
    month,
    needed,
    waits,
)

HOUR, DAY = 3600, 86_400
# Whole seconds: their sums are exact, so that what is equal compares as equal.
SECONDS = st.integers(1, 3 * DAY)
PERIODS = st.sampled_from([None, DAY, 7 * DAY, 14 * DAY, int(MONTH_S)])


@st.composite
def loads(draw: st.DrawFn, least: int = 1) -> list[Load]:
    """Up to six jobs, ad hoc ones of up to three users."""
    found = []
    for number in range(draw(st.integers(least, 6))):
        period, users = draw(PERIODS), draw(st.integers(0, 3))
        due = draw(st.none() | SECONDS)
        found.append(Load(f"job{number}", draw(SECONDS), period, users if period is None else 1, due))
    return found


@settings(max_examples=60)
@given(loads(), st.integers(1, 5))
def test_every_run_is_in_one_environment_at_a_time(jobs: list[Load], environments: int) -> None:
    """Each wanted run is there once, none begins before it is wanted, and no two overlap where they are."""
    runs = month(jobs, environments)
    counted = Counter(run.job for run in runs)
    for job in jobs:
        starts = 1 if job.period_s is None else -(-int(MONTH_S) // int(job.period_s))
        assert counted[job.name] == starts * job.at_once
    for environment in range(environments):
        own = sorted((run.began_s, run.ended_s) for run in runs if run.environment == environment)
        assert all(ended <= began for (_, ended), (began, _) in pairwise(own))
    assert all(0 <= run.environment < environments and run.began_s >= run.wanted_s for run in runs)


@settings(max_examples=100)
@given(st.lists(SECONDS, min_size=1, max_size=8), st.integers(1, 8))
def test_what_starts_together_takes_between_the_longest_and_all_in_turn(lengths: list[int], environments: int) -> None:
    """As long as the longest where each has an environment, as long as the sum where they share one."""
    jobs = [Load(f"job{number}", length) for number, length in enumerate(lengths)]
    took = max(run.ended_s for run in month(jobs, environments))
    assert max(lengths) <= took <= sum(lengths)
    if environments >= len(jobs):
        assert took == max(lengths)
    if environments == 1:
        assert took == sum(lengths)


@settings(max_examples=100)
@given(loads(least=2))
def test_another_job_never_lowers_what_is_needed(jobs: list[Load]) -> None:
    """Whichever job came last."""
    for left_out in jobs:
        assert needed([job for job in jobs if job is not left_out]) <= needed(jobs)


@settings(max_examples=60)
@given(loads(least=2), st.integers(1, 4))
def test_waits_grow_with_jobs_and_shrink_with_environments(jobs: list[Load], environments: int) -> None:
    """Nobody waits less for another job, nor longer for another environment."""
    all_of_them = waits(jobs, environments)
    fewer = waits(jobs[:-1], environments)
    assert all(fewer[name] <= all_of_them[name] for name in fewer)
    assert all(waited <= all_of_them[name] for name, waited in waits(jobs, environments + 1).items())


@settings(max_examples=100)
@given(loads())
@example([Load("endless", 86_401, 86_400), Load("whenever", 1)])
def test_what_is_needed_is_enough_and_one_fewer_is_not(jobs: list[Load]) -> None:
    """All is kept that could be with any number; nothing more is asked for than has an effect."""
    enough = needed(jobs)
    assert enough <= at_once(jobs)
    keepable = [job for job in jobs if job.at_once and not is_endless(job) and not is_late(job)]

    def kept(environments: int) -> bool:
        waited = waits(jobs, environments)
        return all(is_kept(job, waited[job.name]) for job in keepable)

    assert kept(enough)
    if enough > 1 and keepable:
        assert not kept(enough - 1)


def test_a_night_of_jobs() -> None:
    """Three hours and two of one hour: one environment does it by the fifth hour, two by the third."""
    jobs = [Load("long", 3 * HOUR, DAY, due_s=4 * HOUR), Load("a", HOUR, DAY), Load("b", HOUR, DAY, due_s=5 * HOUR)]
    assert waits(jobs, 1) == {"long": 0, "a": 3 * HOUR, "b": 4 * HOUR}
    assert needed(jobs) == 1
    assert needed([*jobs[:2], jobs[2]._replace(due_s=2 * HOUR)]) == 2
    assert at_once(jobs) == 3


def test_a_job_that_never_ends_in_time_has_an_environment_to_itself() -> None:
    """Its backlog grows; the others are reckoned without it."""
    jobs = [Load("endless", 25 * HOUR, DAY), Load("short", HOUR, DAY)]
    assert is_endless(jobs[0])
    assert needed(jobs) == 2
    assert waits(jobs, 2) == {"endless": 0, "short": 0}
    assert set(waits(jobs, 1).values()) == {float("inf")}


def test_what_nobody_starts_needs_nothing() -> None:
    """No users: no runs, no environment, no wait."""
    idle = Load("ad-hoc", HOUR, None, at_once=0)
    assert (needed([idle]), at_once([idle]), month([idle], 1)) == (0, 0, [])
    assert waits([idle], 0) == {"ad-hoc": 0}
    assert waits([idle, Load("a", HOUR, DAY)], 0) == {"ad-hoc": 0, "a": float("inf")}
    assert needed([idle, Load("a", HOUR, DAY)]) == 1


def test_without_an_environment_nothing_runs() -> None:
    """That is an error of the caller, and an endless wait for who asks."""
    with pytest.raises(ValueError, match="0 is less than 1"):
        month([Load("a", 1)], 0)
    assert waits([Load("a", 1)], 0) == {"a": float("inf")}
