"""Which columns get bins, and where their edges are: from some of the training rows, read once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
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
CELLS = 1 << 22  # that are looked at, at most: 34 MB of numbers
# Rows at most, and places that they are from at least, for rows of one place are alike: of one model they are what new rows are
# held against, of many the edges alone come from them.
ONE, MANY = (1 << 17, 64), (1 << 14, 16)
KINDS = ("number", "boolean", "category")  # of dates new ones are always others


class Sampled:
    """Training rows from many places of the data, held.

    Attributes
    ----------
    columns
        The first features that are numbers, truth values or categories; not the time that orders the rows.
    left_out
        How many more of them there are.
    """

    def __init__(self, reader: Reader, data: DataSpec, folds: Folds, encoding: Encoding) -> None:
        able = [column for column in encoding.columns if column.kind in KINDS and column.name != data.time]
        able = [] if encoding.input == "series" else able
        self.columns, self.left_out = able[:COLUMNS], max(0, len(able) - COLUMNS)
        most, places = MANY if data.groups else ONE
        rows = min(most, CELLS // max(1, len(self.columns)))
        part = reader.sample(rows, folds.seed, places) if reader.rows > rows else reader
        self._drawn = list(_read(part, folds, [column.name for column in self.columns]))

    def bins(self) -> Bins:
        columns = []
        for column in self.columns:
            with suppress(DataError, NotImplementedError):  # a pipeline may take what no encoding does
                columns.append(_binned(column, self._drawn))
        return Bins(columns=tuple(columns), left_out=self.left_out)

    def counts(self, bins: Bins) -> np.ndarray:
        """(1, width) int64: how the rows lie, all as one group."""
        counted = Counted(bins)
        for batch, trains in self._drawn:
            counted.add(batch, np.zeros(batch.num_rows, np.int64), trains)
        return counted.counts


def _read(part: Reader, folds: Folds, names: Sequence[str]) -> Iterator[tuple[pa.RecordBatch, np.ndarray]]:
    """The rows, and which of them train (n,) bool."""
    if not names:
        return
    by = column_of(folds)
    for first, batch in part.batches(list(dict.fromkeys([*names, *([by] if by else [])]))):
        numbers = np.arange(first, first + batch.num_rows)
        yield batch, assign(folds, numbers, batch.column(by) if by else None) == TRAIN


def _binned(column: Column, drawn: Sequence[tuple[pa.RecordBatch, np.ndarray]]) -> Binned:
    type = kept_type(column.kind, column.type)
    if type:
        counts = CategoryCounts(column.name, type, VALUES)
        for batch, trains in drawn:
            counts.add(batch.column(column.name), np.flatnonzero(trains))
        return Binned(name=column.name, type=type, categories=counts.result()[0])
    parts = [np.empty(0, np.float32)]
    for batch, trains in drawn:
        values, nulls = numbers_of(batch.column(column.name), column.name)
        with np.errstate(over="ignore", invalid="ignore"):
            x = values.astype(np.float32)
        if nulls is not None:
            x[nulls] = np.nan
        parts.append(x[trains])
    return Binned(name=column.name, type="", edges=edges_of(np.concatenate(parts)))
