"""LightGBM passes the framework suite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from fitscale.frameworks.lightgbm import LightGBM
from fitscale.records.run import Estimator
from fitscale.testing.frameworks import FrameworkSuite
from fitscale.testing.trying import Case


def _case(name: str, target: str, **params: object) -> Case:
    params = {"n_estimators": 23, "num_leaves": 7, "min_child_samples": 5, **params}
    return Case(Estimator(path=f"lightgbm.{name}", params=params), target)  # type: ignore[arg-type]


class TestLightGBM(FrameworkSuite):
    framework = LightGBM
    cases: ClassVar[Mapping[str, Case]] = {
        "binary": _case("LGBMClassifier", "binary"),
        "sampled": _case("LGBMClassifier", "binary", subsample=0.7, subsample_freq=1, colsample_bytree=0.6),
        "multiclass": _case("LGBMClassifier", "multiclass", subsample=0.8, subsample_freq=3),
        "ova": _case("LGBMClassifier", "multiclass", objective="ova", colsample_bynode=0.7),
        "regression": _case("LGBMRegressor", "regression", extra_trees=True),
        "dart": _case("LGBMRegressor", "regression", boosting_type="dart"),
    }
