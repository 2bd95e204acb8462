"""Early stopping: which of LightGBM's metrics stands for a metric of scikit-learn's."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from fitscale.errors import WorkloadError, nearest


class Watch(NamedTuple):
    """What is looked at after each round."""

    name: str  # scikit-learn's, greater is better
    metric: str  # LightGBM's
    value: Callable[[float], float]  # from LightGBM's number to scikit-learn's


def _same(x: float) -> float:
    return x


def _minus(x: float) -> float:
    return -x


def _rest(x: float) -> float:
    return 1.0 - x


_BINARY = {
    "roc_auc": ("auc", _same),
    "average_precision": ("average_precision", _same),
    "neg_log_loss": ("binary_logloss", _minus),
    "neg_brier_score": ("l2", _minus),  # of the probability
    "accuracy": ("binary_error", _rest),
}
_MULTICLASS = {
    "neg_log_loss": ("multi_logloss", _minus),
    "accuracy": ("multi_error", _rest),
}
# LightGBM's mape divides by at least 1, which scikit-learn's does not.
_REGRESSION = {
    "neg_root_mean_squared_error": ("rmse", _minus),
    "neg_mean_squared_error": ("l2", _minus),
    "neg_mean_absolute_error": ("l1", _minus),
}


def watch_for(metric: str, classes: int) -> Watch:
    """How to follow a metric on a target with so many classes (0: regression); '' is the default for the target.

    Raises
    ------
    WorkloadError
        At ``evaluate.metric``: LightGBM does not compute it after each round.
    """
    table = _REGRESSION if classes == 0 else _BINARY if classes <= 2 else _MULTICLASS
    default = "neg_root_mean_squared_error" if classes == 0 else "roc_auc" if classes <= 2 else "neg_log_loss"
    name = metric or default
    if name not in table:
        raise WorkloadError(
            "evaluate.metric",
            f"early stopping of lightgbm cannot watch '{name}'{nearest(name, table)}; it can watch {', '.join(table)}",
        )
    return Watch(name, *table[name])
