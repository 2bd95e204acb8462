"""Commits: chunks/K says that the models of chunk K are done, names their payload by content, and never changes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitscale.errors import FitscaleError
from fitscale.records.run import ChunkResult
from fitscale.store import crash, files, trust

if TYPE_CHECKING:
    import pyarrow as pa

STATUS = ("fitted", "unfit", "failed")

# One row for each model of the chunk, in key order, after the columns of the group's key.
TABLE: dict[str, str] = {
    "status": "string",  # fitted, unfit (too little data), failed
    "kind": "string",  # of the failure: an exception's name, killed, memory; or whose model it is: parent
    "why": "string",
    "offset": "int64",  # into the chunk's models
    "length": "int64",
    "n_train": "int64",
    "n_holdout": "int64",
    "units": "int32",
}

PARENT = "parent"  # the kind of a group that has the model of several together

# In a version's index, of each model of rows: how many errors were seen on held-out rows, and their moments.
ERRORS = ("error_rows", "error_mean", "error_deviation", "error_kurtosis")

# Names that a column of keys cannot have: they stand beside it in a chunk, in a version's index or among predictions.
OF_ROWS = ("__row__", "__rows__", "__bins__", "__first__", "__stride__", "__begins__", "__step__")
TAKEN = (*TABLE, *ERRORS, "score", "file", "prediction", *OF_ROWS)


def parquet_bytes(table: pa.Table) -> bytes:
    """A table as Parquet: uncompressed, PLAIN, without time stamps or library versions that differ between equal runs."""
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(
        table.replace_schema_metadata(None),
        sink,
        compression="none",
        use_dictionary=False,
        write_statistics=False,
        store_schema=True,
        row_group_size=1 << 20,
    )
    return sink.getvalue()


def commit(
    run: Path,
    task: str,
    number: int,
    *,
    result: dict[str, Any],
    table: pa.Table,
    models: files.Bytes,
    predictions: pa.Table | None,
    pickles: bool,
) -> bool:
    """Commit a chunk: payload first, then its name. False if it was there (with equal bytes).

    Raises
    ------
    FitscaleError
        If it is there with other bytes.
    """
    folder = run / "models"
    name = files.store_content(folder, models)
    if pickles:
        trust.sign(run, name, models)
    chunk = ChunkResult(
        table=files.store_content(folder, parquet_bytes(table)),
        models=name,
        predictions=files.store_content(folder, parquet_bytes(predictions)) if predictions is not None else None,
        **result,
    )
    crash.point("payload.written")
    made = files.create(run / "tasks" / task / "chunks" / f"{number:06d}", chunk.to_json(), before="chunk.temporary")
    crash.point("chunk.linked")
    return made


def committed(run: Path, task: str) -> set[int]:
    """Numbers of the chunks that are done."""
    folder = run / "tasks" / task / "chunks"
    return {int(path.name) for path in folder.iterdir() if path.name.isdigit()} if folder.is_dir() else set()


def read(run: Path, task: str, number: int) -> ChunkResult:
    return ChunkResult.from_json((run / "tasks" / task / "chunks" / f"{number:06d}").read_bytes())


def read_table(run: Path, content: str) -> pa.Table:
    """A table that was kept by content. Raises as `kept`."""
    import pyarrow.parquet as pq

    # read_table would import Arrow's datasets first: a tenth of a second in every process
    return pq.ParquetFile(kept(run, content), memory_map=True).read(use_threads=False)


def kept(run: Path, content: str) -> Path:
    """Where the payload of this digest lies.

    Raises
    ------
    FitscaleError
        If it is gone.
    """
    path = run / "models" / content
    if not path.exists():
        raise FitscaleError(
            f"{path}: is gone, although models were committed with it; put it back, or train anew with --fresh"
        )
    return path
