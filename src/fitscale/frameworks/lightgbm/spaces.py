"""What LightGBM's parameters may be while they are tuned, where the workload does not say it, by their main names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SPACE: Mapping[str, Any] = {
    "n_estimators": {"low": 50, "high": 500, "log": True},
    "learning_rate": {"low": 0.01, "high": 0.3, "log": True},
    "num_leaves": {"low": 8, "high": 255, "log": True},
    "min_data_in_leaf": {"low": 5, "high": 200, "log": True},
    "feature_fraction": [0.5, 1.0],
    "lambda_l2": {"low": 0.001, "high": 30.0, "log": True},
}
SPACES = {"LGBMClassifier": SPACE, "LGBMRegressor": SPACE}
