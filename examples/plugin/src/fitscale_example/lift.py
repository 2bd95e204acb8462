"""Lift in the top decile: how many times as many positives the tenth of the rows that score highest has as all rows have."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

SHARE = 0.1


class TopDecileLift:
    """See `fitscale.contracts.Metric`. Rows of equal score at the border count in part; weights are numbers of rows."""

    name: ClassVar[str] = "top_decile_lift"
    takes: ClassVar[Literal["label", "proba", "value"]] = "proba"
    greater: ClassVar[bool] = True
    tasks: ClassVar[frozenset[str]] = frozenset({"binary"})
    needs: ClassVar[frozenset[int]] = frozenset({1})  # without a positive there is nothing to lift

    def one(self, y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> float | None:
        score = predicted if predicted.ndim == 1 else predicted[:, -1]
        w = np.ones(len(y)) if weight is None else weight.astype(np.float64)
        positive = w * (y == 1)
        if not positive.sum():
            return None
        _, code = np.unique(-score, return_inverse=True)  # equal scores together, the highest first
        rows, hits = np.bincount(code, w), np.bincount(code, positive)
        top = SHARE * w.sum()
        taken = np.clip(top - (np.cumsum(rows) - rows), 0.0, rows)  # of each score, what of it is in the top tenth
        share = np.divide(taken, rows, out=np.zeros(len(rows)), where=rows > 0)
        return float((hits * share).sum() / top / (positive.sum() / w.sum()))

    def many(
        self, group: np.ndarray, n_groups: int, y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None
    ) -> np.ndarray:
        values = np.full(n_groups, np.nan)
        for code in np.unique(group):
            rows = group == code
            value = self.one(y[rows], predicted[rows], None if weight is None else weight[rows])
            values[code] = np.nan if value is None else value
        return values
