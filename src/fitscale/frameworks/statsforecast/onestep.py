"""What a fitted model says of each value from those before it, its numbers as they were fitted.

The library has this as ``forward``, for some of its models. For others it follows from what they are; for those whose fit
finds several numbers on the way (`names.MODELS`: None) it is not told, and they are judged by nothing but held-out steps.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from fitscale.frameworks.statsforecast.names import MODELS


def foretold(made: Any, steps: int, level: float | None = None) -> dict[str, np.ndarray]:
    """What the library says of the next steps, (steps,) each: ``mean``, and with a level ``lo-LEVEL`` and ``hi-LEVEL``.

    A copy is asked: an ARIMA with a drift that was fitted on a constant series renames its coefficients when it answers.
    """
    asked = made.new()
    asked.model_ = dict(made.model_)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found: dict[str, np.ndarray] = asked.predict(h=steps, level=None if level is None else [level])
    return found


def one_step(name: str, made: Any, y: np.ndarray, first: int) -> np.ndarray | None:
    """(n,) of (n,) values without gaps, NaN where there are too few before; None where the model cannot.

    Parameters
    ----------
    first
        Which step the first value is: 1 is the one after the last that the model was fitted on.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        told = _told(name, made, y, first)
    return None if told is None else np.asarray(told, np.float64)


def in_sample(made: Any) -> np.ndarray:
    """(n,) of the values that it was fitted on, each as a model of those before it says: as many models as values."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return np.asarray(made.predict_in_sample()["fitted"], np.float64)


def is_told(name: str) -> bool:
    """Whether `one_step` gives anything."""
    return MODELS[name].told is not None


def burn_in(name: str, made: Any) -> int:
    """Values at the beginning that were not foretold as later ones are: differences, and states that begin as the values."""
    model = made.model_
    if MODELS[name].family == "arima":
        _, _, _, _, season, d, seasonal_d = model["arma"]
        return int(d + season * seasonal_d)
    if MODELS[name].family == "theta":
        return 3  # as the library counts
    return int(model["m"]) if MODELS[name].family == "ces" else 0


def _told(name: str, made: Any, y: np.ndarray, first: int) -> Any:
    how = MODELS[name].told
    if how == "forward":
        return made.forward(y=y, h=1, fitted=True)["fitted"]
    if how == "theta":
        return _theta(made.model_, y, first)
    if how == "again":  # nothing is learnt that was not given
        return made.forecast(y=y, h=1, fitted=True)["fitted"]
    if how == "ses":
        from statsforecast.models import SimpleExponentialSmoothing

        return SimpleExponentialSmoothing(alpha=made.model_["alpha"]).forecast(y=y, h=1, fitted=True)["fitted"]
    if how == "drift":
        return np.concatenate([[np.nan], y[:-1] + made.model_["slope"][0]])
    return np.full(len(y), made.model_["mean"][0]) if how == "level" else None


def _theta(model: dict[str, Any], y: np.ndarray, first: int) -> np.ndarray:
    """With the season as it was fitted. The library's ``forward`` looks for it again, in the new values too, which so tell of
    themselves; it takes it as multiplicative whatever was fitted, and counts an additive one to the errors (2.1.1)."""
    from statsforecast.theta import auto_theta

    multiplied = model.get("decomposition_type") != "additive"
    season = np.array([1.0 if multiplied else 0.0])
    if model.get("decompose", False):
        season = model["seas_forecast"]["mean"]
    season = season[(first - 1 + np.arange(len(y))) % len(season)]
    without = y / season if multiplied else y - season
    told = without - auto_theta(y=without, m=1, model=model["modeltype"], **model["par"])["residuals"]
    return np.asarray(told * season if multiplied else told + season)
