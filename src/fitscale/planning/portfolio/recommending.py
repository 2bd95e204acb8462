"""Why this platform, and what was assumed: the sentences of a portfolio, each with its figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fitscale.machines.prices import FREE
from fitscale.planning import wording
from fitscale.planning.decision.better import WORTH_S
from fitscale.planning.portfolio.people import EACH, HOURS, listed
from fitscale.planning.portfolio.placing import order
from fitscale.records.base import Figure
from fitscale.records.portfolio import Job, Platform, Portfolio
from fitscale.records.workload import Team


def reasons_of(p: Portfolio) -> Iterator[str]:
    """The first sentence is the verdict, the others say why."""
    chosen = p.recommended
    if not p.jobs:
        yield "no job is planned, so there is nothing to choose"
        return
    if chosen is None:
        stuck = listed(list(dict.fromkeys(refused.job for refused in p.refused)))
        yield f"no machine of {p.compared} runs all jobs: {stuck} cannot run on each of them"
        return
    if p.meets:
        yield f"{chosen.name} for {_all(p.jobs)}: {_month(chosen)}"
    else:
        yield f"no platform keeps everything; the nearest is {chosen.name}: {'; '.join(chosen.problems)}"
    yield from _size(chosen, p.team)
    yield from _rivals(p, chosen)
    yield from _apart(p, chosen)
    yield from _licences(p.jobs)


def _size(chosen: Platform, team: Team) -> Iterator[str]:
    many = "environment" if chosen.needed == 1 else "environments"
    size = f"of {_cores(chosen.cores)} and {wording.size(chosen.memory_bytes)}"
    longest = max((one.wait_s for one in chosen.jobs), default=0.0)
    waits = f"a run waits {wording.duration(longest)} at most" if longest else "no run waits"
    of_those = f" ({waits})" if chosen.environments == chosen.needed else ""
    yield (
        f"{chosen.needed} {many} {size} needed{of_those}; {chosen.at_once} if nothing ever waited; "
        f"{wording.number(chosen.busy_hours)} h of work a month, {wording.share(chosen.used)} of their time"
    )
    if team.environments is not None:
        there = f"{team.environments} stated"
        enough = "enough" if team.environments >= chosen.needed else f"{chosen.needed - team.environments} too few"
        yield f"environments: {there}, {chosen.needed} needed: {enough}"
    if team.platform_usd_month is not None and not any("platform_budget" in problem for problem in chosen.problems):
        yield f"within the {wording.dollars(team.platform_usd_month)} a month of platform_budget"


def _rivals(p: Portfolio, chosen: Platform) -> Iterator[str]:
    """The next best, and why not this machine."""
    here = next((platform for platform in p.platforms if platform.is_here), None)
    if here is not None and not chosen.is_here and not here.keeps:
        yield f"not this machine: {here.problems[0]}"
    elif here is None and not chosen.is_here:
        own = p.refused[0]  # those of this machine come first
        yield f"not this machine: {own.job}: {own.sentence.partition(';')[0]}"
    others = [platform for platform in p.platforms if platform.keeps and platform is not chosen]
    if p.meets and others:
        second = min(others, key=order)
        yield f"the next best is {second.name}: {_month(second)}"
    elif p.meets:
        yield "nothing else keeps everything"


def _apart(p: Portfolio, chosen: Platform) -> Iterator[str]:
    """One platform for all against the best for each, without and with people."""
    where = {best.job: best.machine for best in p.best}
    if len(where) < len(p.jobs):
        return
    kinds = list(dict.fromkeys(where.values()))
    if kinds == [chosen.machine.name]:
        if len(p.jobs) > 1:
            yield "it is the best for each job, too"
        return
    apart, one = sum(best.placed.usd_month.value for best in p.best), chosen.usd_month.value
    people, people_apart = p.people_usd_month, p.people_apart_usd_month
    yield (
        f"the best for each job costs {money(apart)} a month on {_kinds(kinds)}, one for all "
        f"{money(one)}; with people {wording.dollars(apart + people_apart)} against "
        f"{wording.dollars(one + people)}{_turned(apart - one, apart + people_apart - one - people)}"
    )


def _licences(jobs: Sequence[Job]) -> Iterator[str]:
    used = list(dict.fromkeys(job.framework for job in jobs))
    free, unknown = [name for name in used if name in FREE], [name for name in used if name not in FREE]
    if free:
        yield f"no licence is paid for: {listed(free)}"
    if unknown:
        yield f"fitscale does not know what a licence of {listed(unknown)} costs"


def _turned(without: float, with_people: float) -> str:
    """Whether people turn the comparison."""
    if without < 0 <= with_people:
        return ": each kind of machine is looked after, and that turns it for one platform"
    if with_people < 0:
        return ": apart would be cheaper, and more to look after"
    return ""


def _kinds(names: Sequence[str]) -> str:
    shown = ["this machine" if name == "here" else name for name in names]
    return f"{len(names)} kinds of machine ({listed(shown)})" if len(names) > 1 else shown[0]


def money(usd: Figure | float) -> str:
    """``30 USD (28–33)``; what is less than a cent is not told more closely."""
    high = usd.high if isinstance(usd, Figure) else usd
    return "under 0.01 USD" if 0 < high < 0.01 else wording.dollars(usd)


def _month(platform: Platform) -> str:
    if platform.usd_month.origin == "assumed":
        return "no machine is paid for"
    return f"{money(platform.usd_month)} a month"


def _all(jobs: Sequence[Job]) -> str:
    return f"all {len(jobs)} jobs" if len(jobs) > 1 else jobs[0].name


def _cores(n: int) -> str:
    return f"{n} core{'s' * (n != 1)}"


def assumptions_of(p: Portfolio) -> Iterator[str]:
    if not p.jobs:
        return
    unsaid = [job.name for job in p.jobs if job.frequency_origin == "assumed"]
    if unsaid:
        yield f"{listed(unsaid)}: no frequency is stated, so once a month"
    for job in p.jobs:
        if job.must_at:
            yield f"{job.name}: by {job.must_at}, as if each run started at the time of day that it is now"
    yield (
        "all jobs start together at the month's first moment, each again after its period, the longest first; "
        "times are their P90"
    )
    yield "an environment runs one job at a time: a forecast is for all the cores that it was made with"
    if any(platform.is_here and platform.environments > 1 for platform in p.platforms):
        yield "environments side by side on this machine do not slow each other down"
    yield from _of_users(p)
    if not all(platform.is_here for platform in p.platforms):
        yield (
            f"rented by the run: {wording.duration(WORTH_S)} to start the machine and have the data there, each time, which are "
            "paid; kept on: every hour of the month; both on demand; keeping the data there and its way out are not counted"
        )
    if any(platform.is_here for platform in p.platforms):
        yield (
            "an hour of this machine costs nothing: 'machine_hour' in the team file states it"
            if p.team.machine_usd_hour is None
            else f"an hour of this machine costs {wording.dollars(p.team.machine_usd_hour)} while it works (stated)"
        )
    assumed = [effort.activity for effort in p.efforts if effort.origin == "assumed"]
    if assumed:
        hours = ", ".join(f"{activity} {wording.number(HOURS[activity])} a {EACH[activity]}" for activity in assumed)
        yield f"hours of people a month: {hours}; 'hours' in the team file states others"
    if p.team.people and not any(person.skills for person in p.team.people):
        yield "skills are not checked: nobody's are stated"


def _of_users(p: Portfolio) -> Iterator[str]:
    users = p.team.users
    ad_hoc = [job.name for job in p.jobs if job.period_s is None]
    if ad_hoc and users is None:
        yield f"{listed(ad_hoc)}: ad hoc, by one user once a month; 'users' in the team file states more"
    elif ad_hoc and users == 0:
        yield f"{listed(ad_hoc)}: ad hoc, and there are no users, so never"
    elif ad_hoc:
        yield f"{listed(ad_hoc)}: ad hoc, by each of {users} users once a month, all at the same moment"
    elif users:
        yield f"what is scheduled runs once for all {users} users"
