"""Anchors and weights in words, as screen and report have them."""

from __future__ import annotations

from collections.abc import Mapping

from fitscale.planning.wording import dollars, duration, number, size
from fitscale.records.scorecard import Entry, Measure, Scorecard


def anchors_text(entry: Entry) -> str:
    """``1 at 60 min, 0 at 4 h (stated)``; empty where it has no curve."""
    if entry.anchors is None:
        return ""
    best, worst = (amount_text(value, entry.unit) for value in (entry.anchors.best, entry.anchors.worst))
    return f"1 at {best}, 0 at {worst} ({entry.anchors.origin})"


def amount_text(value: float, unit: str) -> str:
    """A value in its unit."""
    if unit == "s":
        return duration(value)
    if unit == "bytes":
        return size(value)
    return f"{dollars(value)} a month" if unit == "USD/month" else f"{number(value)} {unit}"


def weights_text(card: Scorecard) -> str:
    """``by your weights: time 3, budget 1``."""
    if not card.weights:
        return "without weights it breaks ties alone"
    whose = "the team's" if card.weights_from == "team" else "your"
    return f"by {whose} weights: {listed_weights(card.weights)}"


def listed_weights(weights: Mapping[Measure, float]) -> str:
    """``time 3, budget 1``, the heaviest first."""
    ordered = sorted(weights.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {number(weight)}" for name, weight in ordered if weight)
