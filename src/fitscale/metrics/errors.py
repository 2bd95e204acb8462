"""How far predictions are from what was true, row by row, and the moments of these errors by group: what drift is seen by."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

NORMAL = 3.0  # kurtosis


def errors_of(y: np.ndarray, value: np.ndarray, proba: np.ndarray | None, classes: int) -> np.ndarray:
    """(n,) the truth less what was foretold, which for classes is a probability.

    Of two classes that of the second; of more what is left for the others beside the true one. Where there are labels alone,
    1 for a wrong one.

    Parameters
    ----------
    y, value
        (n,) values or class codes.
    proba
        (n, classes), or None.
    classes
        0: values.
    """
    if not classes:
        away: np.ndarray = np.asarray(y, np.float64) - value
        return away
    if proba is None:
        return np.where(np.isnan(y) | np.isnan(value), np.nan, y != value)
    if classes == 2:
        away = np.asarray(y, np.float64) - proba[:, 1]
        return away
    known = ~np.isnan(y)
    left = np.full(len(y), np.nan)
    left[known] = 1.0 - proba[known, y[known].astype(np.int64)]
    return left


class Moments(NamedTuple):
    """(g,) each, of the errors of g groups that are known: how many, mean, variance, kurtosis."""

    rows: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    kurtosis: np.ndarray


def moments(error: np.ndarray, of: np.ndarray, groups: int) -> Moments:
    """Of (n,) errors, each of the group ``of``; NaN are left out. Without spread the kurtosis is that of normal errors."""
    known = ~np.isnan(error)
    error, of = error[known], of[known]
    rows = np.bincount(of, minlength=groups).astype(np.float64)
    mean = np.bincount(of, error, groups) / np.maximum(rows, 1)
    away = (error - mean[of]) ** 2
    variance = np.bincount(of, away, groups) / np.maximum(rows - 1, 1)
    fourth = np.bincount(of, away**2, groups) / np.maximum(rows, 1)
    square = variance**2
    spread = square > 0  # of the smallest numbers it is not, either
    return Moments(rows, mean, variance, np.where(spread, fourth / np.where(spread, square, 1.0), NORMAL))
