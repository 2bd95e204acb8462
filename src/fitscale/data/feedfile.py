"""Encoded rows as a file, for programs that read files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from fitscale.contracts import Batch


def write_file(
    batches: Iterable[Batch], names: tuple[str, ...], target: str, path: Path, format: Literal["csv", "parquet"]
) -> Path:
    """CSV or Parquet with float32 columns, the target last; whole or not at all. A missing value is null."""
    import pyarrow as pa
    import pyarrow.csv as csv
    import pyarrow.parquet as pq

    while target in names:
        target = f"{target}~"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    writer: Any = None
    try:
        for batch in batches:
            table = _table(batch, names, target)
            if writer is None:
                writer = (csv.CSVWriter if format == "csv" else pq.ParquetWriter)(part, table.schema)
            writer.write_table(table)
        if writer is None:
            table = pa.table({name: pa.nulls(0, pa.float32()) for name in (*names, target)})
            csv.write_csv(table, part) if format == "csv" else pq.write_table(table, part)
        else:
            writer.close()
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _table(batch: Batch, names: tuple[str, ...], target: str) -> Any:
    import pyarrow as pa

    if hasattr(batch.X, "column_names"):  # raw columns
        return batch.X.append_column(target, pa.array(batch.y))
    X = batch.X if isinstance(batch.X, np.ndarray) else batch.X.toarray()
    columns = [pa.array(np.ascontiguousarray(X[:, j]), from_pandas=True) for j in range(X.shape[1])]
    return pa.table([*columns, pa.array(batch.y)], names=[*names, target])
