"""From an estimator's parameters to a Booster's, as XGBClassifier passes them on, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from fitscale.errors import WorkloadError, nearest
from fitscale.records.run import Estimator

PLACE = "model.params"

# The parameters of xgboost.sklearn.XGBModel (3.2), in its order.
WRAPPER = (
    "max_depth", "max_leaves", "max_bin", "grow_policy", "learning_rate", "n_estimators", "verbosity",
    "objective", "booster", "tree_method", "n_jobs", "gamma", "min_child_weight", "max_delta_step", "subsample",
    "sampling_method", "colsample_bytree", "colsample_bylevel", "colsample_bynode", "reg_alpha", "reg_lambda",
    "scale_pos_weight", "base_score", "random_state", "missing", "num_parallel_tree", "monotone_constraints",
    "interaction_constraints", "importance_type", "device", "validate_parameters", "enable_categorical",
    "feature_types", "feature_weights", "max_cat_to_onehot", "max_cat_threshold", "multi_strategy",
    "eval_metric", "early_stopping_rounds", "callbacks",
)  # fmt: skip

# What the library's parameter page has beyond these; XGBModel takes them as keyword arguments.
NATIVE = (
    "eta", "min_split_loss", "lambda", "alpha", "seed", "seed_per_iteration",
    "nthread", "max_cached_hist_node", "disable_default_eval_metric", "sample_type", "normalize_type",
    "rate_drop", "one_drop", "skip_drop", "tweedie_variance_power", "huber_slope", "quantile_alpha",
    "expectile_alpha", "num_class",
)  # fmt: skip

# Said elsewhere in the workload, or decided by the plan; taken and left out, as they do not change the model.
_IGNORED = frozenset(
    {
        "disable_default_eval_metric",
        "enable_categorical",
        "eval_metric",
        "importance_type",
        "missing",
        "n_jobs",
        "nthread",
        "num_class",
        "validate_parameters",
    }
)

_REFUSED: Mapping[str, str] = {
    "early_stopping_rounds": "say it in evaluate.early_stopping, which also names the validation rows",
    "callbacks": "callbacks are code that a resumed run could not repeat; leave it out",
    "feature_types": "which columns are categories follows from the data, or from data.features.categorical",
    "feature_weights": "it has one weight for each encoded column, which a workload cannot name; leave it out",
}

_SAMPLING = ("subsample", "colsample_bytree", "colsample_bylevel", "colsample_bynode")
_NO_OBJECTIVE = {
    "rank:": "ranking needs query groups, which a workload does not have",
    "survival:": "survival needs two bounds for each row, which a workload does not have",
    "binary:logitraw": "it has no probabilities; take binary:logistic",
}


class Settings(NamedTuple):
    """What one estimator comes to."""

    target: Literal["classifier", "regressor"]
    rounds: int
    booster: dict[str, Any]  # parameters of the Booster that were given, without seed and threads
    seed: int | None  # None: the recipe's
    sampling: bool  # random numbers are drawn while it trains

    @property
    def resolved(self) -> dict[str, Any]:
        """All that was asked for, by the names that give the same settings again."""
        seed = {} if self.seed is None else {"random_state": self.seed}
        return {"n_estimators": self.rounds, **self.booster, **seed}


def settings_of(estimator: Estimator) -> Settings:
    """Look at class and parameters.

    Raises
    ------
    WorkloadError
        At ``model.estimator`` or ``model.params``: no such class or parameter, or one that cannot be kept.
    """
    target = _target_of(estimator.path)
    given = {name: value for name, value in estimator.params.items() if value is not None}
    for name, value in given.items():
        if name not in WRAPPER and name not in NATIVE:
            raise WorkloadError(PLACE, f"{estimator.path} takes no '{name}'{nearest(name, (*WRAPPER, *NATIVE))}")
        if name in _REFUSED:
            raise WorkloadError(PLACE, f"{name}: {_REFUSED[name]}")
        if sentence := _reason_not(name, value):
            raise WorkloadError(PLACE, f"{name}: {value!r}: {sentence}")
    rounds = given.pop("n_estimators", 100)
    seed = given.pop("random_state", given.pop("seed", None))
    given.pop("seed", None)
    booster = {name: value for name, value in given.items() if name not in _IGNORED}
    booster.setdefault("objective", "binary:logistic" if target == "classifier" else "reg:squarederror")
    booster["tree_method"] = "hist"
    sampling = booster.get("booster") == "dart" or any(booster.get(name, 1) != 1 for name in _SAMPLING)
    return Settings(target, rounds, booster, seed, sampling)


def booster_params(settings: Settings, classes: int, seed: int, threads: int) -> dict[str, Any]:
    """All parameters of the Booster for a target with so many classes (0: regression)."""
    params = dict(settings.booster)
    if settings.target == "classifier":
        if classes > 2 and params["objective"] != "multi:softmax":
            params["objective"] = "multi:softprob"  # XGBClassifier too replaces any other objective
        if params["objective"].startswith("multi:"):
            params["num_class"] = classes
    return {**params, "seed": seed, "nthread": threads}


def _target_of(path: str) -> Literal["classifier", "regressor"]:
    module, _, name = path.rpartition(".")
    if module in ("xgboost", "xgboost.sklearn"):
        if name == "XGBClassifier":
            return "classifier"
        if name == "XGBRegressor":
            return "regressor"
        if name.startswith("XGBRF"):
            plain = name.replace("XGBRF", "XGB")
            raise WorkloadError(
                "model.estimator",
                f"'{path}' grows its forest in one round, which keeps no progress; take xgboost.{plain} with "
                "num_parallel_tree, or a forest of sklearn.ensemble",
            )
        if name == "XGBRanker":
            raise WorkloadError("model.estimator", f"'{path}': {_NO_OBJECTIVE['rank:']}")
    elif module.startswith(("xgboost.dask", "xgboost.spark")):
        raise WorkloadError(
            "model.estimator",
            f"'{path}' brings its own cluster; take xgboost.XGBClassifier or xgboost.XGBRegressor, and say in "
            "'where' what may be used",
        )
    known = ("xgboost.XGBClassifier", "xgboost.XGBRegressor")
    raise WorkloadError("model.estimator", f"xgboost has no '{path}' to train{nearest(path, known)}")


def _reason_not(name: str, value: Any) -> str | None:
    match name:
        case "tree_method" if value not in ("hist", "auto"):
            return "bins, disk caches and ranks all have 'hist'; leave it out"
        case "booster" if value == "gblinear":
            return "a linear model without trees; take an estimator of sklearn.linear_model"
        case "booster" if value not in ("gbtree", "dart"):
            return "there are gbtree and dart"
        case "device" if not str(value).startswith("cpu"):
            return "only cpu is offered; leave it out"
        case "missing" if not (isinstance(value, float) and math.isnan(value)):
            return "mark missing values as null in the data; leave it out"
        case "n_estimators" if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            return "a whole number, 1 or more"
        case "random_state" | "seed" if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            return "a whole number, 0 or more"
        case "objective" if not isinstance(value, str):
            return "a name; functions cannot be kept with the model"
        case "objective":
            return next((sentence for prefix, sentence in _NO_OBJECTIVE.items() if value.startswith(prefix)), None)
        case "quantile_alpha" | "expectile_alpha" if isinstance(value, (list, tuple)) and len(value) > 1:
            return "one value: a model has one prediction for each row"
        case "sampling_method" if value != "uniform":
            return "only uniform sampling is done on a cpu"
    return None
