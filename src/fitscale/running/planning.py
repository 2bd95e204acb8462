"""Plan: what the workload leaves open is closed, a few groups or parts of the rows are tried, and the plan is kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fitscale.errors import NothingMeets, NothingRuns
from fitscale.machines.catalogue import catalogue
from fitscale.planning.considered.considerations import for_team
from fitscale.planning.exporting import exports_tried
from fitscale.planning.loop import Loop
from fitscale.planning.preparing import Prepared
from fitscale.planning.scoring.facts import facts_of
from fitscale.planning.trials import curve_words
from fitscale.records.ledger import Calibration
from fitscale.records.machine import Machine
from fitscale.records.plan import Plan
from fitscale.records.workload import Team, Workload
from fitscale.running.attempts import Attempt
from fitscale.running.closing import close
from fitscale.running.command import Command, Told, at_work
from fitscale.running.fewer import with_fewer
from fitscale.running.part import look_at_part
from fitscale.running.partitioning import is_soon_cut, largest_of, partition_of, with_cut
from fitscale.running.probes import Probes
from fitscale.running.recording import PastRuns
from fitscale.store import folder


def plan_only(
    workload: Workload,
    run: Path,
    *,
    choose: str | None = None,
    probe_s: float | None = None,
    trust: bool = False,
    team: Team | None = None,
    ledger: Path | None = None,
    told: Told = Told(),  # noqa: B008 (an immutable tuple)
) -> Plan:
    """Plan without training. Checkpoints and chunks that probing made stay, and `train` goes on from them.

    What a ``team`` shares is among what the plan considers. ``ledger``: the file of past runs, by which forecasts are calibrated.
    """
    with at_work(workload, run, "plan", choose=choose, probe_s=probe_s, trust=trust, told=told) as (prepared, command):
        prepared, attempts, machine = close(prepared, command), command.attempts, command.machine
        cut = is_soon_cut(prepared)
        partition, sizes = partition_of(run, prepared, attempts, machine) if cut else (None, None)
        prepared = with_cut(run, prepared, partition, sizes)
        seen = None
        if workload.data.groups and not cut:
            seen = look_at_part(run, prepared, machine, choose=choose, trust=trust, told=told.event)
        if seen is not None:
            prepared, sizes = seen.with_it(prepared), seen.sizes
        probes = Probes(run, prepared, attempts, machine, sizes=sizes, partition=partition, trust=trust)
        tried = exports_tried(prepared)
        outcome = Loop(
            prepared, None if workload.data.groups and not cut else probes, machine, number=folder.next_plan(run),
            choose=choose, budget_s=probe_s, sizes=sizes, largest=largest_of(run, partition),
            elsewhere=_elsewhere(workload), unexportable=tried.why_not, facts=facts_of(prepared, team, tried.proofs),
            measured=seen.measurements if seen is not None else (),
            calibration=PastRuns(ledger, told.note).calibration(),
        ).run()  # fmt: skip
        attempts.kill_all()
        plan = with_fewer(outcome.plan, prepared, command)
        plan = plan if team is None else for_team(plan, team)
        _keep(command, prepared, plan)  # what --what-if and --explain answer from
        command.journal.append("plan", number=plan.number)
        if plan.decision.chosen is None and probes.wrong is not None:
            raise probes.wrong
        return plan


def planned(
    command: Command, prepared: Prepared, partition: str | None, sizes: Sequence[int] | None, calibration: Calibration
) -> tuple[Plan, Attempt | None]:
    """The plan that `train` begins a version by, and the attempt of it that was begun to see its pace.

    Raises
    ------
    NothingRuns, NothingMeets
        If no candidate fits, or none meets what must be: then with what would.
    """
    run, attempts, machine = command.run, command.attempts, command.machine
    probes = Probes(run, prepared, attempts, machine, sizes=sizes, partition=partition, trust=command.trust)
    tried = exports_tried(prepared)
    outcome = Loop(
        prepared, probes, machine, number=folder.next_plan(run), goes_on=True, choose=command.choose,
        budget_s=command.probe_s, sizes=sizes, largest=largest_of(run, partition), elsewhere=_elsewhere(prepared.workload),
        unexportable=tried.why_not, facts=facts_of(prepared, None, tried.proofs), calibration=calibration,
    ).run()  # fmt: skip
    plan, decision = outcome.plan, outcome.plan.decision
    refuses = not decision.meets and not decision.overridden
    if refuses:
        attempts.kill_all()
        plan = with_fewer(plan, prepared, command)
    _keep(command, prepared, plan)
    command.told.plan(plan)
    if decision.chosen is None and probes.wrong is not None:
        raise probes.wrong
    if decision.chosen is None:
        raise NothingRuns(
            "no candidate fits: " + "; ".join(f"{r.candidate.name} {r.sentence}" for r in decision.refused)
        )
    if refuses:
        offer = (curve_words.fewer(plan.fewer),) if plan.fewer is not None else ()
        raise NothingMeets("; ".join((*decision.reasons, *offer)))
    live = outcome.live
    assert live is None or isinstance(live, Attempt)
    return plan, live


def _keep(command: Command, prepared: Prepared, plan: Plan) -> None:
    folder.write_snapshot(command.run, prepared.snapshot)
    folder.write_plan(command.run, plan)


def _elsewhere(workload: Workload) -> tuple[Machine, ...]:
    places: list[str | None] = [place.address for place in workload.where if place.kind == "catalogue"]
    return tuple(machine for address in places or [None] for machine in catalogue(address))
