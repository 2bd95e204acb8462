"""The scorecard: a compact block on the plan's screen, and all of one candidate with ``--explain``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fitscale.cli.shown import NONE, clipped, columns, wrapped
from fitscale.planning.scoring.words import anchors_text, weights_text
from fitscale.records.plan import Assessed, Plan
from fitscale.records.scorecard import Card, Entry, Scorecard

SIDE_BY_SIDE = 2  # what is chosen, and the better place or the best alternative
CELL = 26  # characters of a value


def score_lines(plan: Plan, ways: Sequence[tuple[str, Assessed]], width: int) -> list[str]:
    """A line for each of the eight: the chosen beside the better place, else beside the best alternative."""
    shown = _beside(plan, ways)
    if not shown:
        return []
    marks = ["", *(_from(entry) for entry in shown[0][1].entries)]
    room = width - max(map(len, marks)) - 1
    lines = _table(shown)
    if max(map(len, lines)) > room:  # the second is the first to go
        lines = _table(shown[:1])
    told = [
        line[:room].ljust(width - len(mark)) + mark if mark else line for line, mark in zip(lines, marks, strict=True)
    ]
    return [*told, *wrapped("", _summed(plan.scorecard, shown), width, 3)]


def _table(shown: Sequence[tuple[str, Card]]) -> list[str]:
    """A head, and a line for each measurement."""
    rows = []
    for at, entry in enumerate(shown[0][1].entries):
        pairs = ((_value(card.entries[at]), _score(card.entries[at])) for _, card in shown)
        rows.append([f"{entry.number:>2} {entry.name}", *(cell for pair in pairs for cell in pair)])
    header = ["Scorecard", *(text for letter, _ in shown for text in (letter, ""))]
    return columns(rows, header, "24"[: len(shown)])


def _beside(plan: Plan, ways: Sequence[tuple[str, Assessed]]) -> list[tuple[str, Card]]:
    """Letters and cards of those that are shown."""
    by = {(card.name, card.machine, card.workers): card for card in plan.scorecard.cards}
    found = []
    for letter, way in ways:
        candidate = way.candidate
        card = by.get((candidate.name, candidate.machine, candidate.workers))
        if card is not None:
            found.append((letter, card))
    if len(found) > SIDE_BY_SIDE:
        elsewhere = [pair for pair in found if pair[1].machine != plan.machine.name]
        found = [found[0], (elsewhere or found[1:])[0]]
    return found


def _value(entry: Entry) -> str:
    """† where it was never measured on such a machine."""
    return clipped(entry.shown, CELL) + ("†" if entry.origin == "modelled" else "")


def _score(entry: Entry) -> str:
    """``0.72``; in parentheses what is in no sum, and a dash where it is not known."""
    if entry.score is None:
        return NONE
    return f"{entry.score:.2f}" if entry.counted else f"({entry.score:.2f})"


def _from(entry: Entry) -> str:
    return f"[{entry.origin}{f' {entry.as_of}' if entry.origin == 'recorded' and entry.as_of else ''}]"


def _summed(card: Scorecard, shown: Sequence[tuple[str, Card]]) -> str:
    totals = ", ".join(f"{letter} {c.total:.2f}" for letter, c in shown if c.total is not None)
    lacking = shown[0][1].entry("functions")
    beside = [card.people] if card.people else []
    unmatched = [f"not matched: {lacking.sentence}"] if lacking.score is not None and lacking.score < 1 else []
    told = [f"measured, of 1: {totals} ({weights_text(card)})", *unmatched, *beside]
    return "; ".join([*told, f"each with its sources: --explain {shown[0][1].name}"])


# All of one.


def card_lines(card: Card, width: int) -> list[str]:
    """Each measurement with its value, its score and its anchors, what it is made of, and its sources."""
    lines: list[str] = []
    counted = [entry for entry in card.entries if entry.counted]
    others = [entry for entry in card.entries if not entry.counted]
    total = f"{card.total:.2f} of 1" if card.total is not None else "not known"
    lines += wrapped("Measured", f"{total}, of what is counted below", width)
    for entry in counted:
        lines += _entry_lines(entry, width)
    if others:
        lines += ["", *wrapped("Apart", "judged, or not known: in no sum", width)]
        for entry in others:
            lines += _entry_lines(entry, width)
    return lines


def _entry_lines(entry: Entry, width: int) -> Iterator[str]:
    score = "" if entry.score is None else f" → {entry.score:.2f}"
    anchors = f", {anchors_text(entry)}" if entry.anchors is not None else ""
    mark = f" {_from(entry)}"
    yield from wrapped(f"{entry.number} {entry.name}", f"{entry.shown}{score}{anchors}{mark}", width, 15)
    yield from wrapped("", entry.sentence, width, 15) if entry.sentence else ()
    for part in entry.parts:
        yield from wrapped("", f"· {part}", width, 15)
    yield from wrapped("", f"source: {entry.source}", width, 15) if entry.source else ()
