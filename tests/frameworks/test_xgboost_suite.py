"""XGBoost passes the framework suite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from fitscale.frameworks.xgboost import XGBoost
from fitscale.records.run import Estimator
from fitscale.testing.frameworks import FrameworkSuite
from fitscale.testing.trying import Case


def _case(name: str, target: str, **params: object) -> Case:
    return Case(Estimator(path=f"xgboost.{name}", params={"n_estimators": 12, "max_depth": 3, **params}), target)  # type: ignore[arg-type]


class TestXGBoost(FrameworkSuite):
    framework = XGBoost
    cases: ClassVar[Mapping[str, Case]] = {
        "binary": _case("XGBClassifier", "binary"),
        "sampled": _case("XGBClassifier", "binary", subsample=0.7, colsample_bylevel=0.6),
        "multiclass": _case("XGBClassifier", "multiclass", subsample=0.8),
        "softmax": _case("XGBClassifier", "multiclass", objective="multi:softmax"),
        "regression": _case("XGBRegressor", "regression", colsample_bytree=0.7),
    }
