"""Hours of people that a portfolio asks for, who of the team has them, what they cost, and which skills are lacking."""

from __future__ import annotations

from collections.abc import Sequence

from fitscale.machines.prices import Role
from fitscale.planning import wording
from fitscale.records.portfolio import Effort, Job
from fitscale.records.workload import Team

MODELLING, PREPARING = "modelling", "data preparation"
DATABASES, OPERATING = "database administration", "platform operation"

# Hours a month: for each job, each job, each database that rows come from, each kind of machine that is looked after.
# No source was found for any of them: they are assumed, told as such, and 'hours' in the team file states others.
HOURS = {MODELLING: 4.0, PREPARING: 4.0, DATABASES: 2.0, OPERATING: 4.0}
EACH = {MODELLING: "job", PREPARING: "job", DATABASES: "database", OPERATING: "kind of machine"}
MONTHS = 12


def efforts_of(jobs: Sequence[Job], kinds: int, team: Team, roles: Sequence[Role]) -> tuple[Effort, ...]:
    """What each activity takes and who does it: whoever of the team can and costs least, else the cheapest role at mid level.

    Parameters
    ----------
    kinds
        Kinds of machine that are looked after.
    roles
        The table of wages.
    """
    databases = len({job.database for job in jobs if job.database})
    counts = {MODELLING: len(jobs), PREPARING: len(jobs), DATABASES: databases, OPERATING: kinds if jobs else 0}
    found = []
    for activity, count in counts.items():
        who = who_does(activity, team, roles)
        hours = count * team.hours.get(activity, HOURS[activity])
        if who is None or not hours:
            continue
        role, in_team = who
        found.append(
            Effort(
                activity=activity,
                hours=hours,
                origin="stated" if activity in team.hours else "assumed",
                role=role.role,
                level=role.level,
                in_team=in_team,
                usd_month=hours * role.usd_per_hour,
            )
        )
    return tuple(found)


def lacking_of(jobs: Sequence[Job], efforts: Sequence[Effort], team: Team, roles: Sequence[Role]) -> tuple[str, ...]:
    """Sentences: activities that nobody of the team is for, skills that nobody states, more hours than the team works."""
    if not team.people:
        return ()
    said = [
        f"nobody of the team is for {effort.activity}, so a {effort.role} is reckoned with; somebody who does it states it "
        "as a skill"
        for effort in efforts
        if not effort.in_team
    ]
    stated = {skill for person in team.people for skill in person.skills}
    if stated:
        wanted: dict[str, list[str]] = {}
        for job in jobs:
            for skill in job.skills:
                if not stated & {skill, *ALSO.get(skill, ())}:
                    wanted.setdefault(skill, []).append(job.name)
        said += [
            f"nobody states the skill '{skill}', which {listed(names)} asks for" for skill, names in wanted.items()
        ]
    works = sum(person.count * hours_a_month(person.role, person.level, roles) for person in team.people)
    asked = sum(effort.hours for effort in efforts if effort.in_team)
    if asked > works:
        said.append(f"{wording.number(asked)} h a month are asked of the team, which works {wording.number(works)}")
    return tuple(said)


ALSO = {"sklearn": ("scikit-learn",), "sql": ("postgres",)}  # who states one of these states the skill


def listed(names: Sequence[str], most: int = 4) -> str:
    """``a``, ``a and b``, ``a, b, c, d and 3 more``."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def who_does(activity: str, team: Team, roles: Sequence[Role]) -> tuple[Role, bool] | None:
    """The wage of who does it, and whether the team has them. None where no role of the table is for it."""
    own = [
        role
        for person in team.people
        for role in roles
        if (role.role, role.level) == (person.role, person.level)
        and (activity in role.what_for or activity in person.skills)
    ]
    if own:
        return min(own, key=lambda role: (role.usd_per_hour, role.role)), True
    hired = [role for role in roles if activity in role.what_for and role.level == "mid"]
    return (min(hired, key=lambda role: (role.usd_per_hour, role.role)), False) if hired else None


def hours_a_month(role: str, level: str, roles: Sequence[Role]) -> float:
    return next((r.hours_per_year / MONTHS for r in roles if (r.role, r.level) == (role, level)), 0.0)
