"""One pass over raw rows: which rows of each batch are in which view, and their encoded form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from fitscale.contracts import Batch
from fitscale.data.folds import assign
from fitscale.data.learning import block_rows
from fitscale.data.rooms import DenseRoom, Gathered
from fitscale.data.rowcheck import check, flawed, weights_of
from fitscale.data.stacking import picked
from fitscale.data.views import CODE, Views

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.contracts import View
    from fitscale.data.encoding import Encoding
    from fitscale.data.reader import Reader
    from fitscale.records.workload import DataSpec

Phase = Callable[[str], AbstractContextManager[None]]
SMALLEST_READ = 4_096
# From so many cells on, what decoding gave back goes to the system: columns of a row group are too small to go by themselves.
# Of 180 MB that reading 5,000 columns left, 90 went, in 8 ms.
RELEASED_CELLS = 1 << 24


def untimed(_name: str) -> AbstractContextManager[None]:
    return nullcontext()


def release_unused() -> None:
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


def timed(items: Iterable[Any], phase: Phase, name: str) -> Iterator[Any]:
    """The items, the time that each takes to come counted to a phase."""
    iterator = iter(items)
    while True:
        with phase(name):
            item = next(iterator, None)
        if item is None:
            return
        yield item


class Rows:
    """The rows of a reader by view; a shard has only some batches of the training rows."""

    def __init__(
        self,
        reader: Reader,
        data: DataSpec,
        encoding: Encoding,
        views: Views,
        *,
        batch_rows: int,
        phase: Phase = untimed,
        shard: tuple[int, int] | None = None,
        seen: Callable[[pa.RecordBatch], None] | None = None,
    ) -> None:
        self.reader, self.data, self.encoding, self.views = reader, data, encoding, views
        self.seen = seen
        self.batch_rows, self.phase, self.shard = batch_rows, phase, shard
        named = [*encoding.raw_columns, data.target, data.weight, views.column]
        self.columns = list(dict.fromkeys(name for name in named if name is not None))
        self._looks = encoding.input != "series"  # which may have gaps, and looks for itself
        self.read_rows = min(block_rows(len(self.columns) + encoding.filled), max(SMALLEST_READ, batch_rows))

    def count(self, view: View) -> int:
        n = self.views.count(view)
        if self.shard is None or view != "train":
            return n
        rank, world = self.shard
        batches = -(-n // self.batch_rows)
        own = len(range(rank, batches, world))
        last_is_own = batches > 0 and (batches - 1) % world == rank
        return own * self.batch_rows - (batches * self.batch_rows - n if last_is_own else 0)

    def raw(self, view: View, start: int = 0) -> Iterator[tuple[int, pa.RecordBatch, np.ndarray]]:
        """(first row, raw batch, positions in it) of the view's rows from the ``start``-th on."""
        begin = self._whole_position(start) if view == "train" else start
        for first, stop, position in self._stretches(view, begin):
            for number, batch, where in self._split([view], first, stop, position):
                if len(where[0]):
                    yield number, batch, where[0]

    def encoded(self, view: View, start: int = 0) -> Iterator[Batch]:
        """The view's rows, encoded, in pieces as they were read; overwritten once the next is asked for."""
        space: np.ndarray | None = None
        for first, batch, index in self.raw(view, start):
            with self.phase("encode"):
                if 2 * len(index) < batch.num_rows:  # cheaper to pick out first what is encoded
                    batch, index, rows = picked(batch, index), np.arange(len(index)), first + index
                else:
                    rows = first + index
                y, weight = self._aside(batch, index)
                X, bad, space = self._features(batch, index, space)
                piece = Batch(X, y, weight, rows)
                if bad or (self._looks and flawed(y, weight)):
                    check(piece, self.encoding, self.data.weight)
            yield piece

    def gathered(self, views: Sequence[View]) -> dict[View, Batch]:
        """Whole views, from one pass over the rows."""
        found = {view: Gathered(self.encoding, self._most(view), self.data.weight is not None) for view in views}
        bad = self._fill(found)
        if self.reader.rows * len(self.columns) > RELEASED_CELLS:
            release_unused()
        batches = {view: rows.whole() for view, rows in found.items()}
        for piece in batches.values():
            if bad or (self._looks and flawed(piece.y, piece.weight)):
                check(piece, self.encoding, self.data.weight)
        return batches

    def _fill(self, found: dict[View, Gathered]) -> bool:
        """Put the rows where they belong; whether any value is infinite. What was read last is let go with the call."""
        space: np.ndarray | None = None
        bad = False
        for first, batch, where in self._split(list(found), 0, None, 0):
            with self.phase("encode"):
                y, weight = self._aside(batch)
                for view, index in zip(found, where, strict=True):
                    found[view].put(y[index], None if weight is None else weight[index], first + index)
                whole = next((view for view, index in zip(found, where, strict=True) if len(index) == len(y)), None)
                room = found[whole].room if whole else None
                if isinstance(room, DenseRoom):  # straight to where it stays
                    bad |= self.encoding.into(batch, room.next(len(y)))
                    continue
                X, wrong, space = self._features(batch, np.arange(len(y)), space)
                bad |= wrong
                for view, index in zip(found, where, strict=True):
                    room = found[view].room
                    if isinstance(room, DenseRoom):
                        np.take(X, index, axis=0, out=room.next(len(index)), mode="clip")
                    elif len(index):
                        room.put(X.take(index) if self.encoding.input == "raw" else X[index])
        return bad

    def raw_rows(self) -> Rows:
        """The same rows, their features left raw."""
        raw = self.encoding.but(input="raw", sparse=False)
        return Rows(
            self.reader, self.data, raw, self.views, batch_rows=self.batch_rows, phase=self.phase, shard=self.shard
        )

    def _features(
        self, batch: pa.RecordBatch, index: np.ndarray, space: np.ndarray | None
    ) -> tuple[Any, bool, np.ndarray | None]:
        """The rows at ``index``, whether any value of the batch is infinite, and the space that was used for it."""
        import pyarrow as pa

        n, every = batch.num_rows, len(index) == batch.num_rows
        if self.encoding.input == "raw":
            return pa.Table.from_batches([picked(self.encoding.raw(batch), index)]), False, space
        if self.encoding.sparse:
            X, bad = self.encoding.csr(batch)
            return X if every else X[index], bad, space
        if space is None or len(space) < n:
            space = np.empty((max(n, self.read_rows), self.encoding.width), self.encoding.dtype)
        bad = self.encoding.into(batch, space[:n])
        return space[:n] if every else space[:n][index], bad, space

    def _aside(self, batch: pa.RecordBatch, index: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray | None]:
        y = self.encoding.target(batch)
        weight = None if self.data.weight is None else weights_of(batch.column(self.data.weight), self.data.weight)
        if index is None or len(index) == len(y):
            return y, weight
        return y[index], None if weight is None else weight[index]

    def _split(
        self, views: Sequence[View], first: int, stop: int | None, position: int
    ) -> Iterator[tuple[int, pa.RecordBatch, list[np.ndarray]]]:
        """(first row, raw batch, positions for each view). ``position`` is that of the first training row."""
        read = self.reader.batches(self.columns, start=first, stop=stop, batch_rows=self.read_rows)
        for number, batch in timed(read, self.phase, "read"):
            if self.seen is not None:
                self.seen(batch)
            column = batch.column(self.views.column) if self.views.column is not None else None
            fold = assign(self.views.folds, np.arange(number, number + batch.num_rows), column)
            where = [np.flatnonzero(fold == CODE[view]) for view in views]
            if self.shard is not None and "train" in views:
                rank, world = self.shard
                k = views.index("train")
                of = (position + np.arange(len(where[k]))) // self.batch_rows
                position += len(where[k])
                where[k] = where[k][of % world == rank]
            yield number, batch, where

    def _most(self, view: View) -> int:
        return self.count(view) if self.views.known else self.reader.rows

    def _whole_position(self, start: int) -> int:
        """Where the ``start``-th training row of the shard is among all training rows."""
        if self.shard is None:
            return start
        rank, world = self.shard
        batch, within = divmod(start, self.batch_rows)
        return (batch * world + rank) * self.batch_rows + within

    def _stretches(self, view: View, position: int) -> Iterator[tuple[int, int | None, int]]:
        """(first row, stop row, position of the first) to be read from a position on; a shard skips others' units."""
        sharded = self.shard is not None and view == "train"
        if not sharded:
            yield (self.views.locate(view, position)[1] if position else 0), None, position
            return
        assert self.shard is not None
        rank, world = self.shard
        segment, row = self.views.locate(view, position)
        ends = np.cumsum(self.views.counts[:, CODE[view]]).tolist()
        bounds = self.views.segments.tolist()
        open_: tuple[int, int, int] | None = None
        for k in range(segment, len(bounds)):
            low = position if k == segment else ends[k - 1]
            start = row if k == segment else bounds[k][0]
            batch = low // self.batch_rows
            mine = batch + (rank - batch) % world <= (ends[k] - 1) // self.batch_rows and ends[k] > low
            if mine:
                open_ = (open_[0] if open_ else start, bounds[k][1], open_[2] if open_ else low)
            elif open_:
                yield open_
                open_ = None
        if open_:
            yield open_
