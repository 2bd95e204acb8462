"""Mean and deviation of many columns, to the same bits however the rows were cut into files and batches."""

from __future__ import annotations

import numpy as np


class Moments:
    """Of one column, from blocks that are fixed by row number.

    Within a block two passes, between blocks the pairwise update of Chan, Golub and LeVeque (1979): no cancellation for
    values far from zero.
    """

    __slots__ = ("_squares", "mean", "n")

    def __init__(self) -> None:
        self.n = 0
        self.mean = 0.0
        self._squares = 0.0

    def add(self, values: np.ndarray) -> None:
        """float64 values without NaN."""
        n = len(values)
        if not n:
            return
        with np.errstate(over="ignore"):
            mean = float(values.sum()) / n
            apart = values - mean
            squares = float(np.multiply(apart, apart, out=apart).sum())
        both = self.n + n
        step = mean - self.mean
        self._squares += squares + step * step * (self.n * n / both)
        self.mean += step * (n / both)
        self.n = both

    @property
    def deviation(self) -> float:
        """Of the values as a population; 1 where they are all the same (or beyond all measure), which changes nothing."""
        return float(np.sqrt(self._squares / self.n)) if 0 < self._squares < np.inf else 1.0
