"""Rows that a model cannot be fitted on: infinite features, missing targets, weights that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fitscale.data.columns import numbers_of
from fitscale.data.encoding import infinite_values
from fitscale.data.folds import assign, column_of
from fitscale.data.labels import missing_target
from fitscale.data.views import CODE
from fitscale.errors import DataError, NoWeight

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.contracts import Batch
    from fitscale.data.encoding import Encoding
    from fitscale.data.labels import Labels
    from fitscale.data.reader import Reader
    from fitscale.records.data import Folds
    from fitscale.records.workload import DataSpec


def weights_of(column: pa.Array, name: str) -> np.ndarray:
    """(n,) float32, NaN where missing."""
    values, nulls = numbers_of(column, name)
    with np.errstate(over="ignore"):
        weight = values.astype(np.float32)
    if nulls is not None:
        weight[nulls] = np.nan
    return weight


def flawed(y: np.ndarray, weight: np.ndarray | None) -> bool:
    """Whether a target or weight cannot be used. Cheap: asked of every batch."""
    return not (np.isfinite(y).all() and (weight is None or bool(((weight >= 0) & (weight < np.inf)).all())))


def check(batch: Batch, encoding: Encoding, weight_name: str | None) -> None:
    """Raise DataError for what is wrong with these rows: the place, how many, the first, and what to do.

    Slow, and called where something was seen to be wrong.
    """
    X, y, weight, row = batch
    _check_target(y, row, encoding.outcome)
    if weight is not None:
        _check_weight(weight, row, weight_name or "")
    if encoding.input != "raw" and bool(np.isinf(X if isinstance(X, np.ndarray) else X.data).any()):
        raise infinite_values(X, encoding.names, row)


def need_weight(reader: Reader, data: DataSpec, folds: Folds) -> None:
    """Raise NoWeight where no training row weighs anything: libraries fail at that, or fit a model of nothing.

    Reads up to the first that does.
    """
    if data.weight is None:
        return
    by, n = column_of(folds), 0
    for first, batch in reader.batches(list(dict.fromkeys([data.weight, *([by] if by else [])]))):
        rows = np.arange(first, first + batch.num_rows)
        train = assign(folds, rows, batch.column(by) if by else None) == CODE["train"]
        weight = weights_of(batch.column(data.weight), data.weight)
        if weight[train].any():  # a missing or negative one too: that has a sentence of its own
            return
        n += int(train.sum())
    if n:
        raise NoWeight(
            f"data.weight: column '{data.weight}' is 0 in all {n:,} training rows, so that none counts: give weights above"
            " 0, or leave data.weight out"
        )


def no_training_rows() -> DataError:
    return DataError("evaluate: no row is left to train on; hold out less, by another column, or with another seed")


def _check_target(y: np.ndarray, row: np.ndarray, target: Labels) -> None:
    gone = np.flatnonzero(np.isnan(y))
    if len(gone):
        raise missing_target(target.name, target.type, len(gone), int(row[gone[0]]))
    infinite = np.flatnonzero(np.isinf(y))
    if len(infinite):
        raise DataError(
            f"data.target: column '{target.name}' is infinite (or beyond 3.4e38) in {len(infinite):,} rows (the first is row"
            f" {row[infinite[0]]:,}); leave them out with data.where"
        )


def _check_weight(weight: np.ndarray, row: np.ndarray, name: str) -> None:
    for wrong, word in ((np.isnan(weight), "missing"), (weight < 0, "negative"), (np.isinf(weight), "infinite")):
        where = np.flatnonzero(wrong)
        if len(where):
            raise DataError(
                f"data.weight: column '{name}' is {word} in {len(where):,} rows (the first is row {row[where[0]]:,});"
                " leave them out with data.where"
            )
