"""A seeded part of the held-out rows with their raw columns: bounded in rows and cells, spread over the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fitscale.data.folds import HOLDOUT, assign, column_of
from fitscale.data.reader import Reader
from fitscale.data.views import CODE, Views
from fitscale.work.feeding import reader_of

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.models.worth.judged import Judged
    from fitscale.records.data import Folds

MOST_ROWS = 50_000
MOST_CELLS = 8_000_000
LEAST_ROWS = 500
BATCH = 16_384


class Sample(NamedTuple):
    """``table`` has the raw columns; ``row`` their numbers in the snapshot, ascending."""

    table: pa.Table
    row: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None


def sample_of(judged: Judged, most: int | None = None) -> Sample:
    """At most ``most`` held-out rows; default: as many as are bounded in cells, raw and encoded.

    Raises
    ------
    SourceChanged, FitscaleError
        If the data is gone, or is no longer what the version was trained on.
    """
    import pyarrow as pa

    task, encoding = judged.task, judged.encoding
    width = max(len(encoding.columns), encoding.width, 1)
    most = most or max(LEAST_ROWS, min(MOST_ROWS, MOST_CELLS // width))
    folds = task.recipe.folds
    by, weight = column_of(folds), task.recipe.weight
    beside = [encoding.target_name, *([weight] if weight else []), *([by] if by else [])]
    read = list(dict.fromkeys([*encoding.raw_columns, *beside]))
    kept: list[tuple[pa.RecordBatch, np.ndarray]] = []
    part = _part(reader_of(judged.run, task), folds, most)
    for first, batch in part.batches(read, batch_rows=BATCH):
        rows = np.arange(first, first + batch.num_rows)
        held = np.flatnonzero(assign(folds, rows, batch.column(read.index(by)) if by else None) == HOLDOUT)
        if len(held):
            kept.append((batch.take(pa.array(held)), rows[held]))
    if not kept:
        return Sample(pa.table({name: [] for name in encoding.raw_columns}), np.empty(0, np.int64), np.empty(0), None)
    row = np.concatenate([rows for _, rows in kept])
    table = pa.Table.from_batches([batch for batch, _ in kept]).unify_dictionaries().combine_chunks()
    if len(row) > most:  # evenly, or the end of the data would never be seen
        at = np.linspace(0, len(row) - 1, most).astype(np.int64)
        row, table = row[at], table.take(pa.array(at))
    whole = table.combine_chunks().to_batches()[0]
    heft = np.asarray(whole.column(read.index(weight)).to_numpy(zero_copy_only=False), float) if weight else None
    columns = table.select([read.index(name) for name in encoding.raw_columns])
    return Sample(columns, row, encoding.target(whole), heft)


def _part(reader: Reader, folds: Folds, most: int) -> Reader:
    """A part of the rows of which somewhat more than ``most`` are held out, or all that are."""
    if folds.by == "random":
        share = 1 / folds.part[1] if folds.part else folds.holdout
        return reader.sample(int(1.2 * most / share) + 1, folds.seed)
    # By time they lie at the end, by a column wherever its values do: one pass over that column tells.
    views = Views(reader, folds)
    counts, segments = views.counts[:, CODE["holdout"]], views.segments
    holding = Reader(reader.source, reader.snapshot, tuple((a, b) for a, b in segments[counts > 0].tolist()))
    total = int(counts.sum())
    return holding if total <= most else holding.sample(int(1.2 * most * holding.rows / total) + 1, folds.seed)
