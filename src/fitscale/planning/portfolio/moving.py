"""What a planned job would take on machines that it was never measured on: by its plan alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fitscale.machines.catalogue import catalogue
from fitscale.planning.decision.choosing import ranked
from fitscale.planning.decision.elsewhere import There, comparable, there
from fitscale.planning.decision.gates import FORECAST_GATES, must_s
from fitscale.planning.forecasts.laws import law_of
from fitscale.planning.forecasts.sizes import sizes_of
from fitscale.planning.recalled import recalled
from fitscale.planning.scoring.card import weighing_ground
from fitscale.records.data import Snapshot
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Law, Plan, Refusal
from fitscale.records.portfolio import Way
from fitscale.records.workload import Workload

NOWHERE = ("ability", "export", "other", "engine")  # gates that no other machine opens


def on_machine(plan: Plan, snapshot: Snapshot, machine: Machine) -> tuple[tuple[Assessed, ...], tuple[Refusal, ...]]:
    """What of the plan's candidates another machine would let run, and why it would not the others: modelled."""
    found = list(_on(plan, _known(plan, snapshot), machine))
    passing = tuple(one.assessed for one in found if one.refusal is None)
    return passing, tuple(one.refusal for one in found if one.refusal is not None)


def machines_of(workload: Workload) -> dict[str, Machine]:
    """The machines that may be meant, by name: those of the workload's catalogues before all that are shipped."""
    asked = [place.address for place in workload.where if place.kind == "catalogue"]
    own = [machine for address in asked for machine in catalogue(address)]
    return {machine.name: machine for machine in (*catalogue(), *own)}


def way_here(plan: Plan) -> Way:
    """What the plan chose for this machine. One that is late or too dear runs all the same: that is for a portfolio to say."""
    chosen = plan.decision.chosen
    return Way(sentence=_why_not(plan)) if chosen is None else Way(assessed=chosen)


def ways_there(plan: Plan, snapshot: Snapshot, machines: Sequence[Machine]) -> tuple[Way, ...]:
    """The best way of the plan's job on each of the machines, in their order, or why there is none."""
    known = _known(plan, snapshot)
    return tuple(_way(plan, known, machine) for machine in machines)


def _way(plan: Plan, known: Sequence[tuple[Assessed, Law]], machine: Machine) -> Way:
    """As on this machine: one that is late or too dear runs all the same."""
    passing: list[Assessed] = []
    sentence = _why_not(plan)
    for assessed, refusal in _on(plan, known, machine):
        if refusal is None or refusal.gate in FORECAST_GATES:
            passing.append(assessed)
        else:
            sentence = f"{assessed.candidate.name} {refusal.sentence}"
    best = ranked(passing, plan.workload, machine, must_s(plan.workload), weighing_ground(plan, passing))
    return Way(assessed=best[0]) if best else Way(sentence=sentence)


def _on(plan: Plan, known: Sequence[tuple[Assessed, Law]], machine: Machine) -> Iterator[There]:
    for one, law in known:
        yield there(one, law, plan.workload, plan.machine, machine)


def _known(plan: Plan, snapshot: Snapshot) -> list[tuple[Assessed, Law]]:
    """Each candidate of the plan that has a forecast, whether it may run here or not, with its law."""
    decision = plan.decision
    found = [one for one in (decision.chosen, *decision.alternatives) if one is not None]
    found += [
        Assessed(candidate=refusal.candidate, forecast=refusal.forecast)
        for refusal in decision.refused
        if refusal.forecast is not None and refusal.gate not in NOWHERE
    ]
    once = {one.candidate: one for one in reversed(found)}.values()  # what is late here may be chosen and refused
    prepared, sizes = recalled(plan, snapshot), sizes_of(plan.sizes)
    return [(one, law_of(prepared, one.candidate, plan.shape, sizes)) for one in comparable([*once][::-1])]


def _why_not(plan: Plan) -> str:
    """The refusal of the candidate that is nearest to running here: the one that could run and holds least, else the first."""
    refused = plan.decision.refused
    known = [(r.forecast.memory_bytes.value, at) for at, r in enumerate(refused) if r.forecast is not None]
    if not refused:
        return "no candidate was found"
    nearest = refused[min(known)[1] if known else 0]
    return f"{nearest.candidate.name} {nearest.sentence}"
