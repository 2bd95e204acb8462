"""Which columns get bins, and where their edges are: from some of the training rows, in little memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from fitscale.data.bins import VALUES, Binned, Bins, Counted, edges_of, kept_type
from fitscale.data.categories import CategoryCounts
from fitscale.data.columns import numbers_of
from fitscale.data.folds import TRAIN, assign, column_of
from fitscale.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.data.encoding import Column, Encoding
    from fitscale.data.reader import Reader
    from fitscale.records.data import Folds
    from fitscale.records.workload import DataSpec

COLUMNS = 64  # at most: the first ones
# Rows at most, and places that they are from at least, for rows of one place are alike: those that edges are laid by, and those
# of one model that new rows are held against.
EDGES, ONE = (1 << 14, 16), (1 << 15, 16)
READ_ROWS = 2_048  # at once: a worker's memory is counted closely
KINDS = ("number", "boolean", "category")  # of dates new ones are always others


def laid(reader: Reader, data: DataSpec, folds: Folds, encoding: Encoding) -> Bins:
    """The bins of the first features that are numbers, truth values or categories; not of the time that orders the rows."""
    able = [column for column in encoding.columns if column.kind in KINDS and column.name != data.time]
    able = [] if encoding.input == "series" else able
    learning = [_Column(column) for column in able[:COLUMNS]]
    for batch, trains in _drawn(reader, folds, [column.name for column in learning], EDGES):
        for column in learning:
            column.add(batch, trains)
    found = [column.binned() for column in learning if not column.strange]
    return Bins(columns=tuple(found), left_out=max(0, len(able) - COLUMNS))


def counted(reader: Reader, folds: Folds, bins: Bins) -> np.ndarray:
    """(1, width) int64: how training rows lie, all as one group; of very many some."""
    lies = Counted(bins)
    for batch, trains in _drawn(reader, folds, bins.names, ONE):
        lies.add(batch, np.zeros(batch.num_rows, np.int64), trains)
    return lies.counts


def _drawn(
    reader: Reader, folds: Folds, names: Sequence[str], most: tuple[int, int]
) -> Iterator[tuple[pa.RecordBatch, np.ndarray]]:
    """Rows, and which of them train (n,) bool."""
    if not names:
        return
    rows, places = most
    part = reader.sample(rows, folds.seed, places) if reader.rows > rows else reader
    by = column_of(folds)
    columns = list(dict.fromkeys([*names, *([by] if by else [])]))
    for first, batch in part.batches(columns, batch_rows=READ_ROWS):
        numbers = np.arange(first, first + batch.num_rows)
        yield batch, assign(folds, numbers, batch.column(by) if by else None) == TRAIN


class _Column:
    """What is being learnt of one column."""

    def __init__(self, column: Column) -> None:
        self.name = column.name
        self.type = kept_type(column.kind, column.type)
        self.strange = False  # a pipeline may take what no encoding does
        self._counts = CategoryCounts(column.name, self.type, VALUES) if self.type else None
        self._values = [np.empty(0, np.float32)]

    def add(self, batch: pa.RecordBatch, trains: np.ndarray) -> None:
        if self.strange:
            return
        column = batch.column(self.name)
        try:
            if self._counts is not None:
                self._counts.add(column, np.flatnonzero(trains))
                return
            values, nulls = numbers_of(column, self.name)
        except (DataError, NotImplementedError):  # ours, or that of Arrow for types that it does not cast
            self.strange = True
            return
        with np.errstate(over="ignore", invalid="ignore"):
            x = values.astype(np.float32)
        if nulls is not None:
            x[nulls] = np.nan
        self._values.append(x[trains])

    def binned(self) -> Binned:
        if self._counts is not None:
            return Binned(name=self.name, type=self.type, categories=self._counts.result()[0])
        return Binned(name=self.name, type=self.type, edges=edges_of(np.concatenate(self._values)))
