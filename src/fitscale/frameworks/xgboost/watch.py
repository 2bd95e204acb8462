"""Early stopping: which of XGBoost's metrics stands for a metric of scikit-learn's."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from fitscale.errors import WorkloadError, nearest


class Watch(NamedTuple):
    """What is looked at after each round."""

    name: str  # scikit-learn's, greater is better
    metric: str  # XGBoost's
    value: Callable[[float], float]  # from XGBoost's number to scikit-learn's


def _same(x: float) -> float:
    return x


def _minus(x: float) -> float:
    return -x


def _minus_square(x: float) -> float:
    return -x * x


def _rest(x: float) -> float:
    return 1.0 - x


_BINARY = {
    "roc_auc": ("auc", _same),
    "average_precision": ("aucpr", _same),
    "neg_log_loss": ("logloss", _minus),
    "neg_brier_score": ("rmse", _minus_square),  # of the probability
    "accuracy": ("error", _rest),
}
# roc_auc of several classes is one against the rest, weighted by the classes' rows.
_MULTICLASS = {
    "roc_auc_ovr_weighted": ("auc", _same),
    "neg_log_loss": ("mlogloss", _minus),
    "accuracy": ("merror", _rest),
}
_REGRESSION = {
    "neg_root_mean_squared_error": ("rmse", _minus),
    "neg_mean_squared_error": ("rmse", _minus_square),
    "neg_mean_absolute_error": ("mae", _minus),
    "neg_mean_absolute_percentage_error": ("mape", _minus),
    "neg_root_mean_squared_log_error": ("rmsle", _minus),
    "neg_mean_squared_log_error": ("rmsle", _minus_square),
}


def watch_for(metric: str, classes: int) -> Watch:
    """How to follow a metric on a target with so many classes (0: regression); '' is the default for the target.

    Raises
    ------
    WorkloadError
        At ``evaluate.metric``: XGBoost does not compute it after each round.
    """
    table = _REGRESSION if classes == 0 else _BINARY if classes <= 2 else _MULTICLASS
    default = "neg_root_mean_squared_error" if classes == 0 else "roc_auc" if classes <= 2 else "neg_log_loss"
    name = metric or default
    if name not in table:
        raise WorkloadError(
            "evaluate.metric",
            f"early stopping of xgboost cannot watch '{name}'{nearest(name, table)}; it can watch {', '.join(table)}",
        )
    return Watch(name, *table[name])
