"""The tests of drift alarm where something changed, and hold their rate where nothing did."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitscale.metrics.errors import errors_of, moments
from fitscale.models.drift import long_run, needed, p_of

NEW = BEFORE = 200


def p_of_series(y: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Of (g, t) new values against (g, t) that a mean and a deviation were fitted on."""
    mean, deviation = before.mean(axis=1, keepdims=True), before.std(axis=1, ddof=1, keepdims=True)
    of = np.repeat(np.arange(len(y)), y.shape[1])
    z, z_before = (((part - mean) / deviation).reshape(-1) for part in (y, before))
    new, old = moments(z, of, len(y)), moments(z_before, of, len(y))
    return p_of(new._replace(kurtosis=np.fmax(new.kurtosis, old.kurtosis)), long_run(z, of, new), old.rows)


@pytest.mark.parametrize("noise", ["normal", "laplace"])
def test_without_drift_alarms_are_rare(noise: str) -> None:
    """Of forty times two thousand series, few times have an alarm at all: all of those would be false."""
    rng = np.random.default_rng(0)
    draw = getattr(rng, noise)
    runs = [needed(p_of_series(draw(size=(2_000, NEW)), draw(size=(2_000, BEFORE)))) for _ in range(40)]
    assert sum(bool((q <= 0.05).any()) for q in runs) <= 6


def test_a_shift_of_one_deviation_is_found() -> None:
    """In nearly all of the series that have it, among many that do not; and of the alarms few are false."""
    rng = np.random.default_rng(1)
    new = rng.normal(size=(20_000, NEW))
    new[:200] += 1.0
    q = needed(p_of_series(new, rng.normal(size=(20_000, BEFORE))))
    assert (q[:200] <= 0.05).mean() >= 0.95
    assert (q[200:] <= 0.05).sum() <= 0.1 * (q <= 0.05).sum()


def test_a_change_of_the_spread_is_found() -> None:
    """Errors that are half as large again, or two thirds, with the same mean."""
    rng = np.random.default_rng(2)
    for factor in (1.5, 0.65):
        p = p_of_series(factor * rng.normal(size=(500, NEW)), rng.normal(size=(500, BEFORE)))
        assert (p < 1e-3).mean() > 0.9


def test_p_is_even_where_nothing_changed() -> None:
    """A tenth of it below a tenth, for normal errors; no more with heavy tails."""
    rng = np.random.default_rng(3)
    p = p_of_series(rng.normal(size=(20_000, NEW)), rng.normal(size=(20_000, BEFORE)))
    assert 0.06 < (p < 0.1).mean() < 0.105
    heavy = p_of_series(rng.standard_t(5, size=(20_000, NEW)), rng.standard_t(5, size=(20_000, BEFORE)))
    assert (heavy < 0.01).mean() < 0.02


@given(st.lists(st.floats(0, 1) | st.just(np.nan), max_size=30))
def test_what_is_needed_is_benjamini_and_hochbergs(p: list[float]) -> None:
    """At every rate the alarms are those of the rule: the largest k with p_(k) <= k rate / m."""
    q = needed(np.array(p, float))
    tested = sorted(value for value in p if not np.isnan(value))
    for rate in (0.01, 0.05, 0.3):
        passing = [k for k, value in enumerate(tested, 1) if value <= k * rate / len(tested) * (1 + 1e-12)]
        assert np.count_nonzero(q <= rate * (1 + 1e-12)) == (max(passing) if passing else 0)
    assert np.array_equal(np.isnan(q), np.isnan(np.array(p, float)))


@given(
    st.lists(st.lists(st.floats(-1e3, 1e3) | st.just(float("nan")), max_size=20), min_size=1, max_size=6),
    st.integers(0, 9),
)
def test_moments_are_those_of_each_group_alone(groups: list[list[float]], seed: int) -> None:
    """In any order of the rows; what is not known is not counted."""
    error = np.array([value for group in groups for value in group])
    of = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    order = np.random.default_rng(seed).permutation(len(error))
    found = moments(error[order], of[order], len(groups))
    for k, group in enumerate(groups):
        known = np.array([value for value in group if value == value])
        assert found.rows[k] == len(known)
        if len(known) > 1:
            assert found.mean[k] == pytest.approx(known.mean(), abs=1e-9)
            assert found.variance[k] == pytest.approx(known.var(ddof=1), rel=1e-6, abs=1e-9)


def test_errors_of_classes_are_of_their_probabilities() -> None:
    """Two classes: against the second; more: what is left beside the true one; labels alone: right or wrong."""
    nan = np.nan
    y = np.array([0.0, 1.0, nan])
    two = np.array([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5]])
    np.testing.assert_allclose(errors_of(y, y, two, 2), [-0.1, 0.4, nan])
    three = np.array([[0.7, 0.2, 0.1], [0.3, 0.1, 0.6], [0.4, 0.3, 0.3]])
    np.testing.assert_allclose(errors_of(y, y, three, 3), [0.3, 0.9, nan])
    np.testing.assert_allclose(errors_of(y, np.array([0.0, 0.0, 1.0]), None, 2), [0.0, 1.0, nan])
    np.testing.assert_allclose(errors_of(y, np.array([0.5, 0.5, 0.5]), None, 0), [-0.5, 0.5, nan])


def test_errors_that_hang_together_widen_the_doubt() -> None:
    """By the variance of their mean: of an autoregression of 0.2 half as much again; a day of large errors does not count."""
    rng = np.random.default_rng(4)
    e = rng.normal(size=(2_000, 400))
    of = np.repeat(np.arange(2_000), 400)
    assert np.mean(long_run(e.reshape(-1), of, moments(e.reshape(-1), of, 2_000)).variance) == pytest.approx(
        1.0, abs=0.03
    )
    e[:, :20] += 20.0
    assert np.mean(long_run(e.reshape(-1), of, moments(e.reshape(-1), of, 2_000)).variance) == pytest.approx(
        1.0, abs=0.3
    )  # where it was 20
    e[:, :20] -= 20.0
    for t in range(1, 400):
        e[:, t] += 0.2 * e[:, t - 1]
    assert np.mean(long_run(e.reshape(-1), of, moments(e.reshape(-1), of, 2_000)).variance) == pytest.approx(
        1.0 / 0.8**2, rel=0.08
    )
