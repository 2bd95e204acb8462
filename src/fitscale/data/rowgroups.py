"""Record batches written as Parquet: row groups of one size, however the batches were cut, and never all in memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitscale.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

GROUP_ROWS = 131_072  # of a staged row group; fewer where rows are wide
GROUP_CELLS = 1 << 24
FILE_GROUPS = 64  # row groups of a staged file


def written(batches: Iterable[pa.RecordBatch], folder: Path) -> int:
    """Write all rows to ``part-00000.parquet`` and on in a folder; how many.

    Raises
    ------
    DataError
        If there are none.
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
    if not count:
        raise DataError("data.uri: there are no rows to stage")
    for path in folder.iterdir():
        sync(path)
    return rows


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Tables of as many rows as a row group has (the last may have fewer), however the source cuts its batches."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        size = max(4_096, min(GROUP_ROWS, GROUP_CELLS // max(1, batch.num_columns)))
        if rows >= size:
            table = pa.Table.from_batches(held)
            whole = rows - rows % size
            for start in range(0, whole, size):
                yield table.slice(start, size)
            held = table.slice(whole).to_batches()
            rows -= whole
    if rows:
        yield pa.Table.from_batches(held)


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
