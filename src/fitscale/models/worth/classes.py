"""Confusion and calibration of a classifier, block by block: what is held does not grow with the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fitscale.records.worth import Bin, Calibration, Confusion

if TYPE_CHECKING:
    from fitscale.models.worth.judged import Block

MOST_CLASSES = 20  # of a matrix that can be read
MISTAKEN = 12
BINS = 10
# Probabilities are counted in cells that are 0.2 % wide, relative to the distance to the nearer of 0 and 1: the upper bits
# of that distance as a float32 number the cells.
_SHIFT = 14
_HALF = int(np.float32(0.5).view(np.uint32)) >> _SHIFT


class Confusing:
    """Counts (class, called)."""

    def __init__(self, classes: int) -> None:
        self._classes = classes
        self._counts = np.zeros(classes * classes, np.int64)

    def add(self, block: Block) -> None:
        code = block.y.astype(np.int64) * self._classes + block.value.astype(np.int64)
        self._counts += np.bincount(code, minlength=len(self._counts))

    def result(self, labels: list[str]) -> Confusion:
        k = self._classes
        counts = self._counts.reshape(k, k)
        wrong = np.where(np.eye(k, dtype=bool), 0, counts).ravel()
        most = np.argsort(-wrong, kind="stable")[:MISTAKEN]
        readable = k <= MOST_CLASSES
        return Confusion(
            rows=int(counts.sum()),
            classes=k,
            labels=tuple(labels) if readable else (),
            counts=tuple(tuple(row) for row in counts.tolist()) if readable else (),
            mistaken=tuple((labels[at // k], labels[at % k], int(wrong[at])) for at in most.tolist() if wrong[at]),
        )


class Calibrating:
    """Sums predictions and truths by cell; the bins are put together from the cells at the end."""

    def __init__(self, classes: int) -> None:
        self._classes = classes
        self._rows, self._predicted, self._true = (np.zeros(2 * _HALF + 1) for _ in range(3))
        self._squares = 0.0

    def add(self, block: Block) -> None:
        assert block.proba is not None
        codes = block.y.astype(np.int64)
        if self._classes == 2:
            p, true = block.proba[:, 1], (codes == 1).astype(float)
            self._squares += float(np.square(p - true).sum())
        else:
            called = block.value.astype(np.int64)
            p, true = block.proba[np.arange(len(called)), called], (codes == called).astype(float)
            gaps = block.proba.copy()
            gaps[np.arange(len(codes)), codes] -= 1.0
            self._squares += float(np.square(gaps).sum())
        cell = _cell(p)
        for sums, each in ((self._rows, None), (self._predicted, p), (self._true, true)):
            sums += np.bincount(cell, weights=each, minlength=len(sums))

    def result(self, label: str | None) -> Calibration:
        total = self._rows.sum()
        there = np.flatnonzero(self._rows)
        rows = self._rows[there]
        ends = np.cumsum(rows)
        # The cell that holds the row at each tenth ends a bin.
        tenths = np.floor((total - 1) * np.arange(1, BINS) / BINS)
        edges = np.searchsorted(ends, tenths, side="right")
        number = np.searchsorted(np.unique(edges), np.arange(len(there)), side="left")
        bins = []
        for k in np.unique(number):
            at = there[number == k]
            n = self._rows[at].sum()
            means = self._predicted[at] / self._rows[at]
            bins.append(Bin(
                rows=int(n), low=float(means.min()), high=float(means.max()),
                predicted=float(self._predicted[at].sum() / n), observed=float(self._true[at].sum() / n),
            ))  # fmt: skip
        return Calibration(
            label=label,
            rows=int(total),
            bins=tuple(bins),
            brier=self._squares / total,
            ece=sum(b.rows * abs(b.predicted - b.observed) for b in bins) / total,
        )


def _cell(p: np.ndarray) -> np.ndarray:
    """(n,) the number of each probability's cell, ascending with it."""
    distance = np.minimum(p, 1.0 - p).clip(0.0, 0.5).astype(np.float32)
    near = (distance.view(np.uint32) >> _SHIFT).astype(np.int64)
    cell: np.ndarray = np.where(p <= 0.5, near, 2 * _HALF - near)
    return cell
