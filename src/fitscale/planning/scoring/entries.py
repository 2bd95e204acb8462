"""All eight of one candidate."""

from __future__ import annotations

from fitscale.planning.scoring.abilities import extension_of, functions_of
from fitscale.planning.scoring.amounts import budget_of, storage_of, time_of
from fitscale.planning.scoring.ground import Ground
from fitscale.planning.scoring.staff import people_of
from fitscale.planning.scoring.surroundings import integration_of, openness_of
from fitscale.records.plan import Assessed
from fitscale.records.scorecard import Entry


def entries_of(a: Assessed, ground: Ground) -> tuple[Entry, ...]:
    """In their order."""
    return (
        functions_of(a, ground),
        openness_of(a, ground),
        integration_of(a, ground),
        extension_of(a, ground),
        time_of(a, ground),
        storage_of(a, ground),
        budget_of(a, ground),
        people_of(a, ground),
    )
