"""How much one column alone says of the target: learnt on one half of the rows, judged on the other, and the other way.

The column is cut into bins of equal rows (a category, a few whole numbers and what is missing are bins of their own); a bin
predicts the mean of its rows. For classes the figure is the area under the ROC curve, for more than two the mean of each
against the rest; for numbers it is R² of ranks, which no outlier moves and no unit of measurement changes. Of the two
directions the lower counts, so that what holds by chance in one half is not told.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fitscale.data.starter.guessing import Task
from fitscale.data.starter.seeing import Seen

LEAK = 0.98
LEAST_ROWS = 50  # of each half
LEAST_OF_CLASS = 5
BINS = 256
ROWS_OF_BIN = 20
CLASSES = 20  # of more the frequent ones, and the others as one


class Goal(NamedTuple):
    """The target of rows that have one. ``y``: (n, k) of 0 and 1 for classes, (n, 1) of ranks within 0 and 1 else."""

    y: np.ndarray
    rows: np.ndarray  # which of the looked-at rows
    half: np.ndarray  # (n,) bool
    measure: str  # AUC, or R² of ranks


def goal(column: Seen, task: Task, seed: int = 0) -> Goal | None:
    """What columns are held to; None where there are too few rows for it."""
    gone = column.values < 0 if column.kind == "category" else ~np.isfinite(column.values)
    rows = np.flatnonzero(~gone)
    half = np.random.default_rng([seed, len(rows)]).permutation(len(rows)) % 2 == 0
    if min(half.sum(), (~half).sum()) < LEAST_ROWS:
        return None
    values = column.values[rows]
    if task == "regression":
        return Goal(_ranks(values)[:, None], rows, half, "R² of ranks")
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")[: 1 if task == "binary" else CLASSES]
    y = np.stack([(codes == code).astype(np.float64) for code in order], axis=1)
    enough = [k for k in range(y.shape[1]) if _enough(y[half, k]) and _enough(y[~half, k])]
    return Goal(y[:, enough], rows, half, "AUC") if enough else None


def _enough(y: np.ndarray) -> bool:
    return LEAST_OF_CLASS <= float(y.sum()) <= len(y) - LEAST_OF_CLASS


def _ranks(values: np.ndarray) -> np.ndarray:
    """From 0 to 1, equal values in their middle."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middles: np.ndarray = (ends - (counts + 1) / 2) / max(1, len(values) - 1)
    return middles[place]


def alone(values: np.ndarray, is_codes: bool, goal: Goal) -> float:
    """The figure of a column, its values as `seeing` has them: near 0.5 (AUC) or 0 where it says nothing, at most 1."""
    mine = values[goal.rows]
    return min(_judged(mine, is_codes, goal.y, fit, ~fit, goal.measure) for fit in (goal.half, ~goal.half))


def _judged(
    values: np.ndarray, is_codes: bool, y: np.ndarray, fit: np.ndarray, judge: np.ndarray, measure: str
) -> float:
    bins = _codes(values) if is_codes else _bins(values, fit)
    n = int(bins.max()) + 1
    counts = np.bincount(bins[fit], minlength=n)
    figures = []
    for k in range(y.shape[1]):
        mean = y[fit, k].mean()
        sums = np.bincount(bins[fit], weights=y[fit, k], minlength=n)
        says = (sums + mean) / (counts + 1)  # a bin without rows says what all rows say
        told, truth = says[bins[judge]], y[judge, k]
        figures.append(_auc(told, truth) if measure == "AUC" else _r2(told, truth))
    shares = y[judge].sum(axis=0) if measure == "AUC" else None
    return float(np.average(figures, weights=shares))


def _codes(values: np.ndarray) -> np.ndarray:
    return values.astype(np.int64) + 1  # −1 is what is missing


def _bins(values: np.ndarray, fit: np.ndarray) -> np.ndarray:
    """Bins of about equal numbers of the rows that are learnt from; missing values have the last."""
    known = np.sort(values[fit & ~np.isnan(values)])
    different = np.unique(known)
    if len(different) <= BINS:
        edges = different
    else:
        n = max(2, min(BINS, len(known) // ROWS_OF_BIN))
        edges = np.unique(known[np.arange(1, n) * len(known) // n])
    bins = np.searchsorted(edges, values, side="left")
    bins[np.isnan(values)] = len(edges) + 1
    return bins


def _auc(told: np.ndarray, truth: np.ndarray) -> float:
    """The share of pairs in the right order, ties half."""
    _, place = np.unique(told, return_inverse=True)
    positive = np.bincount(place, weights=truth)
    negative = np.bincount(place, weights=1 - truth)
    below = np.cumsum(negative) - negative
    return float((positive * (below + negative / 2)).sum() / (positive.sum() * negative.sum()))


def _r2(told: np.ndarray, truth: np.ndarray) -> float:
    spread = float(((truth - truth.mean()) ** 2).sum())
    return 1 - float(((truth - told) ** 2).sum()) / spread if spread else 0.0
