"""What scoring stands on beside the plan, looked up once: libraries and licences, what suites proved, people and wages, weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from fitscale.machines.prices import Role, roles
from fitscale.machines.proofs import efforts, proofs
from fitscale.planning.costs.sending import SERVERS
from fitscale.planning.portfolio.people import ALSO, hours_a_month, who_does
from fitscale.planning.preparing import Prepared
from fitscale.planning.scoring.licences import libraries_of
from fitscale.records.scorecard import Facts, Measure, Need, Proof
from fitscale.records.workload import Team, Workload
from fitscale.registry import framework_of, plugin

BATCHED = "batched"  # what fits many models at once, beside the workload's own framework
COUNTED = ("frameworks", "engines", "plug-ins", "exporters", "deploying", "functions")


def facts_of(prepared: Prepared, team: Team | None = None, tried: Sequence[Proof] = ()) -> Facts:
    """For the plan of one workload.

    Parameters
    ----------
    tried
        What was tried for this plan, here and now.

    Raises
    ------
    UsageError
        If a table of the user's own is wrong; with its line.
    """
    workload, framework, table = prepared.workload, prepared.framework, roles()
    several = [one.framework or framework_of(one.estimator).name for one in workload.model.any_of if one.estimator]
    frameworks = [framework, *several, *([BATCHED] if workload.data.groups else [])]
    own = team if team is not None else Team()
    weights, whose = weights_of(workload, team)
    return Facts(
        libraries={name: libraries_of(workload, name) for name in dict.fromkeys(frameworks)},
        proofs=tuple(proof for proof in proofs() if _concerns(proof, workload, frameworks)),
        tried=tuple(tried),
        needs=tuple(_needs(own, table)),
        team_hours=_worked(own, table) if own.people else None,
        lacking=tuple(_lacking(workload, framework, own, table)),
        platform_usd_month=own.platform_usd_month,
        machine_usd_hour=own.machine_usd_hour,
        progress=prepared.traits.progress,
        weights=weights,
        weights_from=whose,
    )


def weights_of(workload: Workload, team: Team | None) -> tuple[dict[Measure, float], Literal["", "workload", "team"]]:
    """Those that count, and whose they are: the workload's own before the team's for all its jobs."""
    if workload.needs.weights:
        return workload.needs.weights, "workload"
    if team is not None and team.weights:
        return team.weights, "team"
    return {}, ""


def _concerns(proof: Proof, workload: Workload, frameworks: Sequence[str]) -> bool:
    if proof.family == "frameworks":
        return proof.plugin in frameworks
    if proof.family == "exporters":
        of = proof.ability.partition(": ")[2]
        return of in ("", *frameworks) and proof.plugin in (*workload.needs.export, "native")
    return proof.family in COUNTED


def _needs(team: Team, table: Sequence[Role]) -> Iterator[Need]:
    """A line for each activity that people are judged, or stated, to have work with."""
    for one in efforts():
        who = who_does(one.activity, team, table)
        if who is None:
            continue
        role, in_team = who
        stated = one.activity in team.hours
        yield Need(
            activity=one.activity, hours=team.hours.get(one.activity, one.hours), each=one.each,
            origin="stated" if stated else "judged", role=role.role, level=role.level, in_team=in_team,
            usd_hour=round(role.usd_per_hour, 4), source="the team file" if stated else one.source, as_of=role.as_of,
            wage_source=role.source,
        )  # fmt: skip


def _worked(team: Team, table: Sequence[Role]) -> float:
    return sum(person.count * hours_a_month(person.role, person.level, table) for person in team.people)


def _lacking(workload: Workload, framework: str, team: Team, table: Sequence[Role]) -> Iterator[str]:
    """Roles and skills that the job asks for and nobody of the team states; nothing where nobody is named."""
    if not team.people:
        return
    for one in efforts():
        who = who_does(one.activity, team, table)
        database = workload.data.uri.partition("://")[0].lower() in SERVERS
        if who is not None and not who[1] and (one.each != "database" or database):
            yield f"nobody of the team is for {one.activity}"
    stated = {skill for person in team.people for skill in person.skills}
    wanted = [name for name in plugin("frameworks", framework).needs if name != "numpy"]
    for skill in wanted if stated else ():
        if not stated & {skill, *ALSO.get(skill, ())}:
            yield f"nobody of the team states the skill '{skill}'"
