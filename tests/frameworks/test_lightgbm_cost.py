"""The law's priors against what was measured: a formula that is edited must still tell the same sizes."""

from __future__ import annotations

import pytest

from fitscale.frameworks.lightgbm import LightGBM
from fitscale.frameworks.lightgbm.cost import WORKER_BYTES
from fitscale.records.data import Folds, Shape
from fitscale.records.plan import Law, Term
from fitscale.records.run import Estimator, Form, Recipe


def law(shape: Shape, form: Form = "bins", **params: object) -> Law:
    estimator = Estimator(path="lightgbm.LGBMClassifier", params=params)
    recipe = Recipe(framework="lightgbm", estimator=estimator, encoding="", data="", target="y", folds=Folds(seed=0))
    return LightGBM().law(shape, recipe, form)


def total(terms: tuple[Term, ...]) -> float:
    return sum(term.amount * term.prior for term in terms)


@pytest.mark.parametrize(
    ("rows", "features", "params", "binning", "rounds"),
    [
        (900_000, 30, {"n_estimators": 50}, 2.43, 6.69),
        (20_000, 28, {"n_estimators": 30}, 0.077, 0.107),
        (3_000, 28, {"n_estimators": 100}, 0.0125, 0.173),
        (500, 28, {"n_estimators": 100}, 0.0033, 0.048),
        (500, 4, {"n_estimators": 100}, 0.0012, 0.0114),
        (500, 4, {"n_estimators": 100, "subsample": 0.7, "subsample_freq": 1}, 0.0010, 0.0182),
    ],
)
def test_time_priors_tell_what_was_measured(
    rows: int, features: int, params: dict[str, object], binning: float, rounds: float
) -> None:
    """CPU seconds of finding and filling bins, and of the rounds, within a factor of two: machines differ by more."""
    time = law(Shape(rows=rows, features=features), **params).time
    assert 0.5 < total(time["bin"]) / binning < 2
    assert 0.5 < total(time["iterations"]) / rounds < 2


# Rows, columns, cells of a row; CPU seconds until the first round and MB when trees have grown (31 leaves), above the matrix.
SPARSE = [
    (20_000, 3_000, 20, 1.2, 86),
    (20_000, 10_000, 20, 2.4, 117),
    (20_000, 10_000, 100, 4.3, 403),
    (100_000, 10_000, 20, 11.4, 410),
    (50_000, 30_000, 60, 24.7, 677),
]


@pytest.mark.parametrize(("rows", "features", "cells", "binning", "mb"), SPARSE)
def test_each_column_of_each_sparse_row_is_asked_for(
    rows: int, features: int, cells: int, binning: float, mb: float
) -> None:
    """What is not there takes time too: seconds within a factor of two, memory within 30 %."""
    found = law(Shape(rows=rows, features=features, density=cells / features), "matrix", n_estimators=4)
    assert 0.5 < total(found.time["bin"]) / binning < 2
    assert (total(found.memory) - WORKER_BYTES) / 1e6 == pytest.approx(mb, rel=0.3)


def test_a_hundred_thousand_columns_are_no_ten_seconds() -> None:
    """Making a Booster of 100,000 rows took 50 s of two threads; without a group of sparse columns it does not."""
    shape = Shape(rows=100_000, features=100_000, density=60 / 100_000)
    assert total(law(shape, "matrix").time["bin"]) > 60
    assert total(law(shape, "matrix", is_enable_sparse=False).time["bin"]) < 10
    begun = total(law(shape, "matrix", bagging_fraction=0.5, bagging_freq=1).time["iterations"])
    assert begun - total(law(shape, "matrix").time["iterations"]) > 300  # one for each segment of ten rounds


def test_the_sample_of_the_bins_ends_where_the_parameter_says() -> None:
    """More rows are binned, but not more looked at for borders: a probe on few rows tells the whole."""

    def sample(rows: int, **params: object) -> float:
        return next(t.amount for t in law(Shape(rows=rows, features=10), **params).time["bin"] if t.name == "sample")

    assert sample(100_000) == 10 * 100_000
    assert sample(500_000) == sample(10**8) == 10 * 200_000
    assert sample(10**8, subsample_for_bin=1_000) == 10 * 1_000


def test_quantised_holds_less_than_in_memory() -> None:
    """A byte a cell, twice where histograms are made by rows, and the state of each row, against the matrix; for one more pass."""
    shape = Shape(rows=10_000_000, features=50, missing=0.05, holdout_rows=1_000_000)
    matrix, bins = law(shape, "matrix"), law(shape, "bins")
    assert total(bins.memory) < 0.65 * total(matrix.memory)
    assert (matrix.passes, bins.passes) == (1, 2)


def test_every_parameter_of_the_size_counts() -> None:
    """Leaves, depth, rounds, draws and classes all move the time of the rounds the right way, by any of their names."""

    def rounds(classes: int = 2, **params: object) -> float:
        return total(law(Shape(rows=100_000, features=20, classes=classes), **params).time["iterations"])

    plain = rounds()
    assert rounds(max_leaves=255) > plain
    assert rounds(max_depth=3) < plain
    assert rounds(num_iterations=200) == pytest.approx(2 * plain)
    assert rounds(subsample=0.5) == plain
    assert rounds(subsample=0.5, subsample_freq=1) < plain
    assert rounds(colsample_bytree=0.5) < plain
    assert rounds(classes=5) == pytest.approx(5 * plain)
