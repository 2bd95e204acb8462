"""Rows that a model cannot be fitted on: infinite features, missing targets, weights that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fitscale.data.columns import numbers_of
from fitscale.data.encoding import infinite_values
from fitscale.data.labels import missing_target
from fitscale.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.contracts import Batch
    from fitscale.data.encoding import Encoding


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
    _check_target(y, row, encoding.target_name)
    if weight is not None:
        _check_weight(weight, row, weight_name or "")
    if encoding.input != "raw" and bool(np.isinf(X if isinstance(X, np.ndarray) else X.data).any()):
        raise infinite_values(X, encoding.names, row)


def no_training_rows() -> DataError:
    return DataError("evaluate: no row is left to train on; hold out less, by another column, or with another seed")


def _check_target(y: np.ndarray, row: np.ndarray, name: str) -> None:
    gone = np.flatnonzero(np.isnan(y))
    if len(gone):
        raise missing_target(name, len(gone), int(row[gone[0]]))
    infinite = np.flatnonzero(np.isinf(y))
    if len(infinite):
        raise DataError(
            f"data.target: column '{name}' is infinite (or beyond 3.4e38) in {len(infinite):,} rows (the first is row"
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
