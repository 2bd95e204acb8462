"""A snapshot's rows cut by group: ordered by key and row number, once, for all that fit one model for each group.

FOLDER/partition.json     what it was cut from
       index.parquet      the keys in order, each with its number of rows; of series also which of them lie evenly
       rows/00000.parquet the rows in that order, with their number in the snapshot
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fitscale.data.features import feature_columns
from fitscale.data.folds import assign, column_of
from fitscale.data.groupkeys import ROWS, KeyFilter, keys_as_tuples
from fitscale.data.steady import NAMES, Steady
from fitscale.errors import DataError
from fitscale.records.base import Record

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.data.reader import Reader
    from fitscale.records.data import Folds
    from fitscale.records.workload import DataSpec

ROW = "__row__"
FORMAT = 1
# Columns of row groups that the files describe which a worker has open: each takes a kilobyte. Of 1 GB of 10,000 columns all of
# them held 280 MB.
DESCRIBED = 50_000


class Cut(Record):
    """partition.json: what was cut. ``data`` and ``ranges`` pin the rows."""

    format: int = FORMAT
    data: str  # content digest of the snapshot
    ranges: tuple[tuple[int, int], ...]
    groups: tuple[str, ...]
    columns: tuple[str, ...]
    rows: int
    n_groups: int
    spilled_bytes: int = 0  # that lay beside the rows, while they were put apart
    parents: tuple[int, ...] = ()  # of the last groups, which are several together: in how many columns those are alike


class Fallback(NamedTuple):
    """That groups which are too small shall have a parent: the nearest, or that of all groups."""

    nearest: bool
    seed: int


def kept_columns(reader: Reader, data: DataSpec, folds: Folds) -> tuple[str, ...]:
    """What fits of each group need beside the keys: features, target, weight, and what the folds look at."""
    named = [name for name, _ in feature_columns(data, reader.snapshot.columns)]
    named += [name for name in (data.target, data.weight, column_of(folds)) if name is not None]
    return tuple(dict.fromkeys(named))


def partition(
    reader: Reader,
    data: DataSpec,
    columns: Sequence[str],
    folder: Path,
    *,
    memory_bytes: int = 1 << 30,
    only: pa.Table | None = None,
    fallback: Fallback | None = None,
) -> Partition:
    """Cut the rows into ``folder``, whole or not at all; what is there already is taken if it was cut from the same.

    Parameters
    ----------
    columns
        To be kept, beside the keys and the row number: see `kept_columns`.
    memory_bytes
        What it may use, about. Rows beyond go through temporary files beside the folder, of about their size.
    only
        The keys of the groups that are meant; None: all. It is the folder's name that says which.
    fallback
        Which parents stand after all groups.

    Raises
    ------
    DataError
        If another partition lies in the folder.
    StorageFull
        If the disk is.
    """
    from fitscale.data.cutting import cut_rows

    kept = tuple(dict.fromkeys([*data.groups, *columns]))
    if ROW in kept:
        raise DataError(f"column '{ROW}' has the name that the row numbers get; rename it")
    wanted = (reader.snapshot.content, reader.ranges, data.groups, kept)
    if (folder / "partition.json").exists():
        there = Partition(folder)
        if (there.cut.data, there.cut.ranges, there.cut.groups, there.cut.columns) != wanted:
            raise DataError(f"{folder}: holds a partition of other rows or columns; remove it, or name another folder")
        return there
    time = data.time if data.is_series and data.time in kept else None
    cut_rows(reader, wanted, folder, memory_bytes, None if only is None else KeyFilter(only), fallback, time)
    return Partition(folder)


class Partition:
    """A partition on disk. Opening reads the record and, when first asked for, the index.

    Attributes
    ----------
    keys
        The key columns, one row for each group in key order (null last).
    sizes, first
        (n_groups,) int64: rows of each group, and the place of its first row.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cut = Cut.from_json((folder / "partition.json").read_bytes())
        self.groups = self.cut.groups
        self.rows = self.cut.rows
        self._files: dict[int, Any] = {}  # that are open, the last used last

    def __len__(self) -> int:
        return self.cut.n_groups

    @cached_property
    def keys(self) -> pa.Table:
        return self._index.select(list(self.groups))

    @cached_property
    def sizes(self) -> np.ndarray:
        sizes: np.ndarray = self._index.column(ROWS).to_numpy()
        return sizes

    @cached_property
    def steady(self) -> Steady | None:
        """Which series lie evenly, as far as it was looked for."""
        index = self._index
        return Steady(*(index.column(name).to_numpy() for name in NAMES)) if NAMES[0] in index.column_names else None

    @cached_property
    def first(self) -> np.ndarray:
        first: np.ndarray = np.cumsum(self.sizes) - self.sizes
        return first

    def key_tuples(self, start: int, stop: int) -> list[tuple[Any, ...]]:
        """The keys of groups ``start`` to ``stop`` as Python values."""
        return keys_as_tuples(self.keys.slice(start, stop - start))

    def span(self, start: int, stop: int) -> tuple[int, int]:
        """Where the rows of groups ``start`` to ``stop`` begin and end."""
        first = int(self.first[start]) if start < len(self) else self.rows
        return first, int(self.first[stop]) if stop < len(self) else self.rows

    def decoded(self, start: int, stop: int) -> int:
        """Rows that are decoded for groups ``start`` to ``stop``: those of whole row groups."""
        first, last = self.span(start, stop)
        return sum(rows for place, rows, _, _ in self._units if place < last and place + rows > first)

    def batches(
        self, columns: Sequence[str], *, start: int = 0, stop: int | None = None, batch_rows: int = 65_536
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """(place of the first row, batch): rows ``start`` to ``stop`` in the partition's order."""
        stop = self.rows if stop is None else stop
        starts = [unit[0] for unit in self._units]
        for k in range(max(0, bisect_right(starts, start) - 1), len(self._units)):
            place, _, number, group = self._units[k]
            if place >= stop:
                return
            for batch in self._file(number).iter_batches(
                batch_rows, row_groups=[group], columns=list(columns), use_threads=False
            ):
                a, b = max(start, place), min(stop, place + batch.num_rows)
                if a < b:
                    yield a, batch.slice(a - place, b - a).select(list(columns))
                place += batch.num_rows

    def fold_counts(self, folds: Folds) -> np.ndarray:
        """(n_groups, 3) int64: rows that train, validate and are held out. One pass over the row numbers."""
        by = column_of(folds)
        counts = np.zeros(4 * len(self), np.int64)
        for place, batch in self.batches([ROW, *([by] if by else [])]):
            fold = assign(folds, batch.column(0).to_numpy(), batch.column(1) if by else None)
            places = np.arange(place, place + batch.num_rows)
            group = np.searchsorted(self.first, places, "right") - 1
            low = int(group[0])
            found = np.bincount((group - low) * 4 + fold + 1)
            counts[low * 4 : low * 4 + len(found)] += found
        return counts.reshape(-1, 4)[:, 1:]

    @cached_property
    def _index(self) -> pa.Table:
        import pyarrow.parquet as pq

        # read_table, and reading ahead, would start threads in a worker that is to fork
        file = pq.ParquetFile(self.folder / "index.parquet", memory_map=False, pre_buffer=False)
        return file.read(use_threads=False).combine_chunks()

    @cached_property
    def _units(self) -> list[tuple[int, int, int, int]]:
        """(place, rows, file, row group) of each row group."""
        units: list[tuple[int, int, int, int]] = []
        place = 0
        for number in range(len(list((self.folder / "rows").glob("*.parquet")))):
            about = self._file(number).metadata
            for group in range(about.num_row_groups):
                rows = about.row_group(group).num_rows
                units.append((place, rows, number, group))
                place += rows
        return units

    def _file(self, number: int) -> Any:
        """One file, which stays open for the next chunk of groups unless many are."""
        import pyarrow.parquet as pq

        file = self._files.pop(number, None)
        if file is None:
            path = self.folder / "rows" / f"{number:05d}.parquet"
            file = pq.ParquetFile(path, memory_map=False, pre_buffer=False)
            room = DESCRIBED - _described(file)
            while self._files and sum(map(_described, self._files.values())) > room:
                del self._files[next(iter(self._files))]
        self._files[number] = file
        return file


def join_groups(folder: Path, sizes: Sequence[int]) -> list[int]:
    """Let neighbours of the partition there be one group, by its first's key, of at least these sizes in turn; (rows of each).

    For trials: such a group is none of the data's.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    there = Partition(folder)
    ends = np.cumsum(there.sizes)
    edges = [0]
    for size in itertools.cycle(sizes):
        stop = int(np.searchsorted(ends, (ends[edges[-1] - 1] if edges[-1] else 0) + size)) + 1
        if stop >= len(ends):
            break
        edges.append(stop)
    joined = np.add.reduceat(there.sizes, edges)
    pq.write_table(there.keys.take(pa.array(edges)).append_column(ROWS, [joined]), folder / "index.parquet")
    (folder / "partition.json").write_text(there.cut.but(n_groups=len(joined)).to_json())
    return [int(rows) for rows in joined]


def _described(file: Any) -> int:
    """Columns of row groups that an open file describes."""
    about = file.metadata
    return int(about.num_row_groups * about.num_columns)
