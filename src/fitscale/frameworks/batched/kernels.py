"""Least squares and levels of many groups: rectangles of groups of about one size, each group for itself."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from fitscale.contracts import Batch
from fitscale.frameworks.padding import padded_to

CELLS = 1 << 19  # of a rectangle: 4 MB stay in the cache
SMALLEST = 1e-12  # of the largest eigenvalue: what is below cannot be told from nothing


class Kernel(Protocol):
    def fit(self, X: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """(b, 1 + d) intercepts and coefficients of (b, t, d) rows; ``weight`` (b, t) is 0 where there is none."""


class Ridge(NamedTuple):
    """Least squares with a penalty ``alpha`` on the squares of coefficients, not of the intercept, as scikit-learn's.

    Where the penalty is 0 and columns hang together: of all the best coefficients the smallest.
    """

    alpha: float

    def fit(self, X: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
        total = weight.sum(axis=1)
        share = weight / np.maximum(total, 1e-300)[:, None]
        middle = np.matmul(share[:, None], X)[:, 0]  # (b, d)
        level = (share * y).sum(axis=1)
        root = np.sqrt(weight)
        away = (X - middle[:, None]) * root[..., None]
        off = (y - level[:, None]) * root
        flipped = np.ascontiguousarray(away.transpose(0, 2, 1))
        A = np.matmul(flipped, flipped.transpose(0, 2, 1))
        d = X.shape[2]
        A[:, range(d), range(d)] += self.alpha
        b = np.matmul(flipped, off[:, :, None])
        sizes, axes = np.linalg.eigh(A)
        largest = np.abs(sizes).max(axis=1, keepdims=True, initial=0.0)
        inverse = np.where(sizes > SMALLEST * largest, 1.0 / np.where(sizes > SMALLEST * largest, sizes, 1.0), 0.0)
        found = np.matmul(axes, inverse[..., None] * np.matmul(axes.transpose(0, 2, 1), b))[..., 0]
        return np.concatenate([(level - (found * middle).sum(axis=1))[:, None], found], axis=1)


class Quantile(NamedTuple):
    """The mean (None) or a quantile of the target, whatever the columns: rows weigh for the mean alone."""

    quantile: float | None

    def fit(self, X: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
        found = np.zeros((len(y), 1 + X.shape[2]))
        if self.quantile is None:
            found[:, 0] = (weight * y).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-300)
            return found
        there = weight > 0
        ordered = np.sort(np.where(there, y, np.inf), axis=1)
        n = there.sum(axis=1)
        at = self.quantile * np.maximum(n - 1, 0)
        low = np.floor(at).astype(np.int64)
        each = np.arange(len(y))
        below, above = ordered[each, low], ordered[each, np.minimum(low + 1, np.maximum(n - 1, 0))]
        found[:, 0] = below + np.where(above > below, above - below, 0.0) * (at - low)
        return found


def fitted(kernel: Kernel, rows: Batch, sizes: np.ndarray, *, one_by_one: bool = False) -> np.ndarray:
    """(g, 1 + d) of groups of rows, one after the other; NaN of those of fewer than two rows, or without weight."""
    X, y, d = rows.X, rows.y, rows.X.shape[1]
    found = np.full((len(sizes), 1 + d), np.nan)
    starts = np.cumsum(sizes) - sizes
    padded = padded_to(sizes)
    for length in np.unique(padded[sizes >= 2]).tolist():
        members = np.flatnonzero((padded == length) & (sizes >= 2))
        each = 1 if one_by_one else max(1, CELLS // (length * (d + 1)))
        for first in range(0, len(members), each):
            which = members[first : first + each]
            place = starts[which][:, None] + np.arange(length)
            there = np.arange(length) < sizes[which][:, None]
            place = np.where(there, place, starts[which][:, None])
            weight = there.astype(np.float64)
            if rows.weight is not None:
                weight *= rows.weight[place]
            own = kernel.fit(
                np.where(there[..., None], X[place], 0.0).astype(np.float64),
                np.where(there, y[place], 0.0).astype(np.float64),
                weight,
            )
            found[which] = np.where(weight.sum(axis=1)[:, None] > 0, own, np.nan)
    return found


def values(found: np.ndarray, X: np.ndarray, of: np.ndarray) -> np.ndarray:
    """(n,) what the models ``of`` the rows say, column after column: the same, however many rows there are."""
    total: np.ndarray = found[of, 0].copy()
    for k in range(X.shape[1]):
        total += found[of, 1 + k] * X[:, k]
    return total
