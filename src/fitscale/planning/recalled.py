"""What was prepared for a plan, from the plan's records alone: for questions that are asked of it later."""

from __future__ import annotations

from fitscale.planning.preparing import Prepared, fits_of
from fitscale.records.base import Figure
from fitscale.records.data import Piece, Snapshot
from fitscale.records.plan import Plan
from fitscale.records.run import Estimator


def recalled(plan: Plan, snapshot: Snapshot, longer: float = 1.0, more: float = 1.0) -> Prepared:
    """What preparing found, from the plan's records: groups with so many times the rows, and so many times the groups.

    Without groups all rows are one. The fits are those that the workload asks for, with the shares of the rows that each had.
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
        fits_of(workload, None), shape, staging, stage,
        cut=plan.cut if plan.cut is None or times == 1 else plan.cut.times(times),
        contest=plan.contest, searched=plan.searched, search_s=plan.search_s,
    )  # fmt: skip


def _times(figure: Figure, times: float) -> Figure:
    return figure.but(value=figure.value * times, low=figure.low * times, high=figure.high * times)


def _frameworks(plan: Plan) -> list[str]:
    decision = plan.decision
    known = [one.candidate for one in (decision.chosen, *decision.alternatives) if one is not None]
    return [candidate.framework for candidate in (*known, *(r.candidate for r in decision.refused))]
