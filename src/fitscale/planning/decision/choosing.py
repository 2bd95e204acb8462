"""The objective: which candidate is best, in an order that does not depend on which others there are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import get_args

from fitscale.errors import NothingRuns, UsageError, nearest
from fitscale.planning.decision.gates import OVERRIDDEN, usable_bytes
from fitscale.planning.forecasts.spread import chance_above, expected, quantile
from fitscale.planning.scoring.ground import Ground
from fitscale.planning.scoring.sums import stepped, sum_of, weights_for
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Candidate, Refusal
from fitscale.records.run import Strategy
from fitscale.records.workload import Workload

TIE = 0.05
SIMPLE: tuple[str, ...] = get_args(Strategy)  # the simplest first
P90 = 0.9
SURE = 0.75


def ranked(
    assessed: Sequence[Assessed],
    workload: Workload,
    machine: Machine,
    must: float | None,
    ground: Ground | None = None,
) -> list[Assessed]:
    """The best first.

    By the user's weights where there are any; else by expected time, with a hardware budget by cost among those that meet the
    deadline at P90. What lies in the same twentieth counts as equal: then what the scorecard measured wins, then less memory,
    then the simpler strategy. Twentieths and the scorecard's hundredths are steps of fixed scales, so that another candidate
    never changes the order of the rest.

    Parameters
    ----------
    ground
        What the scorecard measures against; None: it has no say.
    """
    under_way = any(a.forecast.done_s for a in assessed)
    thrifty = is_thrifty(workload)
    weights = weights_for(ground, thrifty) if ground is not None else {}
    decides = ground is not None and bool(ground.facts.weights)

    def key(a: Assessed) -> tuple[bool, int, int, int, int, int, float, str]:
        seconds = expected_s(a, machine)
        if under_way and not a.forecast.done_s:
            # What is begun is left only for what is better with some certainty: its other half is not yet known.
            seconds = max(seconds, quantile(a.forecast.time_s, SURE))
        late = thrifty and may_be_late(a, must)
        cost = a.forecast.cost_usd.value if thrifty and a.forecast.cost_usd is not None else None
        objective = twentieth(seconds if cost is None else cost)
        memory = twentieth(a.forecast.memory_bytes.value)
        scored = -stepped(sum_of(a, ground, weights, seconds)) if ground is not None else 0
        first, then = (scored, 0) if decides else (0, scored)
        return (late, first, objective, then, memory, SIMPLE.index(a.candidate.strategy), seconds, a.candidate.name)

    return sorted(assessed, key=key)


def is_thrifty(workload: Workload) -> bool:
    """Whether the cheapest is wanted rather than the fastest: where hardware has a budget."""
    budget = workload.needs.budget
    return budget is not None and budget.hardware_usd_month is not None


def may_be_late(assessed: Assessed, must: float | None) -> bool:
    """Whether the deadline is missed at P90."""
    return must is not None and quantile(assessed.forecast.time_s, P90) > must


def expected_s(assessed: Assessed, machine: Machine) -> float:
    """What is still waited for on average: the mean, and another run for each time that memory ends one."""
    forecast = assessed.forecast
    return max(0.0, expected(forecast.time_s) * tries(assessed, machine) - forecast.done_s)


def tries(assessed: Assessed, machine: Machine) -> float:
    """How often it is run on average, until memory does not end it."""
    return 1 + chance_above(assessed.forecast.memory_bytes, usable_bytes(assessed.candidate, machine))


def only(choose: str, alive: Sequence[Candidate], refused: Sequence[Refusal]) -> list[Candidate]:
    """The candidate of this name, as a list.

    Raises
    ------
    UsageError
        If there is none of this name.
    NothingRuns
        If it cannot run, or not within memory. What `gates.OVERRIDDEN` names may be overridden, memory may not.
    """
    found = [candidate for candidate in alive if candidate.name == choose]
    if found:
        return found
    refusal = next((r for r in refused if r.candidate.name == choose), None)
    if refusal is None:
        known = list(dict.fromkeys([*(c.name for c in alive), *(r.candidate.name for r in refused)]))
        raise UsageError(f"--choose: no candidate '{choose}'{nearest(choose, known)}; there are: {', '.join(known)}")
    if refusal.gate not in OVERRIDDEN:
        can = ", ".join(candidate.name for candidate in alive)
        raise NothingRuns(f"--choose {choose}: {refusal.sentence}{f'; there are: {can}' if can else ''}")
    return [refusal.candidate]


def twentieth(value: float) -> int:
    """On which step of the scale it lies: what is on the same counts as equal."""
    return round(math.log(max(value, 1e-9)) / math.log1p(TIE))
