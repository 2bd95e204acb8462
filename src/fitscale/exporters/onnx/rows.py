"""Real rows to compare on: those of the run's own data that were held out, as many as are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fitscale.data.folds import HOLDOUT, assign, column_of, splits
from fitscale.data.reader import reader_of_run
from fitscale.store import folder

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.data.encoding import Encoding
    from fitscale.data.reader import Reader
    from fitscale.records.run import Manifest


def held_out(run: Path, about: Manifest, encoding: Encoding, most: int) -> pa.Table:
    """The raw columns and the keys of at most ``most`` rows, spread over the data.

    Where a last fit was given all rows, these are the ones that the fit before it was judged by; where none were ever
    held out, rows that were trained on.

    Raises
    ------
    SourceChanged
        If the data is no longer there.
    """
    import pyarrow as pa

    recipe = next(iter(about.recipes.values()))
    task = folder.read_task(run, recipe.digest)
    reader = reader_of_run(task.data, folder.read_snapshot(run, task.snapshot))
    if recipe.use < 1:
        reader = reader.sample(max(1, round(reader.rows * recipe.use)), recipe.seed)
    wanted = list(dict.fromkeys([*about.groups, *encoding.raw_columns]))
    by = column_of(recipe.folds)
    read = [*wanted, *([by] if by and by not in wanted else [])]
    for chosen in dict.fromkeys((splits(recipe.folds), False)):
        kept = []
        for first, batch in _part(reader, most, _share(recipe.folds) if chosen else 1.0, recipe.seed).batches(read):
            if chosen:
                rows = np.arange(first, first + batch.num_rows)
                fold = assign(recipe.folds, rows, batch.column(by) if by else None)
                batch = batch.filter(pa.array(fold == HOLDOUT))
            if batch.num_rows:
                kept.append(batch.select(wanted))
        if kept:
            return pa.Table.from_batches(kept).slice(0, most).combine_chunks()
    return pa.table({name: [] for name in wanted})


def _part(reader: Reader, most: int, share: float, seed: int) -> Reader:
    """A part of the rows of which about ``most`` are held out; for splits by time that may be too few, and then all."""
    enough = int(1.2 * most / max(share, 1e-9)) + 1
    return reader if enough >= reader.rows else reader.sample(enough, seed)


def _share(folds: object) -> float:
    part = getattr(folds, "part", None)
    return 1 / part[1] if part else float(getattr(folds, "holdout", 0.0))
