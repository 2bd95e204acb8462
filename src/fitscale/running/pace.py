"""The pace of a run, as far as it was seen: what is left of many models by cost, and how much the pace changes. Pure."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

LEAST = 8  # chunks, before what a group takes can be told from what a row takes
PARTS = 4  # of what was seen, whose paces are compared
MOST = math.log(20)  # beyond that nothing is known of it
AT_HIGH = 1.645  # deviations of a normal law, of which one in twenty is beyond


class Done(NamedTuple):
    """A chunk that was done in this attempt."""

    groups: int
    rows: int
    cpu_s: float


def costs_of(done: Sequence[Done]) -> tuple[float, float]:
    """(seconds of a group, seconds of a row), neither below 0, that fit best what was done; (0, 1) of too few: rows alone count.

    Small groups cost what stands around a fit, large ones what their rows take: where those that are left are of another size than
    those that are done, rows alone would mislead.
    """
    if len(done) < LEAST:
        return 0.0, 1.0
    gg = sum(float(d.groups) * d.groups for d in done)
    gr = sum(float(d.groups) * d.rows for d in done)
    rr = sum(float(d.rows) * d.rows for d in done)
    gc = sum(d.groups * d.cpu_s for d in done)
    rc = sum(d.rows * d.cpu_s for d in done)
    apart = gg * rr - gr * gr
    if apart > 1e-9 * gg * rr:  # chunks of unequal shares
        group, row = (gc * rr - rc * gr) / apart, (rc * gg - gc * gr) / apart
        if group >= 0 and row >= 0 and group + row > 0:
            return group, row
    of_rows, of_groups = (rc / rr if rr else 0.0), (gc / gg if gg else 0.0)
    # One of the two alone: whichever leaves less unexplained.
    explained = (of_rows * rc, of_groups * gc)
    if max(explained) <= 0:
        return 0.0, 1.0
    return (0.0, of_rows) if explained[0] >= explained[1] else (of_groups, 0.0)


def wobble(points: Sequence[tuple[float, float]]) -> float:
    """How far the pace of the last points, (seconds, units), may be off as it goes on, as a relative half-width (90 %).

    By the paces of its four quarters: what neighbours on the machine took from it they may take again. 0 of too few points.
    """
    size = (len(points) - 1) // PARTS
    if size < 2:
        return 0.0
    ends = [points[-1 - k * size] for k in range(PARTS, -1, -1)]
    paces = [
        (after - before) / (last - first)
        for (first, before), (last, after) in itertools.pairwise(ends)
        if last > first and after > before
    ]
    if len(paces) < 2:
        return 0.0
    return math.expm1(min(MOST, AT_HIGH * statistics.stdev(map(math.log, paces))))
