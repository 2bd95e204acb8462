"""The design: which workloads, on which shape of this machine, how often. Written down before the first run, and not changed after.

Factors are rows (10⁴ to 10⁷), columns (5 to 10,000), the kind of table, the estimator, cores (1, 2) and memory (2, 6, 20 GB). It
is a fraction of their product: each family of estimators meets several tables and several shapes of the machine, each shape of the
machine several families, and ways of holding the rows matter: long training on few rows, short training on many, and more rows
than memory. Tables are made from seeds, or are real ones: the flights of New York (2013, joined with weather and planes, copied
with noise beyond 327,346 rows) and those of the US (2001).

Every workload is *tuning* or *test* by a hash of its name (see `is_test`), whatever is measured later. Only *test* is reported.

    python benchmarks/choice design      the table, and how long all of it takes
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

SALT = 6  # the first number with which `is_as_promised` holds: nothing else about it was looked at
TUNING = 0.25  # of the workloads
PROMISED = {"test": 48, "ranged": 1, "tuning": 16, "three": 26, "forced": 30}
REPEATED = 3  # one in so many of the test workloads is run in all rounds, the others once
ROUNDS = 3
# What steps are thought to take: `hours` sums them.
PLAN_S, FORCED_S, START_S, TABLE_S = 28.0, 20.0, 3.0, 8.0
OTHERS_TAKE = 1.15  # of the seconds of what is chosen, the other candidates
PARTS = (1 / 64, 1 / 32, 1 / 16)  # of the rows, which those baselines are shown that extrapolate

XGB, XGB_VALUES = "xgboost.XGBClassifier", "xgboost.XGBRegressor"
LGBM, LGBM_VALUES = "lightgbm.LGBMClassifier", "lightgbm.LGBMRegressor"
HGB = "sklearn.ensemble.HistGradientBoostingClassifier"
HGB_VALUES = "sklearn.ensemble.HistGradientBoostingRegressor"
FOREST, FOREST_VALUES = "sklearn.ensemble.RandomForestClassifier", "sklearn.ensemble.RandomForestRegressor"
EXTRA, EXTRA_VALUES = "sklearn.ensemble.ExtraTreesClassifier", "sklearn.ensemble.ExtraTreesRegressor"
LOGISTIC, RIDGE = "sklearn.linear_model.LogisticRegression", "sklearn.linear_model.Ridge"
SGD, BAYES = "sklearn.linear_model.SGDClassifier", "sklearn.naive_bayes.GaussianNB"
NEIGHBOURS, MLP = "sklearn.neighbors.KNeighborsClassifier", "sklearn.neural_network.MLPClassifier"
LINEAR_SVM, SVM = "sklearn.svm.LinearSVC", "sklearn.svm.SVC"
PIPELINE = "sklearn.pipeline.Pipeline"

# Steps of gradient that a stream of the rows can take too.
IN_ORDER = {"loss": "log_loss", "shuffle": False, "tol": None}
SCALED_ROUNDS = {
    "steps": [
        ["scale", {"sklearn.preprocessing.StandardScaler": {}}],
        ["model", {HGB: {"max_iter": 150, "early_stopping": False}}],
    ]
}
SCALED_TREES = {
    "steps": [
        ["scale", {"sklearn.preprocessing.StandardScaler": {}}],
        ["model", {FOREST: {"n_estimators": 12, "max_depth": 12}}],
    ]
}


class Workload(NamedTuple):
    """``name`` says what it is, and which half it is in; ``seconds`` is what a run is thought to take, for planning the hours.

    ``kind`` and what it makes of rows and columns stands in `data`. ``three``: at least three candidates are thought to be
    feasible. ``force``: candidates that are thought to be refused for memory, and are then run all the same. ``ranged``: how many
    iterations it takes changes with seed and rows; it is shown apart, with its range.
    """

    tag: str
    kind: str
    rows: int
    columns: int
    cores: int
    memory_gb: int
    estimator: str
    params: Mapping[str, Any]
    seconds: float
    more: str = ""  # of a made table
    groups: tuple[str, ...] = ()
    stopping: int = 0  # rounds without getting better, after which it ends
    force: tuple[str, ...] = ()
    three: bool = False
    ranged: bool = False

    @property
    def name(self) -> str:
        rows = f"{self.rows / 1e6:g}m" if self.rows >= 1_000_000 else f"{self.rows / 1e3:g}k"
        return f"{self.tag}-{self.kind}-{rows}x{self.columns}-{self.cores}c-{self.memory_gb}g"

    @property
    def is_refusal(self) -> bool:
        """Whether nothing is thought to fit: it is there for what it refuses."""
        return bool(self.force) and self.seconds == 0


def _xgb(
    tag: str, kind: str, rows: int, columns: int, cores: int, gb: int, trees: int, depth: int, seconds: float, **more: Any
) -> Workload:  # fmt: skip
    """One model of XGBoost: in memory, quantised, out of core, by two ranks."""
    estimator = XGB_VALUES if "classes=0" in more.get("more", "") else XGB
    params = {"n_estimators": trees, "max_depth": depth, **more.pop("params", {})}
    more.setdefault("three", not more.get("force") and not more.get("stopping"))
    return Workload(tag, kind, rows, columns, cores, gb, estimator, params, seconds, **more)


BOOSTED = (
    # Long training: what holds the rows is filled once.
    _xgb("xgb", "flights", 327_346, 29, 2, 20, 1_000, 6, 52),
    _xgb("xgb", "flights", 1_500_000, 29, 2, 20, 120, 8, 50),
    _xgb("xgb", "flights", 3_000_000, 29, 1, 6, 80, 6, 46),
    _xgb("xgb-deep", "flights", 1_000_000, 29, 2, 2, 160, 10, 49),
    _xgb("xgb-shallow", "flights", 327_346, 29, 1, 2, 900, 5, 46),
    _xgb("xgb", "routes", 3_000_000, 5, 2, 6, 270, 6, 47),
    _xgb("xgb", "routes", 3_000_000, 5, 1, 2, 190, 6, 45),
    _xgb("xgb", "table", 10_000_000, 5, 2, 20, 50, 8, 50),
    _xgb("xgb", "table", 4_000_000, 20, 2, 6, 180, 8, 45),
    _xgb("xgb", "table", 1_000_000, 60, 1, 20, 180, 8, 45),
    _xgb("xgb", "table", 300_000, 200, 2, 2, 255, 7, 45),
    _xgb("xgb", "table", 50_000, 1_000, 2, 6, 170, 6, 47),
    _xgb("xgb", "table", 20_000, 5_000, 2, 20, 80, 5, 54),
    _xgb("xgb", "table", 10_000, 10_000, 1, 20, 20, 4, 57),
    _xgb("xgb", "table", 100_000, 100, 2, 2, 1_300, 6, 47),
    _xgb("xgb", "table", 100_000, 500, 1, 6, 180, 6, 44),
    _xgb("xgb-long", "table", 30_000, 50, 2, 6, 4_400, 6, 44),
    _xgb("xgb", "categories", 2_000_000, 20, 2, 6, 190, 6, 46, more="columns=10&categorical=10&levels=100"),
    _xgb("xgb-classes", "made", 800_000, 20, 2, 2, 150, 6, 45, more="columns=20&classes=6"),
    _xgb("xgb-values", "made", 2_000_000, 30, 2, 20, 220, 8, 45, more="columns=30&classes=0"),
    _xgb("xgb-missing", "made", 1_500_000, 40, 2, 6, 190, 6, 45, more="columns=40&missing=0.2"),
    _xgb("xgb-weighted", "made", 2_000_000, 30, 1, 6, 170, 6, 40, more="columns=30&weight=true"),
    _xgb("xgb-sampled", "flights", 1_500_000, 29, 2, 6, 250, 8, 38, params={"subsample": 0.7, "colsample_bytree": 0.7}),
    _xgb("xgb", "words", 250_000, 20_000, 2, 6, 800, 6, 40),
    _xgb("xgb", "words", 1_000_000, 5_000, 1, 20, 100, 6, 50),
    _xgb("xgb", "csv", 1_000_000, 29, 2, 20, 200, 8, 47),
    # Short training on many rows: reading them and filling what holds them is most of it.
    _xgb("xgb-short", "table", 10_000_000, 20, 2, 20, 30, 6, 35),
    _xgb("xgb-short", "table", 5_000_000, 60, 2, 20, 15, 6, 35),
    _xgb("xgb-short", "table", 1_200_000, 250, 2, 20, 12, 6, 35),
    _xgb("xgb-short", "table", 4_000_000, 25, 1, 6, 10, 6, 35),
    _xgb("xgb-short", "flights", 5_000_000, 29, 2, 20, 45, 6, 35),
    _xgb("xgb-short", "flights", 3_000_000, 29, 2, 6, 80, 4, 33),
    _xgb("xgb-short", "made", 8_000_000, 30, 2, 20, 15, 5, 40, more="columns=30&classes=0"),
    _xgb("xgb-short", "csv", 3_000_000, 29, 2, 20, 25, 5, 35),
    # Ended by a rule: how many rounds there are is seen only then.
    _xgb("xgb-stopping", "flights", 1_500_000, 29, 2, 20, 300, 8, 60, stopping=20),
    _xgb("xgb-stopping", "made", 2_000_000, 30, 1, 6, 150, 6, 45, stopping=5, more="columns=30&classes=0"),
    # More than 2 GB hold, in one form or in all but one.
    _xgb("xgb-large", "table", 9_000_000, 20, 2, 2, 55, 6, 50, force=("in-memory", "data-parallel")),
    _xgb("xgb-large", "table", 10_000_000, 20, 1, 2, 17, 6, 50, force=("in-memory", "data-parallel")),
    _xgb("xgb-large", "table", 3_500_000, 50, 2, 2, 50, 6, 50, force=("in-memory", "data-parallel")),
    _xgb("xgb-large", "table", 600_000, 300, 2, 2, 40, 6, 50, force=("in-memory", "data-parallel")),
    _xgb("xgb-large", "flights", 3_500_000, 29, 2, 2, 90, 6, 50, force=("in-memory", "data-parallel")),
    _xgb("xgb-large", "flights", 4_000_000, 29, 1, 2, 35, 6, 50, force=("in-memory", "data-parallel")),
    _xgb("xgb-large", "flights", 5_500_000, 29, 2, 2, 50, 6, 55, force=("in-memory", "quantised", "data-parallel")),
    _xgb("xgb-large", "made", 4_500_000, 40, 2, 2, 40, 6, 60, more="columns=40&missing=0.1",
         force=("in-memory", "quantised", "data-parallel")),
)  # fmt: skip

LEAVES = (
    Workload("lgbm", "flights", 1_500_000, 29, 2, 20, LGBM, {"n_estimators": 220, "num_leaves": 127}, 40),
    Workload("lgbm", "flights", 3_000_000, 29, 1, 6, LGBM, {"n_estimators": 60, "num_leaves": 63}, 40),
    Workload("lgbm", "table", 4_000_000, 20, 2, 6, LGBM, {"n_estimators": 80, "num_leaves": 127}, 40),
    Workload("lgbm", "table", 300_000, 200, 2, 2, LGBM, {"n_estimators": 150, "num_leaves": 63}, 40),
    Workload("lgbm", "table", 20_000, 5_000, 2, 20, LGBM, {"n_estimators": 60, "num_leaves": 31}, 40),
    Workload("lgbm-values", "made", 2_000_000, 30, 1, 20, LGBM_VALUES, {"n_estimators": 90, "num_leaves": 63}, 40,
             more="columns=30&classes=0"),
    Workload("lgbm", "words", 250_000, 20_000, 2, 6, LGBM, {"n_estimators": 120, "num_leaves": 31}, 40),
    Workload("lgbm", "categories", 2_000_000, 20, 2, 2, LGBM, {"n_estimators": 120, "num_leaves": 63}, 40,
             more="columns=10&categorical=10&levels=100"),
    Workload("lgbm-stopping", "flights", 1_500_000, 29, 2, 20, LGBM, {"n_estimators": 300, "num_leaves": 127}, 60, stopping=20),
    Workload("hgb", "flights", 1_500_000, 29, 2, 6, HGB, {"max_iter": 320, "early_stopping": False}, 40),
    Workload("hgb", "table", 4_000_000, 20, 2, 20, HGB, {"max_iter": 100, "early_stopping": False}, 40),
    Workload("hgb", "table", 300_000, 200, 1, 2, HGB, {"max_iter": 130, "early_stopping": False}, 40),
    Workload("hgb-values", "made", 2_000_000, 30, 2, 2, HGB_VALUES, {"max_iter": 160, "early_stopping": False}, 35,
             more="columns=30&classes=0"),
    Workload("lgbm-large", "table", 12_000_000, 30, 2, 2, LGBM, {"n_estimators": 15, "num_leaves": 31}, 50, force=("in-memory",)),
)  # fmt: skip

TREES = (
    Workload("forest", "flights", 1_500_000, 29, 2, 20, FOREST, {"n_estimators": 16, "max_depth": 16}, 45),
    Workload("forest", "flights", 327_346, 29, 1, 6, FOREST, {"n_estimators": 25, "max_depth": 16}, 40),
    Workload("forest", "table", 1_000_000, 60, 2, 6, FOREST, {"n_estimators": 10, "max_depth": 14}, 45),
    Workload("forest-values", "made", 600_000, 20, 2, 2, FOREST_VALUES,
             {"n_estimators": 20, "max_depth": 12, "max_features": 0.4}, 40, more="columns=20&classes=0"),
    Workload("extra", "table", 1_000_000, 60, 2, 20, EXTRA, {"n_estimators": 45, "max_depth": 14}, 45),
    Workload("extra", "flights", 1_500_000, 29, 1, 20, EXTRA, {"n_estimators": 18, "max_depth": 16}, 45),
    Workload("extra-values", "made", 2_000_000, 30, 2, 6, EXTRA_VALUES,
             {"n_estimators": 18, "max_depth": 14, "max_features": 0.3}, 45, more="columns=30&classes=0"),
)  # fmt: skip

OTHERS = (
    Workload("logistic-saga", "table", 300_000, 200, 2, 20, LOGISTIC, {"solver": "saga", "max_iter": 55, "tol": 1e-12}, 40),
    Workload("logistic", "flights", 1_500_000, 29, 2, 20, LOGISTIC, {"max_iter": 100, "tol": 1e-12}, 45),
    Workload("logistic", "words", 1_000_000, 5_000, 2, 2, LOGISTIC, {"max_iter": 100, "tol": 1e-12}, 30),
    Workload("ridge", "table", 200_000, 1_000, 2, 20, RIDGE, {"alpha": 1.0}, 25),
    Workload("ridge", "made", 4_000_000, 40, 1, 20, RIDGE, {"alpha": 1.0}, 25, more="columns=40&classes=0"),
    Workload("sgd", "flights", 1_500_000, 29, 2, 6, SGD, {**IN_ORDER, "max_iter": 60}, 40),
    Workload("sgd", "table", 4_000_000, 20, 1, 20, SGD, {**IN_ORDER, "max_iter": 25}, 40),
    Workload("sgd", "words", 250_000, 20_000, 2, 2, SGD, {"loss": "log_loss", "max_iter": 400, "tol": None}, 38),
    Workload("bayes", "table", 8_000_000, 20, 2, 2, BAYES, {}, 25, force=("in-memory",)),
    Workload("neighbours", "table", 100_000, 20, 2, 6, NEIGHBOURS, {}, 35),
    Workload("neighbours", "table", 2_000_000, 5, 1, 2, NEIGHBOURS, {}, 35),
    Workload("linear-svm", "table", 1_000_000, 60, 2, 20, LINEAR_SVM, {"C": 0.1}, 30),
    Workload("svm", "table", 40_000, 20, 2, 2, SVM, {"cache_size": 500}, 35),
    Workload("mlp", "table", 300_000, 20, 2, 6, MLP,
             {"hidden_layer_sizes": [64], "max_iter": 60, "n_iter_no_change": 1_000}, 40),
    Workload("pipeline", "table", 1_000_000, 20, 2, 20, PIPELINE, SCALED_ROUNDS, 40),
    Workload("pipeline-trees", "table", 800_000, 20, 2, 6, PIPELINE, SCALED_TREES, 45),
    Workload("sgd-until", "flights", 3_000_000, 29, 2, 20, SGD, {"loss": "log_loss"}, 40, ranged=True),
    Workload("mlp-until", "table", 200_000, 20, 2, 6, MLP, {"hidden_layer_sizes": [64]}, 60, ranged=True),
)  # fmt: skip

MANY = (
    Workload("many-xgb", "flights", 327_346, 29, 2, 6, XGB, {"n_estimators": 350, "max_depth": 4, "learning_rate": 0.05}, 35,
             groups=("dest", "hour")),
    Workload("many-boosting", "flights", 327_346, 29, 2, 20, "sklearn.ensemble.GradientBoostingClassifier",
             {"n_estimators": 50, "max_depth": 4}, 45, groups=("dest", "hour")),
    Workload("many-trees", "flights", 327_346, 29, 1, 2, FOREST, {"n_estimators": 25, "max_depth": 8}, 40,
             groups=("carrier", "dest")),
    Workload("many-lgbm", "routes", 3_000_000, 5, 2, 20, LGBM, {"n_estimators": 150, "max_depth": 6}, 35,
             groups=("origin", "destination")),
    Workload("many-ridge", "made", 5_000_000, 20, 2, 6, "batched.Ridge", {"alpha": 1.0}, 25,
             groups=("group",), more="columns=20&classes=0&categorical=0&groups=20000"),
    Workload("many-logistic", "made", 2_000_000, 20, 1, 6, LOGISTIC, {"max_iter": 200}, 40,
             groups=("group",), more="columns=20&categorical=0&groups=5000"),
    Workload("many-series-ar", "series", 20_000_000, 1, 2, 6, "series.AR", {"lags": 2}, 15,
             groups=("db", "metric"), more="points=200"),
    Workload("many-series-arima", "series", 6_000_000, 1, 2, 6, "series.ARIMA", {"order": [2, 0, 1]}, 20,
             groups=("db", "metric"), more="points=720"),
)  # fmt: skip


def _refused(
    tag: str, kind: str, rows: int, columns: int, estimator: str, params: Mapping[str, Any], *force: str, more: str = ""
) -> Workload:
    """What 2 GB are not enough for, in any form: from 1.1 to 3 times of them, by what such models hold a cell."""
    return Workload(tag, kind, rows, columns, 2, 2, estimator, params, 0, more=more, force=force or ("in-memory",))


PARTS_TOO = ("in-memory", "parts-and-merge")
REFUSED = (
    _refused("hgb-refused", "table", 3_600_000, 30, HGB, {"max_iter": 20, "early_stopping": False}),
    _refused("hgb-refused", "flights", 4_500_000, 29, HGB, {"max_iter": 20, "early_stopping": False}),
    _refused("hgb-refused", "table", 700_000, 200, HGB, {"max_iter": 20, "early_stopping": False}),
    _refused("logistic-refused", "table", 5_500_000, 30, LOGISTIC, {"solver": "saga", "max_iter": 3}),
    _refused("logistic-refused", "table", 800_000, 200, LOGISTIC, {"max_iter": 20}),
    _refused("ridge-refused", "made", 3_500_000, 40, RIDGE, {}, more="columns=40&classes=0"),
    _refused("ridge-refused", "table", 140_000, 1_000, RIDGE, {}),
    _refused("neighbours-refused", "table", 4_500_000, 30, NEIGHBOURS, {}),
    _refused("linear-svm-refused", "table", 3_500_000, 30, LINEAR_SVM, {"max_iter": 3}),
    _refused("linear-svm-refused", "table", 20_000, 10_000, LINEAR_SVM, {"max_iter": 3}),
    _refused("extra-refused", "flights", 6_500_000, 29, EXTRA, {"n_estimators": 4, "max_depth": 12}, *PARTS_TOO),
    _refused("forest-refused", "table", 8_000_000, 20, FOREST, {"n_estimators": 2, "max_depth": 10}, *PARTS_TOO),
    _refused("pipeline-refused", "table", 4_000_000, 30, PIPELINE, SCALED_TREES),
    _refused("mlp-refused", "table", 6_000_000, 30, MLP, {"hidden_layer_sizes": [8], "max_iter": 1}),
)

WORKLOADS: tuple[Workload, ...] = (*BOOSTED, *LEAVES, *TREES, *OTHERS, *MANY, *REFUSED)


def share_of(*words: object) -> float:
    """A number from 0 to 1 that the words alone decide."""
    digest = hashlib.sha256("/".join(map(str, words)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def is_test(name: str) -> bool:
    """Which half a workload is in: *tuning* below a quarter, by a hash of its name."""
    return share_of("half", SALT, name) >= TUNING


def repeated() -> frozenset[str]:
    """Names of the test workloads that are run in all rounds: a third, of those with three candidates and of the others apart."""
    names: set[str] = set()
    runs = [w for w in WORKLOADS if is_test(w.name) and not w.is_refusal and not w.ranged]
    for kind in ([w for w in runs if w.three], [w for w in runs if not w.three]):
        ordered = sorted(kind, key=lambda w: share_of("repeat", w.name))
        names |= {w.name for w in ordered[: round(len(ordered) / REPEATED)]}
    return frozenset(names | {w.name for w in WORKLOADS if w.ranged and is_test(w.name)})


def blocks() -> list[tuple[int, Workload]]:
    """(Round, workload) in the fixed order in which they are run: drawn by a hash, so that no kind has a time of day of its own.

    The rounds of a workload come one after the other, wherever they were drawn.
    """
    again = repeated()
    drawn = [(k, w) for w in WORKLOADS for k in range(ROUNDS if w.name in again else 1)]
    begun: dict[str, int] = {}
    found = []
    for _, w in sorted(drawn, key=lambda block: share_of("order", block[0], block[1].name)):
        found.append((begun.get(w.name, 0), w))
        begun[w.name] = found[-1][0] + 1
    return found


def counts(workloads: Iterable[Workload] = WORKLOADS) -> dict[str, int]:
    """What the design promises of its test half."""
    test = [w for w in workloads if is_test(w.name)]
    runs = [w for w in test if not w.is_refusal]
    return {
        "test": sum(not w.ranged for w in runs), "ranged": sum(w.ranged for w in runs),
        "tuning": sum(not is_test(w.name) and not w.is_refusal for w in workloads),
        "three": sum(w.three for w in runs), "forced": sum(len(w.force) for w in test),
    }  # fmt: skip


def is_as_promised() -> bool:
    """Whether each half has what is promised of it, and workloads of each family."""
    found = counts()
    both = all({is_test(w.name) for w in family} == {True, False} for family in (BOOSTED, LEAVES, TREES, OTHERS, MANY))
    return both and all(found[name] >= least for name, least in PROMISED.items())


def hours() -> dict[str, float]:
    """How long it is thought to take, by step, from the seconds that stand with the workloads."""
    found = dict.fromkeys(("plan", "force", "train", "choose", "parts", "tables"), 0.0)
    for number, w in blocks():
        others = (
            3
            if w.three
            else 1
            if w in (*BOOSTED, *LEAVES[:9], *TREES) or w.estimator == SGD or "series" in w.tag
            else 0
        )
        found["tables"] += TABLE_S
        found["train"] += w.seconds
        found["choose"] += others * w.seconds * OTHERS_TAKE
        if number == 0:
            found["plan"] += PLAN_S
            found["force"] += len(w.force) * FORCED_S
            found["parts"] += (
                (others + 1) * (len(PARTS) * START_S + sum(PARTS) * w.seconds) if w.three and is_test(w.name) else 0
            )
    return {step: round(seconds / 3_600, 2) for step, seconds in found.items()}


def show() -> None:
    """The workloads, their halves, and the hours."""
    again = repeated()
    for w in sorted(WORKLOADS, key=lambda w: w.name):
        half = "test" if is_test(w.name) else "tuning"
        notes = (
            ["three candidates"] * w.three + ["ranged"] * w.ranged + [f"forced: {', '.join(w.force)}"] * bool(w.force)
        )
        rounds = ROUNDS if w.name in again else 1
        print(f"{w.name:42} {half:7} {rounds} × {w.seconds:3.0f} s  {'; '.join(notes)}")
    parts = hours()
    print(f"{counts()}; {len(blocks())} blocks; hours {parts}, in all {sum(parts.values()):.1f}")
