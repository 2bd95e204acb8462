"""Predict: raw columns in, predictions out, batch by batch, through one model or through many by key."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitscale.errors import DataError, UsageError, nearest
from fitscale.models.asked import Asked
from fitscale.models.opened import Run
from fitscale.models.sparing import Spared, scored, scored_encoded
from fitscale.records.base import Record
from fitscale.work.model import no_probabilities

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from fitscale.data.reader import Reader

BATCH_ROWS = 65_536


class Predicted(Record):
    """How many rows were read, and how many have no prediction, by reason."""

    rows: int
    predicted: int
    why: dict[str, int] = {}
    out: str


def predict(
    run: Run,
    asked: Asked,
    out: Path,
    *,
    proba: bool = False,
    named: str | None = None,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> Predicted:
    """Write one row for each row of the data, in its order: the key, the prediction, and ``why`` where there is none.

    A row that its model cannot take (an infinite value) costs that row alone. ``named`` is what errors call the data;
    default: its address.

    Raises
    ------
    UsageError, DataError
        If the data or its columns cannot be used; nothing is left half-written.
    """
    check_out(out)
    if proba and run.encoding.labels() is None:
        raise UsageError("--proba: the models are regressors; leave it out")
    if proba and run.manifest.gives != "probabilities":
        raise UsageError(f"--proba: {no_probabilities(run.estimator, run.manifest.gives)}; leave it out")
    temporary = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        reader = _reader(run, asked, temporary.with_suffix(".rows"))
        return _predicted(run, named or asked.named(run), reader, out, temporary, proba, told)
    finally:
        shutil.rmtree(temporary.with_suffix(".rows"), ignore_errors=True)


def foretell(run: Run, steps: int, out: Path) -> Predicted:
    """Write the next steps of every series, with their intervals: see `models.ahead`.

    Raises
    ------
    UsageError
        For models that are of no series, or where it cannot be written; nothing is left half-written.
    """
    import pyarrow.parquet as pq

    check_out(out)
    table = run.ahead(steps)
    temporary = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    with writing(out, temporary):
        pq.write_table(table, temporary)
        os.replace(temporary, out)
    return Predicted(rows=table.num_rows, predicted=table.num_rows, out=str(out))


def check_out(out: Path) -> None:
    """Raise UsageError for what can be no file of predictions."""
    if out.suffix != ".parquet" or out.is_dir():
        raise UsageError(f"--out {out}: predictions are written as Parquet; name a file that ends in .parquet")


@contextlib.contextmanager
def writing(out: Path, temporary: Path) -> Iterator[None]:
    """What is written is there as a whole afterwards, or not at all."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        problem = os.strerror(error.errno) if error.errno else str(error)
        raise UsageError(f"--out {out}: cannot be written ({problem}); name another file") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _reader(run: Run, asked: Asked, beside: Path) -> Reader:
    """The new rows; those of a source that cannot be read as they are, are staged beside the predictions meanwhile."""
    from fitscale.data.choosing import open_source
    from fitscale.data.reader import Reader
    from fitscale.data.staging import parquet_of

    source = open_source(asked.spec(run))
    if source.stable:
        return Reader(source, source.snapshot())
    if hasattr(source, "expects"):
        source.expects = {column.name: column.type for column in run.encoding.columns}
        source.expects |= {
            field.name: str(field.type) for field in run.models().schema if field.name in run.manifest.groups
        }
    return parquet_of(source, beside)


def _predicted(
    run: Run, named: str, reader: Reader, out: Path, temporary: Path, proba: bool, told: Callable[[int, int], None]
) -> Predicted:
    import pyarrow.parquet as pq

    if out.exists() and any(_is_file(Path(reader.snapshot.root, piece.path), out) for piece in reader.snapshot.pieces):
        raise UsageError(f"--out {out}: is the data itself; name another file")
    there = [name for name, _ in reader.snapshot.columns]
    columns = [*run.manifest.groups, *(n for n in run.encoding.raw_columns if n not in run.manifest.groups)]
    for name in columns:
        if name not in there:
            means = "by which models are found" if name in run.manifest.groups else "which the model was trained on"
            near = nearest(name, there) or f"; columns: {', '.join(there[:20])}{', …' if len(there) > 20 else ''}"
            raise DataError(f"{named}: no column '{name}', {means}{near}")
    writer: Any = None
    rows = predicted = 0
    why: dict[str, int] = {}
    with writing(out, temporary):
        for first, batch in reader.batches(columns, batch_rows=BATCH_ROWS):
            try:
                result, reasons = (_by_key if run.manifest.groups else _by_one)(run, batch, proba)
            except DataError as error:
                where = f"{named}, rows {first:,} to {first + batch.num_rows - 1:,}"
                raise DataError(f"{where}: {error}") from error
            writer = writer or pq.ParquetWriter(temporary, result.schema)
            writer.write_table(result)
            rows += batch.num_rows
            predicted += batch.num_rows - sum(reasons.values())
            for reason, count in reasons.items():
                why[reason] = why.get(reason, 0) + count
            told(rows, reader.rows)
        if writer is None:
            pq.write_table(_none(run, proba), temporary)
        else:
            writer.close()
        os.replace(temporary, out)
    return Predicted(rows=rows, predicted=predicted, why=why, out=str(out))


def _is_file(path: Path, out: Path) -> bool:
    return path.exists() and path.samefile(out)  # what is generated has no file


def _none(run: Run, proba: bool) -> pa.Table:
    """The predictions of no rows: the columns of those of some."""
    import numpy as np
    import pyarrow as pa

    index = run.models()
    columns = {name: index.column(name).slice(0, 0) for name in run.manifest.groups}
    columns["prediction"] = run.encoding.decode(np.empty(0))
    if proba:
        columns |= _proba_columns(run, None, 0)
    return pa.table({**columns, "why": pa.nulls(0, pa.string())})


def _by_one(run: Run, batch: pa.RecordBatch, proba: bool) -> tuple[pa.Table, dict[str, int]]:
    found = scored(run.model(), batch)
    return _table(run, {}, found, proba), dict(Counter(found.why.values()))


def _table(run: Run, keys: dict[str, Any], found: Spared, proba: bool) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    n = len(found.value)
    why = np.full(n, None, dtype=object)
    for row, reason in found.why.items():
        why[row] = reason
    columns = {**keys, "prediction": run.encoding.decode(found.value)}
    if proba:
        columns |= _proba_columns(run, found.proba, n)
    return pa.table({**columns, "why": pa.array(why, pa.string())})


def _by_key(run: Run, batch: pa.RecordBatch, proba: bool) -> tuple[pa.Table, dict[str, int]]:
    """Rows of one key go through their model together; each prediction returns to its row. They are encoded once, for all keys."""
    import numpy as np
    import pyarrow as pa

    keys, codes = keys_of(batch, run.manifest.groups)
    n = batch.num_rows
    value = np.full(n, np.nan)
    chances: np.ndarray | None = None
    why: dict[int, str] = {}
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(keys) + 1)).tolist()
    ordered = batch.take(pa.array(order))
    X = _encoded(run, ordered)
    for k, key in enumerate(keys):
        start, stop = bounds[k], bounds[k + 1]
        at = order[start:stop]
        entry = run.entry(key)
        if entry is None or entry.status != "fitted":
            why |= dict.fromkeys(at.tolist(), "unknown key" if entry is None else entry.status)
            continue
        model, rows = run.load(entry), ordered.slice(start, stop - start)
        found = scored(model, rows) if X is None else scored_encoded(model, X[start:stop], rows)
        value[at] = found.value
        why |= {int(at[row]): reason for row, reason in found.why.items()}
        if found.proba is not None:
            if chances is None:
                chances = np.full((n, found.proba.shape[1]), np.nan)
            chances[at] = found.proba
    names = {name: batch.column(name) for name in run.manifest.groups}
    return _table(run, names, Spared(value, chances, why), proba), dict(Counter(why.values()))


def _encoded(run: Run, batch: pa.RecordBatch) -> Any:
    """The rows as the models take them; None where some value somewhere cannot be: each group looks for itself then."""
    try:
        return run.encoding.apply(batch)
    except DataError:
        return None


def _proba_columns(run: Run, proba: np.ndarray | None, n: int) -> dict[str, Any]:
    import numpy as np
    import pyarrow as pa

    labels = run.encoding.labels()
    if labels is None:
        raise UsageError("--proba: the models are regressors; leave it out")
    if proba is None:
        proba = np.full((n, len(labels)), np.nan)
    return {
        f"proba_{label}": pa.array(np.ascontiguousarray(proba[:, k]), mask=np.isnan(proba[:, k]))
        for k, label in enumerate(labels)
    }


def keys_of(batch: pa.RecordBatch, names: tuple[str, ...]) -> tuple[list[tuple[Any, ...]], np.ndarray]:
    """The different keys of a batch, and for each row the number of its key."""
    import numpy as np

    codes = np.zeros(batch.num_rows, dtype=np.int64)
    for name in names:
        encoded = batch.column(name).dictionary_encode(null_encoding="encode")
        indices = np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)
        codes = codes * max(1, len(encoded.dictionary)) + indices
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    picked = batch.select(list(names)).take(first)
    columns = [picked.column(name).to_pylist() for name in names]
    return list(zip(*columns, strict=True)), np.asarray(inverse)
