"""Answers from the last plan alone: what if rows, groups, deadline or memory were others; one candidate in full.

Nothing is read and nothing measured: the loop decides again over what the plan holds.
"""

from __future__ import annotations

from fitscale.errors import UsageError, nearest
from fitscale.machines.catalogue import catalogue
from fitscale.planning.considered.considerations import for_team
from fitscale.planning.costs.monthly import costs_of, shipped
from fitscale.planning.decision.gates import p99_bytes, usable_bytes
from fitscale.planning.forecasts.laws import law_of
from fitscale.planning.forecasts.sizes import sizes_of
from fitscale.planning.loop import Loop
from fitscale.planning.portfolio.moving import machines_of, on_machine
from fitscale.planning.recalled import recalled
from fitscale.planning.scoring.card import card_of, ground_of
from fitscale.records.base import Record
from fitscale.records.costs import Costs
from fitscale.records.data import Snapshot
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Candidate, Decision, Forecast, Law, Plan, Refusal
from fitscale.records.scorecard import Card
from fitscale.records.workload import Deadline
from fitscale.workload import units

KNOWN = ("rows", "groups", "deadline", "memory")


class Changes(Record):
    """What is supposed; None: as it is."""

    rows: float | None = None  # times as many; of many models in each group
    groups: float | None = None  # times as many, of the same sizes
    deadline_s: float | None = None
    memory_bytes: int | None = None


class Explained(Record):
    """One candidate: chosen, alternative or refused, with its forecast and the terms of its law."""

    format: int = 1
    candidate: Candidate
    verdict: str  # chosen, alternative, better, refused
    sentence: str = ""  # of the refusal
    forecast: Forecast | None = None
    law: Law | None = None
    costs: Costs | None = None  # of a machine that has a price
    card: Card | None = None  # of all that has a forecast


def read_changes(text: str) -> Changes:
    """``rows=10x,deadline=30m,memory=8 GB``.

    Raises
    ------
    UsageError
        What is not known or cannot be read.
    """
    found: dict[str, float | int] = {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if name not in KNOWN or not equals:
            raise UsageError(
                f"--what-if: '{part.strip()}' is not understood{nearest(name, KNOWN)};"
                " it takes rows=10x, groups=10x, deadline=30m, memory=8GB"
            )
        try:
            if name in ("rows", "groups"):
                found[name] = units.times(value)
            elif name == "deadline":
                found["deadline_s"] = units.duration_s(value)
            else:
                found["memory_bytes"] = units.size_bytes(value)
        except UsageError as error:
            raise UsageError(f"--what-if: {name}: {error}") from None
    return Changes.model_validate(found)


def changed(plan: Plan, snapshot: Snapshot, changes: Changes) -> Plan:
    """The plan that the same measurements lead to under other circumstances.

    Raises
    ------
    UsageError
        For other groups of a workload that has none.
    """
    supposed = _loop(plan, snapshot, changes).run().plan
    return supposed if plan.team is None else for_team(supposed, plan.team)


def decided(plan: Plan, snapshot: Snapshot, changes: Changes) -> Decision:
    """The decision alone of `changed`."""
    return _loop(plan, snapshot, changes).decided()[1]


def _loop(plan: Plan, snapshot: Snapshot, changes: Changes) -> Loop:
    """One that decides again over what the plan holds, and measures nothing."""
    workload = plan.workload
    if changes.groups is not None and not workload.data.groups:
        raise UsageError("--what-if: groups: the workload has no data.groups; rows=10x supposes more rows")
    machine = plan.machine
    if changes.memory_bytes is not None:
        machine = machine.but(memory_bytes=changes.memory_bytes, origin="stated")
    if changes.deadline_s is not None:
        deadline = Deadline(must_s=changes.deadline_s)
        workload = workload.but(needs=workload.needs.but(deadline=deadline))
    longer, more = changes.rows or 1.0, changes.groups or 1.0
    prepared = recalled(plan.but(workload=workload), snapshot, longer, more)
    elsewhere: tuple[Machine, ...] = ()
    for place in workload.where:
        elsewhere += catalogue(place.address) if place.kind == "catalogue" else ()
    lacking = next((refusal.sentence for refusal in plan.decision.refused if refusal.gate == "export"), None)
    return Loop(
        prepared, None, machine, number=plan.number, sizes=sizes_of(plan.sizes, longer, more),
        measured=plan.measurements, refuted=_refuted(plan, machine, longer * more), settled=plan.decision.settled,
        elsewhere=elsewhere or catalogue(), unexportable=lacking, calibration=plan.calibration, facts=plan.facts,
    )  # fmt: skip


def _refuted(plan: Plan, machine: Machine, times: float) -> tuple[Refusal, ...]:
    """What was refused by what it did and not by its forecast: a probe that failed, and a memory that was passed.

    The latter says nothing of fewer rows, or of a machine that has more.
    """
    tried = [(r, r.forecast) for r in plan.decision.refused if r.forecast is not None]
    failed = [r for r, _ in tried if r.gate == "ability"]  # one that the framework cannot do at all has no forecast
    if times < 1 or machine.memory_bytes > plan.machine.memory_bytes:
        return tuple(failed)
    passed = [
        r
        for r, forecast in tried
        if r.gate == "memory" and p99_bytes(forecast) <= usable_bytes(r.candidate, plan.machine)
    ]
    return (*failed, *passed)


def explained(plan: Plan, snapshot: Snapshot, name: str) -> Explained:
    """One candidate by its name, wherever the decision has it; as CANDIDATE@MACHINE on one of the catalogue, modelled.

    Raises
    ------
    UsageError
        If there is none of that name, or no such machine; it names the nearest.
    """
    decision = plan.decision
    known: dict[str, Explained] = {}
    for verdict, one in (
        ("chosen", decision.chosen),
        *(("alternative", other) for other in decision.alternatives),
        ("better", decision.better),
    ):
        if one is not None:
            place = one.candidate.name if verdict != "better" else f"{one.candidate.name}@{one.candidate.machine}"
            known.setdefault(place, Explained(candidate=one.candidate, verdict=verdict, forecast=one.forecast))
    for refusal in decision.refused:
        own = Explained(
            candidate=refusal.candidate, verdict="refused", sentence=refusal.sentence, forecast=refusal.forecast
        )
        known.setdefault(refusal.candidate.name, own)
    strategy, at, there = name.rpartition("@")
    if name not in known and at and there != "inline":
        found = _explained_on(plan, snapshot, strategy, there)
    elif name not in known:
        told = f"there are: {', '.join(known)}, and each as CANDIDATE@MACHINE"
        raise UsageError(f"--explain: no candidate '{name}'{nearest(name, known)}; {told}")
    else:
        found = known[name]
    if found.forecast is None:
        return found  # the framework cannot take this path at all: it has no law
    found = found.but(law=law_of(recalled(plan, snapshot), found.candidate, plan.shape, sizes_of(plan.sizes)))
    machine = _machine_of(plan, found.candidate.machine)
    if found.forecast is None:
        return found
    assessed = Assessed(candidate=found.candidate, forecast=found.forecast)
    if machine is not None and machine.usd_per_hour is not None:
        found = found.but(costs=costs_of(plan, assessed, machine, shipped()))
    ways = [one for one in (decision.chosen, *decision.alternatives, decision.better) if one is not None]
    ground = ground_of(plan, [*ways, assessed])
    return found.but(card=card_of(assessed.but(costs=found.costs), ground))


def _machine_of(plan: Plan, name: str) -> Machine | None:
    return plan.machine if name == plan.machine.name else machines_of(plan.workload).get(name)


def _explained_on(plan: Plan, snapshot: Snapshot, strategy: str, name: str) -> Explained:
    """A candidate on a machine that is named: whether its gates let it run there, and what is modelled of it."""
    machines = machines_of(plan.workload)
    if name not in machines:
        raise UsageError(
            f"--explain: no machine '{name}' in the catalogue{nearest(name, machines)}; 'fitscale machines --catalogue' lists them"
        )
    passing, refused = on_machine(plan, snapshot, machines[name])
    known = {
        one.candidate.name: Explained(candidate=one.candidate, verdict="alternative", forecast=one.forecast)
        for one in passing
    }
    for one in refused:
        known[one.candidate.name] = Explained(
            candidate=one.candidate, verdict="refused", sentence=one.sentence, forecast=one.forecast
        )
    if strategy not in known:
        told = ", ".join(f"{way}@{name}" for way in known) or "none"
        raise UsageError(f"--explain: no candidate '{strategy}' there{nearest(strategy, known)}; there are: {told}")
    return known[strategy]
