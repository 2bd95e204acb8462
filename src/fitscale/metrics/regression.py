"""Metrics of predicted values."""

from __future__ import annotations

import numpy as np

from fitscale.metrics.blocks import Blocks, Blockwise


def r2(blocks: Blocks, y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """1 less the share of the variance that is left. Undefined for a single row.

    Where y is constant, 1 if it is met exactly and 0 otherwise, as in scikit-learn.
    """
    left = blocks.mean(np.square(_errors(y, predicted)), weight)
    # from the group's first value that counts: a constant then has a variance of exactly 0, whatever the rounding of its mean
    centred = y.astype(np.float64)
    centred -= blocks.spread(centred[_first_counted(blocks, weight)])
    centred -= blocks.spread(blocks.mean(centred, weight))
    variance = blocks.mean(np.square(centred, out=centred), weight)
    value = np.where(variance > 0, 1 - left / variance, np.where(left > 0, 0.0, 1.0))
    value[(blocks.sizes < 2) | np.isnan(left) | np.isnan(variance)] = np.nan
    return value


def _first_counted(blocks: Blocks, weight: np.ndarray | None) -> np.ndarray:
    """(groups,) place of each group's first row with a weight; of any row where none has one."""
    counted = np.flatnonzero(weight) if weight is not None else ()
    if not len(counted):
        return blocks.starts
    return counted[np.minimum(np.searchsorted(counted, blocks.starts), len(counted) - 1)]


def neg_mean_squared_error(
    blocks: Blocks, y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None
) -> np.ndarray:
    """Minus the mean squared error, in the square of the target's unit."""
    return -blocks.mean(np.square(_errors(y, predicted)), weight)


def neg_root_mean_squared_error(
    blocks: Blocks, y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None
) -> np.ndarray:
    """Minus the root of the mean squared error, in the target's unit."""
    return -np.asarray(np.sqrt(blocks.mean(np.square(_errors(y, predicted)), weight)))


def neg_mean_absolute_error(
    blocks: Blocks, y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None
) -> np.ndarray:
    """Minus the mean absolute error, in the target's unit."""
    return -blocks.mean(np.abs(_errors(y, predicted)), weight)


def _errors(y: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    errors: np.ndarray = np.subtract(y, predicted.reshape(len(y)), dtype=np.float64)
    return errors


_REGRESSION = frozenset({"regression"})
METRICS = (
    Blockwise("r2", "value", _REGRESSION, r2),
    Blockwise("neg_mean_squared_error", "value", _REGRESSION, neg_mean_squared_error),
    Blockwise("neg_root_mean_squared_error", "value", _REGRESSION, neg_root_mean_squared_error),
    Blockwise("neg_mean_absolute_error", "value", _REGRESSION, neg_mean_absolute_error),
)
