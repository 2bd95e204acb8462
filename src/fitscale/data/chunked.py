"""The rows of a chunk of groups in one matrix, of which each group's views are slices."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from fitscale.contracts import Batch
from fitscale.data.folds import assign, column_of
from fitscale.data.groupkeys import plain
from fitscale.data.learning import block_rows
from fitscale.data.partition import ROW, Partition
from fitscale.data.rooms import SparseRoom
from fitscale.data.rowcheck import check, flawed, weights_of
from fitscale.data.rowfeed import Phase, timed
from fitscale.data.stacking import rows_of

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.data.encoding import Encoding
    from fitscale.records.data import Folds
    from fitscale.records.workload import DataSpec

FOLDS = 4  # train, validation, hold-out, none: their order within a group


class Chunked:
    """The rows of some groups in one matrix: by group, within it by fold, within that by row number."""

    def __init__(
        self,
        partition: Partition,
        data: DataSpec,
        encoding: Encoding,
        folds: Folds,
        start: int,
        stop: int,
        phase: Phase,
    ) -> None:
        self.partition, self.data, self.encoding, self.folds = partition, data, encoding, folds
        self.start, self.stop, self.phase = start, stop, phase
        self.begin, self.end = partition.span(start, stop)
        self.flawed = False  # some value somewhere: each group looks for itself then

    @cached_property
    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """Where each row goes (n,), and where each fold of each group begins (4 g + 1,)."""
        by = column_of(self.folds)
        fold = np.empty(self.end - self.begin, np.int8)
        columns = [ROW, *([by] if by else [])]
        for at, batch in self.partition.batches(columns, start=self.begin, stop=self.end):
            found = assign(self.folds, batch.column(0).to_numpy(), batch.column(1) if by else None)
            fold[at - self.begin : at - self.begin + len(found)] = found
        sizes = self.partition.sizes[self.start : self.stop]
        block = np.repeat(np.arange(len(sizes)) * FOLDS, sizes) + np.where(fold < 0, FOLDS - 1, fold)
        order = np.argsort(block, kind="stable")
        places = np.empty(len(order), np.int64)
        places[order] = np.arange(len(order))
        bounds = np.concatenate([[0], np.cumsum(np.bincount(block, minlength=FOLDS * len(sizes)))])
        return places, bounds

    @property
    def bounds(self) -> np.ndarray:
        return self.places[1]

    @cached_property
    def rows(self) -> Batch:
        """All rows, encoded. One pass; dense rows are written where they stay."""
        encoding, data, n = self.encoding, self.data, self.end - self.begin
        places = self.places[0]
        named = [*encoding.raw_columns, data.target, *([data.weight] if data.weight is not None else []), ROW]
        columns = list(dict.fromkeys(named))
        y, row = np.empty(n, np.float32), np.empty(n, np.int64)
        weight = np.empty(n, np.float32) if data.weight is not None else None
        dense = encoding.input != "raw" and not encoding.sparse
        X: Any = np.empty((n, encoding.width), np.float32) if dense else None
        sparse = SparseRoom(n, encoding.width, encoding.most_set + encoding.filled) if encoding.sparse else None
        raw: list[pa.RecordBatch] = []
        size = block_rows(len(columns) + encoding.filled)
        space = np.empty((min(size, n), encoding.width), np.float32) if dense else None
        read = self.partition.batches(columns, start=self.begin, stop=self.end, batch_rows=size)
        for at, batch in timed(read, self.phase, "read"):
            with self.phase("encode"):
                to = places[at - self.begin : at - self.begin + batch.num_rows]
                y[to] = encoding.target(batch)
                row[to] = batch.column(batch.num_columns - 1).to_numpy()
                if weight is not None:
                    weight[to] = weights_of(batch.column(str(data.weight)), str(data.weight))
                if space is not None:
                    self.flawed |= encoding.into(batch, space[: len(to)])
                    X[to] = space[: len(to)]
                elif sparse is not None:
                    found, bad = encoding.csr(batch)
                    self.flawed |= bad
                    sparse.put(found)
                else:
                    raw.append(encoding.raw(batch))
        if sparse is not None:
            X = sparse.whole()[np.argsort(places)]
        elif raw:
            X = _taken(raw, places)
        self.flawed |= flawed(y, weight)
        return Batch(X, y, weight, row)

    @cached_property
    def frame(self) -> pa.Table:
        """The raw feature columns of all rows, in the same order."""
        if self.encoding.input == "raw":
            return self.rows.X
        columns = list(self.encoding.raw_columns)
        read = self.partition.batches(columns, start=self.begin, stop=self.end)
        return _taken([batch for _, batch in timed(read, self.phase, "read")], self.places[0])

    def part(self, start: int, stop: int) -> Batch:
        """Rows ``start`` to ``stop``, looked at where something in the chunk is wrong."""
        batch = rows_of(self.rows, start, stop)
        if self.flawed:
            check(batch, self.encoding, self.data.weight)
        return batch


def _taken(batches: list[pa.RecordBatch], places: np.ndarray) -> pa.Table:
    """The rows of the batches, each where it belongs."""
    import pyarrow as pa

    whole = pa.Table.from_batches([plain(batch) for batch in batches])
    return whole.take(pa.array(np.argsort(places))).combine_chunks()
