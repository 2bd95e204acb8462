"""Between which values time, memory and cost are worth something: the user's own limits, and where none is stated what is assumed.

A limit without a fellow, or the physical floor where there is none, is one end of a factor of ten.
"""

from __future__ import annotations

from fitscale.planning.decision.curves import DECADE
from fitscale.planning.decision.gates import must_s, runs_a_month
from fitscale.records.machine import Machine
from fitscale.records.plan import Axis
from fitscale.records.workload import Workload


def of_time(workload: Workload, floor: float) -> Axis:
    """Seconds: from what is wanted to what must be met; without a deadline from the floor to ten times it."""
    deadline = workload.needs.deadline
    must, want = must_s(workload), deadline.want_s if deadline is not None else None
    if want and must and want < must:
        return Axis(name="time", best=want, worst=must, origin="stated")
    if must:
        return Axis(name="time", best=must / DECADE, worst=must, origin="stated")
    return Axis(name="time", best=want or floor, worst=DECADE * (want or floor), origin="stated" if want else "assumed")


def of_memory(machine: Machine) -> Axis:
    """Of the machine: what holds less than a tenth of it is as good as what holds nothing."""
    whole = float(machine.memory_bytes)
    return Axis(name="memory", best=whole / DECADE, worst=whole, origin=machine.origin)


def of_cost(workload: Workload, floor: float) -> Axis:
    """Dollars a run: up to what the budget allows each."""
    budget = workload.needs.budget
    month = budget.hardware_usd_month if budget is not None else None
    if month:
        usd = month / runs_a_month(workload)
        return Axis(name="cost", best=usd / DECADE, worst=usd, origin="stated")
    return Axis(name="cost", best=floor, worst=DECADE * floor, origin="assumed")
