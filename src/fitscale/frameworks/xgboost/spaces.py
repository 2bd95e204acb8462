"""What XGBoost's parameters may be while they are tuned, where the workload does not say it; and their other names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SPACE: Mapping[str, Any] = {
    "n_estimators": {"low": 50, "high": 500, "log": True},
    "learning_rate": {"low": 0.01, "high": 0.3, "log": True},
    "max_depth": [3, 10],
    "min_child_weight": {"low": 1.0, "high": 50.0, "log": True},
    "subsample": [0.5, 1.0],
    "colsample_bytree": [0.5, 1.0],
    "reg_lambda": {"low": 0.001, "high": 30.0, "log": True},
}
SPACES = {"XGBClassifier": SPACE, "XGBRegressor": SPACE}
NAMES = {
    "eta": "learning_rate",
    "min_split_loss": "gamma",
    "lambda": "reg_lambda",
    "alpha": "reg_alpha",
    "seed": "random_state",
}
