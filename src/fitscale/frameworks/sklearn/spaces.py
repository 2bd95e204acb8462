"""What the parameters of scikit-learn's estimators may be while they are tuned, where the workload does not say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FOREST = {
    "max_features": [0.1, 1.0],
    "min_samples_leaf": {"low": 1, "high": 50, "log": True},
    "max_depth": {"choices": [None, 8, 16, 24]},
}
_HISTOGRAMS = {
    "max_iter": {"low": 50, "high": 500, "log": True},
    "learning_rate": {"low": 0.01, "high": 0.3, "log": True},
    "max_leaf_nodes": {"low": 8, "high": 127, "log": True},
    "min_samples_leaf": {"low": 5, "high": 200, "log": True},
    "l2_regularization": {"low": 0.001, "high": 30.0, "log": True},
}
_BOOSTING = {
    "n_estimators": {"low": 50, "high": 500, "log": True},
    "learning_rate": {"low": 0.01, "high": 0.3, "log": True},
    "max_depth": [2, 8],
    "subsample": [0.5, 1.0],
    "min_samples_leaf": {"low": 1, "high": 100, "log": True},
}
_TREE = {"max_depth": [2, 20], "min_samples_leaf": {"low": 1, "high": 200, "log": True}}
_SGD = {
    "alpha": {"low": 1e-7, "high": 0.1, "log": True},
    "penalty": {"choices": ["l2", "l1", "elasticnet"]},
    "average": {"choices": [False, True]},
}
_C = {"C": {"low": 0.0001, "high": 1000.0, "log": True}}
_ALPHA = {"alpha": {"low": 0.0001, "high": 10_000.0, "log": True}}
_SPARSE = {"alpha": {"low": 1e-5, "high": 100.0, "log": True}}
_NEIGHBOURS = {
    "n_neighbors": {"low": 1, "high": 100, "log": True},
    "weights": {"choices": ["uniform", "distance"]},
    "p": {"choices": [1, 2]},
}
_KERNEL = {"C": {"low": 0.01, "high": 1000.0, "log": True}, "gamma": {"low": 0.0001, "high": 10.0, "log": True}}
_NETWORK = {
    "alpha": {"low": 1e-6, "high": 0.1, "log": True},
    "learning_rate_init": {"low": 0.0001, "high": 0.03, "log": True},
    "activation": {"choices": ["relu", "tanh"]},
}

SPACES: Mapping[str, Mapping[str, Any]] = {
    **dict.fromkeys(
        ("RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor"), _FOREST
    ),
    **dict.fromkeys(("HistGradientBoostingClassifier", "HistGradientBoostingRegressor"), _HISTOGRAMS),
    **dict.fromkeys(("GradientBoostingClassifier", "GradientBoostingRegressor"), _BOOSTING),
    **dict.fromkeys(("DecisionTreeClassifier", "DecisionTreeRegressor"), _TREE),
    **dict.fromkeys(("SGDClassifier", "SGDRegressor"), _SGD),
    **dict.fromkeys(("LogisticRegression", "LinearSVC", "LinearSVR"), _C),
    **dict.fromkeys(("Ridge", "RidgeClassifier"), _ALPHA),
    "Lasso": _SPARSE,
    "ElasticNet": {**_SPARSE, "l1_ratio": [0.05, 1.0]},
    **dict.fromkeys(("KNeighborsClassifier", "KNeighborsRegressor"), _NEIGHBOURS),
    "SVC": _KERNEL,
    "SVR": {**_KERNEL, "epsilon": {"low": 0.001, "high": 1.0, "log": True}},
    **dict.fromkeys(("MLPClassifier", "MLPRegressor"), _NETWORK),
    "GaussianNB": {"var_smoothing": {"low": 1e-12, "high": 1.0, "log": True}},
}
