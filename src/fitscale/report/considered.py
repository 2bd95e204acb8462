"""The ten considerations of a plan as rows of a table: for the report, and for a notebook's view."""

from __future__ import annotations

from typing import NamedTuple

from fitscale.records.plan import Plan
from fitscale.report.text import plain


class Considered(NamedTuple):
    number: int
    name: str
    band: str
    value: str
    origin: str
    removes: tuple[tuple[str, str], ...]  # candidates, each with the sentence of its refusal
    changed: tuple[str, ...]


def considered_shown(plan: Plan) -> list[Considered]:
    """A row for each; none where the plan is older than they are."""
    return [
        Considered(
            c.number, c.name, c.band, plain(c.value), c.origin,
            tuple((plain(name, 60), plain(sentence)) for name, sentence in c.removes),
            tuple(plain(text) for text in c.changed),
        )
        for c in plan.considerations
    ]  # fmt: skip
