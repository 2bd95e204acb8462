"""What a workload asks for: which of statsforecast's models are taken, and their parameters, checked by the library itself."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from fitscale.errors import WorkloadError, nearest
from fitscale.records.run import Estimator

ROOM = "statsforecast.models"
PLACE = "model.params"
LONGEST = 100_000  # steps of a season or a lag
OURS = ("alias", "prediction_intervals")  # a column's name, and an object: nothing that a file could say
TRIAL, TRIAL_SEASON = 64, 4  # values of the series that parameters are tried on, and its season


class About(NamedTuple):
    """One of the library's models.

    Attributes
    ----------
    family
        By which its state is kept: see `state`.
    told
        How it is asked for each step of new values from those before: see `onestep`. None: it cannot be.
    intervals
        Whether the library gives them.
    """

    family: Literal["arima", "ets", "ces", "theta", "plain"]
    told: Literal["forward", "theta", "again", "ses", "drift", "level"] | None = "forward"
    intervals: bool = True


MODELS: dict[str, About] = {
    "AutoARIMA": About("arima"),
    "ARIMA": About("arima"),
    "AutoRegressive": About("arima"),
    "AutoETS": About("ets"),
    "Holt": About("ets"),
    "HoltWinters": About("ets"),
    "AutoCES": About("ces"),
    "AutoTheta": About("theta", "theta"),
    "Theta": About("theta", "theta"),
    "OptimizedTheta": About("theta", "theta"),
    "DynamicTheta": About("theta", "theta"),
    "DynamicOptimizedTheta": About("theta", "theta"),
    "SimpleExponentialSmoothing": About("plain", "ses"),
    "SimpleExponentialSmoothingOptimized": About("plain", "ses"),
    "SeasonalExponentialSmoothing": About("plain", "again", intervals=False),  # its own fail but for whole seasons
    "Naive": About("plain"),
    "SeasonalNaive": About("plain"),
    "RandomWalkWithDrift": About("plain", "drift"),
    "HistoricAverage": About("plain", "level"),
    "CrostonClassic": About("plain", "again", intervals=False),
    "CrostonOptimized": About("plain", None, intervals=False),
    "CrostonSBA": About("plain", "again", intervals=False),
    "TSB": About("plain", "again", intervals=False),
    "ADIDA": About("plain", None, intervals=False),
    "IMAPA": About("plain", None, intervals=False),
}


def asked(estimator: Estimator) -> tuple[str, dict[str, Any]]:
    """The model's name, and all of its parameters.

    Raises
    ------
    WorkloadError
        At ``model.estimator``: none of those that are taken. At ``model.params``: the library takes no such parameter, or
        refuses its value.
    """
    room, _, name = estimator.path.rpartition(".")
    if room != ROOM or name not in MODELS:
        known = [f"{ROOM}.{each}" for each in MODELS]
        told = (
            f"'{estimator.path}' is not taken{nearest(estimator.path, known)}; of {ROOM} there are: {', '.join(MODELS)}"
        )
        raise WorkloadError("model.estimator", told)
    takes = parameters(name)
    for param in estimator.params:
        if param not in takes:
            raise WorkloadError(
                PLACE, f"no '{param}'{nearest(param, [*takes])}; {estimator.path} takes: {', '.join(takes) or 'none'}"
            )
    for param, default in takes.items():
        if default is inspect.Parameter.empty and param not in estimator.params:
            raise WorkloadError(PLACE, f"{param}: {estimator.path} needs it")
    params = {**takes, **estimator.params}
    if told := wrong(params):
        raise WorkloadError(PLACE, told)
    _try(name, params)
    return name, params


def parameters(name: str) -> dict[str, Any]:
    """What the constructor of a model takes, with its defaults."""
    found = inspect.signature(class_of(name)).parameters.values()
    return {each.name: _as_read(each.default) for each in found if each.name not in OURS}


def class_of(name: str) -> Any:
    """A class of `MODELS`, and no other."""
    from statsforecast import models

    return getattr(models, name) if name in MODELS else None


def wrong(params: Mapping[str, Any]) -> str:
    """Why the numbers of steps among the parameters are none, or nothing."""
    season = params.get("season_length", 1)
    if not _is_whole(season) or season < 1:
        return f"season_length: {season!r} is no number of steps: such as 24, of hours with a day"
    lags = params.get("lags", 1)
    steps = lags if isinstance(lags, list) and lags else [lags]
    if not all(_is_whole(lag) and lag >= 1 for lag in steps):
        return f"lags: {lags!r} is no whole number, or list of whole numbers from 1 on"
    longest = max(season, *steps)
    return f"{longest:,} steps are more than {LONGEST:,}" if longest > LONGEST else ""


def season_of(params: Mapping[str, Any]) -> int:
    """Steps; 1: there is none."""
    return int(params.get("season_length", 1))


def _try(name: str, params: Mapping[str, Any]) -> None:
    """Fit a short series: values that the library refuses are told before any data is read. A season is cut down for it."""
    if name == "AutoARIMA":  # a search with a season takes a second
        params = {**params, "seasonal": False}
    if season_of(params) > 1:
        params = {**params, "season_length": min(TRIAL_SEASON, season_of(params))}
    lags = params.get("lags", 1)
    n = TRIAL + 4 * max(lags if isinstance(lags, list) else [lags])
    t = np.arange(n)
    y = 50.0 + 5 * np.sin(t * 2 * np.pi / TRIAL_SEASON) + np.random.default_rng(0).normal(size=n)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            class_of(name)(**params).fit(y).predict(h=1)
    except Exception as error:  # the library has words of its own for it
        raise WorkloadError(PLACE, f"{ROOM}.{name} refuses them: {error or type(error).__name__}") from None


def _as_read(value: Any) -> Any:
    """As a file would say it."""
    return list(value) if isinstance(value, tuple) else value


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
