"""From an estimator's parameters to a Booster's, as LGBMClassifier passes them on, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from fitscale.errors import WorkloadError, nearest
from fitscale.frameworks.boosting import round_seed
from fitscale.frameworks.lightgbm.names import OF_CLASSIFIERS, main_names, objectives
from fitscale.records.run import Estimator

PLACE = "model.params"

# LightGBM keeps no state of its random numbers in a model. Where any are drawn, a Booster is therefore begun anew, with a
# new seed, at each multiple of this many rounds; checkpoints fall on them. See docs/decisions/0007.
SEGMENT = 10
MANY_ROWS, FEW_BINS = 200_000, 1 << 16  # from which on, and up to which, histograms are made by rows

# Said elsewhere in the workload, or decided by the plan; taken and left out, as they do not change the model.
_IGNORED = frozenset(
    {"deterministic", "first_metric_only", "force_col_wise", "importance_type", "metric", "num_class", "num_threads"}
    | {"num_machines", "objective_seed", "time_out", "verbosity"}
)

_CLUSTER = "how many processes share a fit is the plan's choice; leave it out"
_DEVICE = "only cpu is offered; leave it out"
_FILE = "what is in a file of its own is not in the recipe of the model; leave it out"
_STOPPING = "say it in evaluate.early_stopping, which also names the validation rows"
_REFUSED: Mapping[str, str] = {
    "categorical_feature": "which columns are categories follows from the data, or from data.features.categorical",
    "early_stopping_min_delta": _STOPPING,
    "early_stopping_round": _STOPPING,
    "forcedbins_filename": _FILE,
    "forcedsplits_filename": _FILE,
    "gpu_device_id": _DEVICE,
    "gpu_device_id_list": _DEVICE,
    "gpu_platform_id": _DEVICE,
    "gpu_use_dp": _DEVICE,
    "local_listen_port": _CLUSTER,
    "machine_list_filename": _CLUSTER,
    "machines": _CLUSTER,
    "num_gpu": _DEVICE,
}

_TEXTS = frozenset(
    {"boosting", "class_weight", "data_sample_strategy", "device_type", "importance_type", "metric"}
    | {"monotone_constraints_method", "objective", "tree_learner"}
)
_SHARES = ("bagging_fraction", "pos_bagging_fraction", "neg_bagging_fraction")
_SEEDS = ("bagging_seed", "extra_seed", "feature_fraction_seed")  # of what is drawn in the rounds


class Settings(NamedTuple):
    """What one estimator comes to."""

    target: Literal["classifier", "regressor"]
    rounds: int
    booster: dict[str, Any]  # parameters that were given, by their main names, without seed and threads
    seed: int | None  # None: the recipe's
    draws: bool  # random numbers are drawn while it trains
    keeps: bool  # it can go on from a checkpoint
    balanced: bool  # classes get the same weight

    @property
    def segment(self) -> int:
        """Rounds from one checkpoint to the next: rows are drawn anew at each, so whole periods of ``bagging_freq``."""
        period = max(1, int(self.booster.get("bagging_freq", 1)))
        return -(-SEGMENT // period) * period

    @property
    def resolved(self) -> dict[str, Any]:
        """All that was asked for, by the names that give the same settings again."""
        seed = {} if self.seed is None else {"seed": self.seed}
        return {"n_estimators": self.rounds, **self.booster, **seed}


def settings_of(estimator: Estimator) -> Settings:
    """Look at class and parameters.

    Raises
    ------
    WorkloadError
        At ``model.estimator`` or ``model.params``: no such class or parameter, or one that cannot be kept.
    """
    target = _target_of(estimator.path)
    given = _given(estimator)
    rounds = given.pop("num_iterations", 100)
    seed = given.pop("seed", None)
    balanced = given.pop("class_weight", None) == "balanced"
    booster = {name: value for name, value in given.items() if name not in _IGNORED}
    booster.setdefault("objective", "binary" if target == "classifier" else "regression")
    booster["objective"] = _objective(target, booster["objective"])
    keeps = (
        booster.get("boosting", "gbdt") in ("gbdt", "gbrt")
        and booster.get("data_sample_strategy", "bagging") == "bagging"
        and not any(booster.get(name) for name in ("cegb_penalty_feature_coupled", "cegb_penalty_feature_lazy"))
    )
    return Settings(target, rounds, booster, seed, _draws(booster), keeps, balanced)


def by_rows(booster: Mapping[str, Any], rows: int, columns: int, *, sparse: bool) -> bool:
    """Whether histograms are made row by row: their bins stay in the cache, and those of the rows do not.

    Both threads took 0.64 to 0.93 of the time by columns with 300,000 to 2,400,000 rows × 28 and 240,000 × 200, as much with
    100,000 rows and fewer, and more with 60,000 × 200 and 40,000 × 1,000. The bins of the rows are then held once more.
    """
    return not sparse and rows >= MANY_ROWS and columns * int(booster.get("max_bin", 255)) <= FEW_BINS


def booster_params(
    settings: Settings, classes: int, seed: int, threads: int, names: tuple[str, ...], *, rows_first: bool = False
) -> dict[str, Any]:
    """All parameters of the Booster for a target with so many classes (0: regression) and these columns.

    ``rows_first``: see `by_rows`.
    """
    params = dict(settings.booster)
    if settings.target == "classifier":
        if classes > 2 and not params["objective"].startswith("multiclass"):
            params["objective"] = "multiclass"  # LGBMClassifier too replaces any other objective
        if params["objective"].startswith("multiclass"):
            params["num_class"] = classes
    if isinstance(constraints := params.get("monotone_constraints"), Mapping):
        for name in constraints:
            if name not in names:
                raise WorkloadError(PLACE, f"monotone_constraints: no column '{name}'{nearest(name, names)}")
        params["monotone_constraints"] = [constraints.get(name, 0) for name in names]
    # Which of the two is faster is otherwise tried, and the sums of the two differ.
    way = "force_row_wise" if rows_first else "force_col_wise"
    return {
        **params,
        "deterministic": True,
        way: True,
        "metric": "None",
        "verbosity": -1,
        "seed": seed,
        "num_threads": threads,
    }


def seeds_of(params: Mapping[str, Any], at: int) -> dict[str, int]:
    """The seeds from round ``at`` on; round 0 has those that were given."""
    return {name: round_seed(int(params[name]), at) for name in ("seed", *_SEEDS) if name in params}


def _given(estimator: Estimator) -> dict[str, Any]:
    """The parameters by their main names."""
    known = main_names()
    said: dict[str, str] = {}
    given: dict[str, Any] = {}
    for name, value in estimator.params.items():
        if value is None:
            continue
        if name not in known:
            raise WorkloadError(PLACE, f"{estimator.path} takes no '{name}'{nearest(name, known)}")
        main = known[name]
        if main in given:
            raise WorkloadError(PLACE, f"'{said[main]}' and '{name}' are two names of one parameter; leave one out")
        if main in _REFUSED:
            raise WorkloadError(PLACE, f"{name}: {_REFUSED[main]}")
        if sentence := _reason_not(main, value):
            raise WorkloadError(PLACE, f"{name}: {value!r}: {sentence}")
        given[main], said[main] = value, name
    return given


def _target_of(path: str) -> Literal["classifier", "regressor"]:
    module, _, name = path.rpartition(".")
    if module in ("lightgbm", "lightgbm.sklearn"):
        if name == "LGBMClassifier":
            return "classifier"
        if name == "LGBMRegressor":
            return "regressor"
        if name == "LGBMRanker":
            raise WorkloadError(
                "model.estimator", f"'{path}': ranking needs query groups, which a workload does not have"
            )
    if name.startswith("DaskLGBM"):
        raise WorkloadError(
            "model.estimator",
            f"'{path}' brings its own cluster; take lightgbm.{name.removeprefix('Dask')}, and say in 'where' what may "
            "be used",
        )
    known = ("lightgbm.LGBMClassifier", "lightgbm.LGBMRegressor")
    raise WorkloadError("model.estimator", f"lightgbm has no '{path}' to train{nearest(path, known)}")


def _objective(target: str, name: str) -> str:
    main = objectives().get(name)
    known = [word for word, of in objectives().items() if (of in OF_CLASSIFIERS) == (target == "classifier")]
    if name not in known:
        other = "LGBMRegressor" if target == "classifier" else "LGBMClassifier"
        why = f"; it is one of lightgbm.{other}" if main else nearest(name, known)
        raise WorkloadError(PLACE, f"objective: no '{name}' for a {target}{why}; there are {', '.join(sorted(known))}")
    assert main is not None
    return main


def _draws(booster: Mapping[str, Any]) -> bool:
    rows = booster.get("bagging_freq", 0) and any(booster.get(name, 1) != 1 for name in _SHARES)
    columns = any(booster.get(name, 1) != 1 for name in ("feature_fraction", "feature_fraction_bynode"))
    return bool(rows or columns or booster.get("extra_trees") or booster.get("use_quantized_grad"))


def _reason_not(name: str, value: Any) -> str | None:
    match name:
        case "boosting" if value not in ("gbdt", "gbrt", "dart", "rf", "random_forest", "goss"):
            return "there are gbdt, dart, rf and goss"
        case "data_sample_strategy" if value not in ("bagging", "goss"):
            return "there are bagging and goss"
        case "tree_learner" if value != "serial":
            return _CLUSTER
        case "device_type" if value != "cpu":
            return _DEVICE
        case "force_row_wise" if value:
            return "whether histograms are made by rows or by columns follows from their numbers; leave it out"
        case "num_iterations" if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            return "a whole number, 1 or more"
        case "seed" if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            return "a whole number, 0 or more"
        case "bagging_freq" if isinstance(value, bool) or not isinstance(value, int):
            return "a whole number: rows are drawn anew after so many rounds, or never with 0"
        case "objective" if not isinstance(value, str):
            return "a name; functions cannot be kept with the model"
        case "objective" if value.startswith(("lambdarank", "rank_", "xendcg")):
            return "ranking needs query groups, which a workload does not have"
        case _ if isinstance(value, str) and name not in _TEXTS:
            return "a number"
        case "class_weight" if value != "balanced":
            return "'balanced' is offered; for others take data.weight, or scale_pos_weight for two classes"
    return None
