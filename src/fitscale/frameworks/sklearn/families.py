"""The families of estimators, by class name: how much work a fit is at a size, and what a unit of it costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any, NamedTuple

from fitscale.frameworks.boosting import settling

Params = Mapping[str, Any]


class Cost(NamedTuple):
    """At ``n`` rows × ``d`` columns with ``k`` score columns."""

    unit: str
    amount: float
    prior: float  # CPU seconds for each
    fit_bytes: float  # beside the matrix that the feed gives
    model_bytes: float
    score_s: float  # for each row
    stream_s: float = 1.5e-8  # for each cell, pass and score column
    parallel: Mapping[str, float] = MappingProxyType({})
    error: tuple[float, float, float] = (2.0, 0.4, 0.15)  # from priors, samples, full size
    memory_error: tuple[float, float, float] = (0.6, 0.2, 0.05)
    apart: bool = False  # each thread has ``fit_bytes`` of its own
    bin_s: float = 0.0  # for each cell, before the first round
    later: float = 1.0  # what a round takes in the long run, against the first: trees get lopsided, and so cheaper
    settling: float = 40.0  # rounds in which it falls to that, by 1 / e


def _number(params: Params, name: str, default: float) -> float:
    value = params.get(name, default)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else default


ROUNDS = {  # those whose progress is kept, by the parameter that says how many units there are
    "RandomForestClassifier": "n_estimators",
    "RandomForestRegressor": "n_estimators",
    "ExtraTreesClassifier": "n_estimators",
    "ExtraTreesRegressor": "n_estimators",
    "GradientBoostingClassifier": "n_estimators",
    "GradientBoostingRegressor": "n_estimators",
    "HistGradientBoostingClassifier": "max_iter",
    "HistGradientBoostingRegressor": "max_iter",
}


EPOCHS = {  # those that go over the rows again and again: how often at most, and usually where ``tol`` ends it (7 to 23 were seen)
    "SGDClassifier": (1000, 20),
    "SGDRegressor": (1000, 20),
    "Perceptron": (1000, 20),
    "PassiveAggressiveClassifier": (1000, 20),
    "PassiveAggressiveRegressor": (1000, 20),
    "MLPClassifier": (200, 100),
    "MLPRegressor": (200, 100),
}


def rounds_param(path: str) -> str:
    """The parameter that says how many trees or rounds a class has; empty for a class that has none, or is not the library's."""
    return ROUNDS.get(path.rpartition(".")[2], "") if path.startswith("sklearn.") else ""


def rounds_said(path: str, params: Params) -> int:
    """How many trees or rounds a fit of this class has, as its parameters say; 1 for those that have none."""
    name = rounds_param(path)
    return int(_number(params, name, 100)) if name else 1


def epochs_said(name: str, params: Params) -> int:
    """How many epochs a fit of all rows has, as far as its parameters tell; 0 where the class has none."""
    if name not in EPOCHS or params.get("solver") == "lbfgs":
        return 0
    most, usual = EPOCHS[name]
    said = int(_number(params, "max_iter", most))
    fixed = params.get("tol", 0) is None and not params.get("early_stopping")
    return said if fixed else min(said, usual)


def _hist(n: float, d: float, k: int, name: str, p: Params) -> Cost:
    trees, leaves = _number(p, "max_iter", 100) * k, _number(p, "max_leaf_nodes", 31)
    # A cell for each tree, and the histograms of each leaf.
    amount = trees * d * (n + leaves * 256 * 0.8)
    # 120 iterations of five tables took 0.69 to 1.05 of what the first would have made of them, 0.84 in the mean.
    # float64 copy while binning, another of the 200,000 rows that thresholds come from, then a byte a cell; gradients,
    # hessians and raw predictions for each row.
    return Cost(
        "cells", amount, 2e-8, d * (n * 9 + min(n, 2e5) * 8) + n * 40 * k, trees * leaves * 130, 6e-8 * trees,
        parallel={"iterations": 0.85, "bin": 0.85}, error=(1.0, 0.4, 0.18), bin_s=5e-8, later=0.7,
        settling=settling(_number(p, "learning_rate", 0.1)),
    )  # fmt: skip


def _boosted(n: float, d: float, k: int, name: str, p: Params) -> Cost:
    trees, depth = _number(p, "n_estimators", 100) * k, _number(p, "max_depth", 3)
    amount = trees * depth * n * d * math.log2(n) * _number(p, "subsample", 1.0)
    return Cost("sorts", amount, 7.6e-9, n * 60 * k, trees * 2**depth * 200, 3e-8 * trees, error=(1.0, 0.4, 0.15))


def _tried(d: float, p: Params, default: str | None) -> float:
    """How many columns a node looks at: as many as ``max_features`` says."""
    said = p.get("max_features", default)
    share = {"sqrt": math.sqrt(d), "log2": math.log2(max(d, 2.0))}.get(said) if isinstance(said, str) else None
    if share is not None:
        return max(1.0, float(int(share)))
    if isinstance(said, int) and not isinstance(said, bool):
        return float(said)
    return max(1.0, said * d) if isinstance(said, float) else d


SHARE = 0.02  # of the time of trees: what a fit of some of them repeats
MOST_TOGETHER = 32


def trees_together(name: str, params: Params, rows: float, columns: float) -> int:
    """How many trees of a forest a fit grows, so that it costs little to look through the rows again for each.

    Measured at 20,000 to 1,000,000 rows × 21 and 28 columns: a fit without trees takes 60 ns a row and 3 ns a cell, a tree for
    each row, level and column that a node looks at 20 to 110 ns, or about 10 where thresholds are drawn.
    """
    repeated = 6e-8 + 3e-9 * columns
    depth = min(_number(params, "max_depth", 1e9), math.log2(max(rows, 2)))
    tried = _tried(columns, params, "sqrt" if name.endswith("Classifier") else None)
    tree = (1e-8 if name.startswith("Extra") else 3e-8) * max(1.0, depth) * tried
    return max(1, min(MOST_TOGETHER, math.ceil(repeated / (SHARE * tree))))


def _trees(n: float, d: float, k: int, name: str, p: Params) -> Cost:
    forest = name.endswith(("ForestClassifier", "ForestRegressor", "TreesClassifier", "TreesRegressor"))
    classifier, extra = name.endswith("Classifier"), name.startswith("Extra")
    trees = _number(p, "n_estimators", 100) if forest else 1.0
    tried = _tried(d, p, "sqrt" if forest and classifier else None)
    depth = min(_number(p, "max_depth", 1e9), math.log2(n))
    # Few trees are whole at their last levels: 23,000 nodes of 131,000 at depth 16, 2,500 of 33,000 where thresholds are drawn, at
    # depth 14, and 4,800 of 8,200 at depth 12 of values.
    filled = 0.77 if extra else 0.86 if classifier else 0.94
    nodes = min(
        (0.3 if classifier else 1.2) * n / _number(p, "min_samples_leaf", 1), 2.0 ** min(filled * (depth + 1), 60)
    )
    if extra:  # draws its thresholds instead of sorting
        amount, prior = trees * n * depth * tried, 2.2e-8
    else:
        amount, prior = trees * n * math.log2(n) * depth * tried, 5.5e-9 if forest else 7.5e-9
    return Cost(
        "splits", amount, prior, n * 40, trees * nodes * (72 + 8 * k), 2.5e-8 * trees + 2e-6 * forest,
        parallel={"iterations": 0.95} if forest else {}, error=(1.0, 0.4, 0.15), apart=forest,
    )  # fmt: skip


def _lbfgs(n: float, d: float, k: int, name: str, p: Params) -> Cost:
    steps = min(_number(p, "max_iter", 100), 60.0)
    return Cost("cells", n * d * k * steps, 1.5e-9, n * d * 8 + n * 40 * k, d * k * 8, 1e-7, error=(2.0, 0.8, 0.25))


def _liblinear(n: float, d: float, k: int, name: str, p: Params) -> Cost:
    return Cost("cells", n * d * k * 20, 1e-8, n * d * 24, d * k * 8, 1e-7, error=(3.0, 0.8, 0.2))


def _closed(n: float, d: float, k: int, name: str, p: Params) -> Cost:
    # The products of the columns, or of the rows where those are fewer: 80 × 10,000 took 0.01 to 0.06 s and 14 MB, 1,000 × 4,000
    # 80 to 94 MB. BayesianRidge alone goes by its columns all the same: 51 s and 2.4 GB.
    m = d if name == "BayesianRidge" else min(n, d)
    return Cost("products", n * d * (m + 10) + m**3, 2e-9, n * d * 18 + m * m * 16, d * k * 8, 1e-7)


def _descent(n: float, d: float, k: int, name: str, p: Params) -> Cost:
    return Cost("cells", n * d * 50, 2e-9, n * d * 16, d * 8, 1e-7, error=(3.0, 0.8, 0.25))


def _steps(n: float, d: float, k: int, name: str, p: Params) -> Cost:
    passes = epochs_said(name, p)
    error = (2.0, 0.4, 0.1) if p.get("tol", 0) is None else (2.0, 0.8, 0.5)  # tol ends it when nobody can know
    return Cost("cells", n * d * k * passes, 1e-8, n * 24, d * k * 8, 1e-7, 1.1e-8, error=error)


def _bayes(n: float, d: float, k: int, name: str, p: Params) -> Cost:
    return Cost("cells", n * d, 5e-8, n * d * 16, d * max(k, 2) * 24, 1e-8 * d * max(k, 2), 3e-8)


def _neighbours(n: float, d: float, k: int, name: str, p: Params) -> Cost:
    # The rows are the model; a query of many columns looks at all of them.
    seen = n if d > 15 else n ** min(1.0, 0.4 + d / 25)
    return Cost("rows", n * math.log2(n) * d, 8e-9, n * 8, n * d * 8, seen * d * 1.1e-9 + 5e-6)


def _kernel(n: float, d: float, k: int, name: str, p: Params) -> Cost:
    times = 6 if p.get("probability") else 1
    cache = min(_number(p, "cache_size", 200) * 1e6, 4 * n * n)
    size = (n * d * 16 + cache, n * d * 4)
    return Cost("products", n * n * d * times, 1.1e-9, *size, n * d * 1.7e-9, error=(3.0, 0.8, 0.3))


def _cubic(n: float, d: float, k: int, name: str, p: Params) -> Cost:
    times = 40.0 if name.startswith("GaussianProcess") else 1.0  # evaluations of the likelihood
    return Cost("products", n**3 * times, 2e-10, n * n * 32, n * n * 8, n * d * 5e-9, error=(5.0, 1.0, 0.3))


def _network(n: float, d: float, k: int, name: str, p: Params) -> Cost:
    layers = p.get("hidden_layer_sizes", 100)
    widths = [d, *(layers if isinstance(layers, (list, tuple)) else [layers]), k]
    weights = float(sum(a * b for a, b in pairwise(widths)))
    epochs = epochs_said(name, p) or 100
    size, pass_s = (n * d * 8, weights * 24), 1.5e-9 * weights / d
    return Cost("weights", n * weights * epochs, 1.5e-9, *size, weights * 1e-9, pass_s, error=(2.0, 0.8, 0.12))


def _unknown(n: float, d: float, k: int, name: str, p: Params) -> Cost:
    wide = (10.0, 1.0, 0.3)
    return Cost("cells", n * d * k, 1e-6, n * d * 16, d * k * 8 + n, 1e-6, error=wide, memory_error=(2.0, 0.4, 0.1))


def _cheap(n: float, d: float, k: int, name: str, p: Params) -> Cost:
    return Cost("rows", n, 5e-8, n * 16, d * k * 8, 1e-7)


FAMILIES: dict[Callable[[float, float, int, str, Params], Cost], str] = {
    _hist: "HistGradientBoostingClassifier HistGradientBoostingRegressor",
    _boosted: "GradientBoostingClassifier GradientBoostingRegressor",
    _trees: "RandomForestClassifier RandomForestRegressor ExtraTreesClassifier ExtraTreesRegressor "
    "DecisionTreeClassifier DecisionTreeRegressor ExtraTreeClassifier ExtraTreeRegressor",
    _lbfgs: "LogisticRegression HuberRegressor PoissonRegressor GammaRegressor TweedieRegressor",
    _liblinear: "LinearSVC LinearSVR",
    _closed: "LinearRegression Ridge RidgeClassifier BayesianRidge LinearDiscriminantAnalysis "
    "QuadraticDiscriminantAnalysis PLSRegression NearestCentroid",
    _descent: "Lasso ElasticNet Lars LassoLars",
    _steps: "SGDClassifier SGDRegressor Perceptron PassiveAggressiveClassifier PassiveAggressiveRegressor",
    _bayes: "GaussianNB MultinomialNB ComplementNB BernoulliNB CategoricalNB",
    _neighbours: "KNeighborsClassifier KNeighborsRegressor RadiusNeighborsClassifier RadiusNeighborsRegressor",
    _kernel: "SVC SVR NuSVC NuSVR",
    _cubic: "GaussianProcessClassifier GaussianProcessRegressor KernelRidge",
    _network: "MLPClassifier MLPRegressor",
    _cheap: "DummyClassifier DummyRegressor",
}


def family_of(name: str) -> Callable[[float, float, int, str, Params], Cost]:
    """The cost function of a class, by its name; broad where the class is not known."""
    return next((family for family, names in FAMILIES.items() if name in names.split()), _unknown)


def steps_by_row(name: str) -> bool:
    """Whether a class goes from row to row by gradient steps, in the precision that it is given."""
    return family_of(name) is _steps


def _folds(params: Params) -> float:
    return _number(params, "cv", 5)


def _grid(params: Params) -> float:
    grid = params.get("param_grid")
    grids = grid if isinstance(grid, list) else [grid or {}]
    return sum(math.prod(len(v) if isinstance(v, list) else 1 for v in g.values()) for g in grids) * _folds(params) + 1


# Estimators that fit others, and how often.
MANY: dict[str, Callable[[Params], float]] = {
    "Pipeline": lambda p: 1.0,
    "TransformedTargetRegressor": lambda p: 1.0,
    "GridSearchCV": _grid,
    "RandomizedSearchCV": lambda p: _number(p, "n_iter", 10) * _folds(p) + 1,
    "CalibratedClassifierCV": lambda p: _folds(p) + 1,
    "BaggingClassifier": lambda p: _number(p, "n_estimators", 10),
    "BaggingRegressor": lambda p: _number(p, "n_estimators", 10),
    "AdaBoostClassifier": lambda p: _number(p, "n_estimators", 50),
    "AdaBoostRegressor": lambda p: _number(p, "n_estimators", 50),
    "StackingClassifier": lambda p: len(p.get("estimators", [])) * (_folds(p) + 1),
    "StackingRegressor": lambda p: len(p.get("estimators", [])) * (_folds(p) + 1),
    "VotingClassifier": lambda p: float(len(p.get("estimators", []))),
    "VotingRegressor": lambda p: float(len(p.get("estimators", []))),
    "OneVsRestClassifier": lambda p: 1.0,
}
