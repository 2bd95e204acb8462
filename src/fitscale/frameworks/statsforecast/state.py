"""What of a fitted model is kept, and how the library's own object is made of it again.

The library keeps residuals, fitted values, states of all steps and the path of its search. To go on from the last value it
looks at the last state alone; the others are left out, and put back as what is not looked at. What is read is held against
the sizes that the library's compiled code takes for granted: it looks into arrays without asking how long they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fitscale.errors import DataError
from fitscale.frameworks.statsforecast.names import LONGEST, MODELS

Kept = dict[str, Any]
EMPTY = np.zeros(0)
UNSEEN = np.zeros(
    10
)  # residuals that are normal are counted, and not looked at: of fewer than ten each draw costs ten times more
ORDERS = 7  # numbers of an ARIMA: p, q, P, Q, season, d, D
THETAS = ("STM", "OTM", "DSTM", "DOTM")
COLUMNS = {"N": 2, "S": 2, "P": 3, "F": 4}  # of the states of complex smoothing, by its season
NEEDED = {  # of the plain ones, beside a mean
    "SimpleExponentialSmoothing": ("alpha", "sigma"),
    "SimpleExponentialSmoothingOptimized": ("alpha", "sigma"),
    "Naive": ("sigma",),
    "SeasonalNaive": ("sigma",),
    "RandomWalkWithDrift": ("slope", "last_y", "sigma", "n"),
    "HistoricAverage": ("sigma", "n"),
}
MATRICES = ("Z", "a", "P", "T", "V")


def kept(name: str, model: Kept) -> Kept:
    """What goes into the payload, of ``model_``: numbers, texts, arrays, and lists and mappings of them."""
    scalars = {key: value for key, value in model.items() if _is_scalar(value)}
    # Intervals of errors that are not normal are drawn by what is fitted to the residuals, each time.
    drawn = {} if model.get("distribution", "normal") == "normal" else {"residuals": model["residuals"]}
    return {**scalars, **drawn, **_FAMILIES[MODELS[name].family].kept(model)}


def whole(name: str, found: Kept, history: np.ndarray) -> Kept:
    """``model_`` as the library takes it, of what was kept.

    Raises
    ------
    DataError
        Where a part is missing, or has another size than it would.
    """
    try:
        there = all(found[key] is not None for key in NEEDED.get(name, ()))
        model = _FAMILIES[MODELS[name].family].whole(found, history) if there else None
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError):
        model = None
    if model is None or not _is_row(model.get("residuals", UNSEEN)):
        raise DataError(f"these bytes are no model of {name}: a file was edited")
    return {"fit": None, "residuals": UNSEEN, "fitted": EMPTY, "actual_residuals": EMPTY, **model}


def history_of(name: str, params: dict[str, Any], y: np.ndarray) -> np.ndarray:
    """The values that are kept, for what they foretell of later ones: of most all, as their states begin with the first."""
    how = MODELS[name].told
    if MODELS[name].family == "arima":
        return y  # which its forecasts look at
    if how in (None, "level"):
        return EMPTY
    if name in ("Naive", "RandomWalkWithDrift"):
        return y[-1:]
    return y[-int(params["season_length"]) :] if name == "SeasonalNaive" else y


class _Family(NamedTuple):
    kept: Callable[[Kept], Kept]
    whole: Callable[[Kept, np.ndarray], Kept | None]


def _keep_arima(model: Kept) -> Kept:
    out = {"coef": [[key, value] for key, value in model["coef"].items()], "arma": [int(n) for n in model["arma"]]}
    out["model"] = {key: model["model"][key] for key in (*MATRICES, "h")}
    if model["xreg"] is not None:
        out["xreg"] = model["xreg"]
    return out


def _whole_arima(found: Kept, history: np.ndarray) -> Kept | None:
    arma, coef, model = found["arma"], found["coef"], found["model"]
    p, q, seasonal_p, seasonal_q, season, d, seasonal_d = arma
    if len(arma) != ORDERS or not all(type(n) is int and 0 <= n <= LONGEST for n in arma):
        return None
    size = max(p + season * seasonal_p, q + season * seasonal_q + 1) + d + season * seasonal_d
    shapes = {"Z": (size,), "a": (size,), "P": (size, size), "T": (size, size), "V": (size, size)}
    named = [key for key, _ in coef]
    beside = named[p + q + seasonal_p + seasonal_q :]  # a mean or a drift
    told = all(isinstance(key, str) for key in named) and beside in ([], ["intercept"], ["drift"])
    if not told or len(named) - len(beside) != p + q + seasonal_p + seasonal_q or not len(history):
        return None
    if any(not _is_array(model[key], shape) for key, shape in shapes.items()) or not _all_numbers(found, "sigma2"):
        return None
    xreg = found.get("xreg")
    if (xreg is not None) != (beside == ["drift"]) or (xreg is not None and not _is_array(xreg, (len(history), 1))):
        return None
    return {**found, "arma": tuple(arma), "coef": dict(coef), "x": history, "xreg": xreg, "lambda": None}


def _keep_ets(model: Kept) -> Kept:
    return {"par": model["par"], "states": model["states"][-1:]}


def _whole_ets(found: Kept, history: np.ndarray) -> Kept | None:
    error, trend, season, damped = found["components"]
    m = found["m"]
    if error not in "AM" or trend not in "NAM" or season not in "NAM" or damped not in "ND" or not _is_season(m):
        return None
    size = 1 + (trend != "N") + (m if season != "N" else 0)
    there = _is_array(found["par"], (4 + size,)) and _is_array(found["states"], (1, size))
    return found if there and _all_numbers(found, "sigma2", "n_params") else None


def _keep_ces(model: Kept) -> Kept:
    n, m = model["n"], 1 if model["seasontype"] == "N" else model["m"]
    return {"par": model["par"], "states": model["states"][n : n + m]}


def _whole_ces(found: Kept, history: np.ndarray) -> Kept | None:
    n, m, season = found["n"], found["m"], found["seasontype"]
    if season not in COLUMNS or not _is_season(m) or n != len(history):
        return None
    rows = 1 if season == "N" else m
    if not _is_array(found["states"], (rows, COLUMNS[season])) or set(found["par"]) != {
        f"{which}_{k}" for which in ("alpha", "beta") for k in (0, 1)
    }:
        return None
    if not _all_numbers(found["par"], *found["par"]) or not _all_numbers(found, "sigma2"):
        return None
    states = np.zeros((n + 2 * rows, COLUMNS[season]))  # as many as there were: its intervals are drawn for each
    states[n : n + rows] = found["states"]
    return {**found, "states": states}


def _keep_theta(model: Kept) -> Kept:
    out = {"par": model["par"], "states": model["states"][-1:], "residuals": model["residuals"]}
    return {**out, **({"season": model["seas_forecast"]["mean"]} if model.get("decompose", False) else {})}


def _whole_theta(found: Kept, history: np.ndarray) -> Kept | None:
    n, m = found["n"], found["m"]
    if found["modeltype"] not in THETAS or not _is_season(m) or type(n) is not int or n != len(history) or n < 1:
        return None
    if not _is_array(found["states"], (1, 5)) or not _is_array(found["residuals"], (n,)):
        return None
    if set(found["par"]) != {"initial_smoothed", "alpha", "theta"} or not _all_numbers(found["par"], *found["par"]):
        return None
    if not _all_numbers(found, "mean_y"):
        return None
    out = {**found, "states": np.repeat(found["states"], n, axis=0)}  # it is looked at in the n-th place
    if "season" not in found:
        return out if not found.get("decompose", False) else None
    if not _is_array(found["season"], (m,)) or found["decomposition_type"] not in ("additive", "multiplicative"):
        return None
    return {**out, "seas_forecast": {"mean": out.pop("season")}}


def _keep_plain(model: Kept) -> Kept:
    return {key: model[key] for key in ("mean", "slope", "last_y", "alpha") if key in model and np.ndim(model[key])}


def _whole_plain(found: Kept, history: np.ndarray) -> Kept | None:
    """Nothing of these is looked at by compiled code but what numpy makes of it."""
    arrays = [value for value in found.values() if isinstance(value, np.ndarray)]
    told = isinstance(found["mean"], np.ndarray) and all(a.size and _is_row(a) for a in arrays)
    scalars = [name for name, value in found.items() if not isinstance(value, np.ndarray)]
    return found if told and _all_numbers(found, *scalars) else None


_FAMILIES = {
    "arima": _Family(_keep_arima, _whole_arima),
    "ets": _Family(_keep_ets, _whole_ets),
    "ces": _Family(_keep_ces, _whole_ces),
    "theta": _Family(_keep_theta, _whole_theta),
    "plain": _Family(_keep_plain, _whole_plain),
}


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float, str, np.generic))


def _is_array(value: Any, shape: tuple[int, ...]) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == np.float64 and value.shape == shape


def _is_row(value: Any) -> bool:
    return isinstance(value, np.ndarray) and _is_array(value, (value.size,))


def _is_season(value: Any) -> bool:
    return type(value) is int and 1 <= value <= LONGEST


def _all_numbers(found: Kept, *names: str) -> bool:
    return all(isinstance(found[name], (int, float, np.floating)) for name in names)
