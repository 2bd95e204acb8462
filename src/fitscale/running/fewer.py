"""Fewer rows, offered where all of them take longer than there is: a short learning curve says what they would lose."""

from __future__ import annotations

import math

from fitscale.planning.preparing import Prepared
from fitscale.planning.trials.fewer import in_time, is_late
from fitscale.records.curve import Fewer
from fitscale.records.plan import Plan
from fitscale.running.command import Command
from fitscale.running.enough import enough_of

TRIALS_S = 15.0  # of `plan`, which answers within a minute


def with_fewer(plan: Plan, prepared: Prepared, command: Command) -> Plan:
    """The plan, with a share of the rows that would be done in time where what it says is not.

    Raises
    ------
    UsageError
        What is wrong with the workload or the data.
    """
    found = in_time(plan, prepared.snapshot) if is_late(plan) else None
    if found is None:
        return plan
    share, time_s = found
    taken, curve = plan.workload.data.use, plan.curve
    use = round(share * (taken if isinstance(taken, float) else 1.0), 6)
    if curve is None:
        curve, known = enough_of(prepared, command, limit_s=TRIALS_S), share
    else:  # it knows what shares of all rows lose
        known = use
    loss = next((level.loss for level in curve.levels if math.isclose(level.share, known, rel_tol=1e-4)), None)
    return plan.but(fewer=Fewer(use=use, time_s=time_s, loss=loss, curve=curve))
