"""The distances of a regression, block by block: sums over all rows, shares and pictures from evenly drawn ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fitscale.records.worth import Reach, Residuals

if TYPE_CHECKING:
    from fitscale.models.worth.judged import Block

MOST_DRAWN = 1_000_000
SHARES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
CELLS = 40
REACHES = 20


class Distances:
    """``rows``: how many will come, so that they are drawn evenly."""

    def __init__(self, rows: int) -> None:
        self._step = max(1, -(-rows // MOST_DRAWN))
        self._rows = 0
        self._sums = np.zeros(3)  # of the residuals, their absolute values, their squares
        self._drawn: list[tuple[np.ndarray, np.ndarray]] = []

    def add(self, block: Block) -> None:
        actual, predicted = block.y.astype(np.float64), block.value.astype(np.float64)
        left = actual - predicted
        self._sums += (left.sum(), np.abs(left).sum(), np.square(left).sum())
        at = slice(-self._rows % self._step, None, self._step)
        self._drawn.append((actual[at], predicted[at]))
        self._rows += len(left)

    def result(self) -> Residuals:
        actual, predicted = (np.concatenate(parts) for parts in zip(*self._drawn, strict=True))
        left = actual - predicted
        mean, absolute, square = (float(each) for each in self._sums / self._rows)
        low, high = (float(edge) for edge in np.quantile(left, [0.01, 0.99]))
        if low == high:
            low, high = low - 0.5, high + 0.5
        counts, edges = np.histogram(np.clip(left, low, high), bins=CELLS, range=(low, high))
        return Residuals(
            rows=self._rows,
            mean=mean,
            mean_absolute=absolute,
            root_mean_square=float(np.sqrt(square)),
            shown_rows=len(left),
            shares=tuple(zip(SHARES, np.quantile(left, SHARES).tolist(), strict=True)),
            edges=tuple(edges.tolist()),
            counts=tuple(counts.tolist()),
            reach=_reach(actual, predicted),
        )


def _reach(actual: np.ndarray, predicted: np.ndarray) -> tuple[Reach, ...]:
    """Equally many rows by prediction, equal predictions together."""
    edges = np.unique(np.quantile(predicted, np.arange(1, REACHES) / REACHES))
    number = np.searchsorted(edges, predicted, side="left")
    found = []
    for k in np.unique(number):
        own, said = actual[number == k], float(predicted[number == k].mean())
        low, high = (float(edge) for edge in np.quantile(own, [0.05, 0.95]))
        found.append(Reach(rows=len(own), predicted=said, actual=float(own.mean()), low=low, high=high))
    return tuple(found)
