"""Groups whose rows lie evenly: their numbers and times follow from the first one, and need not be read.

Metrics are sampled by a clock. Where the rows of a group have one distance in the snapshot and one in time, two numbers of
each stand for all: of what an autoregression of 200 values takes, reading and ordering the others was a third.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

NAMES = ("__first__", "__stride__", "__begins__", "__step__")  # columns of a partition's index


class Steady(NamedTuple):
    """Of each group (g,) int64: its first row's number and moment, and how far apart the others are.

    ``stride`` is 0 where the numbers are not even, ``step`` where the times are not.
    """

    first: np.ndarray
    stride: np.ndarray
    begins: np.ndarray
    step: np.ndarray

    def of(self, start: int, stop: int) -> Steady:
        """Of groups ``start`` to ``stop``."""
        return Steady(*(values[start:stop] for values in self))


def along(first: np.ndarray, by: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """(n,) int64: of each group ``sizes`` values, ``by`` apart from each other, one group after the other."""
    if len(sizes) and (sizes == sizes[0]).all():  # in one pass, and nothing is held beside
        same = len(by) > 0 and (by == by[0]).all()
        rise = np.arange(sizes[0]) * (by[0] if same else by[:, None])
        whole: np.ndarray = np.add(first[:, None], rise)
        return whole.reshape(-1)
    ends = np.cumsum(sizes)
    found = np.arange(sizes.sum())
    found -= np.repeat(ends - sizes, sizes)
    found *= np.repeat(by, sizes)
    found += np.repeat(first, sizes)
    return found


class Watch:
    """Sees the rows of all groups go by, ordered by group, and finds which of them are steady."""

    def __init__(self, groups: int, time: str, row: str, group: str) -> None:
        self._columns = (row, time)
        self._group = group
        self._even = np.ones((2, groups), bool)
        self._first = np.zeros((2, groups), np.int64)  # of row numbers, of moments
        self._by = np.zeros((2, groups), np.int64)
        self._last: tuple[np.ndarray, list[np.ndarray]] = (np.empty(0, np.int64), [np.empty(0, np.int64)] * 2)
        self._tells = True  # whether times are whole numbers

    def add(self, batch: pa.RecordBatch) -> None:
        """The next rows: columns of the group's number, the row's number and the time."""
        from fitscale.data.cut import moments_of

        group = _of(batch, self._group).to_numpy()
        row, time = (_of(batch, name) for name in self._columns)
        if time.null_count:
            self._even[1, np.unique(group[time.is_null().to_numpy(zero_copy_only=False)])] = False
            time = time.fill_null(time.drop_null()[0]) if time.null_count < len(time) else None
        moments = moments_of(time) if time is not None else np.zeros(len(group), np.int64)
        if moments.dtype.kind != "i":
            self._tells = False
        if not self._tells:
            return
        carried, n = self._last[0], len(self._last[0])
        groups = np.concatenate([carried, group])
        same = groups[1:] == groups[:-1]
        starts = np.flatnonzero(~same[max(0, n - 1) :]) + max(0, n - 1) + 1  # of new groups
        if not n:
            starts = np.append(0, starts)
        followed = starts[starts < len(same)]
        seconds = followed[same[followed]] + 1
        if n and n < len(groups) and same[n - 1] and (n == 1 or not same[n - 2]):
            seconds = np.append(seconds, n)  # after a group's first row, which came before
        kept = []
        for k, values in enumerate((row.to_numpy(), moments)):
            values = np.concatenate([self._last[1][k], values])
            between = np.diff(values)
            self._first[k, groups[starts]] = values[starts]
            self._by[k, groups[seconds]] = between[seconds - 1]
            at = max(1, n - 1)
            odd = (between[at:] != between[at - 1 : -1]) & same[at:] & same[at - 1 : -1]
            if odd.any():
                self._even[k, groups[1:][at:][odd]] = False
            kept.append(values[-2:].copy())
        self._last = groups[-2:].copy(), kept

    def found(self, sizes: np.ndarray) -> Steady | None:
        """Of all groups; None where times are no whole numbers."""
        if not self._tells:
            return None
        by = np.where(sizes <= 1, 1, self._by)
        stride, step = np.where(self._even & (by > 0), by, 0)
        return Steady(self._first[0], stride, self._first[1], step)


def _of(batch: pa.RecordBatch, name: str) -> pa.Array:
    return batch.column(batch.schema.get_field_index(name))
