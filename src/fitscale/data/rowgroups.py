"""Record batches written as Parquet: row groups of one size, however the batches were cut, and never all in memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitscale.data.vectors import Vectors, is_vector
from fitscale.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

GROUP_ROWS = 131_072  # of a staged row group; fewer where rows are wide
GROUP_CELLS = 1 << 24
FIRST_ROWS = 4_096  # of a row group at least; how long vectors are, is seen by so many
FILE_GROUPS = 64  # row groups of a staged file


def written(batches: Iterable[pa.RecordBatch], folder: Path, *, least: int = 1) -> int:
    """Write all rows to ``part-00000.parquet`` and on in a folder; how many.

    Raises
    ------
    DataError
        If there are fewer than ``least``.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer: pq.ParquetWriter | None = None
    count = rows = 0
    try:
        for table in _groups(batches):
            if count % FILE_GROUPS == 0:
                _close(writer)
                texts = [field.name for field in table.schema if pa.types.is_string(field.type)]
                writer = pq.ParquetWriter(
                    folder / f"part-{count // FILE_GROUPS:05}.parquet", table.schema, use_dictionary=texts or False
                )
            assert writer is not None
            writer.write_table(table, table.num_rows)
            count += 1
            rows += table.num_rows
    finally:
        _close(writer)
    if rows < least:
        raise DataError("data.uri: there are no rows to stage")
    for path in folder.iterdir():
        sync(path)
    return rows


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Tables of as many rows as a row group has (the last may have fewer), however the source cuts its batches."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    rows, size = 0, 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        if not size and rows >= FIRST_ROWS:  # the same rows, however they are cut
            size = max(FIRST_ROWS, min(GROUP_ROWS, int(GROUP_CELLS // _cells(pa.Table.from_batches(held)))))
        if size and rows >= size:
            table = pa.Table.from_batches(held)
            whole = rows - rows % size
            for start in range(0, whole, size):
                yield table.slice(start, size)
            held = table.slice(whole).to_batches()
            rows -= whole
    if rows:
        yield pa.Table.from_batches(held)


def _cells(table: pa.Table) -> float:
    """Cells of a row: a column is one, a sparse vector as many as it has pairs in the first rows, on average."""
    cells = float(max(1, table.num_columns))
    for field in table.schema:
        if is_vector(str(field.type)):
            first = table.column(field.name).slice(0, FIRST_ROWS).combine_chunks()
            cells += len(Vectors.of(first, field.name).indices) / FIRST_ROWS
    return cells


def _close(writer: Any) -> None:
    if writer is not None:
        writer.close()


def sync(path: Path) -> None:
    """Make a file, or the names in a folder, survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)  # before the folder gets its name: a power cut must not leave a cut-off file
    finally:
        os.close(handle)
