"""The words of a team file: every plug-in, place and activity is a skill, and every wage has its role."""

from __future__ import annotations

from fitscale import registry
from fitscale.machines.prices import roles
from fitscale.machines.skills import known_roles, known_skills
from fitscale.planning.portfolio.people import HOURS


def test_what_fitscale_knows_is_a_skill() -> None:
    """What is asked for by a job can be stated by a person."""
    known = known_skills(roles())
    assert {"python", "sql", "scikit-learn", "modelling", "platform operation", "ray", "spark"} <= set(known)
    assert all(set(registry.names(family)) <= set(known) for family in ("frameworks", "engines", "sources"))
    assert len(set(known)) == len(known)


def test_what_is_reckoned_with_somebody_is_paid_for() -> None:
    """Each activity that hours are assumed for is what a role of the table is for."""
    assert set(HOURS) <= {activity for role in roles() for activity in role.what_for}
    assert "data scientist" in known_roles(roles())
    assert len(known_roles(roles())) == 9
