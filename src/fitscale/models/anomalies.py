"""Anomalies: which new values are far from what their models foretell: of a series one step before, of rows from the features."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fitscale.errors import UsageError
from fitscale.models.asked import Asked
from fitscale.models.judging import Told, judged
from fitscale.models.newrows import NewRows, new_rows
from fitscale.models.opened import Run
from fitscale.models.predict import check_out, writing
from fitscale.records.base import Record

if TYPE_CHECKING:
    import pyarrow as pa

THRESHOLD = 4.0  # deviations: one in 16,000 if errors are normal
BATCH_ROWS = 65_536


class Anomalies(Record):
    """How many rows were read, how many could be judged, and how many of those are anomalies."""

    format: int = 1
    rows: int
    judged: int
    anomalies: int
    threshold: float
    why: dict[str, int] = {}  # rows that were not judged, by reason
    out: str


def anomalies(
    run: Run,
    asked: Asked,
    out: Path,
    *,
    threshold: float = THRESHOLD,
    told: Told = lambda done, total: None,
) -> Anomalies:
    """Write one row for each row of the data, in its order: key, time, value, ``expected``, ``score``, ``anomaly`` and ``why``.

    The score is the distance from what was expected, in deviations of the errors of before: of a series while its model was
    fitted, of rows those that were held out.

    Raises
    ------
    UsageError, DataError
        If the data or its columns cannot be used; nothing is left half-written.
    """
    import pyarrow.parquet as pq

    check_out(out)
    if not threshold > 0:
        raise UsageError(f"--threshold {threshold:g}: more than 0 deviations")
    if run.encoding.n_classes:
        raise UsageError(
            f"--anomalies: are values that are far from what was foretold; of {run.recipe.target}, a class, there are none"
        )
    temporary = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    why: Counter[str] = Counter()
    rows = far = 0
    with new_rows(run, asked) as new, writing(out, temporary):
        writer = None
        try:
            for table, reasons, count in _tables(run, new, threshold, told):
                writer = writer or pq.ParquetWriter(temporary, table.schema)
                writer.write_table(table)
                rows, far = rows + table.num_rows, far + count
                why.update(reasons)
        finally:
            if writer is not None:
                writer.close()
        os.replace(temporary, out)
    return Anomalies(
        rows=rows, judged=rows - why.total(), anomalies=far, threshold=threshold, why=dict(why), out=str(out)
    )


def _tables(run: Run, new: NewRows, threshold: float, told: Told) -> Iterator[tuple[pa.Table, Counter[str], int]]:
    """The rows as they came, with what was found of them; why some were not judged; how many are anomalies."""
    import pyarrow as pa

    n = new.reader.rows
    # By row number, in a file: the rows come by series, and go out as they came.
    found = np.memmap(new.beside / "found", np.float64, "w+", shape=(n, 2))
    coded = np.memmap(new.beside / "why", np.int32, "w+", shape=(n,))
    known = {"": 0, "not foretold: the value or what it is foretold from is not known": 1}  # from reason to code
    for chunk in judged(run, new, told):
        at = chunk.row
        found[at, 0], found[at, 1] = chunk.expected, np.abs(chunk.error)
        code = np.array([known.setdefault(text, len(known)) for text in chunk.why], np.int32)[chunk.of]
        coded[at] = np.where((code == 0) & np.isnan(chunk.error), 1, code)
    reasons = np.array(list(known), object)
    time = [run.recipe.time] if run.recipe.time else []
    columns = list(dict.fromkeys([*run.manifest.groups, *time, new.spec.target]))
    for first, batch in new.reader.batches(columns, batch_rows=BATCH_ROWS):
        expected, score = np.array(found[first : first + batch.num_rows]).T
        code = np.array(coded[first : first + batch.num_rows])
        gone = code > 0
        far = ~gone & (score > threshold)
        own = {
            "expected": pa.array(expected, mask=gone),
            "score": pa.array(score, mask=gone),
            "anomaly": pa.array(far, mask=gone),
            "why": pa.array(reasons[code], pa.string(), mask=~gone),
        }
        table = pa.table({**{name: batch.column(name) for name in columns}, **own})
        yield table, Counter(reasons[code[gone]].tolist()), int(far.sum())
