"""Fewer rows, where all of them take longer than there is: the largest share that would be done in time. Pure, of a plan."""

from __future__ import annotations

from fitscale.planning.again import Changes, decided
from fitscale.planning.decision.choosing import P90
from fitscale.planning.decision.gates import must_s
from fitscale.planning.forecasts.spread import quantile
from fitscale.planning.trials.ladder import LEAST_CURVE_ROWS, SHARES
from fitscale.records.base import Figure
from fitscale.records.data import Snapshot
from fitscale.records.plan import Plan


def is_late(plan: Plan) -> bool:
    """Whether nothing here meets what must be, or what is chosen takes longer than is wanted; and fewer rows can be drawn.

    What was named by ``--choose`` is not questioned.
    """
    workload, decision = plan.workload, plan.decision
    if decision.overridden or workload.data.groups or workload.data.is_series or plan.shape.rows < LEAST_CURVE_ROWS:
        return False
    return not decision.meets or _is_over_want(plan)


def in_time(plan: Plan, snapshot: Snapshot) -> tuple[float, Figure] | None:
    """The largest share with which something meets all gates, and the deadline at P90, and its seconds.

    Of the rows that the plan is of, by the same measurements, as ``--what-if`` has it. None where no share will do, or there is
    no deadline. Where a learning curve is known, shares are the smaller ones of that.
    """
    limit_s, curve = _limit_s(plan), plan.curve
    if limit_s is None:
        return None
    shares = SHARES if curve is None else [x.share / curve.use for x in curve.levels if x.share < curve.use]
    for share in reversed(shares):
        decision = decided(plan, snapshot, Changes(rows=share))
        if decision.chosen is None or not decision.meets:
            continue
        time_s = decision.chosen.forecast.time_s
        if quantile(time_s, P90) <= limit_s:
            return share, time_s
    return None


def _is_over_want(plan: Plan) -> bool:
    deadline, chosen = plan.workload.needs.deadline, plan.decision.chosen
    if deadline is None or deadline.want_s is None or chosen is None:
        return False
    return chosen.forecast.time_s.value > deadline.want_s


def _limit_s(plan: Plan) -> float | None:
    """What is missed: the must where nothing meets that, else what is wanted."""
    deadline = plan.workload.needs.deadline
    if deadline is None:
        return None
    return deadline.want_s if plan.decision.meets else must_s(plan.workload)
