"""Answers from the last plan alone: what if rows, groups, deadline or memory were others; one candidate in full; all of them on
another machine.

Nothing is read and nothing measured: the loop decides again over what the plan holds.
"""

from __future__ import annotations

from fitscale.errors import UsageError, nearest
from fitscale.machines.catalogue import catalogue
from fitscale.planning import forecasting
from fitscale.planning.gates import gate
from fitscale.planning.laws import law_of
from fitscale.planning.loop import Loop
from fitscale.planning.preparing import Fit, Prepared
from fitscale.records.base import Figure, Record
from fitscale.records.data import Folds, Piece, Snapshot
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Candidate, Forecast, Law, Plan, Refusal
from fitscale.records.run import Estimator
from fitscale.records.workload import Deadline
from fitscale.workload import units

KNOWN = ("rows", "groups", "deadline", "memory")
MOVABLE = ("memory", "storage", "deadline", "budget", "floor")  # gates that another machine may open


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
    workload = plan.workload
    if changes.groups is not None and not workload.data.groups:
        raise UsageError("--what-if: groups: the workload has no data.groups; rows=10x supposes more rows")
    machine = plan.machine
    if changes.memory_bytes is not None:
        machine = machine.but(memory_bytes=changes.memory_bytes, origin="stated")
    if changes.deadline_s is not None:
        deadline = Deadline(must_s=changes.deadline_s)
        workload = workload.but(needs=workload.needs.but(deadline=deadline))
    prepared = _prepared(plan.but(workload=workload), snapshot, changes.rows or 1.0, changes.groups or 1.0)
    elsewhere: tuple[Machine, ...] = ()
    for place in workload.where:
        elsewhere += catalogue(place.address) if place.kind == "catalogue" else ()
    lacking = next((refusal.sentence for refusal in plan.decision.refused if refusal.gate == "export"), None)
    loop = Loop(
        prepared, None, machine, number=plan.number, measured=plan.measurements, elsewhere=elsewhere or catalogue(),
        unexportable=lacking,
    )  # fmt: skip
    return loop.run().plan


def explained(plan: Plan, snapshot: Snapshot, name: str) -> Explained:
    """One candidate by its name, wherever the decision has it.

    Raises
    ------
    UsageError
        If there is none of that name; it names the nearest.
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
    if name not in known:
        raise UsageError(f"--explain: no candidate '{name}'{nearest(name, known)}; there are: {', '.join(known)}")
    found = known[name]
    if found.forecast is None:
        return found  # the framework cannot take this path at all: it has no law
    return found.but(law=law_of(_prepared(plan, snapshot), found.candidate, plan.shape))


def on_machine(plan: Plan, snapshot: Snapshot, machine: Machine) -> tuple[tuple[Assessed, ...], tuple[Refusal, ...]]:
    """What of the plan's candidates another machine would let run, and why it would not the others: modelled."""
    decision = plan.decision
    here = {one.candidate: one.forecast for one in (decision.chosen, *decision.alternatives) if one is not None}
    here |= {r.candidate: r.forecast for r in decision.refused if r.forecast is not None and r.gate in MOVABLE}
    prepared = _prepared(plan, snapshot)
    passing: list[Assessed] = []
    refused: list[Refusal] = []
    for candidate, forecast in here.items():
        if candidate.strategy in ("data-parallel", "parts-and-merge"):
            continue  # in-memory stands for them
        own = Assessed(candidate=candidate, forecast=forecast.but(done_s=0.0))
        there = forecasting.moved(own, law_of(prepared, candidate, plan.shape), plan.machine, machine)
        refusal = gate(there, plan.workload, machine, surely=False)
        if refusal is None:
            passing.append(there)
        else:
            refused.append(refusal)
    return tuple(passing), tuple(refused)


def _prepared(plan: Plan, snapshot: Snapshot, longer: float = 1.0, more: float = 1.0) -> Prepared:
    """What preparing found, from the plan's records: groups with so many times the rows, and so many times the groups.

    Without groups all rows are one.
    """
    shape, profile, workload = plan.shape, plan.profile, plan.workload
    times = longer * more
    if times != 1.0:
        shape = shape.times(times)
        shape = shape.but(groups=round(shape.groups * more), largest_group=round(shape.largest_group * longer))
        if (groups := profile.groups) is not None:
            sizes = {name: round(getattr(groups, name) * longer) for name in ("rows_min", "rows_median", "rows_max")}
            profile = profile.but(groups=groups.but(n=round(groups.n * more), exact=False, **sizes))
        profile = profile.but(
            rows=Figure.exact(profile.rows.value * times, "stated"), bytes=round(profile.bytes * times)
        )
        whole = (round(snapshot.rows * times), round(snapshot.bytes * times))
        snapshot = snapshot.but(pieces=(Piece(path="supposed", bytes=whole[1], pin="", parts=(whole,)),))
    estimator = Estimator(
        path=workload.model.estimator or "live",
        params=plan.traits.params,
        source=plan.traits.source,
        live=workload.model.live,
    )
    framework = next(iter(_frameworks(plan)))
    reader = None  # nothing is read
    staging = plan.staging
    if staging is not None:
        staging = staging.but(bytes=round(staging.bytes * times), seconds=staging.seconds * times)
    stage = plan.stage
    if stage is not None:
        stage = stage.but(seconds=_times(stage.seconds, times), bytes=_times(stage.bytes, times))
    return Prepared(
        workload, reader, snapshot, profile, framework, estimator, plan.traits,  # type: ignore[arg-type]
        (Fit("fit", Folds(seed=workload.seed)),), shape, staging, stage,
        cut_s=None if plan.cut_s is None else _times(plan.cut_s, times), cut_bytes=plan.cut_bytes,
    )  # fmt: skip


def _times(figure: Figure, times: float) -> Figure:
    return figure.but(value=figure.value * times, low=figure.low * times, high=figure.high * times)


def _frameworks(plan: Plan) -> list[str]:
    decision = plan.decision
    known = [one.candidate for one in (decision.chosen, *decision.alternatives) if one is not None]
    return [candidate.framework for candidate in (*known, *(r.candidate for r in decision.refused))]
