"""One job, and all jobs, on machines of one kind: hours, money, environments, and what cannot be kept."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from fitscale.engines.supervisor import RESERVE
from fitscale.planning import wording
from fitscale.planning.decision.better import WORTH_S
from fitscale.planning.decision.choosing import P90
from fitscale.planning.decision.gates import p99_bytes
from fitscale.planning.forecasts.spread import quantile
from fitscale.planning.portfolio import schedule
from fitscale.planning.portfolio.schedule import MONTH_S, Load
from fitscale.records.base import Figure, Origin
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Candidate
from fitscale.records.portfolio import Job, Pay, Placed, Platform
from fitscale.records.workload import Team

HOUR_S = 3600.0


class Kind(NamedTuple):
    """Machines of one kind, and how their hours are paid for."""

    machine: Machine
    pay: Pay
    usd_hour: float
    priced: Origin  # of what a month costs

    @property
    def is_here(self) -> bool:
        return self.pay == "own"

    @property
    def start_s(self) -> float:
        """Seconds until a run can begin: a machine that is rented for each run must first be there, with the data."""
        return WORTH_S if self.pay == "by the run" else 0.0


def own(machine: Machine, usd_hour: float | None) -> Kind:
    """This machine, at the price that the team states; without one an hour of it costs nothing, as it is there already."""
    return Kind(machine, "own", usd_hour or 0.0, "assumed" if usd_hour is None else "forecast")


def rented(machine: Machine) -> tuple[Kind, Kind]:
    """A machine of the catalogue, on demand: started for each run, or never switched off."""
    price = machine.usd_per_hour or 0.0
    return Kind(machine, "by the run", price, "modelled"), Kind(machine, "kept on", price, "looked up")


# One job.


def cores_of(candidate: Candidate) -> int:
    """How many cores its processes and threads keep at work: those that its forecast was made with."""
    return max(candidate.threads * max(1, candidate.ranks), candidate.workers)


def placed_on(job: Job, one: Assessed, kind: Kind) -> Placed:
    """A month of one job there, as if nothing else ran."""
    alone = one.forecast.time_s
    start_s = kind.start_s
    time_s = alone.but(value=alone.value + start_s, low=alone.low + start_s, high=alone.high + start_s)
    p90_s = quantile(alone, P90) + start_s
    hours = job.runs_a_month * job.at_once / HOUR_S
    usd = _times(time_s, hours * kind.usd_hour, kind.priced) if kind.pay != "kept on" else _kept_on(kind, 1)
    return Placed(
        job=job.name,
        candidate=one.candidate.name,
        time_s=time_s,
        p90_s=p90_s,
        memory_bytes=p99_bytes(one.forecast) + RESERVE * one.candidate.limits,
        cores=cores_of(one.candidate),
        busy_hours=time_s.value * hours,
        usd_month=usd,
        problems=tuple(_alone(job, load_of(job, p90_s), usd)),
    )


def load_of(job: Job, p90_s: float) -> Load:
    """The job as the schedule sees it."""
    return Load(job.name, p90_s, job.period_s, job.at_once, job.must_s)


def _alone(job: Job, load: Load, usd: Figure) -> Iterator[str]:
    """What cannot be kept though nothing else runs."""
    if not load.at_once:
        return
    took = wording.duration(load.seconds)
    if schedule.is_endless(load) and load.period_s is not None:
        yield f"a run takes {took} at P90, and the next is due after {wording.duration(load.period_s)} ({job.frequency})"
    if schedule.is_late(load) and job.must_s is not None:
        yield f"{took} at P90: over your {wording.duration(job.must_s)}"
    if job.budget_usd_month is not None and usd.value > job.budget_usd_month:
        allowed = wording.dollars(job.budget_usd_month)
        yield f"{wording.dollars(usd.value)} a month: over the {allowed} that its workload allows"


# All jobs.


def platform_on(jobs: Sequence[Job], row: Sequence[Placed], kind: Kind, team: Team) -> Platform:
    """A month of all jobs there; ``row`` has each of them as if nothing else ran."""
    loads = [load_of(job, one.p90_s) for job, one in zip(jobs, row, strict=True)]
    needed = schedule.needed(loads)
    cores, memory = max(one.cores for one in row), max(one.memory_bytes for one in row)
    fit = min(kind.machine.cores // cores, int(kind.machine.memory_bytes // memory))
    per_machine = max(1, fit)  # each job passed the machine's gates by itself
    environments = needed if team.environments is None else team.environments
    if kind.is_here:
        environments = min(environments, per_machine)
    waited = schedule.waits(loads, environments)
    machines = math.ceil(environments / per_machine)
    priced = _priced(row, kind, machines)
    done = tuple(
        one.but(
            wait_s=waits if math.isfinite(waits) else 0.0,
            problems=(*_alone(job, load, one.usd_month), *_waiting(load, waits)),
        )
        for job, load, one in zip(jobs, loads, priced, strict=True)
        for waits in [waited[job.name]]
    )
    busy = sum(one.busy_hours for one in done)
    usd = _kept_on(kind, machines) if kind.pay == "kept on" else _sum([one.usd_month for one in done])
    return Platform(
        machine=kind.machine,
        pay=kind.pay,
        jobs=done,
        cores=cores,
        memory_bytes=memory,
        needed=needed,
        at_once=schedule.at_once(loads),
        environments=environments,
        per_machine=per_machine,
        machines=machines,
        busy_hours=busy,
        used=busy * HOUR_S / (environments * MONTH_S) if environments else 0.0,
        usd_month=usd,
        problems=(*(f"{one.job}: {why}" for one in done for why in one.problems), *_over(usd, team)),
    )


def _priced(row: Sequence[Placed], kind: Kind, machines: int) -> list[Placed]:
    """Of machines that are kept on each job pays its share of the hours at work."""
    if kind.pay != "kept on":
        return list(row)
    busy, month = sum(one.busy_hours for one in row), _kept_on(kind, machines)
    return [one.but(usd_month=_times(month, one.busy_hours / busy if busy else 0.0, kind.priced)) for one in row]


def _waiting(load: Load, waits: float) -> Iterator[str]:
    """What waiting for an environment costs a job that alone would keep what it must."""
    if math.isinf(waits):
        yield "no environment is left for it"
    elif not schedule.is_endless(load) and not schedule.is_late(load) and not schedule.is_kept(load, waits):
        limit = min(limit for limit in (load.due_s, load.period_s) if limit is not None)
        took = wording.duration(waits + load.seconds)
        yield f"waits up to {wording.duration(waits)} for an environment, {took} in all at P90: over {wording.duration(limit)}"


def _kept_on(kind: Kind, machines: int) -> Figure:
    return Figure.exact(machines * MONTH_S / HOUR_S * kind.usd_hour, kind.priced)


def _times(figure: Figure, factor: float, origin: Origin) -> Figure:
    return Figure(value=figure.value * factor, low=figure.low * factor, high=figure.high * factor, origin=origin)


def _over(usd: Figure, team: Team) -> Iterator[str]:
    budget = team.platform_usd_month
    if budget is not None and usd.value > budget:
        yield f"{wording.dollars(usd.value)} a month: over the {wording.dollars(budget)} of platform_budget"


def _sum(parts: Sequence[Figure]) -> Figure:
    """Forecasts for one machine err together, so the ends of the intervals add up."""
    value, low, high = (sum(ends) for ends in zip(*((part.value, part.low, part.high) for part in parts), strict=True))
    return Figure(value=value, low=low, high=high, origin=parts[0].origin)


def order(platform: Platform) -> tuple[int, float, bool, float, str]:
    """What keeps most, then the cheapest, at the same price what is here already, then the quickest."""
    cost = round(platform.usd_month.value, 6)
    return (len(platform.problems), cost, not platform.is_here, platform.busy_hours, platform.name)
