"""From the plans of several jobs to one platform for all of them: a pure function over records.

How many environments of what size, what they cost a month, whether each frequency and deadline is kept, and beside it the
best machine for each job alone. What had to be assumed is in `assumptions`, sentence by sentence.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

from fitscale.machines.prices import Role
from fitscale.planning.decision.gates import must_s, runs_a_month
from fitscale.planning.portfolio.people import efforts_of, lacking_of
from fitscale.planning.portfolio.placing import Kind, load_of, order, own, placed_on, platform_on, rented
from fitscale.planning.portfolio.recommending import assumptions_of, reasons_of
from fitscale.planning.portfolio.schedule import MONTH_S, Load, is_endless, is_late
from fitscale.records.machine import Machine
from fitscale.records.plan import Plan
from fitscale.records.portfolio import Best, Failed, Job, Placed, Platform, Portfolio, Refused, Way
from fitscale.records.workload import Team
from fitscale.registry import plugin

SHOWN = 3  # rented platforms
PERIODS_S = {"daily": 86_400.0, "weekly": 7 * 86_400.0, "biweekly": 14 * 86_400.0, "monthly": MONTH_S}
DATABASES = ("postgres", "postgresql")


Row = tuple[Kind, list[Placed | None]]  # None: the job cannot run there


class Asked(NamedTuple):
    """A planned job, and how it would run here and on each of the other machines, in their order."""

    job: Job
    here: Way
    there: tuple[Way, ...] = ()


def job_of(plan: Plan, team: Team, *, file: str, run: str = "") -> Job:
    """What of a plan counts in a month."""
    workload = plan.workload
    stated = workload.needs.frequency
    often = stated or "monthly"
    scheme, colon, rest = workload.data.uri.partition("://")
    server = scheme in DATABASES and bool(colon)
    ad_hoc = often == "ad-hoc"
    budget = workload.needs.budget
    framework = _framework(plan)
    return Job(
        name=workload.name,
        file=file,
        run=run,
        plan=plan.number,
        framework=framework,
        frequency=often,
        frequency_origin="stated" if stated else "assumed",
        period_s=None if ad_hoc else PERIODS_S.get(often) or MONTH_S / runs_a_month(workload),
        runs_a_month=runs_a_month(workload),
        at_once=(1 if team.users is None else team.users) if ad_hoc else 1,
        must_s=must_s(workload),
        must_at=(deadline.at or "") if (deadline := workload.needs.deadline) is not None else "",
        budget_usd_month=budget.hardware_usd_month if budget is not None else None,
        database=rest.rpartition("@")[2].partition("/")[0] if server else "",
        source=plan.decision.chosen.forecast.source if plan.decision.chosen is not None else "",
        skills=(
            *(name for name in plugin("frameworks", framework).needs if name != "numpy"),
            *(["sql"] if server else []),
        ),
        considerations=plan.considerations,
    )


def _framework(plan: Plan) -> str:
    """Every plan has a candidate of it, if only one that is refused."""
    decision = plan.decision
    return next(one.candidate.framework for one in (decision.chosen, *decision.refused) if one is not None)


def portfolio_of(
    asked: Sequence[Asked],
    here: Machine,
    machines: Sequence[Machine],
    team: Team,
    roles: Sequence[Role],
    failed: Sequence[Failed] = (),
) -> Portfolio:
    """The platforms that all jobs can run on, the one that is recommended, and why.

    Parameters
    ----------
    here
        This machine as it is, whatever single jobs are allowed of it.
    machines
        Those that can be rented, as in each job's ``there``.
    roles
        The table of wages.
    """
    jobs = tuple(one.job for one in asked)
    rows = list(_rows(asked, here, machines, team))
    platforms = _platforms(jobs, rows, team) if jobs else []
    recommended = min(platforms, key=order, default=None)
    best = tuple(_best(jobs, rows))
    efforts = efforts_of(jobs, 1, team, roles)
    apart = efforts_of(jobs, len({one.machine for one in best}), team, roles) if best else ()
    found = Portfolio(
        team=team,
        here=here,
        jobs=jobs,
        failed=tuple(failed),
        platforms=tuple(platforms),
        recommended=recommended,
        meets=recommended is not None and recommended.keeps,
        best=best,
        refused=tuple(_refused(asked, machines)),
        compared=1 + len(machines) if jobs else 0,
        efforts=efforts,
        people_usd_month=sum(effort.usd_month for effort in efforts),
        people_apart_usd_month=sum(effort.usd_month for effort in apart),
        lacking=lacking_of(jobs, efforts, team, roles),
    )
    return found.but(reasons=tuple(reasons_of(found)), assumptions=tuple(assumptions_of(found)))


def _rows(asked: Sequence[Asked], here: Machine, machines: Sequence[Machine], team: Team) -> Iterator[Row]:
    """Every kind of machine with all jobs on it, each as if it were alone."""

    def row(kind: Kind, ways: Sequence[Way]) -> Row:
        both = zip(asked, ways, strict=True)
        return kind, [placed_on(one.job, way.assessed, kind) if way.assessed else None for one, way in both]

    yield row(own(here, team.machine_usd_hour), [one.here for one in asked])
    for at, machine in enumerate(machines):
        for kind in rented(machine):
            yield row(kind, [one.there[at] for one in asked])


def _platforms(jobs: Sequence[Job], rows: Sequence[Row], team: Team) -> list[Platform]:
    """This machine, then the cheapest few of the rented ones that keep everything, each as it is cheaper to pay for.

    They are put to the test in the order of what they cost at least, until no other can be among those: by its price, or
    since it is sure to be late or over the budget.
    """
    whole = [(kind, [one for one in row if one is not None]) for kind, row in rows if all(row)]
    found = [platform_on(jobs, row, kind, team) for kind, row in whole if kind.is_here]
    kept: dict[Machine, Platform] = {}
    others: dict[Machine, Platform] = {}
    for kind, row in sorted((item for item in whole if not item[0].is_here), key=partial(_at_least, jobs)):
        hopeless, usd, *_ = _at_least(jobs, (kind, row))
        fails = hopeless > 0 or (team.platform_usd_month is not None and usd > team.platform_usd_month)
        third = sorted(one.usd_month.value for one in kept.values())[SHOWN - 1] if len(kept) >= SHOWN else math.inf
        if usd >= third or (fails and len({*kept, *others}) >= SHOWN):
            break
        platform = platform_on(jobs, row, kind, team)
        into = kept if platform.keeps else others
        into[kind.machine] = min(platform, into.get(kind.machine, platform), key=order)
    cheapest = sorted(kept.values(), key=order)[:SHOWN]
    nearest = sorted((p for machine, p in others.items() if machine not in kept), key=order)
    return [*found, *cheapest, *nearest[: SHOWN - len(cheapest)]]


def _at_least(jobs: Sequence[Job], item: tuple[Kind, Sequence[Placed]]) -> tuple[int, float, float, str]:
    """How many jobs are late there whatever else runs, and the least that a month costs; kept on, one machine."""
    kind, row = item
    hopeless = sum(is_late(load) or is_endless(load) for load in map(_load, jobs, row))
    usd = [one.usd_month.value for one in row]
    return (
        hopeless, max(usd) if kind.pay == "kept on" else sum(usd), sum(one.busy_hours for one in row), kind.machine.name,
    )  # fmt: skip


def _load(job: Job, one: Placed) -> Load:
    return load_of(job, one.p90_s)


def _best(jobs: Sequence[Job], rows: Sequence[Row]) -> Iterator[Best]:
    """For each job the cheapest machine on which it keeps what it must, were it alone; where none is, what comes nearest."""
    for at, job in enumerate(jobs):
        there = [(kind, one) for kind, row in rows if (one := row[at]) is not None]
        if not there:
            continue
        kind, one = min(there, key=lambda item: _order_of_one(*item))
        yield Best(job=job.name, machine=kind.machine.name, pay=kind.pay, placed=one)


def _order_of_one(kind: Kind, one: Placed) -> tuple[int, float, bool, float, str]:
    return (
        len(one.problems), round(one.usd_month.value, 6), not kind.is_here, one.time_s.value, kind.machine.name,
    )  # fmt: skip


def _refused(asked: Sequence[Asked], machines: Sequence[Machine]) -> Iterator[Refused]:
    """The machines that a job cannot run on: this one for all jobs first, then of the others the largest as an example."""
    for job, way, _ in asked:
        if way.assessed is None:
            yield Refused(job=job.name, machines=1, example="this machine", sentence=way.sentence)
    for job, _, there in asked:
        none = [(machine, way) for machine, way in zip(machines, there, strict=True) if way.assessed is None]
        if none:
            largest, way = max(none, key=lambda item: (item[0].memory_bytes, item[0].cores))
            yield Refused(job=job.name, machines=len(none), example=largest.name, sentence=way.sentence)
