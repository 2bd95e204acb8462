"""A seeded part of the rows of any source, in one table of bounded size; never the whole of what is large."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from fitscale.data.choosing import open_source
from fitscale.data.reader import Reader
from fitscale.data.sample import SPREAD
from fitscale.data.staging import outline_of
from fitscale.errors import DataError
from fitscale.records.workload import Features

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.contracts import Source
    from fitscale.records.data import Snapshot
    from fitscale.records.workload import DataSpec

ROWS, CELLS = 50_000, 5_000_000
LEAST_ROWS = 1_000
LARGEST_BYTES = 256 << 20
LONGEST_S = 20.0
# A name that no column has: a source that refuses columns of types which cannot be features refuses none then.
NO_FEATURE = Features(keep=("\0",))


class Look(NamedTuple):
    """What was looked at. ``rows`` are those of the source, None where nobody has counted them."""

    table: pa.Table
    columns: tuple[tuple[str, str], ...]  # (name, Arrow type); a type that cannot be read is null in the table
    rows: int | None
    bytes: int
    seconds: float
    assumed: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        return self.rows is not None and self.table.num_rows >= self.rows


def look(data: DataSpec, *, seed: int = 0, rows: int = ROWS, least: int = 2) -> Look:
    """About ``rows`` rows, fewer of wide data.

    Raises
    ------
    WorkloadError, DataError
        What cannot be read; or fewer than ``least`` rows.
    """
    began = time.monotonic()
    source = open_source(data.but(features=NO_FEATURE))
    about = glance(source)
    if not about.columns:
        raise DataError("data.uri: has no columns: name data with a column to predict")
    wanted = min(rows, max(min(rows, LEAST_ROWS), CELLS // len(about.columns)))
    table = _bounded(_some(source, about, wanted, seed), about, wanted, began + LONGEST_S)
    counted = sum(len(piece.parts) for piece in about.pieces) > 0 and data.where is None
    if table.num_rows < least:
        kept = f' that "{data.where}" keeps' if data.where else ""
        raise DataError(f"data.uri: {_rows(table.num_rows)} can be read{kept}: at least {least} are needed")
    return Look(
        table=table,
        columns=about.columns,
        rows=about.rows if counted else None,
        bytes=about.bytes,
        seconds=round(time.monotonic() - began, 3),
        assumed=tuple(getattr(source, "assumed", ())),
    )


def glance(source: Source) -> Snapshot:
    """What is there, without counting what a filter keeps and without reading what is to be staged."""
    if not source.stable:
        return outline_of(source)
    return source.glance() if hasattr(source, "glance") else source.snapshot()


def _some(source: Source, about: Snapshot, rows: int, seed: int) -> Iterator[pa.RecordBatch]:
    if hasattr(source, "peek"):
        yield from source.peek(rows, seed)
    elif source.stable:
        names = [name for name, _ in about.columns]
        if about.where is None:
            yield from (batch for _, batch in Reader(source, about).sample(rows, seed).batches(names))
            return
        # Nobody has counted what the filter keeps: some of each of a few units, from end to end.
        places = [(p, k) for p, piece in enumerate(about.pieces) for k, _ in enumerate(piece.parts)]
        for p, k in places[:: max(1, len(places) // SPREAD)]:
            left = -(-rows // SPREAD)
            for batch in source.read(about, p, k, names, 65_536):
                yield batch.slice(0, left)
                left -= batch.num_rows
                if left <= 0:
                    break
    else:
        # Its beginning: such a source can be read in order alone.
        yield from source.stream() if hasattr(source, "stream") else _counted(source)


def _counted(source: Source) -> Iterator[pa.RecordBatch]:
    reader = Reader(source, source.snapshot())
    yield from (batch for _, batch in reader.batches([name for name, _ in reader.snapshot.columns]))


def _bounded(batches: Iterable[pa.RecordBatch], about: Snapshot, rows: int, until: float) -> pa.Table:
    """The batches as one table, until there are enough rows, bytes or seconds."""
    import pyarrow as pa

    kept: list[pa.RecordBatch] = []
    have = size = 0
    for batch in batches:
        kept.append(batch.slice(0, rows - have))
        have += kept[-1].num_rows
        size += kept[-1].nbytes
        if have >= rows or size > LARGEST_BYTES or time.monotonic() > until:
            break
    if not kept:
        return pa.table({name: pa.nulls(0) for name, _ in about.columns})
    return pa.Table.from_batches(kept)


def _rows(n: int) -> str:
    return "no rows" if n == 0 else "only 1 row" if n == 1 else f"only {n:,} rows"
