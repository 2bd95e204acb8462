"""Kernels of series against the plain arithmetic that they stand for, and each series by itself."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import toeplitz
from scipy.optimize import minimize

from fitscale.errors import DataError, WorkloadError
from fitscale.frameworks.grid import gridded
from fitscale.frameworks.padding import padded_to
from fitscale.frameworks.residuals import SAID
from fitscale.frameworks.series import Series, arima, likelihood, payload
from fitscale.frameworks.series.likelihood import Point
from fitscale.frameworks.series.params import asked
from fitscale.frameworks.series.together import KERNELS, fitted
from fitscale.records.run import Estimator

HOUR = 3_600_000_000_000
ESTIMATORS: dict[str, dict[str, Any]] = {
    "series.AR": {"lags": 2, "seasonal": 24},
    "series.ARIMA": {"order": [2, 0, 1]},
    "series.Smoothing": {"season": 24},
    "series.Mean": {},
    "series.Quantile": {"quantile": 0.9},
    "series.Seasonal": {"season": 24},
}


def made(path: str, Y: np.ndarray, **params: Any) -> tuple[Any, np.ndarray]:
    """Settings, and the numbers of the models of (b, t) series."""
    found = asked(Estimator(path=path, params=params))
    numbers = KERNELS[found.kind].fit(Y, np.zeros(len(Y), np.int64), HOUR, found.settings)
    return found.settings, numbers


def arma(b: int, t: int, phi: tuple[float, ...], theta: tuple[float, ...], seed: int = 0) -> np.ndarray:
    """(b, t) after a long beginning."""
    e = np.random.default_rng(seed).standard_normal((b, t + 300))
    y = np.zeros_like(e)
    for s in range(t + 300):
        y[:, s] = e[:, s] + sum(f * y[:, s - i] for i, f in enumerate(phi, 1)) + sum(
            f * e[:, s - i] for i, f in enumerate(theta, 1)
        )  # fmt: skip
    return y[:, 300:]


def by_covariance(y: np.ndarray, phi: np.ndarray, theta: np.ndarray) -> float:
    """The log-likelihood of an ARMA with the best mean and variance, from its whole covariance matrix."""
    n = len(y)
    psi = np.zeros(n + 4_000)
    psi[0] = 1.0
    for k in range(1, len(psi)):
        psi[k] = (theta[k - 1] if k <= len(theta) else 0.0) + sum(
            f * psi[k - i] for i, f in enumerate(phi, 1) if k >= i
        )
    covariance = toeplitz([float(psi[: len(psi) - k] @ psi[k:]) for k in range(n)])
    one = np.ones(n)
    inverse = np.linalg.inv(covariance)
    mean = (one @ inverse @ y) / (one @ inverse @ one)
    variance = (y - mean) @ inverse @ (y - mean) / n
    return float(-0.5 * (n * np.log(2 * np.pi * variance) + n + np.linalg.slogdet(covariance)[1]))


@pytest.mark.parametrize(
    ("phi", "theta"), [((0.5,), ()), ((), (0.6,)), ((0.5, 0.3), (0.4,)), ((-0.4,), (0.3, 0.5, 0.2))]
)
def test_the_likelihood_is_that_of_the_covariance(phi: tuple[float, ...], theta: tuple[float, ...]) -> None:
    """Exact, and not conditional on the first values: also of short series, and where theta is near 1."""
    for n in (9, 60, 150):
        y = arma(1, n, phi, theta, seed=n)[0]
        found = likelihood.run(
            y[:, None], Point([np.full((1, 1), f) for f in phi], [np.full((1, 1), f) for f in theta]), with_mean=True
        )
        assert found.loglik[0, 0] == pytest.approx(by_covariance(y, np.array(phi), np.array(theta)), abs=1e-6)


def test_gaps_are_integrated_out() -> None:
    """A step without a value is as if its value were not known: the likelihood of the others alone."""
    y = arma(1, 80, (0.7,), (0.4,))[0]
    gaps = np.array([3, 4, 40, 79])
    psi = np.zeros(2_000)
    psi[:2] = 1.0, 1.1
    for k in range(2, len(psi)):
        psi[k] = 0.7 * psi[k - 1]
    there = np.delete(np.arange(80), gaps)
    covariance = toeplitz([float(psi[: len(psi) - k] @ psi[k:]) for k in range(80)])[np.ix_(there, there)]
    inverse, one = np.linalg.inv(covariance), np.ones(len(there))
    mean = (one @ inverse @ y[there]) / (one @ inverse @ one)
    variance = (y[there] - mean) @ inverse @ (y[there] - mean) / len(there)
    expected = -0.5 * (len(there) * (np.log(2 * np.pi * variance) + 1) + np.linalg.slogdet(covariance)[1])
    holed = y.copy()
    holed[gaps] = np.nan
    found = likelihood.run(holed[:, None], Point([np.full((1, 1), 0.7)], [np.full((1, 1), 0.4)]), with_mean=True)
    assert found.loglik[0, 0] == pytest.approx(expected, abs=1e-6)


def test_an_arima_reaches_the_top() -> None:
    """No start of another optimiser finds a likelihood that is better by more than a thousandth."""
    Y = np.concatenate([arma(1, 200, (0.5, 0.2), (theta,), seed=k) for k, theta in enumerate((0.3, 0.9, -0.7))])
    settings_, numbers = made("series.ARIMA", Y, order=[2, 0, 1])
    rng = np.random.default_rng(0)
    for y, own in zip(Y, numbers, strict=True):

        def cost(u: np.ndarray, y: np.ndarray = y) -> float:
            point = Point(*arima._coefficients(np.clip(u, -6, 6)[None, None], settings_))
            return -float(likelihood.run(y[:, None], point, with_mean=True).loglik[0, 0])

        best = min(minimize(cost, rng.normal(0, 0.7, 3), method="BFGS").fun for _ in range(2))
        assert own[SAID + 5] >= -best - 1e-3


def test_an_arima_of_differences_is_that_of_the_differences() -> None:
    """ARIMA(1, 1, 1) is the ARMA(1, 1) of the differences without a mean, and forecasts their sums."""
    y = np.cumsum(arma(3, 300, (0.4,), (0.3,)), axis=1)
    settings_, numbers = made("series.ARIMA", y, order=[1, 1, 1])
    phi, theta = numbers[:, SAID + 6], numbers[:, SAID + 7]
    assert np.abs(phi - 0.4).max() < 0.25
    values, spread = arima.forecast(numbers, np.zeros(3, np.int64), HOUR, settings_, 50)
    steps = np.diff(np.concatenate([y[:, -1:], values], axis=1), axis=1)
    assert np.allclose(steps[:, 2:], steps[:, 1:-1] * phi[:, None])
    psi = 1 + np.concatenate([[0], np.cumsum(phi[0] ** np.arange(49) * (phi[0] + theta[0]))])
    assert np.allclose(spread[0], numbers[0, 0] * np.sqrt(np.cumsum(psi**2)))


def test_ar_is_least_squares() -> None:
    """The coefficients of the plain regression on lags, and the forecasts that follow from them step by step."""
    y = arma(1, 400, (0.5, 0.2), ()) * 3 + 10
    settings_, numbers = made("series.AR", y, lags=2)
    X = np.stack([np.ones(398), y[0, 1:-1], y[0, :-2]], axis=1)
    found, *_ = np.linalg.lstsq(X, y[0, 2:], rcond=None)
    assert np.allclose(numbers[0, 11:13], found[1:], atol=1e-6)
    values, spread = KERNELS["ar"].forecast(numbers, np.zeros(1, np.int64), HOUR, settings_, 3)
    last = list(y[0, -2:])
    for told in values[0]:
        last.append(found @ [1.0, last[-1], last[-2]])
        assert told == pytest.approx(last[-1], abs=1e-4)
    errors = y[0, 2:] - X @ found
    assert spread[0, 0] == pytest.approx(np.sqrt(errors @ errors / (398 - 3)), rel=1e-6)


def test_ar_knows_the_calendar() -> None:
    """A value that hangs on the hour and the weekday alone is foretold by them."""
    moments = np.arange(24 * 7 * 8) * HOUR
    y = np.sin(moments // HOUR % 24) + (moments // HOUR // 24 % 7 == 2)
    found = asked(Estimator(path="series.AR", params={"lags": [], "calendar": ["hour", "weekday"]}))
    numbers = KERNELS["ar"].fit(y[None, :-100], moments[None, -101].reshape(1), HOUR, found.settings)
    values, _ = KERNELS["ar"].forecast(numbers, moments[None, -101].reshape(1), HOUR, found.settings, 100)
    assert np.allclose(values[0], y[-100:], atol=1e-6)


def test_smoothing_follows_level_trend_and_season() -> None:
    """A line with a season on it goes on as it was."""
    t = np.arange(240)
    y = 5 + 0.1 * t + 3 * np.sin(2 * np.pi * t / 12)
    settings_, numbers = made("series.Smoothing", y[None], season=12, trend=True)
    values, spread = KERNELS["smoothing"].forecast(numbers, np.zeros(1, np.int64), HOUR, settings_, 24)
    ahead = np.arange(240, 264)
    assert np.abs(values[0] - (5 + 0.1 * ahead + 3 * np.sin(2 * np.pi * ahead / 12))).max() < 0.3
    assert (np.diff(spread[0]) >= 0).all()


def test_baselines_are_what_they_are_called() -> None:
    """The mean, a quantile as numpy has it, and the last season again."""
    y = np.random.default_rng(0).normal(size=(3, 101))
    y[1, 7] = np.nan
    assert np.allclose(made("series.Mean", y)[1][:, SAID + 1], np.nanmean(y, axis=1))
    assert np.allclose(made("series.Quantile", y, quantile=0.3)[1][:, SAID + 1], np.nanquantile(y, 0.3, axis=1))
    settings_, numbers = made("series.Seasonal", y, season=10)
    values, _ = KERNELS["level"].forecast(numbers, np.zeros(3, np.int64), HOUR, settings_, 20)
    assert np.array_equal(values, np.tile(y[:, -10:], 2))


@pytest.mark.parametrize(
    ("path", "params"),
    [*ESTIMATORS.items(), ("series.ARIMA", {"order": [1, 1, 1]}), ("series.Smoothing", {"season": 24, "trend": True})],
)
@pytest.mark.parametrize("gap", [0, 3])
def test_what_is_told_one_step_ahead_begins_as_the_forecast(path: str, params: dict[str, Any], gap: int) -> None:
    """The first of the new steps is foretold from the model alone, also some steps after its end; what is seen then counts."""
    y = arma(4, 300, (0.6,), (0.3,), seed=3) + 3 * np.sin(np.arange(300) * np.pi / 12) + 50
    found = asked(Estimator(path=path, params=params))
    kernel, ends = KERNELS[found.kind], np.full(4, 199 * HOUR)
    numbers = kernel.fit(y[:, :200], ends, HOUR, found.settings)
    new = y[:, 200 + gap :]
    told = kernel.told(numbers, ends, HOUR, found.settings, new, ends + (gap + 1) * HOUR)
    values, _ = kernel.forecast(numbers, ends, HOUR, found.settings, gap + 1)
    if found.kind in ("ar", "arima") and gap and (found.kind == "ar" or found.settings.d):
        assert np.isnan(told[:, 0]).all()  # the steps between are not known
    else:
        assert np.allclose(told[:, 0], values[:, gap])
    errors = (new - told)[:, 30:]
    assert np.isfinite(errors).all()
    if path not in ("series.Mean", "series.Quantile"):
        assert np.sqrt((errors**2).mean()) < 1.6 * numbers[:, 0].mean()


@pytest.mark.parametrize("path", ESTIMATORS)
@given(data=st.data())
@settings(max_examples=8, deadline=None)
def test_a_series_does_not_hang_on_those_beside_it(path: str, data: st.DataObject) -> None:
    """The same numbers to the bit, alone, one by one and among others, with gaps, constants and different lengths."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    lengths = data.draw(st.lists(st.integers(1, 90), min_size=1, max_size=6))
    rows = [np.cumsum(rng.normal(size=n)) * 10.0 ** rng.integers(-3, 6) for n in lengths]
    for y in rows:
        if rng.random() < 0.3:
            y[rng.random(len(y)) < 0.2] = np.nan
        if rng.random() < 0.2:
            y[:] = 7.0
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    moments = np.concatenate([np.arange(n) * HOUR for n in lengths])
    found = asked(Estimator(path=path, params=ESTIMATORS[path]))

    def numbers(moments: np.ndarray, y: np.ndarray, bounds: np.ndarray, one_by_one: bool = False) -> np.ndarray:
        grid = gridded(moments, y, bounds, HOUR)
        return fitted(found.kind, found.settings, HOUR, grid, one_by_one=one_by_one).numbers

    together = numbers(moments, np.concatenate(rows), bounds)
    assert np.array_equal(together, numbers(moments, np.concatenate(rows), bounds, True), equal_nan=True)
    for k, y in enumerate(rows):
        alone = numbers(np.arange(len(y)) * HOUR, y, np.array([0, len(y)]))
        assert np.array_equal(together[k], alone[0], equal_nan=True)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40), st.floats(-1e6, 1e6) | st.just(np.nan)), max_size=60))
def test_a_grid_has_each_value_at_its_time(rows: list[tuple[int, int, float]]) -> None:
    """Whatever the order of the rows; times that occur twice are told of, and cost their series alone."""
    rows = sorted(rows, key=lambda row: row[0])
    of = np.array([row[0] for row in rows], np.int64)
    moments = np.array([row[1] for row in rows], np.int64) * 60
    y = np.array([row[2] for row in rows])
    bounds = np.searchsorted(of, np.arange(5))
    grid = gridded(moments, y, bounds, 60)
    for k in range(4):
        mine = of == k
        times = moments[mine]
        if len(set(times.tolist())) < len(times):
            assert "occur twice" in grid.why[k]
            assert grid.lengths[k] == 0
            continue
        assert k not in grid.why
        values = grid.values[grid.starts[k] : grid.starts[k] + grid.lengths[k]]
        if not len(times):
            assert not len(values)
            continue
        expected = np.full((times.max() - times.min()) // 60 + 1, np.nan)
        expected[(times - times.min()) // 60] = y[mine]
        assert np.array_equal(values, expected, equal_nan=True)
        assert grid.end[k] == times.max()


def test_times_between_steps_and_far_apart_are_told() -> None:
    """Which rows, and where to look."""
    off = gridded(np.array([0, 60, 90]), np.zeros(3), np.array([0, 3]), 60)
    assert "1 rows are not whole steps after the one before, the first is row 2" in off.why[0]
    far = gridded(np.array([0, 60, 60 * 10_000]), np.zeros(3), np.array([0, 3]), 60)
    assert "3 rows are spread over 10,001 steps" in far.why[0]
    infinite = gridded(np.array([0, 60]), np.array([1.0, np.inf]), np.array([0, 2]), 60)
    assert "1 values are infinite" in infinite.why[0]


@given(st.integers(1, 10**7))
def test_padding_is_small_and_of_few_lengths(length: int) -> None:
    """An eighth at most, so that many lengths share a rectangle."""
    padded = int(padded_to(np.array([length]))[0])
    assert length <= padded <= length * 1.125 + 1


@given(st.binary(max_size=200))
def test_bytes_that_are_no_model_are_refused(content: bytes) -> None:
    """Files from strangers: whatever they hold, it is a model of its kind or an error."""
    with pytest.raises(DataError, match=r"no model of a series|no models of series"):
        Series().load(content)


@given(st.integers(0, 200), st.floats(allow_nan=True, allow_infinity=True))
def test_an_edited_model_is_refused_or_stays_one(place: int, number: float) -> None:
    """Numbers that say another length than there is are seen before anything is made of that length."""
    _, numbers = made("series.AR", arma(1, 50, (0.5,), ()), lags=2)
    numbers.reshape(-1)[place % numbers.size] = number
    content = payload.packed("ar", HOUR, np.zeros(1, np.int64), numbers).tobytes()
    with contextlib.suppress(DataError):
        model = Series().load(content)
        assert model.settings.width == model.numbers.shape[1]


def test_a_chunk_without_a_model_is_no_bytes() -> None:
    """Where all series are too short for their model."""
    found = asked(Estimator(path="series.AR", params={"lags": 5}))
    grid = gridded(np.arange(4) * HOUR, np.arange(4.0), np.array([0, 2, 4]), HOUR)
    assert fitted(found.kind, found.settings, HOUR, grid).packed().tobytes() == b""


def test_small_models_are_small() -> None:
    """AR and ARIMA fit in 400 bytes."""
    for path, params in (("series.AR", {"lags": 2, "seasonal": 24}), ("series.ARIMA", {"order": [2, 0, 1]})):
        found = asked(Estimator(path=path, params=params))
        assert payload.HEAD.itemsize + 8 * found.settings.width <= 400


@pytest.mark.parametrize(
    ("path", "params", "told"),
    [
        ("series.AR", {"lags": 0}, "it is series.Mean"),
        ("series.AR", {"lags": "two"}, "no whole number"),
        ("series.AR", {"calendar": ["hours"]}, "none of hour, weekday, month"),
        ("series.AR", {"lags": 10**7}, "more than 100,000"),
        ("series.ARIMA", {"order": [2, 0]}, "is not \\[p, d, q\\]"),
        ("series.ARIMA", {"order": [9, 0, 0]}, "up to 5"),
        ("series.Seasonal", {"season": 1}, "such as 24"),
        ("series.Quantile", {"quantile": 50}, "not between 0 and 1"),
        ("series.Mean", {"lags": 1}, "takes none"),
    ],
)
def test_parameters_that_are_none_are_refused(path: str, params: dict[str, Any], told: str) -> None:
    """With the value, and what would do."""
    with pytest.raises(WorkloadError, match=told):
        asked(Estimator(path=path, params=params))
