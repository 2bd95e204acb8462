"""A series → a fitted model of the library, with what its errors one step ahead were."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from fitscale.contracts import Unfit
from fitscale.errors import DataError
from fitscale.frameworks.residuals import NORMAL, said_of
from fitscale.frameworks.statsforecast.filling import MOST, ends_of, filled, foretellable
from fitscale.frameworks.statsforecast.names import MODELS, class_of, parameters, season_of
from fitscale.frameworks.statsforecast.onestep import burn_in, foretold, in_sample, one_step
from fitscale.frameworks.statsforecast.payload import Model
from fitscale.frameworks.statsforecast.state import history_of, kept

LEAST = {
    "arima": 5,
    "ets": 7,
    "ces": 6,
    "theta": 4,
    "plain": 3,
}  # values, by family: of fewer the library makes no errors
TOO_FEW = ("tiny datasets", "not enough data", "no model able to be fitted")  # what the library says of short series


def fitted(name: str, params: dict[str, Any], values: np.ndarray, end: int, step: int) -> Model:
    """The model of a series.

    Parameters
    ----------
    values
        (n,) float64, NaN where a step has no value.
    end
        The moment of the last step.

    Raises
    ------
    Unfit
        For too few values, or too many gaps.
    """
    params = {**parameters(name), **params}
    first, stop = ends_of(values)
    end -= (len(values) - stop) * step
    values = values[first:stop]
    y = _whole(name, params, values)
    made = _made(name, params, y)
    name, params = (
        (name, params) if type(made) is class_of(name) else (type(made).__name__, parameters(type(made).__name__))
    )  # of a constant series
    if not np.isfinite(foretold(made, 1)["mean"]).all():
        raise DataError(f"{name} foretells no number from these {len(y):,} values")
    told = one_step(name, made, y, 1 - len(y))
    if told is None:
        told = in_sample(made)
    counts = foretellable(values) & ~np.isnan(told)
    counts[: burn_in(name, made)] = False
    spent = _spent(made.model_)
    said = _said(np.where(counts, y - told, 0.0), int(counts.sum()), spent)
    return Model(name, params, step, end, (*said, spent), history_of(name, params, y), kept(name, made.model_))


def _whole(name: str, params: dict[str, Any], values: np.ndarray) -> np.ndarray:
    there = int((~np.isnan(values)).sum())
    family = MODELS[name].family
    least = max(LEAST[family], season_of(params) + 1 if family == "plain" else 0)  # the others do without a season
    if there < least or len(values) < least:
        raise Unfit(f"{there:,} values in {len(values):,} steps are too few: {name} needs at least {least:,}")
    gone = 1 - there / len(values)
    if gone > MOST:
        raise Unfit(
            f"{len(values) - there:,} of {len(values):,} steps have no value: statsforecast takes no gaps, and more than "
            f"{MOST:.0%} are not filled; series.AR and its like leave them as they are"
        )
    return filled(values)


def _made(name: str, params: dict[str, Any], y: np.ndarray) -> Any:
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return class_of(name)(**params).fit(y)
    except Exception as error:
        if any(words in str(error).lower() for words in TOO_FEW):
            raise Unfit(f"{len(y):,} values are too few for {name}: {error}") from None
        raise


def _said(errors: np.ndarray, n: int, spent: int) -> tuple[float, float, float]:
    if n < 2:
        return float("nan"), float(n), NORMAL
    squares = errors**2
    sums = (np.array([squares.sum()]), np.array([(squares**2).sum()]), np.array([float(n)]))
    deviation, count, kurtosis = said_of(*sums, min(spent, n - 1))[0].tolist()
    return deviation, count, kurtosis


def _spent(model: dict[str, Any]) -> int:
    """How many numbers were fitted."""
    if "n_params" in model:
        return int(model["n_params"])
    return max(1, len(model.get("coef", model.get("par", ()))))
