"""Curves of value between two anchors: 1 at the best and beyond it, 0 at the worst, less than that beyond it."""

from __future__ import annotations

import math

from fitscale.records.scorecard import Anchors

LEAST = 1e-12
DECADE = 10.0


def by_factor(amount: float, best: float, worst: float) -> float:
    """By the logarithm: a factor counts the same wherever it lies. For amounts of which less is better."""
    best, worst = max(best, LEAST), max(worst, LEAST)
    if worst <= best:
        return 0.0
    return min(1.0, math.log(worst / max(amount, LEAST)) / math.log(worst / best))


def linear(amount: float, best: float, worst: float) -> float:
    """By the difference; either end may be the larger one."""
    if best == worst:
        return 1.0
    return min(1.0, (amount - worst) / (best - worst))


def worth(amount: float, anchors: Anchors) -> float:
    """On the curve of these anchors; below 0 beyond the worst, so that two that are both too dear can be told apart."""
    curve = by_factor if anchors.by_factor else linear
    return curve(amount, anchors.best, anchors.worst)


def score(amount: float, anchors: Anchors) -> float:
    """As it is shown: 0 to 1."""
    return round(min(1.0, max(0.0, worth(amount, anchors))), 4)
