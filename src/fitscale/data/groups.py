"""The feeds of many models: a chunk of groups, decoded and encoded once, of which each group is a slice."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fitscale.contracts import Batch, View
from fitscale.data.chunked import FOLDS, Chunked
from fitscale.data.feed import VIEWS
from fitscale.data.feedfile import write_file
from fitscale.data.rowfeed import Phase, untimed
from fitscale.data.stacking import rows_of
from fitscale.data.views import CODE
from fitscale.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.data.bins import Bins
    from fitscale.data.encoding import Encoding
    from fitscale.data.partition import Partition
    from fitscale.records.data import Folds
    from fitscale.records.run import Form
    from fitscale.records.workload import DataSpec


def make_groups(
    partition: Partition,
    data: DataSpec,
    encoding: Encoding,
    folds: Folds,
    start: int,
    stop: int,
    *,
    form: Form = "matrix",
    batch_rows: int = 65_536,
    scratch: Path | None = None,
    phase: Phase = untimed,
    bins: Bins | None = None,
) -> GroupedFeed:
    """The groups ``start`` to ``stop`` of a partition, in key order. Their rows are read when first asked for.

    With ``bins`` it is counted meanwhile how their training rows lie in them.
    """
    chunk = Chunked(partition, data, encoding, folds, start, stop, phase, bins)
    return GroupedFeed(chunk, form, batch_rows, scratch)


class GroupFeed:
    """One group: see `contracts.Feed`. Slices of the chunk's matrix, no copies."""

    def __init__(self, of: GroupedFeed, index: int) -> None:
        self.form: Form = of.form
        self.batch_rows = of.batch_rows
        self.names, self.kinds, self.categories = of.names, of.kinds, of.categories
        self.classes = of.classes
        self.sparse = of.sparse
        self._chunk = of.chunk
        self._scratch = of.scratch
        self._index = index

    def count(self, view: View) -> int:
        start, stop = self._span(view)
        return stop - start

    def matrix(self, view: View) -> Batch:
        """All rows of a view.

        Raises
        ------
        DataError
            For what is wrong with this group's rows; other groups are not touched by it.
        """
        return self._chunk.part(*self._span(view))

    def batches(self, view: View, rows: int | None = None, start: int = 0) -> Iterator[Batch]:
        whole, size = self.matrix(view), rows or self.batch_rows
        return (rows_of(whole, at, min(at + size, len(whole.y))) for at in range(start, len(whole.y), size))

    def frame(self, view: View) -> tuple[pa.Table, np.ndarray, np.ndarray | None]:
        start, stop = self._span(view)
        _, y, weight, _ = self._chunk.part(start, stop)
        return self._chunk.frame.slice(start, stop - start), y, weight

    def shard(self, rank: int, world: int, rows: int | None = None) -> GroupFeed:
        raise NotImplementedError("a group is fitted by one process")

    def groups(self) -> Iterator[tuple[tuple[Any, ...], GroupFeed]]:
        yield (), self

    def file(self, format: Literal["csv", "parquet"], view: View) -> Path:
        """See `TableFeed.file`; named by the group's place in the partition."""
        if self._scratch is None:
            raise ValueError("a feed without a scratch folder writes no files")
        path = self._scratch / f"{self._chunk.start + self._index}.{view}.{format}"
        return write_file(self.batches(view), self.names, self._chunk.data.target, path, format)

    def session(self, session: Any) -> Any:
        raise NotImplementedError("engines that host sessions bring this")

    def release(self, view: View) -> None:
        """Nothing: the chunk holds the rows."""

    def _span(self, view: View) -> tuple[int, int]:
        at = self._index * FOLDS + CODE[view]
        bounds = self._chunk.bounds
        return int(bounds[at]), int(bounds[at + 1])


class GroupedFeed:
    """A chunk of groups: see `contracts.Feed`. Its own views are the rows of all groups, group by group.

    Attributes
    ----------
    keys
        The key columns of the chunk's groups, as a table.
    """

    def __init__(self, chunk: Chunked, form: Form, batch_rows: int, scratch: Path | None) -> None:
        encoding = chunk.encoding
        self.form: Form = form
        self.batch_rows = batch_rows
        self.names, self.kinds, self.categories = encoding.names, encoding.kinds, encoding.categories
        self.classes = encoding.n_classes
        self.sparse = encoding.sparse
        self.chunk = chunk
        self.scratch = scratch
        self.keys = chunk.partition.keys.slice(chunk.start, chunk.stop - chunk.start)

    def __len__(self) -> int:
        return self.chunk.stop - self.chunk.start

    @cached_property
    def flaws(self) -> dict[int, str]:
        """Of groups with rows that no model can be fitted on or judged by: what is wrong with them. `matrix` leaves them out."""
        found: dict[int, str] = {}
        _ = self.chunk.rows
        for k in range(len(self)) if self.chunk.flawed else ():
            try:
                for view in VIEWS:
                    GroupFeed(self, k).matrix(view)
            except DataError as error:
                found[k] = str(error)
        return found

    def all_sizes(self, view: View) -> np.ndarray:
        """(groups,) int64 rows of each group in a view."""
        sizes: np.ndarray = np.diff(self.chunk.bounds).reshape(-1, FOLDS)[:, CODE[view]]
        return sizes

    def sizes(self, view: View) -> np.ndarray:
        """(groups,) int64 rows of each group in `matrix`, one group after the other: none of one with `flaws`."""
        sizes = self.all_sizes(view).copy()
        sizes[list(self.flaws)] = 0
        return sizes

    def count(self, view: View) -> int:
        return int(self.all_sizes(view).sum())

    def matrix(self, view: View) -> Batch:
        """The rows of a view, group by group in key order: for kernels that fit many groups at once."""
        import pyarrow as pa

        whole = self.rows
        if self.sizes(view).sum() == len(whole.y):
            return whole
        X, y, weight, row = whole
        at = self._places(view)
        taken = X.take(pa.array(at)) if hasattr(X, "column_names") else X[at]
        return Batch(taken, y[at], None if weight is None else weight[at], row[at])

    @property
    def rows(self) -> Batch:
        """All rows of the chunk, group by group in key order, of which a view is spans."""
        return self.chunk.rows

    def spans(self, view: View) -> tuple[np.ndarray, np.ndarray]:
        """(g,) int64 each: where the rows of each group in a view begin in ``rows``, and their `sizes`."""
        return self.chunk.bounds[CODE[view] : -1 : FOLDS], self.sizes(view)

    def batches(self, view: View, rows: int | None = None, start: int = 0) -> Iterator[Batch]:
        whole, size = self.matrix(view), rows or self.batch_rows
        return (rows_of(whole, at, min(at + size, len(whole.y))) for at in range(start, len(whole.y), size))

    def frame(self, view: View) -> tuple[pa.Table, np.ndarray, np.ndarray | None]:
        import pyarrow as pa

        at, rows = self._places(view), self.rows
        weight = None if rows.weight is None else rows.weight[at]
        return self.chunk.frame.take(pa.array(at)), rows.y[at], weight

    def shard(self, rank: int, world: int, rows: int | None = None) -> GroupedFeed:
        raise NotImplementedError("groups are shared out by chunks, not by rows")

    def groups(self) -> Iterator[tuple[tuple[Any, ...], GroupFeed]]:
        """(key, feed) of each group in key order."""
        chunk = self.chunk
        for k, key in enumerate(chunk.partition.key_tuples(chunk.start, chunk.stop)):
            yield key, GroupFeed(self, k)

    def file(self, format: Literal["csv", "parquet"], view: View) -> Path:
        if self.scratch is None:
            raise ValueError("a feed without a scratch folder writes no files")
        path = self.scratch / f"{self.chunk.start}-{self.chunk.stop}.{view}.{format}"
        return write_file(self.batches(view), self.names, self.chunk.data.target, path, format)

    def session(self, session: Any) -> Any:
        raise NotImplementedError("engines that host sessions bring this")

    def _places(self, view: View) -> np.ndarray:
        """(n,) int64: where the rows of a view are among all of the chunk, group by group in key order."""
        starts, sizes = self.spans(view)
        places: np.ndarray = np.repeat(starts - (np.cumsum(sizes) - sizes), sizes)
        places += np.arange(len(places))
        return places
