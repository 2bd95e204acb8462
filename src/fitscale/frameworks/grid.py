"""Rows of many series → series on a regular grid, all at once: sorted, with gaps as NaN, and what is no series named."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

SPARSEST = 50  # steps for each row, beyond which a grid is mostly nothing: the step is wrong, or a time
SPARE_STEPS = 1_000
STRETCH = 1 << 16
LARGEST = 1e70  # of which a fourth power is still a number


class Grid(NamedTuple):
    """Series one after the other, other rows between them perhaps.

    Attributes
    ----------
    values
        (n,) float64; NaN where a step has no value.
    starts, lengths
        (g,) int64: where each series begins in them, and how many are its own; one that is none has no values.
    end
        (g,) int64: the moment of each one's last value.
    why
        Of those that are none: the reason.
    at
        (n,) where each row's value is among ``values``, -1 of those that are in none; None: where the row itself is.
    """

    values: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    end: np.ndarray
    why: dict[int, str]
    at: np.ndarray | None

    def by_row(self, values: np.ndarray) -> np.ndarray:
        """(rows,) of (n,) values by step; NaN for a row that is in no series."""
        if self.at is None:
            return values
        found = np.full(len(self.at), np.nan)
        found[self.at >= 0] = values[self.at[self.at >= 0]]
        return found


def gridded_spans(moments: np.ndarray, y: np.ndarray, starts: np.ndarray, sizes: np.ndarray, step: int) -> Grid:
    """The series of ``sizes[i]`` rows from ``starts[i]`` on, rising. No copy, where they and what lies between are in order."""
    if _is_grid(moments, y, starts, step):
        return Grid(y, starts, sizes, _ends(moments, starts, sizes), {}, None)
    ends = np.cumsum(sizes)
    rows = np.repeat(starts - (ends - sizes), sizes) + np.arange(sizes.sum())
    return gridded(moments[rows], y[rows], np.concatenate([[0], ends]), step)


def gridded(moments: np.ndarray, y: np.ndarray, bounds: np.ndarray, step: int) -> Grid:
    """The series of rows ``bounds[i]`` to ``bounds[i + 1]``.

    Parameters
    ----------
    moments
        (n,) int64: nanoseconds, or whole numbers of a column of such.
    y
        (n,) float64; NaN where missing.
    step
        Between neighbours, in the moments' unit.
    """
    sizes = np.diff(bounds)
    if _is_grid(moments, y, bounds[:-1], step):
        return Grid(y, bounds[:-1], sizes, _ends(moments, bounds[:-1], sizes), {}, None)
    of = np.repeat(np.arange(len(sizes)), sizes)
    between = np.diff(moments)
    inner = of[1:] == of[:-1] if len(of) else np.zeros(0, bool)
    order: np.ndarray | None = None
    if (between[inner] < 0).any():
        order = np.lexsort((moments, of))
        moments, y = moments[order], y[order]
        between = np.diff(moments)
    why = _no_series(moments, y, bounds, of, np.where(inner, between, step), step)
    end = _ends(moments, bounds[:-1], sizes)
    fine = ~np.isin(np.arange(len(sizes)), list(why)) & (sizes > 0)
    first = moments[np.minimum(bounds[:-1], max(0, len(moments) - 1))]
    lengths = np.where(fine, (end - first) // step + 1, 0)
    starts = np.cumsum(lengths) - lengths
    values = np.full(int(lengths.sum()), np.nan)
    taken = fine[of]
    at = np.full(len(y), -1)
    at[taken] = starts[of[taken]] + (moments[taken] - first[of[taken]]) // step
    values[at[taken]] = y[taken]
    if order is not None:
        back = np.empty(len(y), np.int64)
        back[order] = at
        at = back
    return Grid(values, starts, lengths, end, why, at)


def _ends(moments: np.ndarray, starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """(g,) the last moment of each series."""
    ends: np.ndarray = moments[np.maximum(starts + sizes - 1, 0)] if len(moments) else np.zeros(len(sizes), np.int64)
    return ends


def _is_grid(moments: np.ndarray, y: np.ndarray, starts: np.ndarray, step: int) -> bool:
    """Whether all series are without gaps as they lie, and finite: looked at in stretches that stay in the cache."""
    begin = np.append(starts, len(moments))  # rising; series without rows begin where the next does
    for at in range(0, len(moments), STRETCH):
        part = moments[at : at + STRETCH + 1]
        odd = at + 1 + np.flatnonzero(part[1:] - part[:-1] != step)
        if len(odd) and (begin[np.searchsorted(begin, odd)] != odd).any():
            return False
        values = y[at : at + STRETCH]
        if np.fmax.reduce(values) > LARGEST or np.fmin.reduce(values) < -LARGEST:
            return False
    return True


def _no_series(
    moments: np.ndarray, y: np.ndarray, bounds: np.ndarray, of: np.ndarray, between: np.ndarray, step: int
) -> dict[int, str]:
    """Why some are no series: times that come twice or lie off the grid, values that are infinite."""
    why: dict[int, str] = {}
    for rows, told in (
        (np.flatnonzero(between == 0) + 1, "{n} times occur twice, the first in row {k} of the series: sum them up before"),
        (np.flatnonzero(between % step) + 1, "{n} rows are not whole steps after the one before, the first is row {k} of"
         " the series: see data.step"),
        (np.flatnonzero(np.abs(y) > LARGEST), "{n} values are infinite (or beyond 1e70), the first in row {k} of the series"),
    ):  # fmt: skip
        groups, at, count = np.unique(of[rows], return_index=True, return_counts=True)
        for group, k, n in zip(groups.tolist(), rows[at].tolist(), count.tolist(), strict=True):
            why.setdefault(group, told.format(n=f"{n:,}", k=f"{k - int(bounds[group]):,}"))
    sizes = np.diff(bounds)
    long = np.zeros(len(sizes), np.int64)
    there = sizes > 0
    long[there] = (moments[bounds[1:][there] - 1] - moments[bounds[:-1][there]]) // step + 1
    for group in np.flatnonzero(long > sizes * SPARSEST + SPARE_STEPS).tolist():
        told = f"{int(sizes[group]):,} rows are spread over {int(long[group]):,} steps: see data.step, and its times"
        why.setdefault(group, told)
    return why
