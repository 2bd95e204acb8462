"""A month of runs in environments that each work on one at a time, first come, first served.

The worst month is looked at: all jobs start together at its first moment, and each again after its period. What starts at
the same moment is taken longest first. Nothing here is random, so that the same jobs wait the same time.

With one run at a time, taken in order, another job never shortens a wait and another environment never lengthens one: the
sorted moments at which environments become free only grow with the work and only shrink with their number. That is what
lets `needed` stop at the first number that is enough.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

MONTH_S = 30.4 * 86_400


class Load(NamedTuple):
    """A job as the schedule sees it. ``due_s``: seconds from a start by which it must have ended; None: whenever."""

    name: str
    seconds: float
    period_s: float | None = None  # None: once, at the month's first moment
    at_once: int = 1
    due_s: float | None = None


class Run(NamedTuple):
    job: str
    environment: int
    wanted_s: float  # when it was to start, from the month's beginning
    began_s: float
    ended_s: float

    @property
    def waited_s(self) -> float:
        return self.began_s - self.wanted_s

    @property
    def took_s(self) -> float:
        return self.ended_s - self.wanted_s


def month(loads: Sequence[Load], environments: int) -> list[Run]:
    """Every run that is to start within the month, in the order of their starts.

    Raises
    ------
    ValueError
        Without an environment.
    """
    if environments < 1:
        raise ValueError(f"environments: {environments} is less than 1")
    return [
        Run(name, environment, start, began, began + seconds)
        for name, environment, start, began, seconds in _served(_wanted(loads), environments)
    ]


def is_endless(load: Load) -> bool:
    """Whether a run takes longer than the time to the next: its environment is never free again, and the backlog grows."""
    return load.period_s is not None and load.seconds > load.period_s


def is_late(load: Load) -> bool:
    """Whether it misses its due time even where it never waits."""
    return load.due_s is not None and load.seconds > load.due_s


def waits(loads: Sequence[Load], environments: int) -> Mapping[str, float]:
    """The longest that each job waits for an environment, in seconds. Endless jobs have one each, and wait for themselves alone."""
    shared, endless = _apart(loads)
    found = dict.fromkeys((load.name for load in loads), 0.0)
    left = environments - len(endless)
    if left < (1 if shared else 0):
        return found | dict.fromkeys((load.name for load in (*shared, *endless)), float("inf"))
    return found | _longest(_wanted(shared), left) if shared else found


def is_kept(load: Load, waited_s: float) -> bool:
    """Whether it ends by its due time and before its next start, having waited so long; one that waits for ever never does."""
    took = waited_s + load.seconds
    return math.isfinite(took) and all(limit is None or took <= limit for limit in (load.due_s, load.period_s))


def needed(loads: Sequence[Load]) -> int:
    """The fewest environments in which everything is kept that could be kept with any number of them.

    An endless job counts for one, which it has to itself.
    """
    shared, endless = _apart(loads)
    if not shared:
        return len(endless)
    keepable = [load for load in shared if not is_late(load)]
    wanted = _wanted(shared)
    low, high = 1, at_once(shared)  # in the most of them nothing waits
    while low < high:
        middle = (low + high) // 2
        waited = _longest(wanted, middle)
        if all(is_kept(load, waited[load.name]) for load in keepable):
            high = middle
        else:
            low = middle + 1
    return len(endless) + low


def at_once(loads: Sequence[Load]) -> int:
    """Environments in which nothing ever waits: one for each run that may be wanted at the month's first moment."""
    return sum(load.at_once for load in loads)


def _wanted(loads: Sequence[Load]) -> list[tuple[float, float, str]]:
    """Start, seconds (negative) and job of every run, in the order in which they are taken."""
    return sorted(
        (start, -load.seconds, load.name) for load in loads for start in _starts(load) for _ in range(load.at_once)
    )


def _served(
    wanted: Sequence[tuple[float, float, str]], environments: int
) -> Iterator[tuple[str, int, float, float, float]]:
    """Job, environment, wanted start, real start and seconds of each run: the next free environment takes it."""
    free = [(0.0, environment) for environment in range(environments)]
    for start, negative, name in wanted:
        ready, environment = free[0]
        began = max(start, ready)
        heapq.heapreplace(free, (began - negative, environment))
        yield name, environment, start, began, -negative


def _longest(wanted: Sequence[tuple[float, float, str]], environments: int) -> dict[str, float]:
    """The longest wait of each job."""
    found: dict[str, float] = {}
    for name, _, start, began, _ in _served(wanted, environments):
        if began - start >= found.get(name, 0.0):
            found[name] = began - start
    return found


def _apart(loads: Sequence[Load]) -> tuple[list[Load], list[Load]]:
    """Those that share environments, and the endless ones. What nobody starts is in neither."""
    wanted = [load for load in loads if load.at_once]
    return [load for load in wanted if not is_endless(load)], [load for load in wanted if is_endless(load)]


def _starts(load: Load) -> list[float]:
    if load.period_s is None:
        return [0.0]
    starts, k = [], 0
    while (start := k * load.period_s) < MONTH_S:
        starts.append(start)
        k += 1
    return starts
