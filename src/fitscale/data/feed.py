"""The feed of one model: a reader's rows, encoded, by view."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fitscale.contracts import Batch, Feed, View
from fitscale.data.ahead import ahead
from fitscale.data.feedfile import write_file
from fitscale.data.rowfeed import Phase, Rows, untimed
from fitscale.data.stacking import exactly, rows_of
from fitscale.data.views import Views
from fitscale.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from fitscale.data.encoding import Encoding
    from fitscale.data.reader import Reader
    from fitscale.records.data import Folds
    from fitscale.records.run import Form
    from fitscale.records.workload import DataSpec

VIEWS: tuple[View, ...] = ("train", "validation", "holdout")


def make_feed(
    reader: Reader,
    data: DataSpec,
    encoding: Encoding,
    folds: Folds,
    *,
    form: Form = "matrix",
    batch_rows: int = 65_536,
    scratch: Path | None = None,
    phase: Phase = untimed,
    reads_ahead: bool = False,
    seen: Callable[[pa.RecordBatch], None] | None = None,
) -> TableFeed:
    """The rows of a reader as a framework takes them.

    Parameters
    ----------
    scratch
        Where `Feed.file` writes.
    phase
        Called with ``read`` and ``encode``: a context manager for the time that is spent on it.
    reads_ahead
        `batches` reads and encodes the next by a thread of its own: not in a process that is to fork meanwhile.
    seen
        Called with each raw batch, as it is read.
    """
    rows = Rows(reader, data, encoding, Views(reader, folds), batch_rows=batch_rows, phase=phase, seen=seen)
    return TableFeed(rows, form, scratch, reads_ahead)


class TableFeed:
    """See `contracts.Feed`. Reads again for every call of `batches`; keeps the matrices of `matrix` until `release`.

    For an encoding with ``input: raw`` the features of a batch are an Arrow table of the raw columns.
    """

    def __init__(self, rows: Rows, form: Form, scratch: Path | None, reads_ahead: bool = False) -> None:
        encoding = rows.encoding
        self.form: Form = form
        self.batch_rows = rows.batch_rows
        self.names = encoding.names
        self.kinds = encoding.kinds
        self.categories = encoding.categories
        self.classes = encoding.n_classes
        self.sparse = encoding.sparse
        self._rows = rows
        self._scratch = scratch
        self._reads_ahead = reads_ahead
        self._held: dict[View, Batch] = {}
        self._counts: dict[View, int] = {}
        self._filled = False

    def count(self, view: View) -> int:
        """Rows of a view: from row numbers alone, or from the column that the folds look at."""
        if view not in self._counts:
            self._counts[view] = self._rows.count(view)
        return self._counts[view]

    def matrix(self, view: View) -> Batch:
        """All rows of a view in one piece. The first call fills those of the other views in the same pass.

        Raises
        ------
        DataError
            Infinite features, missing targets, negative weights: the column, how many rows, the first.
        """
        if view not in self._held:
            wanted = [view] if self._filled else list(VIEWS)
            self._held |= self._rows.gathered(wanted)
            self._filled = True
            self._counts |= {name: len(batch.y) for name, batch in self._held.items()}
        return self._held[view]

    def release(self, view: View) -> None:
        """Let the matrix of a view go; what its user holds of it stays."""
        self._held.pop(view, None)

    def batches(self, view: View, rows: int | None = None, start: int = 0) -> Iterator[Batch]:
        """Batches of exactly ``rows`` rows, but for the last, from the ``start``-th row of the view on.

        Each is the caller's own; none where there are no rows. From the view's matrix where that is held.
        """
        size = self.batch_rows if rows is None else rows
        if (whole := self._held.get(view)) is not None:
            return (rows_of(whole, at, min(at + size, len(whole.y))) for at in range(start, len(whole.y), size))
        batches = exactly(self._rows.encoded(view, start), size)
        return ahead(batches, self._rows.phase) if self._reads_ahead else batches

    def frame(self, view: View) -> tuple[pa.Table, np.ndarray, np.ndarray | None]:
        """The raw feature columns, y and weight, whatever the encoding makes of them."""
        whole = self._rows.raw_rows().gathered([view])[view]
        return whole.X, whole.y, whole.weight

    def shard(self, rank: int, world: int, rows: int | None = None) -> TableFeed:
        """Every world-th batch of the training rows, beginning with the rank-th; all rows of the other views."""
        of, size = self._rows, rows or self.batch_rows
        if of.shard is not None:
            raise ValueError(f"this feed is already shard {of.shard[0]} of {of.shard[1]}")
        part = Rows(
            of.reader, of.data, of.encoding, of.views, batch_rows=size, phase=of.phase, shard=(rank, world)
        )  # fmt: skip
        if not part.count("train"):
            raise DataError(f"rank {rank} of {world} has no training rows in batches of {size:,}: take fewer ranks")
        return TableFeed(part, self.form, self._scratch, self._reads_ahead)

    def groups(self) -> Iterator[tuple[tuple[Any, ...], Feed]]:
        """Itself: one group with the empty key."""
        yield (), self

    def file(self, format: Literal["csv", "parquet"], view: View) -> Path:
        """The encoded rows, target last, as VIEW.FORMAT in the scratch folder. Written batch by batch."""
        if self._scratch is None:
            raise ValueError("a feed without a scratch folder writes no files")
        batches = self.batches(view)
        return write_file(batches, self.names, self._rows.data.target, self._scratch / f"{view}.{format}", format)

    def session(self, session: Any) -> Any:
        raise NotImplementedError("engines that host sessions bring this")
