"""What a model of a series costs: by its length, and by what is tried for it.

CPU seconds, measured with 200, 720 and 1,440 values and seasons of 7 and 24 steps; where a search is long, they hang on the
series itself (AutoARIMA took 3 and 12 s for two series of one length).
"""

from __future__ import annotations

from typing import Any

from fitscale.frameworks.statsforecast.names import MODELS, season_of
from fitscale.records.data import Shape
from fitscale.records.plan import Law, Term
from fitscale.records.run import Form

MODEL_S = 3e-3  # of each: a feed and a table of its own, one step ahead, and its bytes
ARIMA_S, ARIMA_VALUE_S = 2e-2, 1.5e-5
STATE_VALUE_S = 3e-6  # for each pair of states of an ARIMA, which are as many as its longest lag
TRIED = 18  # models that a search fits
# Of each value, without a season and with one.
VALUE_S = {
    "AutoETS": (3e-5, 6e-4),
    "Holt": (3e-5, 3e-5),
    "HoltWinters": (3e-5, 1.3e-4),
    "AutoCES": (2.6e-6, 3.5e-5),
}
# Of each value times all before it: every step copies the states so far.
PAIR_S = {
    "CrostonOptimized": 1e-7,
    "ADIDA": 1e-7,
    "IMAPA": 1e-7,
    "AutoTheta": 1.5e-7,
    "Theta": 2.7e-8,
    "OptimizedTheta": 5e-8,
    "DynamicTheta": 2.5e-8,
    "DynamicOptimizedTheta": 6e-8,
}
PLAIN_S = 2e-7
BESIDE_BYTES = 2_000  # of a payload: names and numbers


def law(name: str, params: dict[str, Any], shape: Shape, form: Form) -> Law:
    """See `contracts.Framework.law`: of one series."""
    family, season, values = MODELS[name].family, season_of(params), float(shape.rows)
    once, value_s, pair_s = MODEL_S, PLAIN_S, PAIR_S.get(name, 0.0)
    if family == "arima":
        tried = TRIED if name == "AutoARIMA" else 1
        states = STATE_VALUE_S * _states(params, season) ** 2
        # Without a season most of a search is set-up.
        once, value_s = MODEL_S + ARIMA_S * (tried if season > 1 else min(tried, 5)), (ARIMA_VALUE_S + states) * tried
    elif name in VALUE_S:
        value_s = VALUE_S[name][season > 1]
    work = (
        Term(name="model", amount=1, prior=once, floor=once / 20),
        Term(name="values", amount=values, prior=value_s, floor=value_s / 50),
        *([Term(name="pairs", amount=values**2, prior=pair_s, floor=pair_s / 50)] if pair_s else []),
    )
    score = (Term(name="rows", amount=float(shape.holdout_rows), prior=2e-5),)
    size = _states(params, season) if family == "arima" else 0  # of an ARIMA's matrices
    held = (
        Term(name="process", amount=1, prior=1.6e8, floor=6e7),
        Term(name="series", amount=values, prior=400.0, floor=16.0),
        Term(name="states", amount=float(size**2), prior=400.0),
    )
    payload = (
        Term(name="model", amount=1, prior=BESIDE_BYTES + 24.0 * size**2),
        Term(name="history", amount=values, prior=16.0 if family == "theta" else 8.0),
    )
    return Law(time={"iterations": work, "score": score}, memory=held, storage=payload, error=(3.0, 0.6, 0.2))


def _states(params: dict[str, Any], season: int) -> int:
    """About how long the state of an ARIMA is: its longest lag."""
    lags = params.get("lags", 0)
    p, d, q = params.get("order", (2, 0, 1))
    seasonal_p, seasonal_d, seasonal_q = params.get("seasonal_order", (1, 0, 1) if season > 1 else (0, 0, 0))
    longest = max(p + season * seasonal_p, q + season * seasonal_q + 1, max(lags) if isinstance(lags, list) else lags)
    return int(longest + d + season * seasonal_d)
