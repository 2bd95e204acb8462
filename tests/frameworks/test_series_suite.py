"""Forecasts of series keep the promises of every framework."""

from __future__ import annotations

from fitscale.frameworks.series import Series
from fitscale.records.run import Estimator
from fitscale.testing.frameworks import FrameworkSuite
from fitscale.testing.trying import Case


def case(path: str, **params: object) -> Case:
    return Case(Estimator(path=path, params=params), target="regression", weights=False)


class TestSeries(FrameworkSuite):
    framework = Series
    cases = {
        "ar": case("series.AR", lags=2, seasonal=6),
        "arima": case("series.ARIMA", order=[2, 0, 1]),
        "differences": case("series.ARIMA", order=[1, 1, 1]),
        "smoothing": case("series.Smoothing", season=6, trend=True),
        "mean": case("series.Mean"),
        "quantile": case("series.Quantile", quantile=0.9),
        "seasonal": case("series.Seasonal", season=6),
    }
