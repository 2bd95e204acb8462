"""Metrics of predicted classes and of their probabilities.

A ratio without a denominator is 0 as in scikit-learn where the model is the cause (it predicts no positive), and
undefined where the data is (there is no positive: every model would get 0).
"""

from __future__ import annotations

import numpy as np

from fitscale.metrics.blocks import Blocks, Blockwise


def accuracy(blocks: Blocks, y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """The share of rows whose class is right."""
    return blocks.mean(y == predicted, weight)


def balanced_accuracy(blocks: Blocks, y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """The mean over the classes in y of the share that is found."""
    order, starts, first = blocks.runs(y, stable=True)  # the order that weights are summed in
    heft = np.ones(len(y)) if weight is None else weight[order]
    total = np.add.reduceat(heft, starts)
    found = np.add.reduceat(heft * (y == predicted)[order], starts)
    seen = total > 0
    recall = np.divide(found, total, out=np.zeros_like(total), where=seen)
    return np.add.reduceat(recall, first) / np.add.reduceat(seen, first, dtype=np.int64)


def precision(blocks: Blocks, y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """The share of positives among the rows called positive."""
    hits, called, _ = _positives(blocks, y, predicted, weight)
    return _share(hits, called)


def recall(blocks: Blocks, y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """The share of rows called positive among the positives."""
    hits, _, real = _positives(blocks, y, predicted, weight)
    return _share(hits, real)


def f1(blocks: Blocks, y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """The harmonic mean of precision and recall."""
    hits, called, real = _positives(blocks, y, predicted, weight)
    return _share(2 * hits, called + real)


def neg_log_loss(blocks: Blocks, y: np.ndarray, proba: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """The mean logarithm of the probability given to the right class, no nearer to 0 and 1 than the dtype's epsilon."""
    right = _of_right_class(y, proba)
    epsilon = np.finfo(right.dtype).eps
    return blocks.mean(np.log(np.clip(right, epsilon, 1 - epsilon), dtype=np.float64), weight)


def neg_brier_score(blocks: Blocks, y: np.ndarray, proba: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """Minus the mean squared distance from the right class: 0 to 1 for two classes, 0 to 2 (all columns) for more."""
    if proba.ndim == 1 or proba.shape[1] == 1:
        squares = np.square(1.0 - _of_right_class(y, proba).astype(np.float64))
    else:
        gaps = proba.astype(np.float64)
        gaps[np.arange(len(y)), y.astype(np.intp)] -= 1
        squares = np.square(gaps, out=gaps).sum(axis=1)
        if proba.shape[1] == 2:
            squares *= 0.5
    return -blocks.mean(squares, weight)


def _of_right_class(y: np.ndarray, proba: np.ndarray) -> np.ndarray:
    """(n,) the probability that each row's own class was given."""
    if proba.ndim == 2 and proba.shape[1] > 1:
        return np.asarray(proba[np.arange(len(y)), y.astype(np.intp)])
    of_class_1 = proba.reshape(len(y))
    return np.where(y == 1, of_class_1, 1 - of_class_1)


def _positives(
    blocks: Blocks, y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """By group: weight of the positives called so, of all rows called positive, of all positives."""
    real, called = y == 1, predicted == 1
    if weight is None:
        return blocks.sum(real & called), blocks.sum(called), blocks.sum(real)
    return blocks.sum(weight * (real & called)), blocks.sum(weight * called), blocks.sum(weight * real)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    shares: np.ndarray = np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)
    return shares


_BINARY = frozenset({"binary"})
_CLASSES = frozenset({"binary", "multiclass"})
_POSITIVE = frozenset({1})
METRICS = (
    Blockwise("accuracy", "label", _CLASSES, accuracy),
    Blockwise("balanced_accuracy", "label", _CLASSES, balanced_accuracy),
    Blockwise("f1", "label", _BINARY, f1, needs=_POSITIVE),
    Blockwise("precision", "label", _BINARY, precision, needs=_POSITIVE),
    Blockwise("recall", "label", _BINARY, recall, needs=_POSITIVE),
    Blockwise("neg_log_loss", "proba", _CLASSES, neg_log_loss),
    Blockwise("neg_brier_score", "proba", _CLASSES, neg_brier_score),
)
