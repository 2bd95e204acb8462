"""One Parquet file: its footer, its schema as batches have it, its row groups decoded, filtered and counted."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fitscale.data.sources import matching
from fitscale.data.sources.listing import PLACE
from fitscale.data.sources.schemas import NO_KEYS, Keys, line_of, plain
from fitscale.data.sources.where import Where
from fitscale.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

UNITS = {"ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}


def footer(path: Path) -> tuple[int, str]:
    """(bytes, digest of the footer) of a Parquet file: the footer has every part's place, size and statistics.

    Raises
    ------
    DataError
        If it is missing, unreadable, cut short, encrypted, or not Parquet.
    """
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(4)
            file.seek(max(0, size - 8))
            tail = file.read(8)
            length = int.from_bytes(tail[:4], "little")
            if tail[4:] == b"PAR1" and head == b"PAR1" and 12 <= length + 12 <= size:
                file.seek(size - 8 - length)
                return size, hashlib.sha256(file.read(length)).hexdigest()[:32]
    except FileNotFoundError:
        raise DataError(f"{PLACE}: {path} is gone") from None
    except OSError as error:
        raise DataError(f"{PLACE}: {path} cannot be read: {error.strerror}") from None
    if b"PARE" in (head, tail[4:]):
        raise DataError(f"{PLACE}: {path} is encrypted Parquet: write it without encryption")
    if head == b"PAR1":
        raise DataError(f"{PLACE}: {path} is cut off: {size:,} bytes without a footer at their end; copy it again")
    if size == 0:
        raise DataError(f"{PLACE}: {path} is empty: 0 bytes; write it again")
    raise DataError(f"{PLACE}: {path} is not Parquet: let its name say what it is, such as .csv or .arrow")


def opened(path: Path, encoded: Sequence[str] = ()) -> pq.ParquetFile:
    """A file; texts of the ``encoded`` columns come as dictionaries, which decodes faster where values repeat.

    It is read and not mapped: one that is cut short meanwhile is then an error, where a mapping would end the
    process (SIGBUS). Nothing is read ahead, so that no thread is started.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path, memory_map=False, pre_buffer=False, read_dictionary=list(encoded) or None)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{PLACE}: {path} cannot be read as Parquet: {line_of(error)}; write it again") from None


def decoded(
    file: pq.ParquetFile,
    path: Path,
    part: int,
    columns: Sequence[str],
    keys: Keys,
    batch_rows: int,
    threads: int = 1,
    encoded: Collection[str] = (),
) -> Iterator[pa.RecordBatch]:
    """A row group's rows with columns of the file and of its path, of plain types, in the asked order.

    Columns that are ``encoded`` come as dictionaries instead, each batch with its own.
    """
    import pyarrow as pa

    own = [name for name in columns if name not in keys.values]
    if not own:
        rows = file.metadata.row_group(part).num_rows
        for start in range(0, rows, batch_rows):
            n = min(batch_rows, rows - start)
            batch = pa.record_batch({name: keys.repeated(name, n) for name in columns})
            yield _as_asked(batch, columns, NO_KEYS, encoded)
        return
    as_is: bool | None = None
    try:
        for batch in file.iter_batches(batch_rows, row_groups=[part], columns=own, use_threads=threads > 1):
            as_is = as_is if as_is is not None else _is_as_asked(batch.schema, columns, encoded)
            yield batch if as_is else _as_asked(batch, columns, keys, encoded)
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"{PLACE}: {path}: row group {part} cannot be decoded: {line_of(error)}; the file is damaged: write it again"
        ) from None


def _is_as_asked(schema: pa.Schema, columns: Sequence[str], encoded: Collection[str]) -> bool:
    return not encoded and schema.names == list(columns) and all(plain(field.type) == field.type for field in schema)


def _as_asked(batch: pa.RecordBatch, columns: Sequence[str], keys: Keys, encoded: Collection[str]) -> pa.RecordBatch:
    import pyarrow as pa

    arrays: dict[str, pa.Array] = {}
    for name in columns:
        array = own = keys.repeated(name, batch.num_rows) if name in keys.values else batch.column(name)
        if name not in encoded or (pa.types.is_dictionary(own.type) and not pa.types.is_string(own.type.value_type)):
            type = plain(own.type)
            array = own if type == own.type else own.cast(type)
        if name in encoded and not pa.types.is_dictionary(array.type):
            array = array.dictionary_encode()
        arrays[name] = array
    return pa.record_batch(arrays)


def kept_rows(file: pq.ParquetFile, path: Path, part: int, schema: pa.Schema, keys: Keys, where: Where) -> int:
    """How many rows of a row group a filter keeps; reads it only where statistics leave it open."""
    group = file.metadata.row_group(part)
    places = {file.metadata.schema.column(j).path: j for j in range(group.num_columns)}

    def bounds(name: str) -> matching.Bounds | None:
        if name in keys.values:
            value = keys.values[name]
            return matching.Bounds(value, value, group.num_rows if value is None else 0, group.num_rows)
        return _bounds(group, places[name], file.schema_arrow.field(name).type) if name in places else None

    if not matching.may_match(where, schema, bounds):
        return 0
    batches = decoded(file, path, part, where.columns, keys, 65_536)
    return sum(matching.mask(where, batch).true_count for batch in batches)


def _bounds(group: pq.RowGroupMetaData, column: int, type: pa.DataType) -> matching.Bounds | None:
    import pyarrow as pa

    chunk = group.column(column)
    stats = chunk.statistics
    if stats is None:
        return None
    low = high = None
    if pa.types.is_timestamp(type):  # as whole numbers: Python has no nanoseconds
        unit = json.loads(stats.logical_type.to_json()).get("timeUnit") if chunk.physical_type == "INT64" else None
        if stats.has_min_max and unit and unit == UNITS.get(type.unit):
            low, high = stats.min_raw, stats.max_raw
    elif stats.has_min_max:
        low, high = stats.min, stats.max
    return matching.Bounds(low, high, stats.null_count if stats.has_null_count else None, group.num_rows)
