"""fitscale's own metrics give scikit-learn's values, on data with ties, weights, small and one-sided groups."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as sk

from fitscale.metrics import metric

BINARY = [
    "roc_auc",
    "average_precision",
    "accuracy",
    "balanced_accuracy",
    "f1",
    "precision",
    "recall",
    "neg_log_loss",
    "neg_brier_score",
]
MULTICLASS = ["accuracy", "balanced_accuracy", "neg_log_loss", "neg_brier_score"]
REGRESSION = ["r2", "neg_mean_squared_error", "neg_root_mean_squared_error", "neg_mean_absolute_error"]
CLOSE = {"rtol": 1e-10, "atol": 1e-10}

sizes = st.integers(1, 40)
# few values: equal scores, the ends 0 and 1 among them
scores = st.sampled_from([0.0, 1e-9, 0.125, 0.25, 1 / 3, 0.5, 0.7, 0.7000000001, 1.0])
weights = st.one_of(st.none(), st.just([0.0, 0.5, 1.0, 1e-3, 7.3]), st.just([0.1, 1e4]))


@st.composite
def tables(draw: st.DrawFn, k: int) -> tuple[np.ndarray, ...]:
    """group, y, predicted classes or values, probabilities, weight: of up to 5 groups."""
    n = draw(sizes)
    group = draw(hnp.arrays(np.int64, n, elements=st.integers(0, 4)))
    kinds = draw(weights)
    weight = None if kinds is None else draw(hnp.arrays(np.float64, n, elements=st.sampled_from(kinds)))
    if k == 0:
        steps = st.integers(-80, 80).map(lambda i: i / 8)
        return group, *(draw(hnp.arrays(np.float64, n, elements=steps)) for _ in range(2)), np.empty(n), weight
    y, called = (draw(hnp.arrays(np.float64, n, elements=st.integers(0, k - 1))) for _ in range(2))
    if k == 2:
        return group, y, called, draw(hnp.arrays(np.float64, n, elements=scores)), weight
    votes = draw(hnp.arrays(np.float64, (n, k), elements=st.sampled_from([1.0, 2.0, 5.0, 1e-6])))
    return group, y, called, votes / votes.sum(axis=1, keepdims=True), weight


def expected(name: str, y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None, k: int) -> float:
    """scikit-learn's value of a group; NaN where fitscale leaves it undefined."""
    heavy = np.ones(len(y), bool) if weight is None else weight > 0
    needs = metric(name).needs  # type: ignore[attr-defined]
    if not heavy.any() or not needs <= set(y[heavy]):
        return np.nan
    if name == "r2" and len(y) > 1 and len(set(y[heavy])) == 1:
        # 1 where it is met, else 0; scikit-learn divides by the rounding of the mean, where a weight makes one.
        return float(np.array_equal(y[heavy], predicted[heavy]))
    scorer = sk.get_scorer(name)
    more: dict[str, Any] = (
        {"labels": np.arange(k)} if name == "neg_log_loss" or (name == "neg_brier_score" and k > 2) else {}
    )
    if name == "neg_brier_score" and k == 2:
        more["pos_label"] = 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(scorer._sign * scorer._score_func(y, predicted, sample_weight=weight, **scorer._kwargs, **more))


def compare(name: str, table: tuple[np.ndarray, ...], k: int) -> None:
    group, y, called, proba, weight = table
    own = metric(name, k)
    predicted = proba if own.takes == "proba" else called
    by_group = []
    for code in range(6):
        at = group == code
        w = None if weight is None else weight[at]
        by_group.append(expected(name, y[at], predicted[at], w, k) if at.any() else np.nan)
    np.testing.assert_allclose(own.many(group, 6, y, predicted, weight), by_group, **CLOSE)
    one = own.one(y, predicted, weight)
    np.testing.assert_allclose(np.nan if one is None else one, expected(name, y, predicted, weight, k), **CLOSE)


@pytest.mark.parametrize("name", BINARY)
@given(table=tables(2))
@settings(max_examples=60, deadline=None)
def test_binary(name: str, table: tuple[np.ndarray, ...]) -> None:
    """Two classes: equal to 1e-10, for each group and for all rows."""
    compare(name, table, 2)


@pytest.mark.parametrize("name", MULTICLASS)
@given(table=tables(4))
@settings(max_examples=60, deadline=None)
def test_multiclass(name: str, table: tuple[np.ndarray, ...]) -> None:
    """Four classes, of which a group may lack some."""
    compare(name, table, 4)


# Of seven rows one has a weight: what counts is constant, and its weighted mean is rounded.
ONE_COUNTS = (np.zeros(7, int), np.array([-0.25, 0, 0, 0, 0, 0, 4.375]), *np.zeros((2, 7)), np.array([0.0] * 6 + [7.3]))


@pytest.mark.parametrize("name", REGRESSION)
@example(table=ONE_COUNTS)
@given(table=tables(0))
@settings(max_examples=60, deadline=None)
def test_regression(name: str, table: tuple[np.ndarray, ...]) -> None:
    """Values: equal to 1e-10, constant groups and single rows among them."""
    if name == "r2" and table[4] is not None and (heavy := table[4][table[4] > 0]).size:
        # Where one row outweighs all others by more than that, scikit-learn rounds the variance to nothing.
        assume(heavy.max() < 1e8 * heavy.min())
    compare(name, table, 0)


@pytest.mark.parametrize("name", BINARY)
def test_two_columns_are_the_second(name: str) -> None:
    """Probabilities of both classes score as those of class 1 alone."""
    own = metric(name)
    if own.takes == "proba":
        rng = np.random.default_rng(0)
        p, y = rng.random(200), rng.integers(0, 2, 200)
        both = np.column_stack([1 - p, p])
        assert own.one(y, both, None) == pytest.approx(own.one(y, p, None), rel=1e-12)
