"""How far off a figure may be: its 90 % interval read as a log-normal's.

Times and sizes are wrong by factors rather than by differences, so the logarithm is taken as normal with its median at
the value. ``high`` is the 95th percentile: sigma = ln(high / value) / 1.645. The upper half is the one that hurts, and is
the one that is used: P99 = value · (high / value) ** (2.326 / 1.645).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import NormalDist

from fitscale.records.base import Figure, Origin

_NORMAL = NormalDist()
_AT_HIGH = _NORMAL.inv_cdf(0.95)


def sigma(figure: Figure) -> float:
    """Standard deviation of the logarithm; 0 for an exact figure."""
    if figure.value <= 0 or figure.high <= figure.value:
        return 0.0
    return math.log(figure.high / figure.value) / _AT_HIGH


def quantile(figure: Figure, share: float) -> float:
    """The value that is not passed with probability ``share``, such as 0.99."""
    return figure.value * math.exp(_NORMAL.inv_cdf(share) * sigma(figure))


def expected(figure: Figure) -> float:
    """The mean, which lies above the median: what goes wrong takes longer by more than what goes well saves."""
    return figure.value * math.exp(sigma(figure) ** 2 / 2)


def chance_above(figure: Figure, limit: float) -> float:
    """The probability that ``limit`` is passed."""
    s = sigma(figure)
    if s == 0 or limit <= 0:
        return float(figure.value > limit)
    return 1.0 - _NORMAL.cdf(math.log(limit / figure.value) / s)


def total(parts: Iterable[Figure], origin: Origin) -> Figure:
    """The sum of figures that err independently: their half-widths add up as the root of their squares."""
    parts = list(parts)
    value = sum(part.value for part in parts)
    up = math.sqrt(sum((part.high - part.value) ** 2 for part in parts))
    down = math.sqrt(sum((part.value - part.low) ** 2 for part in parts))
    return Figure(value=value, low=max(0.0, value - down), high=value + up, origin=origin)


def scaled(figure: Figure, times: float) -> Figure:
    """So many times the figure, as sure as before."""
    return figure.but(value=figure.value * times, low=figure.low * times, high=figure.high * times)


def no_less_than(figure: Figure, floor: float) -> Figure:
    """The figure, lifted where it lies below what physics allows."""
    return figure.but(
        value=max(figure.value, floor), low=max(figure.low, floor), high=max(figure.high, figure.value, floor)
    )


def no_narrower_than(figure: Figure, relative: float) -> Figure:
    """The figure with an interval of at least this relative half-width."""
    least = Figure.around(figure.value, relative, figure.origin)
    return figure.but(low=min(figure.low, least.low), high=max(figure.high, least.high))
