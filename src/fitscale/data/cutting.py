"""Cutting rows by group, in bounded memory: into buckets of neighbouring keys, then each bucket sorted on its own."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fitscale.data.groupkeys import ROWS, KeyFilter, KeyRanks, counted_keys, plain
from fitscale.data.learning import block_rows
from fitscale.data.parents import Picker, keys_of, parents_of
from fitscale.data.partition import ROW, Cut, Fallback, Partition
from fitscale.data.steady import NAMES, Steady, Watch
from fitscale.errors import SourceChanged, StorageFull

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.data.reader import Reader

GROUP = "__group__"
MOST_BUCKETS = 500  # open files
UNIT_ROWS = 16_384  # of a row group: what is decoded at least to read one group
SERIES_ROWS = 65_536  # likewise of series, whose rows are narrow: half of the time to read them
BUCKET_BYTES = 1 << 28  # read, ordered and written it is held two to three times; 32-bit offsets of texts end far above


def cut_rows(
    reader: Reader,
    wanted: tuple[str, tuple[tuple[int, int], ...], tuple[str, ...], tuple[str, ...]],
    folder: Path,
    memory_bytes: int,
    only: KeyFilter | None = None,
    fallback: Fallback | None = None,
    time: str | None = None,
) -> None:
    """See `partition.partition`; ``time`` is the column that orders series."""
    data, ranges, groups, columns = wanted
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    for left in folder.parent.glob(f".{folder.name}.*.part"):  # of one that was killed: a run has one writer
        shutil.rmtree(left, ignore_errors=True)
    (part / "rows").mkdir(parents=True)
    try:
        keys, sizes = counted_keys(reader, groups, only)
        watch = None if time is None else Watch(len(sizes), time, ROW, GROUP)
        cutter = _Cutter(reader, columns, keys, sizes, part, memory_bytes, only, watch)
        cutter.run()
        if cutter.written != sizes.sum():
            raise SourceChanged(f"{sizes.sum():,} rows were to be read and {cutter.written:,} came; run it again")
        cut = Cut(
            data=data, ranges=ranges, groups=groups, columns=columns, rows=cutter.written, n_groups=len(sizes),
            spilled_bytes=cutter.spilled,
        )  # fmt: skip
        _describe(part, cut, keys, sizes, None if watch is None else watch.found(sizes))
        if fallback is not None:
            _describe(part, *cutter.with_parents(cut, keys, sizes, fallback))
        for path in [*part.rglob("*.*"), part / "rows", part]:
            _sync(path)
        os.rename(part, folder)
        _sync(folder.parent)
    except OSError as error:
        if error.errno == errno.ENOSPC or "No space left" in str(error):
            raise StorageFull(f"{folder}: the disk is full; about the size of the data is needed") from error
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _describe(part: Path, cut: Cut, keys: pa.Table, sizes: np.ndarray, steady: Steady | None = None) -> None:
    import pyarrow.parquet as pq

    index = keys.append_column(ROWS, [sizes])
    for name, values in zip(NAMES, steady or (), strict=False):
        index = index.append_column(name, [values])
    pq.write_table(index, part / "index.parquet", compression="lz4")
    (part / "partition.json").write_text(cut.to_json())


class _Cutter:
    """Rows stream in by row number, out by (group, row number)."""

    def __init__(
        self,
        reader: Reader,
        columns: tuple[str, ...],
        keys: pa.Table,
        sizes: np.ndarray,
        part: Path,
        memory_bytes: int,
        only: KeyFilter | None,
        watch: Watch | None,
    ) -> None:
        self.only, self.watch = only, watch
        self.reader, self.columns, self.sizes, self.part = reader, columns, sizes, part
        self.ranks = KeyRanks(keys)
        self.memory_bytes = memory_bytes
        self.unit_rows = min(UNIT_ROWS if watch is None else SERIES_ROWS, block_rows(len(columns)))
        self.files = 0
        self.written = 0  # rows
        self.spilled = 0  # bytes

    def run(self) -> None:
        """All buckets, in key order."""
        bucket_of: np.ndarray | None = None
        held: list[pa.RecordBatch] = []
        spilled: dict[int, Any] = {}
        for batch in self._numbered():
            if bucket_of is None:
                bucket_of = self._buckets(batch)
            if bucket_of[-1] == 0:
                held.append(batch)
            else:
                self._spill(batch, bucket_of, spilled)
        if held:
            self._write(self._seen(self._ordered(held)))
        for writer, sink in spilled.values():
            writer.close()
            self.spilled += sink.tell()
            sink.close()
        single = np.bincount(bucket_of) == 1 if bucket_of is not None else np.empty(0, bool)
        for bucket in sorted(spilled):
            batches = _read_back(self._spill_path(bucket))
            # one group alone came in its order: it needs no sorting, whatever its size
            self._write(self._seen(batches if single[bucket] else self._ordered(list(batches))))
            self._spill_path(bucket).unlink()

    def with_parents(
        self, cut: Cut, keys: pa.Table, sizes: np.ndarray, fallback: Fallback
    ) -> tuple[Cut, pa.Table, np.ndarray]:
        """Parents' rows after all others: what is written then, its keys, and its groups' sizes."""
        import pyarrow as pa

        whole = Partition(self.part)
        parents = parents_of(keys, sizes, nearest=fallback.nearest)
        picker = Picker(parents, sizes, fallback.seed)
        own = np.zeros(len(parents), np.int64)

        def rows() -> Iterator[pa.RecordBatch]:
            for k, (start, stop) in enumerate(picker.spans):
                for _, batch in whole.batches([*self.columns, ROW], start=start, stop=stop):
                    picked = batch.filter(pa.array(picker.of(k, batch.column(len(self.columns)).to_numpy())))
                    own[k] += picked.num_rows
                    yield picked.append_column(GROUP, pa.nulls(picked.num_rows, pa.int64()))

        self._write(rows())
        everything = pa.concat_tables([keys, keys_of(parents, keys)]).combine_chunks()
        alike = tuple(parent.columns for parent in parents)
        cut = cut.but(rows=self.written, n_groups=cut.n_groups + len(parents), parents=alike)
        return cut, everything, np.append(sizes, own)

    def _numbered(self) -> Iterator[pa.RecordBatch]:
        """The rows with their number and group number."""
        import pyarrow as pa

        for first, batch in self.reader.batches(self.columns, batch_rows=block_rows(len(self.columns))):
            rows, numbers_ = plain(batch), np.arange(first, first + batch.num_rows)
            if self.only is not None:
                meant = self.only.of(rows)
                rows, numbers_ = rows.filter(pa.array(meant)), numbers_[meant]
            numbers = [pa.array(numbers_), pa.array(self.ranks.of(rows))]
            yield pa.RecordBatch.from_arrays([*rows.columns, *numbers], names=[*self.columns, ROW, GROUP])

    def _buckets(self, like: pa.RecordBatch) -> np.ndarray:
        """(n_groups,) bucket of each group: neighbours, until their rows fill a quarter of the memory."""
        bytes_per_row = max(1.0, like.nbytes / max(1, like.num_rows))
        most = max(1, int(min(self.memory_bytes / 4, BUCKET_BYTES) / bytes_per_row), self.reader.rows // MOST_BUCKETS)
        large = self.sizes > most
        slot = (np.cumsum(self.sizes) - self.sizes) // most
        change = (np.diff(slot) > 0) | large[1:] | large[:-1]
        return np.concatenate([[0], np.cumsum(change)])

    def _spill(self, batch: pa.RecordBatch, bucket_of: np.ndarray, spilled: dict[int, Any]) -> None:
        import pyarrow as pa

        bucket = bucket_of[batch.column(batch.num_columns - 1).to_numpy()]
        order = np.argsort(bucket, kind="stable")
        there, starts = np.unique(bucket[order], return_index=True)
        ordered = _taken(batch, order)
        for k, start, stop in zip(there.tolist(), starts, [*starts[1:], len(order)], strict=True):
            if k not in spilled:
                sink = pa.OSFile(str(self._spill_path(k)), "wb")
                spilled[k] = (pa.ipc.new_stream(sink, batch.schema), sink)
            spilled[k][0].write_batch(ordered.slice(start, stop - start))

    def _spill_path(self, bucket: int) -> Path:
        return self.part / f"{bucket:05d}.spill"

    def _ordered(self, batches: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """By group; within one the rows are in order already, and the sort is stable."""
        import pyarrow as pa

        # In one piece: of many, each taking would join them.
        (rows,) = pa.Table.from_batches(batches).combine_chunks().to_batches()
        batches.clear()
        order = np.argsort(rows.column(rows.schema.get_field_index(GROUP)).to_numpy(), kind="stable")
        for at in range(0, len(order), self.unit_rows):
            yield _taken(rows, order[at : at + self.unit_rows])

    def _seen(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if self.watch is not None:
                self.watch.add(batch)
            yield batch

    def _write(self, batches: Iterator[pa.RecordBatch]) -> None:
        """One Parquet file: quick to decode in slices rather than small."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        writer: Any = None
        for table in _ahead(_units(batches, self.unit_rows)):
            if writer is None:
                texts = [f.name for f in table.schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
                path = self.part / "rows" / f"{self.files:05d}.parquet"
                # Nobody asks for its statistics, which take a fifth of the time to write it. Row numbers as their
                # differences are a tenth of the size, and of the time to read them, that they are otherwise.
                writer = pq.ParquetWriter(
                    path,
                    table.schema,
                    compression={name: "none" if name == ROW else "lz4" for name in table.column_names},
                    column_encoding={ROW: "DELTA_BINARY_PACKED"},
                    use_dictionary=texts,
                    write_statistics=False,
                )
                self.files += 1
            writer.write_table(table, row_group_size=self.unit_rows)
            self.written += table.num_rows
        if writer is not None:
            writer.close()


def _units(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """Tables of at least so many rows (but for the last), without the group number."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        held.append(batch)
        size += batch.num_rows
        if size >= rows:
            yield pa.Table.from_batches(held).drop_columns([GROUP])
            held, size = [], 0
    if held:
        yield pa.Table.from_batches(held).drop_columns([GROUP])


def _ahead(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The tables; the next is put together by a thread while one is written."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, tables, None)
        while (table := coming.result()) is not None:
            coming = thread.submit(next, tables, None)
            yield table


def _taken(rows: pa.RecordBatch, places: np.ndarray) -> pa.RecordBatch:
    """Column by column: a quarter of the time that a whole batch takes for the same."""
    import pyarrow as pa

    index = pa.array(places)
    return pa.RecordBatch.from_arrays([column.take(index) for column in rows.columns], schema=rows.schema)


def _read_back(path: Path) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    with pa.OSFile(str(path)) as source, pa.ipc.open_stream(source) as batches:
        yield from batches


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
