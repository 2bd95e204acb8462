"""On which machine: the one that the plan would rather have, or another of the catalogue that its gates let through."""

from __future__ import annotations

from typing import NamedTuple

from fitscale.deploying.moving import unreachable
from fitscale.errors import NothingMeets, NothingRuns, UsageError, nearest
from fitscale.planning import wording
from fitscale.planning.decision.choosing import ranked
from fitscale.planning.decision.gates import FORECAST_GATES, must_s
from fitscale.planning.portfolio.moving import machines_of, on_machine
from fitscale.planning.scoring.card import weighing_ground
from fitscale.records.data import Snapshot
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Plan
from fitscale.records.workload import Workload


class Target(NamedTuple):
    """Where the run is to be done, and what is forecast of it there."""

    machine: Machine
    assessed: Assessed


def reason_not(workload: Workload, machine: Machine) -> str | None:
    """Why this run cannot be written down for that machine; None where it can."""
    if workload.model.live:
        return (
            "the estimator is a live object of a Python session, which another machine does not have: name it by its import "
            "path in a workload file, and plan that"
        )
    if "/live/frame-" in workload.data.uri:
        return (
            "the data is a frame of a Python session, of which the run keeps a copy for itself alone: write it as Parquet, name "
            "that in a workload file, and plan it"
        )
    if problem := unreachable(workload.data):
        return f"data.uri: {problem}"
    if machine.gpus:
        return f"{machine.name} has {machine.gpus} × {machine.gpu}, which nothing here uses: name a machine without"
    return None


def is_deployable(plan: Plan) -> bool:
    """Whether the plan has a better place, and its run can be written down for it."""
    better = plan.decision.better
    machine = machines_of(plan.workload).get(better.candidate.machine) if better is not None else None
    return machine is not None and reason_not(plan.workload, machine) is None


def target_of(plan: Plan, snapshot: Snapshot, named: str | None, file: str = "FILE") -> Target:
    """The machine and the way to train there.

    Parameters
    ----------
    named
        None: what the plan would rather have. Else a machine of the catalogue, or STRATEGY@MACHINE.
    file
        What stands for the run in a command that an error names.

    Raises
    ------
    UsageError
        If there is no such machine, the run cannot be moved, or nothing is better than this machine.
    NothingRuns
        If nothing can run: anywhere, or on the machine that is named.
    NothingMeets
        If something can, but nothing meets the deadline or the budget there.
    """
    better = plan.decision.better
    if named is None:
        if better is None:
            raise _nothing_better(plan, file)
        target = Target(_machine_of(plan, better.candidate.machine), better)
    else:
        target = _named(plan, snapshot, named)
    if reason := reason_not(plan.workload, target.machine):
        raise UsageError(f"{file}: {reason}")
    return target


def _named(plan: Plan, snapshot: Snapshot, named: str) -> Target:
    strategy, at, name = named.rpartition("@")
    machine, better = _machine_of(plan, name), plan.decision.better
    if better is not None and better.candidate.machine == name and strategy in ("", better.candidate.name):
        return Target(machine, better)
    passing, refused = on_machine(plan, snapshot, machine)
    if at:
        known = dict.fromkeys([*(one.candidate.name for one in passing), *(one.candidate.name for one in refused)])
        if strategy not in known:
            told = ", ".join(known) or "none"
            raise UsageError(f"'{named}': no candidate '{strategy}'{nearest(strategy, known)}; there are: {told}")
        passing = tuple(one for one in passing if one.candidate.name == strategy)
        refused = tuple(one for one in refused if one.candidate.name == strategy)
    if best := ranked(passing, plan.workload, machine, must_s(plan.workload), weighing_ground(plan, list(passing))):
        return Target(machine, best[0])
    told = "; ".join(f"{one.candidate.name} {one.sentence.partition(';')[0]}" for one in refused)
    raises = NothingMeets if any(one.gate in FORECAST_GATES for one in refused) else NothingRuns
    raise raises(
        f"{name}: nothing of plan {plan.number} passes there: {told or 'nothing was forecast'}; name another machine: "
        "'fitscale machines --catalogue' lists them"
    )


def _machine_of(plan: Plan, name: str) -> Machine:
    found = machines_of(plan.workload)
    if name in found:
        return found[name]
    decision = plan.decision
    here = {one.candidate.name for one in (decision.chosen, *decision.alternatives) if one is not None}
    here |= {refusal.candidate.name for refusal in decision.refused}
    if name in here or name == plan.machine.name:
        way = name if name in here else "this machine"
        raise UsageError(f"'{name}': {way} needs no deployment: 'fitscale train' runs it here; name a rented machine")
    raise UsageError(
        f"'{name}': no such machine in the catalogue{nearest(name, found)}; 'fitscale machines --catalogue' lists them"
    )


def _nothing_better(plan: Plan, file: str) -> NothingRuns | NothingMeets | UsageError:
    """What to say where the plan has no better place."""
    chosen = plan.decision.chosen
    whichever = f"a machine that is named is looked at all the same: fitscale deploy {file} MACHINE"
    if chosen is None:
        return NothingRuns(
            f"{file}: plan {plan.number} found nothing that can run, here or in the catalogue; {whichever}"
        )
    took = f"{chosen.candidate.name}, {wording.duration(chosen.forecast.time_s)}"
    if not plan.decision.meets:
        return NothingMeets(
            f"{file}: no machine of the catalogue meets what must be met; the nearest is {took} here; {whichever}"
        )
    return UsageError(
        f"{file}: no machine of the catalogue would be notably faster than this one ({took}), 'fitscale train' runs it here; "
        f"{whichever}"
    )
