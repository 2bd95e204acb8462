"""The scorecard of a plan as rows of a table: for the report, and for a notebook's view."""

from __future__ import annotations

from typing import NamedTuple

from fitscale.planning.scoring.words import anchors_text, weights_text
from fitscale.records.plan import Plan
from fitscale.records.scorecard import Card, Entry
from fitscale.report.text import plain

MOST = 4  # candidates beside each other


class Cell(NamedTuple):
    """One measurement of one candidate."""

    shown: str
    score: str


class Row(NamedTuple):
    number: int
    name: str
    cells: tuple[Cell, ...]
    origin: str  # of the chosen's
    as_of: str
    counted: bool
    sentence: str
    anchors: str
    source: str
    parts: tuple[str, ...]


class Scored(NamedTuple):
    names: tuple[str, ...]
    measured: tuple[Row, ...]
    apart: tuple[Row, ...]  # judged, or not known: in no sum
    totals: tuple[str, ...]
    how: str
    people: str


def scored_shown(plan: Plan) -> Scored | None:
    """None where the plan is older than the scorecard, or chose nothing."""
    card = plan.scorecard
    if not card.cards:
        return None
    here = plan.machine.name
    chosen, *others = card.cards
    shown = [chosen, *sorted(others, key=lambda c: c.machine == here)][
        :MOST
    ]  # another place before the alternatives here
    rows = [_row(entry, shown) for entry in shown[0].entries]
    return Scored(
        names=tuple(plain(c.name if c.machine == here else f"{c.name} on {c.machine}", 60) for c in shown),
        measured=tuple(row for row in rows if row.counted),
        apart=tuple(row for row in rows if not row.counted),
        totals=tuple("–" if c.total is None else f"{c.total:.2f}" for c in shown),
        how=weights_text(card),
        people=plain(card.people),
    )


def _row(entry: Entry, shown: list[Card]) -> Row:
    cells = tuple(_cell(card.entry(entry.name)) for card in shown)
    return Row(
        entry.number, entry.name, cells, entry.origin, entry.as_of, entry.counted, plain(entry.sentence),
        anchors_text(entry), plain(entry.source), tuple(map(plain, entry.parts)),
    )  # fmt: skip


def _cell(entry: Entry) -> Cell:
    shown = plain(entry.shown, 60) + (" †" if entry.origin == "modelled" else "")
    return Cell(shown, "–" if entry.score is None else f"{entry.score:.2f}")
