"""People and skills: who is needed, for how many hours a month, at which wage, and whether the team has them. Judged."""

from __future__ import annotations

from typing import NamedTuple

from fitscale.planning import wording
from fitscale.planning.costs.sending import SERVERS
from fitscale.planning.decision.curves import DECADE
from fitscale.planning.scoring.amounts import usd_month
from fitscale.planning.scoring.ground import Ground, entry
from fitscale.records.plan import Assessed, Candidate
from fitscale.records.scorecard import Anchors, Entry, Need

PERSON_HOURS = 2080 / 12  # a month of one person full time, by the year that the table of wages counts


class Effort(NamedTuple):
    need: Need
    times: int

    @property
    def hours(self) -> float:
        return self.times * self.need.hours

    @property
    def usd(self) -> float:
        return self.hours * self.need.usd_hour


def efforts(candidate: Candidate, ground: Ground) -> list[Effort]:
    """What of each kind there is to look after."""
    rented, cluster = candidate.machine != ground.machine.name, candidate.engine not in ("inline", "process")
    counts = {
        "job": 1,
        "database": int(ground.workload.data.uri.partition("://")[0].lower() in SERVERS),
        "kind of machine": 1 + rented + cluster,
    }
    found = [Effort(need, counts.get(need.each, 0)) for need in ground.facts.needs]
    return [effort for effort in found if effort.hours > 0]


def people_of(a: Assessed, ground: Ground) -> Entry:
    """Hours a month. Never in a sum with what is measured, unless the team states its hours itself."""
    found, facts = efforts(a.candidate, ground), ground.facts
    if not found:
        return entry("people", None, None, unit="h/month", shown="not known", origin="judged",
                     sentence="no table of hours and wages was read")  # fmt: skip
    hours = sum(effort.hours for effort in found)
    whole = facts.team_hours or PERSON_HOURS
    anchors = Anchors(
        best=whole / DECADE, worst=whole, origin="stated" if facts.team_hours else "assumed", by_factor=True
    )
    stated = all(effort.need.origin == "stated" for effort in found)
    people = sum(effort.usd for effort in found)
    machine = usd_month(a, ground)
    roles = " and ".join(dict.fromkeys(f"{e.need.role} ({e.need.level})" for e in found))
    beside = f", {wording.dollars(people + machine.value)} with the machine" if machine is not None else ""
    whose = f"of {wording.number(whole)} h that the team works" if facts.team_hours else "of one person's month"
    told = f"{roles}; {wording.dollars(people)} a month{beside}; {wording.share(hours / whole)} {whose}"
    return entry(
        "people", hours, anchors, unit="h/month", shown=f"{wording.number(hours)} h a month",
        origin="stated" if stated else "judged", counted=stated, as_of=min((e.need.as_of for e in found), default=""),
        sentence="; ".join([told, *facts.lacking[:1]]), source=_sources(found),
        parts=(*(_line(effort) for effort in found), *facts.lacking),
    )  # fmt: skip


def _line(effort: Effort) -> str:
    need = effort.need
    who = "of the team" if need.in_team else "to be found"
    each = (
        f"{effort.times} × {wording.number(need.hours)} h for each {need.each}"
        if effort.times > 1
        else f"{wording.number(need.hours)} h"
    )
    return (
        f"{need.activity}: {each} [{need.origin}], {need.role} ({need.level}, {who}) at "
        f"{wording.number(need.usd_hour)} USD/h [looked up {need.as_of}]"
    )


def _sources(found: list[Effort]) -> str:
    hours = dict.fromkeys(e.need.source for e in found if e.need.source)
    wages = dict.fromkeys(e.need.wage_source for e in found if e.need.wage_source)
    return f"hours: {'; '.join(hours)}; wages: {'; '.join(wages)}"


def people_flip(chosen: Assessed, better: Assessed | None, ground: Ground) -> str:
    """Whether the cheaper place is another one once people are paid; empty where there is one place alone."""
    if better is None or not ground.facts.needs:
        return ""
    here, there = usd_month(chosen, ground), usd_month(better, ground)
    staff = [sum(effort.usd for effort in efforts(a.candidate, ground)) for a in (chosen, better)]
    more = f"people cost {wording.dollars(staff[0])} a month here, {wording.dollars(staff[1])} on {better.candidate.machine}"
    if here is None or there is None:
        return f"{more} [judged]; whether that makes another place the cheaper is not known: this machine has no price"
    without, with_them = here.value <= there.value, here.value + staff[0] <= there.value + staff[1]
    names = ("this machine", better.candidate.machine)
    if without == with_them:
        return f"{more} [judged]; {names[not without]} is the cheaper with them and without"
    return f"{more} [judged]; without them {names[not without]} is the cheaper, with them {names[not with_them]}"
