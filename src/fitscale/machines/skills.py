"""The words of a team file: skills and roles that something asks for or that somebody is paid for."""

from __future__ import annotations

from collections.abc import Sequence

from fitscale import registry
from fitscale.machines.prices import Role
from fitscale.workload.values import PLACES

# Beside what the registry and the table of roles name: languages, and names that people use for what they import.
GENERAL = ("python", "sql", "scikit-learn")
FAMILIES = ("frameworks", "engines", "sources", "exporters")


def known_skills(roles: Sequence[Role]) -> tuple[str, ...]:
    """What may stand under ``skills``: work that a role is for, and every framework, engine, place, source and format."""
    work = (activity for role in roles for activity in role.what_for)
    plugins = (name for family in FAMILIES for name in registry.names(family))
    places = (name for name in PLACES if name != "catalogue")
    return tuple(sorted({*GENERAL, *work, *plugins, *places}))


def known_roles(roles: Sequence[Role]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(role.role for role in roles))
