"""Where the rows of each view are: how many in each unit of reading, and the row number at a position."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from fitscale.data.folds import assign, column_of, splits

if TYPE_CHECKING:
    from fitscale.contracts import View
    from fitscale.data.reader import Reader
    from fitscale.records.data import Folds

CODE: dict[View, int] = {"train": 0, "validation": 1, "holdout": 2}
STRETCH = 1 << 20  # row numbers that are looked at together


class Views:
    """The views of a reader's rows. Counts are found when first asked for.

    From the row numbers alone where the folds are random; else by one pass over the column that they look at.
    """

    def __init__(self, reader: Reader, folds: Folds) -> None:
        self.reader = reader
        self.folds = folds
        self.column = column_of(folds)
        self._segments: np.ndarray | None = None  # (k, 2) row numbers [start, stop): units cut to the ranges
        self._counts: np.ndarray | None = None  # (k, 3)

    def count(self, view: View) -> int:
        return int(self.counts[:, CODE[view]].sum())

    @property
    def known(self) -> bool:
        """Whether counts cost no reading."""
        return self.column is None or self._counts is not None

    @property
    def segments(self) -> np.ndarray:
        if self._segments is None:
            ranges, units = self.reader.ranges, self.reader.units
            cuts: list[tuple[int, int]] = []
            r = 0
            for start, stop, _ in units:
                while r < len(ranges) and ranges[r][1] <= start:
                    r += 1
                k = r
                while k < len(ranges) and ranges[k][0] < stop:
                    cuts.append((max(start, ranges[k][0]), min(stop, ranges[k][1])))
                    k += 1
            self._segments = np.array(cuts, np.int64).reshape(-1, 2)
        return self._segments

    @property
    def counts(self) -> np.ndarray:
        """(segments, 3) rows of each view."""
        if self._counts is None:
            segments = self.segments
            counts = np.zeros((len(segments), 3), np.int64)
            if not splits(self.folds):
                counts[:, 0] = segments[:, 1] - segments[:, 0]
            elif self.column is None:
                for k, (start, stop) in enumerate(segments.tolist()):
                    for _, fold in self._folds(start, stop):
                        counts[k] += np.bincount(fold + 1, minlength=4)[1:]
            else:
                for first, fold in self._folds(0, None):
                    at = np.searchsorted(segments[:, 0], first, "right") - 1  # a batch lies within one segment
                    counts[at] += np.bincount(fold + 1, minlength=4)[1:]
            self._counts = counts
        return self._counts

    def locate(self, view: View, position: int) -> tuple[int, int]:
        """(segment, row number) of the position-th row of a view; (segments, end) where there are not so many."""
        ends = np.cumsum(self.counts[:, CODE[view]])
        k = int(np.searchsorted(ends, position, "right"))
        if k == len(ends):
            return k, int(self.segments[-1, 1]) if k else 0
        start, stop = self.segments[k].tolist()
        left = position - (int(ends[k - 1]) if k else 0)
        if not left:
            return k, start
        for first, fold in self._folds(start, stop):
            rows = np.flatnonzero(fold == CODE[view])
            if left < len(rows):
                return k, first + int(rows[left])
            left -= len(rows)
        raise AssertionError("the counts of a segment are those of its rows")

    def _folds(self, start: int, stop: int | None) -> Iterator[tuple[int, np.ndarray]]:
        """(first row, folds) of stretches of rows, without reading where that is possible."""
        if self.column is None:
            assert stop is not None
            for first in range(start, stop, STRETCH):
                yield first, assign(self.folds, np.arange(first, min(stop, first + STRETCH)))
        else:
            for first, batch in self.reader.batches([self.column], start=start, stop=stop):
                rows = np.arange(first, first + batch.num_rows)
                yield first, assign(self.folds, rows, batch.column(0))
