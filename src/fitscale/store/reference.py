"""How the training rows of each model of a version lie in bins of their columns: versions/V/reference.{json,parquet}.

The first has the bins, as the run has them beside the encoding; the second a row for each model, in the order of the index:
the counts of all bins, one column after the other, as unsigned little-endian integers of one, two or four bytes, whichever
the largest needs. Null where nobody counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fitscale.errors import UsageError
from fitscale.store import chunks

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.data.bins import Bins

BINS = "bins.json"  # beside an encoding
COLUMN = "__bins__"  # of chunks' tables, and of an index while it is put together
SIZES = (1, 2, 4)


class Reference(NamedTuple):
    """What a version's drift of columns is held against.

    Attributes
    ----------
    counts
        (models, width) unsigned integers, 0 where nobody counted.
    """

    bins: Bins
    counts: np.ndarray


def packed(counts: np.ndarray, known: np.ndarray | None = None) -> pa.Array:
    """(n, width) counts as fixed bytes; null where not ``known`` (n,)."""
    import pyarrow as pa

    n, width = counts.shape
    largest = int(counts.max(initial=0))
    size = next(size for size in SIZES if largest < 256**size)
    content = pa.py_buffer(np.ascontiguousarray(counts, f"<u{size}"))
    valid = None if known is None or known.all() else pa.py_buffer(np.packbits(known, bitorder="little"))
    return pa.Array.from_buffers(pa.binary(width * size), n, [valid, content])


def unpacked(column: pa.ChunkedArray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, width) uint8, uint16 or uint32, 0 where null; (n,) bool, where they are known."""
    parts = [part for part in column.chunks if len(part)]
    if not parts:
        return np.zeros((0, width), np.uint8), np.zeros(0, bool)
    known = np.concatenate([part.is_valid().to_numpy(zero_copy_only=False) for part in parts])
    size = column.type.byte_width // width
    dtype = np.dtype(f"<u{size}")
    found = []
    for part in parts:
        content = part.buffers()[1]
        found.append(np.frombuffer(content, dtype, len(part) * width, part.offset * width * size).reshape(-1, width))
    counts = np.concatenate(found)
    if not known.all():
        counts = np.where(known[:, None], counts, 0).astype(dtype)
    return counts, known


def aligned(tables: Sequence[pa.Table], width: int) -> list[pa.Table]:
    """Tables of chunks, or an index and another, with counts of one size in all; without them where they have other bins."""
    import pyarrow as pa

    there = [table.column(COLUMN).type.byte_width if COLUMN in table.column_names else 0 for table in tables]
    if not any(there):
        return list(tables)
    size = max(there) // width
    out = []
    for table, bytes_ in zip(tables, there, strict=True):
        if not bytes_:
            out.append(table.append_column(COLUMN, pa.nulls(table.num_rows, pa.binary(width * size))))
            continue
        if bytes_ != width * size:
            counts, known = unpacked(table.column(COLUMN), width)
            wide = np.ascontiguousarray(counts, f"<u{size}")
            valid = pa.py_buffer(np.packbits(known, bitorder="little"))
            column = pa.Array.from_buffers(pa.binary(width * size), len(wide), [valid, pa.py_buffer(wide)])
            table = table.set_column(table.column_names.index(COLUMN), COLUMN, column)
        out.append(table)
    return out


def write(folder: Path, bins: Bins, column: pa.ChunkedArray) -> None:
    """Into the folder of a version."""
    import pyarrow as pa

    (folder / "reference.json").write_text(bins.to_json())
    counts = packed(*unpacked(column, bins.width))
    (folder / "reference.parquet").write_bytes(chunks.parquet_bytes(pa.table({"counts": counts})))


def read(run: Path, version: int) -> Reference | None:
    """None of a version of series, or one that was made before there were references.

    Raises
    ------
    UsageError
        If it is damaged.
    """
    found = _read(run / "versions" / str(version))
    return None if found is None else Reference(found[0], unpacked(found[1], found[0].width)[0])


def column_of(run: Path, version: int, bins: Bins) -> pa.ChunkedArray | None:
    """The counts as they lie, where they are of these bins."""
    found = _read(run / "versions" / str(version))
    return found[1] if found is not None and found[0] == bins else None


def _read(folder: Path) -> tuple[Bins, pa.ChunkedArray] | None:
    import pyarrow.parquet as pq

    from fitscale.data.bins import Bins

    path = folder / "reference.json"
    if not path.exists():
        return None
    try:
        bins = Bins.from_json(path.read_bytes())
        path = folder / "reference.parquet"
        column = pq.ParquetFile(path, memory_map=True).read(use_threads=False).column("counts")
        if column.type.byte_width not in [bins.width * size for size in SIZES]:
            raise ValueError("its counts are not of these bins")
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"{path}: cannot be read ({str(error).splitlines()[0]}); put it back, or train anew with --fresh"
        ) from error
    return bins, column
