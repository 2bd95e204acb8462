"""Series of different lengths → rectangles that a kernel works on at once.

A series is padded at its front, to a length that hangs on its own alone, and each kernel works on each row by itself: the
numbers that a series comes to are the same, to the bit, whatever others are beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from fitscale.frameworks.padding import padded_to

if TYPE_CHECKING:
    from fitscale.frameworks.grid import Grid

BLOCK_CELLS = 1 << 18  # of a rectangle: 2 MB stay in the cache
FINENESS = 256  # up to 511 values none is padded: a fit of a block without gaps takes half as long


def blocks(grid: Grid, cells: float = 1.0, *, exact: bool = False) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(which series, (b, t) float64 with NaN before their beginnings). ``cells``: that a kernel holds for each value.

    ``exact``: only series of one length together, none of them padded.
    """
    lengths = grid.lengths
    padded = lengths if exact else padded_to(lengths, FINENESS)
    for length in sorted(set(padded[lengths > 0].tolist())):
        members = np.flatnonzero((padded == length) & (lengths > 0))
        size = max(1, int(BLOCK_CELLS / max(1.0, cells) / length))
        for at in range(0, len(members), size):
            which = members[at : at + size]
            yield which, _rectangle(grid, which, length)


def alone(grid: Grid) -> Iterator[tuple[slice, np.ndarray]]:
    """(which series, (1, t) of it): as in `blocks`, each in one of its own."""
    padded = padded_to(grid.lengths, FINENESS)
    there = np.flatnonzero(grid.lengths > 0)
    where = (there, grid.starts[there], grid.lengths[there], padded[there])
    for k, start, length, width in zip(*(of.tolist() for of in where), strict=True):
        Y = grid.values[None, start : start + length]
        if width > length:
            Y = np.concatenate([np.full((1, width - length), np.nan), Y], axis=1)
        yield slice(k, k + 1), Y


def _rectangle(grid: Grid, which: np.ndarray, length: int) -> np.ndarray:
    starts, sizes = grid.starts[which], grid.lengths[which]
    apart = np.diff(starts)
    if (sizes == length).all() and (apart == apart[:1]).all():  # as they lie
        to_next = int(apart[0]) if len(apart) else length
        last = starts[0] + to_next * (len(which) - 1)
        as_they_lie = np.lib.stride_tricks.sliding_window_view(grid.values[starts[0] : last + length], length)[
            ::to_next
        ]
        return as_they_lie
    at = starts[:, None] + np.arange(length) - (length - sizes)[:, None]
    rectangle: np.ndarray = grid.values[np.maximum(at, 0)]
    rectangle[at < starts[:, None]] = np.nan
    return rectangle
