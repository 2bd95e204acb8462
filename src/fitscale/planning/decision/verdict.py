"""Why: the sentences of a decision, each with its figures and where they come from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fitscale.machines.prices import FREE
from fitscale.planning import wording
from fitscale.planning.decision.choosing import P90, SIMPLE
from fitscale.planning.decision.gates import FORECAST_GATES, runs_a_month, usable_bytes
from fitscale.planning.forecasts.spread import quantile
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Refusal
from fitscale.records.workload import Workload


class Verdict(NamedTuple):
    """What was found, before it is put into words."""

    workload: Workload
    machine: Machine
    must: float | None
    chosen: Assessed | None
    ranked: tuple[Assessed, ...]  # what passes every gate, the best first
    refused: tuple[Refusal, ...]
    better: Assessed | None
    meets: bool
    overridden: bool
    settled: bool
    weighed: bool = False  # by the user's weights rather than by the objective


def reasons_of(v: Verdict) -> tuple[str, ...]:
    """The first sentence is the verdict, the others say why."""
    if v.chosen is None:
        why = "; ".join(f"{r.candidate.name} {r.sentence}" for r in v.refused) or "none was found"
        return (f"no candidate fits: {why}", *_elsewhere(v))
    return tuple([_headline(v, v.chosen), *_memory(v, v.chosen), *_time(v, v.chosen), *_cost(v, v.chosen),
                  *_software(v), *_override(v, v.chosen), *_elsewhere(v), *_unsettled(v)])  # fmt: skip


def _headline(v: Verdict, chosen: Assessed) -> str:
    forecast = chosen.forecast
    took = f"{wording.duration(forecast.time_s)}, {forecast.source}"
    if v.meets:
        return f"{chosen.candidate.name}: {took}"
    own = next((r for r in v.refused if r.candidate.name == chosen.candidate.name), None)
    problem = own.sentence if own is not None else took
    if v.overridden:
        return f"{chosen.candidate.name}, though it takes {problem}"
    gates = {r.gate for r in v.refused if r.gate in FORECAST_GATES}
    asked = " and ".join(name for name in FORECAST_GATES if name in gates)
    return f"nothing meets the {asked}; the nearest is {chosen.candidate.name}: {problem}"


def _memory(v: Verdict, chosen: Assessed) -> Iterator[str]:
    """Why not something simpler, and that this one fits."""
    simpler = SIMPLE[: SIMPLE.index(chosen.candidate.strategy)]
    for refusal in v.refused:
        if refusal.gate == "memory" and refusal.candidate.strategy in simpler:
            yield f"not {refusal.candidate.name}: it {refusal.sentence.partition(';')[0]}"
    used = wording.size(chosen.forecast.memory_bytes)
    usable = wording.size(usable_bytes(chosen.candidate, v.machine))
    rivals = f", and {_rivals(v, chosen)}" if v.meets else ""
    yield f"{chosen.candidate.name} holds {used} of {usable} usable{rivals}"


def _rivals(v: Verdict, chosen: Assessed) -> str:
    others = [a for a in v.ranked if a.candidate != chosen.candidate]
    if not others:
        return "no other candidate passes"
    mine = chosen.forecast.time_s.value
    faster = [a for a in others if a.forecast.time_s.value < mine]
    told = ", ".join(f"{a.candidate.name} {wording.factor(a.forecast.time_s.value / mine)}" for a in faster or others)
    if not faster:
        return f"nothing else is faster ({told})"
    if v.overridden or v.weighed:
        return f"{told} the time"
    # Faster by its median, yet not better: within the tie, or less sure.
    return f"what is faster is not so by enough to count ({told} the time)"


def _time(v: Verdict, chosen: Assessed) -> Iterator[str]:
    time_s = chosen.forecast.time_s
    late = quantile(time_s, P90)
    if v.must is not None and time_s.value <= v.must:
        limit = wording.duration(v.must)
        at_p90 = f"P90 is {wording.duration(late)}"
        yield f"within your {limit}: {at_p90}" if late <= v.must else f"may miss your {limit}: {at_p90}"
    want = v.workload.needs.deadline.want_s if v.workload.needs.deadline else None
    if want is not None and time_s.value > want:
        yield f"over the {wording.duration(want)} that you want"


def _cost(v: Verdict, chosen: Assessed) -> Iterator[str]:
    budget, cost = v.workload.needs.budget, chosen.forecast.cost_usd
    if cost is not None:
        month = cost.value * runs_a_month(v.workload)
        often = v.workload.needs.frequency or "once a month"
        yield f"{wording.dollars(cost)} a run, {wording.dollars(month)} a month ({often})"
    elif budget is not None and budget.hardware_usd_month is not None:
        yield "the budget is not checked: this machine has no price that fitscale knows"


def _software(v: Verdict) -> Iterator[str]:
    budget, model = v.workload.needs.budget, v.workload.model
    if budget is None or budget.software_usd_month is None:
        return
    library = (model.framework or model.estimator or "").partition(".")[0]
    if library in FREE:
        yield f"{library} needs no licence: 0 of your {wording.dollars(budget.software_usd_month)} a month for software"
    else:
        what = f"'{library}'" if library else "the estimator"
        yield f"the budget for software is not checked: fitscale does not know what a licence of {what} costs"


def _override(v: Verdict, chosen: Assessed) -> Iterator[str]:
    if v.overridden:
        best = v.ranked[0] if v.ranked else None
        other = best is not None and best.candidate != chosen.candidate
        would = f"; {best.candidate.name} would take {wording.duration(best.forecast.time_s)}" if best and other else ""
        yield f"chosen by --choose{would}"


def _elsewhere(v: Verdict) -> Iterator[str]:
    if v.better is not None:
        forecast = v.better.forecast
        cost = f", {wording.dollars(forecast.cost_usd.value)} a run" if forecast.cost_usd else ""
        took = wording.duration(forecast.time_s)
        yield f"better: {v.better.candidate.name} on {v.better.candidate.machine}, {took}{cost} (modelled)"


def _unsettled(v: Verdict) -> Iterator[str]:
    if not v.settled and v.chosen is not None:
        names = [
            a.candidate.name
            for a in v.ranked
            if a.candidate != v.chosen.candidate and a.forecast.source == wording.PRIORS
        ]
        if names:
            who = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
            yield f"not settled: the time for probing was spent before {who} could be tried; --probe 10m goes on"
