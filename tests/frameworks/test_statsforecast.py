"""statsforecast's models, kept as bytes that run no code, against the library's own objects."""

from __future__ import annotations

import contextlib
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitscale.contracts import Batch, Unfit
from fitscale.errors import DataError, WorkloadError
from fitscale.frameworks.statsforecast import StatsForecast, payload
from fitscale.frameworks.statsforecast.cost import law
from fitscale.frameworks.statsforecast.fitting import fitted
from fitscale.frameworks.statsforecast.many import Many
from fitscale.frameworks.statsforecast.names import MODELS, asked
from fitscale.frameworks.statsforecast.onestep import one_step
from fitscale.records.data import Shape
from fitscale.records.run import Estimator

pytest.importorskip("statsforecast")

SEASON, STEPS = 6, 180
PARAMS: dict[str, dict[str, Any]] = {
    **{name: {} for name in MODELS},
    **{
        name: {"season_length": SEASON}
        for name in ("AutoETS", "HoltWinters", "AutoCES", "AutoTheta", "Theta", "OptimizedTheta", "DynamicTheta")
    },
    "ARIMA": {"order": [1, 1, 1], "include_drift": True},
    "AutoRegressive": {"lags": [1, 3]},
    "DynamicOptimizedTheta": {"season_length": SEASON, "decomposition_type": "additive"},
    "SimpleExponentialSmoothing": {"alpha": 0.3},
    "SeasonalExponentialSmoothing": {"season_length": SEASON, "alpha": 0.3},
    "SeasonalNaive": {"season_length": SEASON},
    "TSB": {"alpha_d": 0.2, "alpha_p": 0.2},
}


def series(steps: int = STEPS, level: float = 50.0) -> np.ndarray:
    rng = np.random.default_rng(5)
    y = np.zeros(steps)
    for t, e in enumerate(rng.standard_normal(steps)):
        y[t] = 0.6 * y[t - 1] * (t > 0) + 3 * np.sin(t * np.pi / 3) + e
    return y + level


def kept(name: str, y: np.ndarray, params: dict[str, Any] | None = None) -> Many:
    """The model of a series with a step of 60, that ends at its last value, from its bytes."""
    model = fitted(name, PARAMS[name] if params is None else params, y, 60 * (len(y) - 1), 60)
    return Many([payload.packed(model)])


def judged(models: Many, y: np.ndarray, first: int) -> Any:
    rows = Batch(60 * (first + np.arange(len(y)))[:, None], y, None, np.arange(len(y)))
    return models.judge(rows, np.array([len(y)]))


@pytest.mark.parametrize("level", [50.0, 0.0], ids=["positive", "both signs"])
@pytest.mark.parametrize("name", MODELS)
def test_what_was_kept_says_what_was_fitted(name: str, level: float) -> None:
    """Next steps, intervals and steps of new values, to the last bit."""
    from statsforecast import models

    y = series(level=level)
    found = kept(name, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bare = getattr(models, name)(**PARAMS[name]).fit(y)
        level_ = [80.0] if MODELS[name].intervals else None
        said = bare.predict(h=13, level=level_)
    value, low, high = found.ahead(13, 0.8)
    assert np.array_equal(value[0], said["mean"])
    if level_:
        assert np.array_equal(low[0], said["lo-80.0"])
        assert np.array_equal(high[0], said["hi-80.0"])
    else:
        assert (low < value).all()
        assert np.allclose(high - value, value - low)
    moments = 60 * (len(y) - 2 + np.arange(15))
    told = found.values(np.append(moments, moments[-1] + 1), np.zeros(16, np.int64))
    assert np.isnan(told[[0, 1, 15]]).all()  # before the end, and between steps
    assert np.array_equal(told[2:15], said["mean"])
    new = series(STEPS + 40, level)[-60:]
    before, after = one_step(name, bare, new, 1), one_step(name, found.native(0), new, 1)
    assert (before is None) == (after is None) == (MODELS[name].told is None)
    assert before is None or np.array_equal(before, after, equal_nan=True)


@pytest.mark.parametrize("distribution", ["laplace", "t"])
@pytest.mark.parametrize("name", ["AutoETS", "AutoCES", "AutoTheta", "AutoARIMA"])
def test_errors_that_are_not_normal_are_kept(name: str, distribution: str) -> None:
    """Intervals of the library's other distributions, to the last bit."""
    from statsforecast import models

    y = series(80)
    params = {**PARAMS[name], "distribution": distribution}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        said = getattr(models, name)(**params).fit(y).predict(h=2, level=[80.0])
    _, low, high = kept(name, y, params).ahead(2, 0.8)
    assert np.array_equal(low[0], said["lo-80.0"])
    assert np.array_equal(high[0], said["hi-80.0"])


@pytest.mark.parametrize("name", [name for name, about in MODELS.items() if about.told])
def test_one_step_is_the_librarys_own(name: str) -> None:
    """Of the values that it was fitted on; of an additive season without the library's slip, which counts it to the errors."""
    y = series()
    made = kept(name, y).native(0)
    told = one_step(name, made, y, 1 - len(y))
    assert told is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bare = type(made)(**PARAMS[name]).fit(y)
        own = bare.predict_in_sample()["fitted"]
    if name == "DynamicOptimizedTheta":
        season = bare.model_["seas_forecast"]["mean"]
        own = own + season[(np.arange(len(y)) - len(y)) % len(season)]
    assert np.allclose(told, own, equal_nan=True)


@pytest.mark.parametrize("gap", [0, 3])
@pytest.mark.parametrize(
    "name", ["AutoARIMA", "ARIMA", "AutoETS", "HoltWinters", "DynamicOptimizedTheta", "Naive", "SeasonalNaive", "TSB"]
)
def test_new_values_begin_as_the_forecast(name: str, gap: int) -> None:
    """Also some steps after the end, as if those between had come as foretold; what is seen then counts."""
    y = series(STEPS + 40)
    found = kept(name, y[:STEPS])
    said = judged(found, y[STEPS + gap :], STEPS + gap)
    assert not said.why
    assert said.expected[0] == pytest.approx(found.ahead(gap + 1, 0.9)[0][0, gap])
    assert np.isfinite(said.expected).all()
    errors = y[STEPS + gap :] - said.expected
    assert np.sqrt((errors**2).mean()) < 1.8 * said.deviation[0]


def test_values_of_before_are_judged_by_those_before_them() -> None:
    """New rows that go back into what was fitted say the same of a step as those that do not."""
    y = series(STEPS + 20)
    found = kept("AutoETS", y[:STEPS])
    back, after = judged(found, y[STEPS - 50 :], STEPS - 50), judged(found, y[STEPS:], STEPS)
    assert np.allclose(back.expected[50:], after.expected)
    assert np.isfinite(judged(found, y, 0).expected).all()


def test_gaps_are_lines_and_are_not_judged() -> None:
    """Neither what was filled nor the step after it, whose value the line has seen."""
    y = series()
    gone = y.copy()
    gone[[0, 40, 41, 90, STEPS - 1]] = np.nan  # the ends are left off
    line = y[1:-1].copy()
    line[[39, 40]] = y[39] + (y[42] - y[39]) * np.array([1, 2]) / 3
    line[89] = (y[89] + y[91]) / 2
    found = kept("AutoETS", gone)
    assert found.ends[0] == 60 * (STEPS - 2)
    assert np.array_equal(found.ahead(4, 0.9)[0], kept("AutoETS", line).ahead(4, 0.9)[0])
    assert found.said[0, 1] == STEPS - 2 - 3 - 2
    new = series(STEPS + 20)[STEPS - 1 :]
    new[[5, 20]] = np.nan
    expected = judged(found, new, STEPS - 1).expected
    assert np.flatnonzero(np.isnan(expected)).tolist() == [5, 6, 20]


def test_many_gaps_are_unfit() -> None:
    """With what to take instead."""
    y = series()
    y[10:100:2] = np.nan
    with pytest.raises(Unfit, match=r"45 of 180 steps have no value.*more than 20% are not filled; series\.AR"):
        kept("AutoETS", y)


@pytest.mark.parametrize("name", MODELS)
def test_short_and_constant_series_have_a_model_or_a_reason(name: str) -> None:
    """Whatever their length; what has a model can be asked everything."""
    lengths = (0, 1, 2, 3, 5, 8, 13) if name == "AutoARIMA" else (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 30)
    short: set[tuple[int, str]] = set()
    for n in lengths:
        for y in (np.full(n, 7.0), np.zeros(n), np.where(np.arange(n) % 5 == 0, 3.0, 0.0), np.arange(n) + 1.0):
            try:
                found = kept(name, y)
            except Unfit as error:
                short.add((n, str(error)))
                continue
            moments = 60 * (n + np.arange(3))
            assert np.isfinite(found.values(moments, np.zeros(3, np.int64))).all()
            judged(found, y[:3], n)
    assert all(n < 13 and "too few" in told for n, told in short)
    assert np.isfinite(found.ahead(3, 0.9)[0]).all()


def test_what_cannot_be_asked_for_one_step_says_so() -> None:
    """Drift and anomalies of its series have a reason in place of a figure."""
    said = judged(kept("CrostonOptimized", series()), series(), STEPS)
    assert "CrostonOptimized does not say" in said.why[0]
    assert np.isnan(said.expected).all()


@pytest.mark.parametrize(
    ("path", "params", "place", "told"),
    [
        ("statsforecast.models.AutoETSS", {}, "model.estimator", "did you mean 'statsforecast.models.AutoETS'"),
        (
            "statsforecast.models.MSTL",
            {"season_length": 24},
            "model.estimator",
            "is not taken.*there are: AutoARIMA, ARIMA",
        ),
        ("statsforecast.AutoETS", {}, "model.estimator", "is not taken"),
        ("statsforecast.models.AutoETS", {"season": 24}, "model.params", "no 'season'; did you mean 'season_length'"),
        ("statsforecast.models.AutoETS", {"season_length": 0}, "model.params", "0 is no number of steps"),
        ("statsforecast.models.AutoETS", {"season_length": 10**6}, "model.params", "more than 100,000"),
        ("statsforecast.models.AutoETS", {"model": "QQQ"}, "model.params", "refuses them: Invalid error type"),
        ("statsforecast.models.AutoETS", {"prediction_intervals": {}}, "model.params", "no 'prediction_intervals'"),
        ("statsforecast.models.SeasonalNaive", {}, "model.params", "season_length: .* needs it"),
        ("statsforecast.models.AutoRegressive", {"lags": [0]}, "model.params", "whole numbers from 1 on"),
        ("statsforecast.models.ARIMA", {"order": "two"}, "model.params", "refuses them"),
    ],
)
def test_what_is_none_is_refused(path: str, params: dict[str, Any], place: str, told: str) -> None:
    """With the value, and what would do."""
    with pytest.raises(WorkloadError, match=told) as error:
        asked(Estimator(path=path, params=params))
    assert error.value.place == place


@given(st.binary(max_size=200))
def test_bytes_that_are_no_model_are_refused(content: bytes) -> None:
    """Files from strangers: whatever they hold, it is a model or an error."""
    for known in (content, payload.MAGIC + content, payload.HEAD.pack(payload.MAGIC, 1, 0, len(content)) + content):
        with pytest.raises(DataError, match=r"no model|no bytes|newer fitscale"):
            StatsForecast().load(known)


FAMILIES = ("ARIMA", "AutoETS", "AutoCES", "DynamicOptimizedTheta", "SeasonalNaive", "RandomWalkWithDrift")


@pytest.mark.parametrize("name", FAMILIES)
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_an_edited_state_is_refused_or_stays_one(name: str, data: st.DataObject) -> None:
    """No array is looked into further than it goes: sizes are held against what the model says of itself."""
    model = fitted(name, PARAMS[name], series(60), 0, 60)
    state = dict(model.state)
    key = data.draw(st.sampled_from(sorted(state)))
    odd = st.sampled_from([None, -1, 10**9, 2.5, "MAMD", [], {}, np.zeros((1, 1)), np.zeros(10**4), "delete"])
    value = data.draw(odd)
    if isinstance(value, str) and value == "delete":
        del state[key]
    else:
        state[key] = value
    history = data.draw(st.sampled_from([model.history, model.history[:1], np.zeros(0)]))
    with contextlib.suppress(DataError):
        found = Many([payload.packed(model._replace(state=state, history=history))])
        found.values(60 * np.arange(1, 4), np.zeros(3, np.int64))
        judged(found, series(70)[60:], 1)
        if name != "AutoCES":  # which takes a tenth of a second for them
            assert found.ahead(3, 0.9)[0].shape == (1, 3)


@pytest.mark.parametrize("name", ["os", "StatsForecast", "SklearnModel", "_TS", "__init__"])
def test_only_known_classes_are_made(name: str) -> None:
    """A name in a file is looked for among those that are taken, and nowhere else."""
    model = fitted("Naive", {}, series(), 0, 60)._replace(name=name)
    with pytest.raises(DataError, match="none of statsforecast's that are taken"):
        StatsForecast().load(payload.packed(model))


def test_models_are_small() -> None:
    """What can be put back is left out: the last state stands for all, and values are there once."""
    y = series(720)
    assert len(payload.packed(fitted("Naive", {}, y, 0, 60))) < 400
    assert len(payload.packed(fitted("AutoETS", {"season_length": 24}, y, 0, 60))) < 8 * 720 + 1_500
    assert len(payload.packed(fitted("ARIMA", {"order": [2, 0, 1]}, y, 0, 60))) < 8 * 720 + 1_500
    assert len(payload.packed(fitted("Theta", {"season_length": 24}, y, 0, 60))) < 16 * 720 + 1_500


def test_a_long_season_is_dear_for_a_search() -> None:
    """AutoARIMA with a season of a day of hours is forecast to take seconds a series, where smoothing takes parts of one."""

    def seconds(name: str, season: int, **more: Any) -> float:
        found = law(name, {"season_length": season, **more}, Shape(rows=720, features=1), "matrix")
        return sum(term.amount * term.prior for terms in found.time.values() for term in terms)

    assert 10 < seconds("AutoARIMA", 24) < 60
    assert seconds("AutoARIMA", 1) < 1
    assert 0.2 < seconds("AutoETS", 24) < 1
    assert seconds("SeasonalNaive", 24) < 0.01
    assert seconds("AutoRegressive", 1, lags=[1, 24]) > 10 * seconds("AutoRegressive", 1, lags=2)
