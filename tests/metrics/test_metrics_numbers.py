"""Where numbers get delicate: rounding, scores that are not numbers, memory."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest

from fitscale.metrics import metric


def test_auc_does_not_depend_on_the_order_of_rows() -> None:
    """Ranking counts weights exactly: shuffled rows give the same bits."""
    rng = np.random.default_rng(0)
    n = 5_000
    y, p, w, group = rng.integers(0, 2, n), rng.random(n).round(3), rng.random(n), rng.integers(0, 40, n)
    at = rng.permutation(n)
    for name in ("roc_auc", "average_precision"):
        own = metric(name)
        assert own.one(y, p, w) == own.one(y[at], p[at], w[at])
        first, again = own.many(group, 40, y, p, w), own.many(group[at], 40, y[at], p[at], w[at])
        assert first.tobytes() == again.tobytes()


def test_a_perfect_order_is_exactly_one() -> None:
    """No rounding takes a perfect ranking off 1, nor a reversed one off 0."""
    y = np.repeat([0, 1], 1_000)
    p = np.linspace(0, 1, 2_000)
    assert metric("roc_auc").one(y, p, None) == 1.0
    assert metric("roc_auc").one(y, -p, None) == 0.0
    assert metric("roc_auc").one(y, np.zeros(2_000), None) == 0.5


def test_auc_is_the_share_of_pairs() -> None:
    """By the definition, pair by pair, with weights."""
    rng = np.random.default_rng(1)
    y, p, w = rng.integers(0, 2, 60), rng.random(60).round(1), rng.random(60)
    won = total = 0.0
    for i in np.flatnonzero(y == 1):
        for j in np.flatnonzero(y == 0):
            won += w[i] * w[j] * ((p[i] > p[j]) + (p[i] == p[j]) / 2)
            total += w[i] * w[j]
    assert metric("roc_auc").one(y, p, w) == pytest.approx(won / total, rel=1e-12)


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e290])
def test_the_unit_of_weights_does_not_matter(scale: float) -> None:
    """Weights are shares: very small and very large ones rank alike."""
    rng = np.random.default_rng(2)
    y, p, w = rng.integers(0, 2, 100), rng.random(100), rng.random(100)
    for name in ("roc_auc", "average_precision"):
        assert metric(name).one(y, p, w * scale) == pytest.approx(metric(name).one(y, p, w), rel=1e-12)


@pytest.mark.parametrize(
    "name", ["roc_auc", "average_precision", "neg_log_loss", "neg_brier_score", "r2", "neg_mean_squared_error"]
)
def test_a_prediction_that_is_not_a_number_leaves_no_value(name: str) -> None:
    """A model that diverged in one group has no value there, and costs the other group nothing."""
    own = metric(name)
    y, p, group = np.array([0.0, 1, 0, 1]), np.array([0.2, 0.7, np.nan, 0.7]), np.array([0, 0, 1, 1])
    values = own.many(group, 2, y, p, None)
    assert values[0] == own.one(y[:2], p[:2], None)
    assert np.isnan(values[1])


def test_r2_of_a_constant_is_not_rounding_noise() -> None:
    """A constant target has no variance, even where the mean of equal numbers is not that number."""
    y = np.full(10, 0.1)
    assert y.mean() != 0.1 or np.full(3, 0.1).sum() != 0.3  # the trap is there
    assert metric("r2").one(y, y, None) == 1.0
    assert metric("r2").one(y, y + 1e-9, np.linspace(0.1, 1, 10)) == 0.0


def test_a_loss_of_nothing_is_zero_without_a_sign() -> None:
    """A perfect fit reads 0.0, never -0.0."""
    y = np.array([1.0, 2.0])
    value = metric("neg_mean_squared_error").one(y, y, None)
    assert value == 0
    assert math.copysign(1, value) == 1


def test_auc_of_all_rows_takes_three_arrays() -> None:
    """Beside its input, `one` of roc_auc holds a little over 3 arrays of 8-byte numbers at most (4 with weights)."""
    n = 200_000
    rng = np.random.default_rng(3)
    y, p, w = rng.integers(0, 2, n).astype(np.float32), rng.random(n), rng.random(n)
    own = metric("roc_auc")
    own.one(y, p, w)
    for weight, arrays in ((None, 3.3), (w, 4.3)):
        tracemalloc.start()
        try:
            own.one(y, p, weight)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak / (8 * n) < arrays
