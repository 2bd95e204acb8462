"""LightGBM's parameters: all that the library knows, and sentences for what cannot be kept."""

from __future__ import annotations

import inspect
from typing import Any

import lightgbm
import pytest
from lightgbm.basic import _ConfigAliases

from fitscale.errors import WorkloadError
from fitscale.frameworks.lightgbm import LightGBM
from fitscale.frameworks.lightgbm.names import ALIASES, main_names
from fitscale.frameworks.lightgbm.params import booster_params, seeds_of, settings_of
from fitscale.records.run import Estimator

# What concerns files, predictions, ranking, or the library's own program.
ELSEWHERE = frozenset(
    [
        "config",
        "convert_model",
        "convert_model_language",
        "data",
        "eval_at",
        "group_column",
        "header",
        "ignore_column",
        "input_model",
        "is_provide_training_metric",
        "label_column",
        "label_gain",
        "lambdarank_norm",
        "lambdarank_position_bias_regularization",
        "lambdarank_truncation_level",
        "metric_freq",
        "num_iteration_predict",
        "output_model",
        "output_result",
        "parser_config_file",
        "pre_partition",
        "precise_float_parser",
        "pred_early_stop",
        "pred_early_stop_freq",
        "pred_early_stop_margin",
        "predict_contrib",
        "predict_disable_shape_check",
        "predict_leaf_index",
        "predict_raw_score",
        "refit_decay_rate",
        "save_binary",
        "saved_feature_importance_type",
        "snapshot_freq",
        "start_iteration_predict",
        "task",
        "two_round",
        "valid",
        "weight_column",
    ]
)


def estimator(name: str = "LGBMClassifier", **params: Any) -> Estimator:
    return Estimator(path=f"lightgbm.{name}", params=params)


def test_every_parameter_of_the_library_is_known() -> None:
    """A name that the library takes for training is not called a misspelling."""
    _ConfigAliases.get("objective")
    theirs = {main: set(names) - {main} for main, names in _ConfigAliases.aliases.items()}
    assert {main: set(others.split()) for main, others in ALIASES.items()} == {
        main: others for main, others in theirs.items() if main not in ELSEWHERE
    }
    takes = set(inspect.signature(lightgbm.LGBMModel.__init__).parameters) - {"self", "kwargs"}
    assert takes <= set(main_names())


@pytest.mark.parametrize("name", ["LGBMClassifier", "LGBMRegressor"])
def test_a_booster_gets_what_the_estimator_would_pass_on(name: str) -> None:
    """Given parameters reach the Booster under their main names; those of the wrapper alone do not."""
    given = estimator(name, max_leaves=4, eta=0.1, reg_alpha=1.0, n_estimators=9, importance_type="gain", n_jobs=3)
    classes = 2 if name == "LGBMClassifier" else 0
    assert booster_params(settings_of(given), classes, 5, 1, ()) == {
        "num_leaves": 4,
        "learning_rate": 0.1,
        "lambda_l1": 1.0,
        "objective": "binary" if classes else "regression",
        "deterministic": True,
        "force_col_wise": True,
        "metric": "None",
        "verbosity": -1,
        "seed": 5,
        "num_threads": 1,
    }
    assert settings_of(given).rounds == 9


def test_several_classes_have_an_objective_of_their_own() -> None:
    """As in LGBMClassifier, which replaces any other."""
    for objective, told in (("binary", "multiclass"), ("ova", "multiclassova"), ("softmax", "multiclass")):
        params = booster_params(settings_of(estimator(objective=objective)), 3, 0, 1, ())
        assert (params["objective"], params["num_class"]) == (told, 3)


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"num_leafs": 3}, "takes no 'num_leafs'; did you mean 'num_leaf"),
        ({"num_leaves": 1}, "num_leaves must be > 1"),
        ({"num_leaves": 7, "max_leaves": 9}, "'num_leaves' and 'max_leaves' are two names"),
        ({"learning_rate": "fast"}, "learning_rate: 'fast': a number"),
        ({"subsample": 2.0}, "bagging_fraction must be <= 1.0"),
        ({"objective": "binari"}, "objective: no 'binari' for a classifier; did you mean 'binary'"),
        ({"objective": "mae"}, "one of lightgbm.LGBMRegressor"),
        ({"objective": "lambdarank"}, "query groups"),
        ({"boosting_type": "gblinear"}, "gbdt, dart, rf and goss"),
        ({"boosting_type": "rf"}, "bagging"),
        ({"device": "gpu"}, "only cpu"),
        ({"tree_learner": "voting"}, "the plan's choice"),
        ({"machines": "a:1,b:2"}, "the plan's choice"),
        ({"force_row_wise": True}, "by rows or by columns"),
        ({"n_estimators": 0}, "n_estimators: 0"),
        ({"random_state": -1}, "random_state: -1"),
        ({"early_stopping_round": 5}, "evaluate.early_stopping"),
        ({"categorical_feature": [1]}, "data.features.categorical"),
        ({"forced_splits": "a.json"}, "not in the recipe"),
        ({"class_weight": {0: 2.0}}, "data.weight"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_a_sentence(params: dict[str, Any], sentence: str) -> None:
    """At model.params, before anything is read; the library's own objections too, without its source lines."""
    with pytest.raises(WorkloadError, match=sentence) as error:
        LightGBM().traits(estimator(**params))
    assert error.value.place == "model.params"
    assert "\n" not in str(error.value)
    assert ".cpp" not in str(error.value)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("lightgbm.LGBMRanker", "query groups"),
        ("lightgbm.dask.DaskLGBMClassifier", "take lightgbm.LGBMClassifier"),
        ("lightgbm.LGBMClasifier", "did you mean 'lightgbm.LGBMClassifier'"),
    ],
)
def test_other_classes_are_refused_with_a_sentence(path: str, sentence: str) -> None:
    """At model.estimator, with what to take instead."""
    with pytest.raises(WorkloadError, match=sentence) as error:
        LightGBM().traits(Estimator(path=path))
    assert error.value.place == "model.estimator"


@pytest.mark.parametrize(
    ("params", "keeps"),
    [
        ({"boosting_type": "dart"}, False),
        ({"boosting_type": "rf", "subsample": 0.5, "subsample_freq": 1}, False),
        ({"data_sample_strategy": "goss"}, False),
        ({"cegb_penalty_feature_coupled": [1.0, 2.0]}, False),
        ({"monotone_constraints": [1, 0]}, True),
    ],
)
def test_what_cannot_go_on_says_so(params: dict[str, Any], keeps: bool) -> None:
    """Earlier trees that change, or a state that no model holds: no progress is promised."""
    traits = LightGBM().traits(estimator(**params))
    assert traits.progress == ("rounds" if keeps else "none")


def test_objectives_of_positive_values_are_taken() -> None:
    """What the library says of its trial rows is no objection to the parameters."""
    for objective in ("gamma", "poisson", "tweedie", "mape", "huber", "rmse"):
        LightGBM().traits(estimator("LGBMRegressor", objective=objective))


def test_rows_are_drawn_in_whole_periods() -> None:
    """A segment begins with a draw of rows, so it is as long as some periods of them."""
    segments = {n: LightGBM().traits(estimator(subsample=0.5, subsample_freq=n)).segment for n in (0, 1, 4, 7, 30)}
    assert segments == {0: 10, 1: 10, 4: 12, 7: 14, 30: 30}


def test_columns_of_constraints_are_named() -> None:
    """By name, or in the order of the encoded columns."""
    by_name = settings_of(estimator(monotone_constraints={"b": -1}))
    assert booster_params(by_name, 2, 0, 1, ("a", "b"))["monotone_constraints"] == [0, -1]
    with pytest.raises(WorkloadError, match="no column 'bb'; did you mean 'b'"):
        booster_params(settings_of(estimator(monotone_constraints={"bb": 1})), 2, 0, 1, ("a", "b"))


def test_all_seeds_move_from_segment_to_segment() -> None:
    """One that was given by itself would else draw the same rows in each."""
    given = {"seed": 1, "bagging_seed": 2, "num_leaves": 3}
    assert seeds_of(given, 0) == {"seed": 1, "bagging_seed": 2}
    assert all(seeds_of(given, 10)[name] != given[name] for name in ("seed", "bagging_seed"))


@pytest.mark.parametrize("given", [{}, {"random_state": 5}, {"seed": 6}])
def test_what_is_resolved_has_the_users_own_seed(given: dict[str, Any]) -> None:
    """A worker is told the resolved parameters alone: with another seed they are another recipe, and the same settings again."""
    asked = Estimator(path="lightgbm.LGBMClassifier", params={"n_estimators": 7, **given})
    resolved = LightGBM().traits(asked).params
    again = settings_of(Estimator(path="lightgbm.LGBMClassifier", params=resolved))
    assert again == settings_of(asked)
    assert again.seed == next(iter(given.values()), None)
