"""statsforecast's models keep the promises of every framework."""

from __future__ import annotations

import pytest

from fitscale.frameworks.statsforecast import StatsForecast
from fitscale.records.run import Estimator
from fitscale.testing.frameworks import FrameworkSuite
from fitscale.testing.trying import Case

pytest.importorskip("statsforecast")


def case(name: str, **params: object) -> Case:
    return Case(Estimator(path=f"statsforecast.models.{name}", params=params), target="regression", weights=False)


class TestStatsForecast(FrameworkSuite):
    framework = StatsForecast
    cases = {
        "arima": case("ARIMA", order=[2, 0, 1]),
        "auto arima": case("AutoARIMA", season_length=1),
        "ets": case("AutoETS", season_length=6),
        "ces": case("AutoCES", season_length=6),
        "theta": case("AutoTheta", season_length=6),
        "seasonal": case("SeasonalNaive", season_length=6),
        "croston": case("CrostonOptimized"),
    }
