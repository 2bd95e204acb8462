"""team.yaml → a `Team`: the people, and what they share.

people:
  - {role: data scientist, level: senior, skills: [python, spark]}
  - {role: data engineer, count: 2}
users: 12
environments: 3                  # run-time environments at the same time
platform_budget: 2000 USD/month
machine_hour: 0.12 USD/hour      # what an hour of your own machine costs
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from fitscale.records.workload import Person, Team
from fitscale.workload import units
from fitscale.workload.document import read_document, read_file
from fitscale.workload.kinds import Key, Kind, leaf, many, section, text, whole, word
from fitscale.workload.spot import Spot
from fitscale.workload.values import USD

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

TEAM = section(
    Team,
    (
        Key("people", _PEOPLE, "who works with the models"),
        Key("users", whole(0), "how many use the platform"),
        Key("environments", whole(0), "run-time environments at the same time"),
        Key("platform_budget", USD, "for the platform: 2000 USD/month", "platform_usd_month"),
        Key("machine_hour", USD_HOUR, "what an hour of your own machine costs: 0.12 USD/hour", "machine_usd_hour"),
    ),
)


def load_team(path: Path) -> Team:
    """The team of a file; an empty one says nothing.

    Raises
    ------
    UsageError, WorkloadError
        If it cannot be read, or a key is unknown or wrong; with file, line, place and value.
    """
    document, lines = read_document(read_file(path), str(path))
    return parse_team({} if document is None else document, file=str(path), lines=lines)


def parse_team(document: Mapping[str, Any], *, file: str | None = None, lines: Mapping[str, int] | None = None) -> Team:
    """The team of a mapping with the keys of the file."""
    team: Team = TEAM.read(document, Spot("", file, lines or {}))
    return team


def team_document(team: Team) -> dict[str, Any]:
    """The file's keys and values of a team."""
    written: dict[str, Any] = TEAM.write(team)
    return written
