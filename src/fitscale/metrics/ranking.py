"""Metrics that look at the order of the scores only: the areas under two curves. Both want two classes.

Weights are counted as whole numbers (62 bits for the sum of a group): sums of them are exact, so that neither the order
of the rows nor the groups beside change a bit. In a group of n rows, a weight is exact to n / 2**62 of the largest.
"""

from __future__ import annotations

import numpy as np

from fitscale.metrics.blocks import Blocks, Blockwise


def roc_auc(blocks: Blocks, y: np.ndarray, score: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """The chance that a positive row is scored above a negative one, an equal score being half (mid-ranks)."""
    score = _of_class_1(score)
    positive, negative, first = _ties(blocks, y, score, weight)
    pairs = _sums(positive, first) * _sums(negative, first)
    # each positive row beats the negatives below it and half of those beside it
    beaten = _before(negative, first)
    beaten *= 2
    beaten += negative
    del negative
    halves = positive.astype(np.float64)
    del positive
    halves *= beaten
    value = np.minimum(np.add.reduceat(halves, first) / (2 * pairs), 1.0)
    return _unless_nan(value, blocks, score)


def average_precision(blocks: Blocks, y: np.ndarray, score: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """The mean over the positive rows of the precision among rows scored as high; equal scores come together."""
    score = _of_class_1(score)
    positive, negative, first = _ties(blocks, y, score, weight)
    hits = _from(positive, first)
    called = _from(negative, first)
    called += hits
    del negative
    precision = np.divide(hits, called, out=np.zeros(len(hits)), where=called > 0)
    precision *= positive
    return _unless_nan(np.add.reduceat(precision, first) / _sums(positive, first), blocks, score)


def _of_class_1(proba: np.ndarray) -> np.ndarray:
    return proba if proba.ndim == 1 else np.ascontiguousarray(proba[:, -1])


def _ties(
    blocks: Blocks, y: np.ndarray, score: np.ndarray, weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weight of positives and of negatives at each distinct score, ascending by group; where each group begins."""
    order, starts, first = blocks.runs(score)
    is_positive = (y == 1)[order]
    if weight is None:
        del order
        positive = np.add.reduceat(is_positive, starts, dtype=np.int64)
        total = _lengths(starts, len(y))
    else:
        heft = weight[order]
        del order
        heft = _whole_numbers(heft, blocks)
        total = np.add.reduceat(heft, starts)
        heft *= is_positive
        positive = np.add.reduceat(heft, starts)
    total -= positive
    return positive, total, first


def _whole_numbers(weight: np.ndarray, blocks: Blocks) -> np.ndarray:
    """(n,) int64, overwriting ``weight``: times the power of two that keeps the sum of each group below 2**62."""
    _, below = np.frexp(np.maximum.reduceat(weight, blocks.starts))
    _, rows = np.frexp(blocks.sizes)
    np.ldexp(weight, blocks.spread(62 - rows - below), out=weight)
    whole: np.ndarray = np.rint(weight, out=weight).astype(np.int64)
    return whole


def _before(count: np.ndarray, first: np.ndarray) -> np.ndarray:
    """(runs,) int64: how much came before each run in its group. Exact: a sum over all groups may wrap, and back."""
    before = np.cumsum(count)
    before -= count
    if len(first) > 1:
        before -= np.repeat(before[first], _lengths(first, len(count)))
    return before


def _from(count: np.ndarray, first: np.ndarray) -> np.ndarray:
    """(runs,) int64: how much is in each run and in those after it in its group."""
    rest = _before(count, first)
    sums = np.add.reduceat(count, first)
    np.subtract(sums if len(first) == 1 else np.repeat(sums, _lengths(first, len(count))), rest, out=rest)
    return rest


def _lengths(starts: np.ndarray, n: int) -> np.ndarray:
    """From each start to the next, the last to ``n``. np.diff with an end appended would copy twice."""
    lengths = np.empty_like(starts)
    np.subtract(starts[1:], starts[:-1], out=lengths[:-1])
    lengths[-1] = n - starts[-1]
    return lengths


def _sums(count: np.ndarray, first: np.ndarray) -> np.ndarray:
    sums: np.ndarray = np.add.reduceat(count, first).astype(np.float64)
    return sums


def _unless_nan(value: np.ndarray, blocks: Blocks, score: np.ndarray) -> np.ndarray:
    """A score that is not a number has no place in the order: then there is no value."""
    value[np.isnan(np.maximum.reduceat(score, blocks.starts))] = np.nan
    return value


_TWO = frozenset({0, 1})
METRICS = (
    Blockwise("roc_auc", "proba", frozenset({"binary"}), roc_auc, needs=_TWO),
    Blockwise("average_precision", "proba", frozenset({"binary"}), average_precision, needs=_TWO),
)
