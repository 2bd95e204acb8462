"""The law's priors against what was measured: a formula that is edited must still tell the same sizes."""

from __future__ import annotations

import pytest

from fitscale.frameworks.xgboost import XGBoost
from fitscale.frameworks.xgboost.cost import WORKER_BYTES
from fitscale.planning.forecasts.holding import memory_of
from fitscale.records.data import Folds, Shape
from fitscale.records.plan import Candidate, Measurement, Term
from fitscale.records.run import Estimator, Form, Recipe, Strategy, batch_rows_of

MIB = 2**20


def recipe(**params: object) -> Recipe:
    estimator = Estimator(path="xgboost.XGBClassifier", params=params)
    return Recipe(framework="xgboost", estimator=estimator, encoding="", data="", target="y", folds=Folds(seed=0))


def total(terms: tuple[Term, ...]) -> float:
    return sum(term.amount * term.prior for term in terms)


@pytest.mark.parametrize(
    ("form", "rows", "features", "missing", "depth", "mib"),
    [
        ("matrix", 1_000_000, 30, 0.0, 6, 370),
        ("bins", 1_000_000, 30, 0.0, 6, 122),
        ("cache", 1_000_000, 30, 0.0, 6, 85),
        ("matrix", 1_000_000, 30, 0.1, 6, 410),
        ("bins", 1_000_000, 30, 0.1, 6, 196),
        ("cache", 1_000_000, 30, 0.1, 6, 81),
        ("matrix", 2_500_000, 29, 0.02, 8, 1073),
        ("bins", 2_500_000, 29, 0.02, 8, 510),
        ("bins", 2_500_000, 29, 0.5, 8, 380),
        ("cache", 2_500_000, 29, 0.02, 8, 187),
        ("matrix", 300_000, 60, 0.1, 10, 403),
        ("bins", 300_000, 60, 0.1, 10, 391),
    ],
)
def test_memory_priors_tell_what_was_measured(
    form: Form, rows: int, features: int, missing: float, depth: int, mib: float
) -> None:
    """Peak anonymous memory of real fits, above that of the process before them, within 30 %."""
    shape = Shape(rows=rows, features=features, missing=missing)
    law = XGBoost().law(shape, recipe(n_estimators=10, max_depth=depth), form)
    assert (total(law.memory) - WORKER_BYTES) / MIB == pytest.approx(mib, rel=0.3)


@pytest.mark.parametrize(
    ("form", "rows", "features", "mb"),
    [
        ("matrix", 500, 10_000, 480),
        ("matrix", 2_000, 10_000, 942),
        ("bins", 2_000, 10_000, 782),
        ("matrix", 8_000, 3_000, 798),
        ("bins", 30_000, 1_000, 884),
        ("matrix", 16_000, 2_500, 1304),
        ("bins", 16_000, 2_500, 1037),  # in one batch
        ("cache", 16_000, 2_500, 1031),
    ],
)
def test_ten_thousand_columns_of_few_rows_are_no_twenty_gigabytes(
    form: Form, rows: int, features: int, mb: float
) -> None:
    """Quantiles are found in no more room than the rows take: real fits of depth 3, the matrix included."""
    law = XGBoost().law(Shape(rows=rows, features=features), recipe(n_estimators=2, max_depth=3), form)
    assert 0.7 < (total(law.memory) - WORKER_BYTES) / 1e6 / mb < 1.4


def test_a_batch_of_a_wide_table_has_fewer_rows() -> None:
    """65,536 rows of 20,000 columns would be 5 GB, which no strategy that goes batch by batch should hold."""
    assert [batch_rows_of(width) for width in (29, 256, 10_000, 20_000)] == [65_536, 65_536, 2_048, 2_048]
    assert batch_rows_of(20_000, 64) == 64
    shape = Shape(rows=16_000, features=20_000)
    batch = next(t for t in XGBoost().law(shape, recipe(), "bins").memory if t.name == "batch")
    assert batch.amount == 2_048 * 20_000


def test_a_small_group_is_not_asked_for_a_sketch_of_many_rows() -> None:
    """1,141 groups of up to 1,950 rows, two workers: 192 MB were held, of which all but 60 are the two processes."""
    shape = Shape(rows=1_560, features=28, missing=0.1, missing_most=0.99, holdout_rows=390)
    law = XGBoost().law(shape, recipe(n_estimators=100, max_depth=4), "matrix")
    assert 1e6 < total(law.memory) - WORKER_BYTES < 30e6


@pytest.mark.parametrize(
    ("rows", "features", "missing", "depth", "binning", "rounds"),
    [(1_000_000, 30, 0.0, 6, 4.3, 1.1), (1_000_000, 30, 0.1, 6, 4.0, 1.6), (300_000, 60, 0.1, 10, 2.5, 2.4)],
)
def test_time_priors_tell_what_was_measured(
    rows: int, features: int, missing: float, depth: int, binning: float, rounds: float
) -> None:
    """CPU seconds of ten rounds, within a factor of two: machines differ by more."""
    law = XGBoost().law(
        Shape(rows=rows, features=features, missing=missing), recipe(n_estimators=10, max_depth=depth), "matrix"
    )
    assert 0.5 < total(law.time["bin"]) / binning < 2
    assert 0.5 < total(law.time["iterations"]) / rounds < 2


def test_wide_and_deep_is_told_by_its_histograms() -> None:
    """2,000 columns at depth 10 took 8.9 GB for a matrix of 0.4 GB."""
    law = XGBoost().law(Shape(rows=50_000, features=2_000), recipe(max_depth=10), "bins")
    assert total(law.memory) == pytest.approx(8.9e9, rel=0.2)
    assert law.error[2] == 0.3


FLIGHTS = Shape(rows=261_877, features=28, missing=0.11, missing_most=0.997, holdout_rows=65_469)
TILED = FLIGHTS.but(rows=4_000_000, holdout_rows=1_000_000)


@pytest.mark.parametrize(
    ("strategy", "shape", "rounds", "begun", "held", "within"),
    [
        ("in-memory", FLIGHTS, 300, 252e6, 288e6, 0.05),
        ("in-memory", FLIGHTS, 500, 247e6, 304e6, 0.05),
        ("out-of-core", TILED, 5, 345e6, 388e6, 0.1),  # pages that are read ahead
        ("out-of-core", TILED, 25, 345e6, 424e6, 0.1),
    ],
)
def test_a_beginning_tells_what_more_rounds_will_hold(
    strategy: Strategy, shape: Shape, rounds: int, begun: float, held: float, within: float
) -> None:
    """The flights at depth 8: measured after two rounds, and at the end of so many."""
    form: Form = "cache" if strategy == "out-of-core" else "matrix"
    law = XGBoost().law(shape, recipe(n_estimators=rounds, max_depth=8), form)
    candidate = Candidate(
        name=strategy, framework="xgboost", strategy=strategy, engine="process", machine="here", threads=2, form=form
    )
    seen = Measurement(
        path=candidate.path, shape=shape, full_size=True, phases={}, units=1, done=2, peak_bytes=round(begun)
    )
    figure, _ = memory_of(candidate, law, shape, [(seen, law)])
    assert figure.value == pytest.approx(held, rel=within)
    assert figure.low < held < figure.high


def test_the_forms_are_ordered_by_their_size() -> None:
    """Out of core holds least, then bins, then the matrix; what one holds less in memory it takes on disk."""
    shape = Shape(rows=10_000_000, features=50, missing=0.05, holdout_rows=1_000_000)
    laws = [XGBoost().law(shape, recipe(), form) for form in ("cache", "bins", "matrix")]
    sizes = [total(law.memory) for law in laws]
    assert sizes == sorted(sizes)
    cache, spilled, nothing = (total(law.storage) - total(laws[2].storage) for law in laws)
    assert nothing == 0
    assert spilled == 10_000_000 * (50 * 4 + 5)  # the encoded batches, while bins are made of them
    assert cache > spilled + 10_000_000 * 50
    assert {law.passes for law in laws} == {1}  # of reading and encoding: later passes find the encoded batches


def test_ranks_share_the_rows() -> None:
    """A rank holds its share of the training rows."""
    one, two = (
        total(XGBoost().law(Shape(rows=10**8, features=20, ranks=ranks), recipe(), "shard").memory) for ranks in (1, 2)
    )
    assert two - WORKER_BYTES == pytest.approx((one - WORKER_BYTES) / 2, rel=0.05)


def test_every_parameter_of_the_size_counts() -> None:
    """Depth, leaves, rounds, parallel trees, sampling and classes all move the time of the rounds the right way."""

    def rounds(classes: int = 2, **params: object) -> float:
        return total(
            XGBoost()
            .law(Shape(rows=100_000, features=20, classes=classes), recipe(**params), "bins")
            .time["iterations"]
        )

    plain = rounds()
    assert rounds(max_depth=10) > plain
    assert rounds(max_depth=0, max_leaves=8) < rounds(max_depth=0, max_leaves=800)
    assert rounds(n_estimators=200) == pytest.approx(2 * plain)
    assert rounds(num_parallel_tree=2) == pytest.approx(2 * plain)
    assert rounds(subsample=0.5) < plain
    assert rounds(colsample_bytree=0.5) < plain
    assert rounds(classes=5) == pytest.approx(5 * plain)
