"""What ``fitscale plan FILE… --team FILE`` prints: the jobs, the platform for all of them and why, people, assumptions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from fitscale.cli.considered import considered_lines, effect_of
from fitscale.cli.screen import SHOWN_REFUSED, machine_line
from fitscale.cli.shown import clipped, columns, duration, plural, size, tagged, wrapped
from fitscale.planning import wording
from fitscale.planning.portfolio.people import listed
from fitscale.planning.portfolio.recommending import money
from fitscale.records.base import Figure
from fitscale.records.portfolio import Best, Effort, Job, Placed, Platform, Portfolio
from fitscale.records.workload import Team
from fitscale.workload.units import duration_text

LETTERS = "ABCDEFGH"
NAME = 20  # of a job, at most
_INTERVAL = re.compile(r" \([\d.,<–]+\)")


def portfolio_screen(found: Portfolio, width: int) -> list[str]:
    """The lines of the screen, none longer than ``width``."""
    lines = [
        *_facts(found, width),
        "",
        *_jobs(found, width),
        *_many("Not planned", (failed.sentence for failed in found.failed), width),
        *_considered(found.jobs, width),
        *([""] if found.jobs or found.failed else []),
        *_many("VERDICT", found.reasons, width, 9),
        *_platforms(found.platforms, width),
        "",
        *_ruled_out(found, width),
        *_apart(found.best, width),
        *_people(found, width),
        *_many("Lacking", found.lacking, width),
        *_many("Assumed", found.assumptions, width),
    ]
    dagger = any("†" in line for line in lines)
    return [*lines, *_trust(found, dagger, width), *_next(found, width)]


def _facts(found: Portfolio, width: int) -> list[str]:
    said = _team(found.team)
    return [
        *tagged(f"Here: {machine_line(found.here)}", "measured", width),
        *tagged(said or "Team: nothing said", "stated" if said else "assumed", width),
    ]


def _team(team: Team) -> str:
    """``Team: 3 people · 12 users · 3 environments at once · platform 2000 USD/month · machine 0.12 USD/hour``."""
    people = sum(person.count for person in team.people)
    parts = [f"{people} {'person' if people == 1 else 'people'}"] if people else []
    parts += [plural(team.users, "user")] if team.users is not None else []
    parts += [f"{plural(team.environments, 'environment')} at once"] if team.environments is not None else []
    parts += [f"platform {team.platform_usd_month:g} USD/month"] if team.platform_usd_month is not None else []
    parts += [f"machine {team.machine_usd_hour:g} USD/hour"] if team.machine_usd_hour is not None else []
    return f"Team: {' · '.join(parts)}" if parts else ""


def _jobs(found: Portfolio, width: int) -> list[str]:
    """A line for each job: as it runs on what is recommended, else where it would be best alone."""
    if not found.jobs:
        return []
    chosen = {one.job: one for one in found.recommended.jobs} if found.recommended else {}
    best = {one.job: one.placed for one in found.best}
    rows = [_job(job, chosen.get(job.name) or best.get(job.name)) for job in found.jobs]
    header = ["Job", "how often", "time (90 %)", "memory (P99)", "h/month", "waits", "must", "kept"]
    return _fitting(rows, header, width, "456", ("h/month", "memory (P99)", "waits"))


def _job(job: Job, one: Placed | None) -> list[str]:
    often = job.frequency + (" (assumed)" if job.frequency_origin == "assumed" else "")
    often += f" × {job.at_once}" if job.at_once != 1 else ""
    must = duration_text(job.must_s) if job.must_s is not None else "–"
    limit = must if isinstance(must, str) else duration(must)
    if one is None:
        return [clipped(job.name, NAME), often, "cannot run", "–", "–", "–", limit, "no"]
    return [
        clipped(job.name, NAME),
        often,
        duration(one.time_s) + _dagger(one.time_s),
        size(one.memory_bytes),
        wording.number(one.busy_hours),
        duration(one.wait_s) if one.wait_s else "–",
        limit,
        "no" if one.problems else "yes",
    ]


def _considered(jobs: Sequence[Job], width: int) -> list[str]:
    """What is alike for all jobs, such as their users, in full; of the others, what changed a decision. Of one job all ten."""
    if not jobs:
        return []
    first, *others = jobs
    alike = [one for one in first.considerations if all(one in job.considerations for job in others)]
    if not others:
        return considered_lines(alike, width)
    told = [
        f"{job.name}: {one.name}: {effect}"
        for job in jobs
        for one in job.considerations
        if one not in alike and (effect := effect_of(one))
    ]
    return [
        *considered_lines(alike, width, f"Considered, alike for all {len(jobs)} jobs"),
        *_some("Changed", told, width),
    ]


def _platforms(platforms: Sequence[Platform], width: int) -> list[str]:
    if not platforms:
        return []
    rows = [
        [
            letter,
            "here" if one.is_here else one.machine.name,
            "" if one.is_here else one.pay,
            str(one.needed) if one.environments == one.needed else f"{one.environments} of {one.needed}",
            f"{plural(one.cores, 'core')}, {size(one.memory_bytes)}",
            _usd(one.usd_month),
            "yes" if one.keeps else plural(len(one.problems), "problem"),
        ]
        for letter, one in zip(LETTERS, platforms, strict=False)
    ]
    header = ["", "", "paid for", "environments", "size of one", "USD/month", "keeps all"]
    return _fitting(rows, header, width, "35", ("size of one", "paid for"))


def _usd(figure: Figure) -> str:
    """``0.36 (0.3–0.5)†``; a dash where nobody said what it costs."""
    if figure.origin == "assumed":
        return "–"
    return money(figure).replace(" USD", "").replace("under ", "<") + _dagger(figure)


def _dagger(figure: Figure) -> str:
    return "†" if figure.origin == "modelled" else ""


def _ruled_out(found: Portfolio, width: int) -> list[str]:
    told = [
        f"{one.job}: {one.example}: {one.sentence}"
        if one.machines == 1
        else f"{one.job}: {one.machines} of {found.compared} machines, the largest of them {one.example}: {one.sentence}"
        for one in found.refused
    ]
    return _some("Ruled out", told, width)


def _apart(best: Sequence[Best], width: int) -> list[str]:
    """Where each job alone would be cheapest."""
    told = [
        f"{one.job}: {'here' if one.is_here else f'{one.machine} {one.pay}'}, {duration(one.placed.time_s)}"
        + ("" if one.placed.usd_month.origin == "assumed" else f", {money(one.placed.usd_month.value)} a month")
        + (f"; {one.placed.problems[0]}" if one.placed.problems else "")
        for one in best
    ]
    return _many("Best alone", told, width)


def _people(found: Portfolio, width: int) -> list[str]:
    if not found.efforts:
        return []
    told = [_effort(effort, bool(found.team.people)) for effort in found.efforts]
    machines = found.recommended.usd_month.value if found.recommended else 0.0
    told.append(
        f"{wording.dollars(found.people_usd_month)} a month for people, {money(machines)} for machines: "
        f"{wording.dollars(found.people_usd_month + machines)}"
    )
    return _many("People", told, width)


def _effort(effort: Effort, stated: bool) -> str:
    whose = "" if effort.in_team or not stated else ", not in the team"
    who = f"{effort.role} ({effort.level}{whose})"
    return f"{effort.activity}: {wording.number(effort.hours)} h, {who}, {wording.dollars(effort.usd_month)} [{effort.origin}]"


def _trust(found: Portfolio, dagger: bool, width: int) -> list[str]:
    """What the forecasts rest on, those of one kind together."""
    jobs: dict[str, list[str]] = {}
    for job in found.jobs:
        jobs.setdefault(job.source, []).append(job.name)
    parts = [f"{listed(names)}: forecast {source}" for source, names in jobs.items() if source]
    parts += ["† modelled: never measured on such a machine"] if dagger else []
    return wrapped("Trust", "; ".join(parts), width) if parts else []


def _next(found: Portfolio, width: int) -> list[str]:
    if not found.jobs:
        return []
    return wrapped("Next", "fitscale plan FILE shows a job in full; fitscale train FILE runs it here", width)


def _some(head: str, told: Sequence[str], width: int) -> list[str]:
    more = len(told) - SHOWN_REFUSED
    rest = [f"and {more} more: --json lists all of them"] if more > 0 else []
    return _many(head, [*told[:SHOWN_REFUSED], *rest], width)


def _many(head: str, texts: Iterable[str], width: int, indent: int = 12) -> list[str]:
    lines: list[str] = []
    for text in texts:
        lines += wrapped("" if lines else head, text, width, indent)
    return lines


def _fitting(rows: list[list[str]], header: list[str], width: int, right: str, spare: Sequence[str]) -> list[str]:
    """The table; where it is too wide intervals go first, then the ``spare`` columns in turn."""
    shown = columns(rows, header, right)
    if max(map(len, shown)) > width:
        rows = [[_INTERVAL.sub("", cell) for cell in row] for row in rows]
        shown = columns(rows, header, right)
    for name in spare:
        if max(map(len, shown)) <= width:
            break
        at = header.index(name)
        header = [*header[:at], *header[at + 1 :]]
        rows = [[*row[:at], *row[at + 1 :]] for row in rows]
        right = "".join(str(int(digit) - (int(digit) > at)) for digit in right if int(digit) != at)
        shown = columns(rows, header, right)
    return [line[:width] for line in shown]
