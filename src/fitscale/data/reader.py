"""The one way that rows reach anything: ranges of a snapshot's rows, by number, in order."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from fitscale.data.choosing import source_class
from fitscale.data.sample import SPREAD, merged, spread_ranges
from fitscale.errors import DataError, SourceChanged
from fitscale.registry import plugin

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.contracts import Source
    from fitscale.records.data import Snapshot
    from fitscale.records.workload import DataSpec


class Unit(NamedTuple):
    """A natural unit of reading: a row group of a file."""

    start: int
    stop: int
    bytes: int
    piece: int
    part: int


class Reader:
    """The rows of a snapshot, or of some ranges of it, in order.

    Attributes
    ----------
    ranges
        [start, stop) row numbers of the snapshot, sorted and disjoint; by default all.
    rows
        How many rows are in the ranges.
    units
        (first row, stop row, bytes) of each natural unit that has rows in the ranges; not cut to them.
    """

    def __init__(self, source: Source, snapshot: Snapshot, ranges: tuple[tuple[int, int], ...] | None = None) -> None:
        self.source = source
        self.snapshot = snapshot
        every: list[Unit] = []
        row = 0
        for p, piece in enumerate(snapshot.pieces):
            for k, (rows, size) in enumerate(piece.parts):
                if rows:
                    every.append(Unit(row, row + rows, size, p, k))
                row += rows
        self.ranges = merged([(max(0, a), min(b, row)) for a, b in (((0, row),) if ranges is None else ranges)])
        self.rows = sum(stop - start for start, stop in self.ranges)
        self._units = [unit for unit in every if next(_overlaps(self.ranges, unit.start, unit.stop), None)]
        self.units = tuple((unit.start, unit.stop, unit.bytes) for unit in self._units)

    def batches(
        self, columns: Sequence[str], *, start: int = 0, stop: int | None = None, batch_rows: int = 65_536
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """(number of the first row, batch): contiguous rows with numbers in [start, stop) and in the ranges.

        Batches have the asked columns in the asked order, end where a unit or range ends, and have at most
        ``batch_rows`` rows. No unit outside is opened; a unit that is entered in its middle is decoded from its start.

        Raises
        ------
        SourceChanged
            If the data is no longer what the snapshot pinned.
        """
        if not columns:
            raise ValueError("no columns asked for: row numbers alone are known without reading")
        last = self.snapshot.rows if stop is None else stop
        for unit in self._units:
            wanted = list(_overlaps(self.ranges, max(unit.start, start), min(unit.stop, last)))
            if wanted:
                yield from self._of_unit(unit, wanted, columns, batch_rows)

    def _of_unit(
        self, unit: Unit, wanted: list[tuple[int, int]], columns: Sequence[str], batch_rows: int
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        row = unit.start
        for batch in self.source.read(self.snapshot, unit.piece, unit.part, columns, batch_rows):
            n = batch.num_rows
            for a, b in _overlaps(wanted, row, row + n):
                yield a, batch if b - a == n else batch.slice(a - row, b - a)
            row += n
            if row >= wanted[-1][1]:
                return
        if row != unit.stop:
            name = self.snapshot.pieces[unit.piece].path
            raise SourceChanged(
                f"{name}: part {unit.part} has {row - unit.start:,} rows, not {unit.stop - unit.start:,} "
                "as when the run began; train anew with --fresh"
            )

    def sample(self, rows: int, seed: int, spread: int = SPREAD) -> Reader:
        """A seeded part of the rows that does not read everything, with the rows' numbers kept.

        Whole or partial units, spread over the data: at least ``spread`` of them, or so many places where there are fewer units.
        """
        segments = [part for unit in self._units for part in _overlaps(self.ranges, unit.start, unit.stop)]
        return Reader(self.source, self.snapshot, spread_ranges(segments, rows, seed, spread))


def reader_of_run(data: DataSpec, snapshot: Snapshot, *, threads: int = 1, dictionaries: bool = False) -> Reader:
    """A reader over what a run's snapshot names: files, or the run's own copy of what cannot be read again.

    Raises
    ------
    DataError
        If it names a source that is never read again: a run from elsewhere must not send us to its server.
    WorkloadError, SourceChanged
        As `open_reader`.
    """
    if not plugin("sources", snapshot.source).stable:
        raise DataError(f"the snapshot is of source '{snapshot.source}', and not of files or of the run's own copy")
    return open_reader(data, snapshot, threads=threads, dictionaries=dictionaries)


def open_reader(
    data: DataSpec, snapshot: Snapshot | None = None, *, threads: int = 1, dictionaries: bool = False
) -> Reader:
    """A reader over what the workload names, through the source of its uri's scheme.

    With a ``snapshot`` nothing is counted again; one that was staged is read where it lies. ``threads`` may decode at
    once where the source can (a process that will fork must stay with 1). With ``dictionaries``, columns of text come
    as dictionaries from sources that can: faster, and the types of batches are then not the snapshot's.

    Raises
    ------
    WorkloadError, DataError
        At data.uri: what cannot be read.
    SourceChanged
        If there is a snapshot and what it pinned is gone.
    """
    if snapshot is None:
        cls = source_class(data)
    else:
        cls = plugin("sources", snapshot.source)
        if snapshot.origin is not None:  # staged: Parquet in a folder of the run
            data = data.but(uri=snapshot.root, where=None)
    try:
        source = cls.open(data)
    except DataError as error:
        if snapshot is None:
            raise
        raise SourceChanged(
            f"{error}; it was there when the run began: put it back, or train anew with --fresh"
        ) from None
    for setting, value in (("threads", threads), ("dictionaries", dictionaries)):
        if hasattr(source, setting):
            setattr(source, setting, value)
    return Reader(source, source.snapshot() if snapshot is None else snapshot)


def _overlaps(ranges: Sequence[tuple[int, int]], start: int, stop: int) -> Iterator[tuple[int, int]]:
    """What of the sorted, disjoint ranges lies in [start, stop)."""
    for index in range(max(0, bisect_right(ranges, (start, start)) - 1), len(ranges)):
        a, b = ranges[index]
        if a >= stop:
            return
        if max(a, start) < min(b, stop):
            yield max(a, start), min(b, stop)
