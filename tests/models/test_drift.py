"""The tests of drift alarm where something changed, and hold their rate where nothing did."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitscale.models.drift import needed, p_of

NEW = BEFORE = 200


def p_of_series(y: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Of (g, t) new values against (g, t) that a mean and a deviation were fitted on."""
    mean, deviation = before.mean(axis=1, keepdims=True), before.std(axis=1, ddof=1, keepdims=True)
    z = (y - mean) / deviation
    away = z - z.mean(axis=1, keepdims=True)
    square = (away**2).sum(axis=1) / (z.shape[1] - 1)
    kurtosis = (away**4).mean(axis=1) / square**2
    own = ((before - mean) ** 4).mean(axis=1) / deviation[:, 0] ** 4
    n, of = (np.full(len(y), float(part.shape[1])) for part in (y, before))
    return p_of(n, z.mean(axis=1), square, np.fmax(kurtosis, own), of)


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
