"""What a planned job would take on machines that it was never measured on."""

from __future__ import annotations

from collections.abc import Sequence

from fitscale.planning import forecasting
from fitscale.planning.again import explained
from fitscale.planning.choosing import ranked
from fitscale.planning.gates import FORECAST_GATES, gate, must_s
from fitscale.records.data import Snapshot
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Law, Plan
from fitscale.records.portfolio import Way

STANDS_FOR = ("data-parallel", "parts-and-merge")  # in-memory stands for them on one machine


def way_here(plan: Plan) -> Way:
    """What the plan chose for this machine. One that is late or too dear runs all the same: that is for a portfolio to say."""
    chosen = plan.decision.chosen
    return Way(sentence=_why_not(plan)) if chosen is None else Way(assessed=chosen)


def ways_there(plan: Plan, snapshot: Snapshot, machines: Sequence[Machine]) -> tuple[Way, ...]:
    """The best way of the plan's job on each of the machines, in their order, or why there is none."""
    known = [(one, law) for one in _forecast(plan) if (law := explained(plan, snapshot, one.candidate.name).law)]
    return tuple(_there(plan, known, machine) for machine in machines)


def _there(plan: Plan, known: Sequence[tuple[Assessed, Law]], machine: Machine) -> Way:
    workload = plan.workload
    passing: list[Assessed] = []
    sentence = _why_not(plan)
    for one, law in known:
        assessed = forecasting.moved(one, law, plan.machine, machine)
        refusal = gate(assessed, workload, machine, surely=False)
        if refusal is None or refusal.gate in FORECAST_GATES:
            passing.append(assessed)
        else:
            sentence = f"{assessed.candidate.name} {refusal.sentence}"
    best = ranked(passing, workload, machine, must_s(workload))
    return Way(assessed=best[0]) if best else Way(sentence=sentence)


def _forecast(plan: Plan) -> list[Assessed]:
    """Each candidate of the plan that has a forecast here, whether it may run here or not, but those that in-memory stands for."""
    decision = plan.decision
    found = [one for one in (decision.chosen, *decision.alternatives) if one is not None]
    found += [
        Assessed(candidate=refusal.candidate, forecast=refusal.forecast)
        for refusal in decision.refused
        if refusal.forecast is not None and refusal.gate not in ("ability", "export", "other", "engine")
    ]
    several = any(one.candidate.strategy not in STANDS_FOR for one in found)
    return [one for one in found if not (several and one.candidate.strategy in STANDS_FOR)]


def _why_not(plan: Plan) -> str:
    """The refusal of the candidate that is nearest to running here: the one that could run and holds least, else the first."""
    refused = plan.decision.refused
    known = [(r.forecast.memory_bytes.value, at) for at, r in enumerate(refused) if r.forecast is not None]
    if not refused:
        return "no candidate was found"
    nearest = refused[min(known)[1] if known else 0]
    return f"{nearest.candidate.name} {nearest.sentence}"
