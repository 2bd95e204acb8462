"""The forms: a feed → XGBoost's own matrix. Every one has the same bins, and so gives the same trees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fitscale.contracts import Batch, Context, Feed, View
from fitscale.data.spill import Spill
from fitscale.errors import DataError
from fitscale.frameworks.xgboost.cost import PAGE_BATCHES

if TYPE_CHECKING:
    import xgboost

# XGBoost refuses names with these.
_FORBIDDEN = ("[", "]", "<")


class Matrices(NamedTuple):
    """The training matrix, and the validation matrix where early stopping looks at one."""

    train: xgboost.DMatrix
    validation: xgboost.DMatrix | None
    binned: bool  # else the first round makes the bins


def matrices_of(feed: Feed, context: Context, max_bin: int | None, *, validate: bool, named: bool) -> Matrices:
    """Bin the feed in its form. ``named``: columns carry their names, which constraints speak of.

    Raises
    ------
    DataError
        If a view that is needed has no rows.
    """
    if feed.count("train") == 0:
        raise DataError("there are no training rows")
    if validate and feed.count("validation") == 0:
        raise DataError("early stopping has no validation rows: raise evaluate.early_stopping.validation")
    options: dict[str, Any] = {"nthread": context.threads}
    binned = feed.form in ("bins", "cache")
    if binned:
        options["max_bin"] = max_bin
    train = _build(feed, "train", context, options, named)
    if not validate:
        return Matrices(train, None, binned)
    if binned:
        options["ref"] = train  # its bins, which is exact: trees split at the borders of bins only
    return Matrices(train, _build(feed, "validation", context, options, named), binned)


def _build(feed: Feed, view: View, context: Context, options: dict[str, Any], named: bool) -> xgboost.DMatrix:
    import xgboost

    columns = _columns(feed, named)
    size = feed.batch_rows * (PAGE_BATCHES if feed.form == "cache" else 1)
    spill = Spill(lambda: map(_by_column, feed.batches(view, size)), context.scratch)
    if feed.form == "cache":
        # XGBoost names its files by a pointer and leaves them behind when killed: they get a folder of the attempt.
        folder = context.scratch / "xgboost"
        folder.mkdir(parents=True, exist_ok=True)
        return _said(xgboost.ExtMemQuantileDMatrix(_batches()(spill, columns, folder / view), **options), columns)
    if feed.form == "bins":
        return _said(xgboost.QuantileDMatrix(_batches()(spill, columns, None), **options), columns)
    # One matrix, decoded once, of which XGBoost makes its own at 8 bytes a value. Bins made from that take two thirds of the
    # time of those of a QuantileDMatrix, which would hold less: that is what the other forms are for.
    batch = feed.matrix(view)
    try:
        return xgboost.DMatrix(batch.X, label=batch.y, weight=batch.weight, **columns, **options)
    finally:
        del batch
        if release := getattr(feed, "release", None):
            release(view)


def _said(matrix: xgboost.DMatrix, columns: dict[str, Any]) -> xgboost.DMatrix:
    """Names and types as the other forms have them, and not those of a table: a checkpoint of one goes on in another."""
    matrix.feature_names, matrix.feature_types = columns["feature_names"], columns["feature_types"]
    return matrix


def _by_column(batch: Batch) -> Batch:
    """Dense features as (columns, rows): XGBoost looks at each column for itself, a fifth faster where it lies in one piece."""
    return batch._replace(X=np.ascontiguousarray(batch.X.T)) if isinstance(batch.X, np.ndarray) else batch


def _table(X: Any, names: list[str] | None) -> Any:
    """What lies by column as XGBoost takes it, without a copy; NaN stays what is missing."""
    import pyarrow as pa

    if not isinstance(X, np.ndarray):
        return X
    return pa.table([pa.array(column) for column in X], names=names or [str(k) for k in range(len(X))])


def _columns(feed: Feed, named: bool) -> dict[str, Any]:
    """Names and types only where they change anything: they are read again whenever a model meets the matrix."""
    return {
        "feature_names": feature_names(feed.names) if named else None,
        "feature_types": list(feed.kinds) if "c" in feed.kinds else None,
    }


def feature_names(names: tuple[str, ...]) -> list[str] | None:
    """The names as XGBoost takes them; None, so that columns go by position, where it would refuse one."""
    if len(set(names)) < len(names) or any(mark in name for name in names for mark in _FORBIDDEN):
        return None
    return list(names)


@cache
def _batches() -> Any:
    """The class of what XGBoost reads three or four times. Made once: a class is garbage that only cycles free."""
    import xgboost

    class Batches(xgboost.DataIter):
        def __init__(self, spill: Spill, columns: dict[str, Any], cache: Path | None) -> None:
            super().__init__(cache_prefix=None if cache is None else str(cache))
            self.spill = spill
            self.columns = columns
            self.left: Iterator[Batch] = spill.batches()

        def reset(self) -> None:
            self.left = self.spill.batches()

        def next(self, input_data: Callable[..., Any]) -> bool:
            batch = next(self.left, None)
            if batch is None:
                return False
            X = _table(batch.X, self.columns["feature_names"])
            input_data(data=X, label=batch.y, weight=batch.weight, **self.columns)
            return True

    return Batches
