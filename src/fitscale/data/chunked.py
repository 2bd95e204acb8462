"""The rows of a chunk of groups in one matrix, of which each group's views are slices."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fitscale.contracts import Batch
from fitscale.data.bins import Counted
from fitscale.data.folds import TRAIN, assign, column_of, counts_along, splits
from fitscale.data.groupkeys import plain
from fitscale.data.learning import block_rows
from fitscale.data.partition import ROW, Partition
from fitscale.data.rooms import SparseRoom
from fitscale.data.rowcheck import check, flawed, weights_of
from fitscale.data.rowfeed import Phase, timed
from fitscale.data.stacking import rows_of
from fitscale.data.steady import Steady, along

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.data.bins import Bins
    from fitscale.data.encoding import Encoding
    from fitscale.records.data import Folds
    from fitscale.records.workload import DataSpec

FOLDS = 4  # train, validation, hold-out, none: their order within a group


class _Order(NamedTuple):
    """How the rows of a chunk lie.

    Attributes
    ----------
    places
        Where each row of the partition goes (n,); None where all are in their places.
    bounds
        Where each fold of each group begins (4 g + 1,).
    numbers, times
        In that order: the rows' numbers, and (n, 1) moments of a series whose folds look at them.
    """

    places: np.ndarray | None
    bounds: np.ndarray
    numbers: np.ndarray
    times: np.ndarray | None


def _counts(fold: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """(g, 4): how many rows of each group are in each fold, of (n,) int8 folds, group after group."""
    ends = np.cumsum(sizes)
    begins = np.ones(len(fold), bool)  # of stretches of one fold in one group: few, where the folds are by time
    np.not_equal(fold[1:], fold[:-1], out=begins[1:])
    begins[(ends - sizes)[sizes > 0]] = True
    stretches = np.flatnonzero(begins)
    group = np.searchsorted(ends, stretches, "right")
    lengths = np.diff(stretches, append=len(fold))
    counts = np.bincount(group * FOLDS + fold[stretches], lengths, FOLDS * len(sizes))
    return counts.astype(np.int64).reshape(-1, FOLDS)


class Chunked:
    """The rows of some groups in one matrix: by group, within it by fold, within that by row number.

    Attributes
    ----------
    counted
        How each group's training rows lie in the ``bins``, where those are given: once `rows` were read.
    """

    def __init__(
        self,
        partition: Partition,
        data: DataSpec,
        encoding: Encoding,
        folds: Folds,
        start: int,
        stop: int,
        phase: Phase,
        bins: Bins | None = None,
    ) -> None:
        self.partition, self.data, self.encoding, self.folds = partition, data, encoding, folds
        self.start, self.stop, self.phase = start, stop, phase
        self.begin, self.end = partition.span(start, stop)
        largest = int(partition.sizes[start:stop].max(initial=0))
        self.counted = None if bins is None else Counted(bins, stop - start, largest)
        self.flawed = False  # some value somewhere: each group looks for itself then

    @cached_property
    def _order(self) -> _Order:
        sizes, steady = self.partition.sizes[self.start : self.stop], self._steady
        if steady is None:
            return self._read_order()
        counts = counts_along(self.folds, steady.begins, steady.step, sizes)
        bounds = np.concatenate([[0], np.cumsum(counts.reshape(-1))])
        times = along(steady.begins, steady.step, sizes)[:, None]
        numbers = along(steady.first, steady.stride, sizes) if (steady.stride > 0).all() else self._numbers()
        return _Order(None, bounds, numbers, times)

    @property
    def _steady(self) -> Steady | None:
        """Where the times of all series are even, and their folds hang on nothing else."""
        by = column_of(self.folds)
        if self.encoding.input != "series" or by not in (None, self.data.time) or (by is None and splits(self.folds)):
            return None
        there = self.partition.steady
        steady = None if there is None else there.of(self.start, self.stop)
        return steady if steady is not None and (steady.step > 0).all() else None

    def _numbers(self) -> np.ndarray:
        numbers = np.empty(self.end - self.begin, np.int64)
        read = self.partition.batches([ROW], start=self.begin, stop=self.end)
        for at, batch in timed(read, self.phase, "read"):
            numbers[at - self.begin : at - self.begin + batch.num_rows] = batch.column(0).to_numpy()
        return numbers

    def _read_order(self) -> _Order:
        """One pass over the row numbers, and over the column that the folds look at."""
        by, n = column_of(self.folds), self.end - self.begin
        numbers, fold = np.empty(n, np.int64), np.empty(n, np.int8)
        times = np.empty((n, 1), np.int64) if by is not None and self.encoding.input == "series" else None
        columns = [ROW, *([by] if by else [])]
        read = self.partition.batches(columns, start=self.begin, stop=self.end)
        for at, batch in timed(read, self.phase, "read"):
            here = slice(at - self.begin, at - self.begin + batch.num_rows)
            numbers[here] = batch.column(0).to_numpy()
            if times is not None:  # a series is split by the column that is all it has
                self.encoding.into(batch, times[here])
                fold[here] = assign(self.folds, numbers[here], times[here, 0])
            else:
                fold[here] = assign(self.folds, numbers[here], batch.column(1) if by else None)
        if fold.min(initial=0) < 0:
            fold[fold < 0] = FOLDS - 1
        sizes = self.partition.sizes[self.start : self.stop]
        counts = _counts(fold, sizes)
        bounds = np.concatenate([[0], np.cumsum(counts.reshape(-1))])
        falls = np.flatnonzero(fold[1:] < fold[:-1]) + 1
        begins = np.cumsum(sizes)
        if (begins[np.searchsorted(begins, falls)] == falls).all():  # from one group to the next, and within none
            return _Order(None, bounds, numbers, times)
        block = np.repeat(np.arange(len(sizes), dtype=np.int32) * FOLDS, sizes)
        block += fold
        order = np.argsort(block, kind="stable")
        places = np.empty(n, np.int64)
        places[order] = np.arange(n)
        return _Order(places, bounds, numbers[order], None if times is None else times[order])

    @property
    def bounds(self) -> np.ndarray:
        """(4 g + 1,): where each fold of each group begins."""
        return self._order.bounds

    @cached_property
    def rows(self) -> Batch:
        """All rows, encoded. One pass; dense rows are written where they stay."""
        encoding, data, n = self.encoding, self.data, self.end - self.begin
        places, _, row, times = self._order
        of, trains = self._training() if self.counted is not None else (None, None)
        features = () if times is not None else encoding.raw_columns
        named = [*features, data.target, *([data.weight] if data.weight is not None else [])]
        columns = list(dict.fromkeys(named))
        y = np.empty(n, encoding.target_dtype)
        weight = np.empty(n, np.float32) if data.weight is not None else None
        dense = encoding.input != "raw" and not encoding.sparse and times is None
        X: Any = np.empty((n, encoding.width), encoding.dtype) if dense else times
        sparse = SparseRoom(n, encoding.width, encoding.most_set + encoding.filled) if encoding.sparse else None
        raw: list[pa.RecordBatch] = []
        size = block_rows(len(columns) + encoding.filled)
        space = np.empty((min(size, n), encoding.width), encoding.dtype) if dense and places is not None else None
        read = self.partition.batches(columns, start=self.begin, stop=self.end, batch_rows=size)
        for at, batch in timed(read, self.phase, "read"):
            with self.phase("encode"):
                here = slice(at - self.begin, at - self.begin + batch.num_rows)
                to = here if places is None else places[here]
                y[to] = encoding.target(batch)
                if self.counted is not None and of is not None and trains is not None:
                    self.counted.add(batch, of[here], trains[here])
                if weight is not None:
                    weight[to] = weights_of(batch.column(str(data.weight)), str(data.weight))
                if space is not None:
                    self.flawed |= encoding.into(batch, space[: batch.num_rows])
                    X[to] = space[: batch.num_rows]
                elif dense:
                    self.flawed |= encoding.into(batch, X[here])
                elif sparse is not None:
                    found, bad = encoding.csr(batch)
                    self.flawed |= bad
                    sparse.put(found)
                elif times is None:
                    raw.append(encoding.raw(batch))
        if sparse is not None:
            X = sparse.whole() if places is None else sparse.whole()[np.argsort(places)]
        elif raw:
            X = _taken(raw, places)
        if encoding.input != "series":  # which may have gaps, and looks for itself
            self.flawed |= flawed(y, weight)
        return Batch(X, y, weight, row)

    def _training(self) -> tuple[np.ndarray, np.ndarray]:
        """(n,) int64 and bool, of the rows of the partition in its order: which group each is of, and whether it trains."""
        places, bounds, *_ = self._order
        of = np.repeat(np.arange(self.stop - self.start), self.partition.sizes[self.start : self.stop])
        trains = np.repeat(np.arange(len(bounds) - 1) % FOLDS == TRAIN, np.diff(bounds))
        return of, trains if places is None else trains[places]

    @cached_property
    def frame(self) -> pa.Table:
        """The raw feature columns of all rows, in the same order."""
        if self.encoding.input == "raw":
            return self.rows.X
        columns = list(self.encoding.raw_columns)
        read = self.partition.batches(columns, start=self.begin, stop=self.end)
        return _taken([batch for _, batch in timed(read, self.phase, "read")], self._order.places)

    def part(self, start: int, stop: int) -> Batch:
        """Rows ``start`` to ``stop``, looked at where something in the chunk is wrong."""
        batch = rows_of(self.rows, start, stop)
        if self.flawed:
            check(batch, self.encoding, self.data.weight)
        return batch


def _taken(batches: list[pa.RecordBatch], places: np.ndarray | None) -> pa.Table:
    """The rows of the batches, each where it belongs."""
    import pyarrow as pa

    whole = pa.Table.from_batches([plain(batch) for batch in batches])
    return (whole if places is None else whole.take(pa.array(np.argsort(places)))).combine_chunks()
