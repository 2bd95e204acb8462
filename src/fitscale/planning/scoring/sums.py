"""What a candidate's measurements come to: by the user's weights, or, where none are stated, to break a tie.

A sum hangs on no other candidate. Where anchors are assumed from a floor that the candidates share, the sum counts by the curve's
slope alone (a factor of ten is worth 1): the floor would add the same to each. It goes on below a score of 0, so that two that
both lie beyond an anchor are told apart. What is judged, and what is not known, is in no sum.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fitscale.planning.decision.curves import LEAST, worth
from fitscale.planning.scoring.entries import entries_of
from fitscale.planning.scoring.ground import MEASURES, Ground
from fitscale.records.plan import Assessed
from fitscale.records.scorecard import Anchors, Entry, Measure

STEP = 0.01  # sums on the same step count as equal
DRAWN: tuple[Measure, ...] = ("time", "budget")  # what a forecast's error makes another

Floats = NDArray[np.float64]


def weights_for(ground: Ground, thrifty: bool) -> Mapping[Measure, float]:
    """The user's; to break a tie all count alike but for the objective, in which they are equal already."""
    if ground.facts.weights:
        return ground.facts.weights
    objective = "budget" if thrifty else "time"
    return {name: 1.0 for name in MEASURES if name not in ("people", objective)}


def sum_of(a: Assessed, ground: Ground, weights: Mapping[Measure, float], seconds: float) -> float:
    """The weighted mean of what its counted measurements are worth. ``seconds``: what is still waited for."""
    found = {entry.name: entry for entry in entries_of(a, ground)}
    parts = [weight * _worth_of(found[name], seconds) for name, weight in weights.items()]
    return sum(parts) / (sum(weights.values()) or 1.0)


def drawn_sums(a: Assessed, ground: Ground, weights: Mapping[Measure, float], seconds: Floats) -> Floats:
    """As `sum_of` in each draw of what it takes: the cost follows the time, and the other measurements stay."""
    found = {entry.name: entry for entry in entries_of(a, ground)}
    at = max(a.forecast.time_s.value, LEAST)
    kept = sum(weight * _worth_of(found[name], at) for name, weight in weights.items() if name not in DRAWN)
    moved: Floats = np.full(len(seconds), float(kept))
    for name in DRAWN:
        if (weight := weights.get(name, 0.0)) and (anchors := found[name].anchors) is not None:
            amounts = seconds if name == "time" else (found[name].value or 0.0) * seconds / at
            moved += weight * _drawn(np.maximum(amounts, LEAST), anchors)
    return moved / (sum(weights.values()) or 1.0)


def _drawn(amounts: Floats, anchors: Anchors) -> Floats:
    if anchors.origin == "assumed":
        return -np.log10(amounts)
    known = np.log(anchors.worst / amounts) / math.log(anchors.worst / anchors.best)
    return np.minimum(1.0, known)


def stepped(total: float) -> int:
    return round(total / STEP)


def _worth_of(entry: Entry, seconds: float) -> float:
    """0 where it is not known or judged."""
    if not entry.counted or entry.anchors is None or entry.value is None:
        return 0.0
    amount = seconds if entry.name == "time" else entry.value
    if entry.anchors.origin == "assumed" and entry.anchors.by_factor:
        return -math.log10(max(amount, LEAST))
    return worth(amount, entry.anchors)
