"""team.yaml → a `Team`: the people, and what they share.

people:
  - {role: data scientist, level: senior, skills: [python, spark]}
  - {role: data engineer, count: 2}
users: 12
environments: 3                  # run-time environments at the same time
platform_budget: 2000 USD/month
machine_hour: 0.12 USD/hour      # what an hour of your own machine costs
hours: {modelling: 6}            # of people a month, in place of what is assumed
weights: {time: 3, budget: 1}    # of the scorecard, for all jobs that state none
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from fitscale.errors import UsageError, nearest
from fitscale.records.workload import Person, Team
from fitscale.workload import units
from fitscale.workload.document import read_document, read_file
from fitscale.workload.kinds import Key, Kind, leaf, many, section, text, whole, word
from fitscale.workload.spot import Spot
from fitscale.workload.values import USD
from fitscale.workload.weights import WEIGHTS

LEVELS = ("junior", "mid", "senior")
USD_HOUR = leaf(partial(units.usd, per="hour"), partial(units.usd_text, per="hour"), type=["string", "number"])

_PERSON = section(
    Person,
    (
        Key("role", text("a role"), "as in the table of roles: data scientist, data engineer, …", required=True),
        Key("level", word(*LEVELS), "junior, mid or senior"),
        Key("skills", many(text("a skill")), "what they know: python, spark, sql, …"),
        Key("count", whole(1), "how many of them"),
    ),
)


def _read_people(value: Any, spot: Spot) -> tuple[Person, ...]:
    if not isinstance(value, list | tuple):
        raise spot.wrong(f"{units.shown(value)} is not a list; write '- role: data scientist'")
    # equal entries are two people, not a repetition
    return tuple(_PERSON.read(item, spot.item(index)) for index, item in enumerate(value))


_PEOPLE = Kind(
    _read_people, lambda people: [_PERSON.write(p) for p in people], {"type": "array", "items": _PERSON.schema}
)


def _read_hours(value: Any, spot: Spot) -> dict[str, float]:
    if not isinstance(value, Mapping):
        raise spot.wrong(f"{units.shown(value)} is not a section; write 'hours: {{modelling: 6}}'")
    return {_ACTIVITY.read(name, spot): _AMOUNT.read(hours, spot.at(str(name))) for name, hours in value.items()}


def _amount(value: Any) -> float:
    hours = units.bare(value)
    if hours is None or not (math.isfinite(hours) and hours >= 0):
        raise UsageError(f"{units.shown(value)} is not a number of hours a month")
    return hours


_ACTIVITY = text("what is done")
_AMOUNT = leaf(_amount, float, type="number", minimum=0)
_HOURS = Kind(_read_hours, dict, {"type": "object", "additionalProperties": _AMOUNT.schema})

TEAM = section(
    Team,
    (
        Key("people", _PEOPLE, "who works with the models"),
        Key("users", whole(0), "how many use the platform"),
        Key("environments", whole(0), "run-time environments at the same time"),
        Key("platform_budget", USD, "for the platform: 2000 USD/month", "platform_usd_month"),
        Key("machine_hour", USD_HOUR, "what an hour of your own machine costs: 0.12 USD/hour", "machine_usd_hour"),
        Key("weights", WEIGHTS, "what the eight measurements weigh for all jobs: {time: 3, budget: 1}"),
        Key("hours", _HOURS, "of people a month, for each job, database or kind of machine: {modelling: 6}"),
    ),
)


class Words(NamedTuple):
    """The words that a team file may use. They stand in tables and registries that this room does not know."""

    roles: Sequence[str]
    skills: Sequence[str]
    activities: Sequence[str]


def load_team(path: Path, words: Words | None = None) -> Team:
    """The team of a file; an empty one says nothing.

    Parameters
    ----------
    words
        The roles, skills and activities that are known; None: any word is taken.

    Raises
    ------
    UsageError, WorkloadError
        If it cannot be read, or a key or word is unknown or wrong; with file, line, place and value.
    """
    document, lines = read_document(read_file(path), str(path))
    return parse_team({} if document is None else document, words, file=str(path), lines=lines)


def parse_team(
    document: Mapping[str, Any],
    words: Words | None = None,
    *,
    file: str | None = None,
    lines: Mapping[str, int] | None = None,
) -> Team:
    """The team of a mapping with the keys of the file."""
    root = Spot("", file, lines or {})
    team: Team = TEAM.read(document, root)
    if words is not None:
        _check_words(team, words, root)
    return team


def team_document(team: Team) -> dict[str, Any]:
    """The file's keys and values of a team."""
    written: dict[str, Any] = TEAM.write(team)
    return written


def _check_words(team: Team, words: Words, root: Spot) -> None:
    """Raise WorkloadError for the first word that nothing knows, with the nearest that something does."""
    for index, person in enumerate(team.people):
        at = root.at("people").item(index)
        _check_word("role", person.role, words.roles, at.at("role"))
        for number, skill in enumerate(person.skills):
            _check_word("skill", skill, words.skills, at.at("skills").item(number))
    for activity in team.hours:
        _check_word("activity", activity, words.activities, root.at("hours").at(activity))


def _check_word(what: str, word: str, known: Sequence[str], spot: Spot) -> None:
    if word not in known:
        raise spot.wrong(f"no {what} '{word}' is known{nearest(word, known)}; there are: {', '.join(known)}")
