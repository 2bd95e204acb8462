"""The course of a fit whose units get cheaper: what all of them take, from those that it began with.

Boosting grows whole trees at first. With each the gradients get smaller, and later trees split less: the k-th takes
``c · (1 + a · f(k / n))``, where f falls from 1 to 0 at once, as exp(-x), or later, around x = 1. How far it falls (a) and in how
many units (n; the faster a model learns, the sooner) is not seen in the first few. So every shape, a and n counts by how usual it
is, and by how well it holds for what was seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

FALLS = np.linspace(-0.1, 1.2, 27)  # a
USUAL = 0.35  # deviation of a around what a law says of it: 0 to 0.8 was seen
AT_ONCE, LATER = (0.33, 0.66, 1.0, 2.0), (1.0, 2.0, 4.0)  # n, times what a law says of it
SELDOM = 0.5  # how likely a later fall is, against one at once
PLACES = 1_000
STEEP = 4.0  # of a later fall: most of it between n / 2 and 3 n / 2
NOISE, LEAST_NOISE = 0.1, 0.05  # relative deviation of one unit's time: before it is seen, and the least


class Course(NamedTuple):
    """Seconds of all units, and the relative standard deviation of that."""

    seconds: float
    deviation: float


def course_of(
    unit: Sequence[float], units: Sequence[float], seconds: Sequence[float], whole: float, settling: float, later: float
) -> Course:
    """All ``whole`` units of a fit.

    Parameters
    ----------
    unit, units, seconds
        (n,) of each report: its middle unit, how many units it is of, and seconds of each of them.
    settling
        Units in which what is to fall has fallen to 1 / e.
    later
        What a unit usually takes in the long run, against those that a fit begins with.
    """
    at, weight, y = (np.asarray(x, np.float64) for x in (unit, units, seconds))
    usual = max(1e-12, float(np.average(y, weights=weight)))
    noise = _noise(y / usual, weight)
    shapes = [(False, settling * times) for times in AT_ONCE] + [(True, settling * times) for times in LATER]
    left = np.stack([_left(at, is_later, n) for is_later, n in shapes])  # (shapes, n)
    sums = np.array([_summed(whole, is_later, n) for is_later, n in shapes])
    falls = np.tile(FALLS, len(shapes))
    curve = 1 + falls[:, None] * np.repeat(left, len(FALLS), axis=0)
    level = (curve * weight * y).sum(axis=1) / (curve**2 * weight).sum(axis=1)  # c
    misfit = (weight * (y - level[:, None] * curve) ** 2).sum(axis=1) / (noise * usual) ** 2
    usually = np.repeat([SELDOM if is_later else 1.0 for is_later, _ in shapes], len(FALLS))
    likely = np.log(usually) - 0.5 * (misfit + ((falls - (1 / later - 1)) / USUAL) ** 2)
    share = np.exp(likely - likely.max())
    share /= share.sum()
    total = level * (whole + falls * np.repeat(sums, len(FALLS)))
    mean = float(share @ total)
    # The level is known as well as so many units tell it.
    variance = float(share @ (total - mean) ** 2) / mean**2 + noise**2 / float(weight.sum())
    return Course(mean, math.sqrt(variance))


def _summed(whole: float, later: bool, n: float) -> float:
    """`_left` over all units; of very many at so many places, since it is asked for at each report."""
    places = max(1, min(PLACES, round(whole)))
    return float(_left((np.arange(places) + 0.5) * whole / places + 0.5, later, n).mean() * whole)


def _left(unit: np.ndarray, later: bool, n: float) -> np.ndarray:
    """(units,) of what will fall, the share that has not yet."""
    if not later:
        return np.exp(-unit / n)
    return 1 / (1 + np.exp(np.minimum(STEEP * (unit / n - 1), 500.0)))


def _noise(y: np.ndarray, weight: np.ndarray) -> float:
    """Of one unit, by how much reports differ from the next; what it usually is where there are few."""
    n = len(y) - 1
    seen = float(np.mean(np.minimum(weight[1:], weight[:-1]) * np.diff(y) ** 2) / 2) if n else 0.0
    return max(LEAST_NOISE, math.sqrt((3 * NOISE**2 + n * seen) / (3 + n)))
