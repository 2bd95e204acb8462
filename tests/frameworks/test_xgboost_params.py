"""XGBoost's parameters: all that the library knows, and sentences for what cannot be kept."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import xgboost

from fitscale.errors import WorkloadError
from fitscale.frameworks.boosting import round_seed
from fitscale.frameworks.xgboost import XGBoost
from fitscale.frameworks.xgboost.params import NATIVE, WRAPPER, booster_params, settings_of
from fitscale.records.run import Estimator


def estimator(name: str = "XGBClassifier", **params: Any) -> Estimator:
    return Estimator(path=f"xgboost.{name}", params=params)


def test_every_parameter_of_the_library_is_known() -> None:
    """A name that XGBModel takes is not called a misspelling."""
    takes = set(inspect.signature(xgboost.XGBModel.__init__).parameters) - {"self", "kwargs"}
    assert takes == set(WRAPPER)
    assert not set(WRAPPER) & set(NATIVE)


@pytest.mark.parametrize("name", ["XGBClassifier", "XGBRegressor"])
def test_a_booster_gets_what_the_estimator_would_pass_on(name: str) -> None:
    """Given parameters reach the Booster unchanged; those of the wrapper alone do not."""
    given: dict[str, Any] = {"max_depth": 4, "eta": 0.1, "reg_alpha": 1.0, "n_estimators": 9, "importance_type": "gain"}
    bare = getattr(xgboost, name)(**given).get_xgb_params()
    bare = {k: v for k, v in bare.items() if v is not None}
    ours = booster_params(settings_of(estimator(name, **given)), 2 if name == "XGBClassifier" else 0, 0, 1)
    assert ours == {**bare, "tree_method": "hist", "seed": 0, "nthread": 1}
    assert settings_of(estimator(name, **given)).rounds == 9


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"max_dept": 3}, "takes no 'max_dept'; did you mean 'max_depth'"),
        ({"max_depth": "deep"}, "max_depth expect int"),
        ({"subsample": 2.0}, "subsample exceed bound"),
        ({"objective": "binary:logistik"}, "Unknown objective function"),
        ({"grow_policy": "wide"}, "depthwise"),
        ({"tree_method": "exact"}, "tree_method: 'exact': .*'hist'"),
        ({"tree_method": "approx"}, "tree_method: 'approx'"),
        ({"booster": "gblinear"}, "sklearn.linear_model"),
        ({"device": "cuda"}, "only cpu"),
        ({"n_estimators": 0}, "n_estimators: 0"),
        ({"n_estimators": "many"}, "n_estimators: 'many'"),
        ({"random_state": -1}, "random_state: -1"),
        ({"missing": -999}, "null in the data"),
        ({"early_stopping_rounds": 5}, "evaluate.early_stopping"),
        ({"objective": "rank:ndcg"}, "query groups"),
        ({"objective": "survival:aft"}, "two bounds"),
        ({"quantile_alpha": [0.1, 0.9]}, "one prediction"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_a_sentence(params: dict[str, Any], sentence: str) -> None:
    """At model.params, before anything is read; the library's own objections too, without its stack."""
    with pytest.raises(WorkloadError, match=sentence) as error:
        XGBoost().traits(estimator(**params))
    assert error.value.place == "model.params"
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("xgboost.XGBRFClassifier", "xgboost.XGBClassifier with num_parallel_tree"),
        ("xgboost.XGBRanker", "query groups"),
        ("xgboost.dask.DaskXGBClassifier", "its own cluster"),
        ("xgboost.spark.SparkXGBClassifier", "its own cluster"),
        ("xgboost.XGBClasifier", "did you mean 'xgboost.XGBClassifier'"),
    ],
)
def test_other_classes_are_refused_with_a_sentence(path: str, sentence: str) -> None:
    """At model.estimator, with what to take instead."""
    with pytest.raises(WorkloadError, match=sentence) as error:
        XGBoost().traits(Estimator(path=path))
    assert error.value.place == "model.estimator"


def test_what_is_said_elsewhere_is_left_out() -> None:
    """Threads, categories and the printed metric do not change the model, and so are not refused."""
    given = estimator(n_jobs=4, enable_categorical=True, eval_metric="logloss", missing=float("nan"), max_depth=None)
    assert XGBoost().traits(given).params == {
        "n_estimators": 100,
        "objective": "binary:logistic",
        "tree_method": "hist",
    }


def test_seeds_of_rounds_do_not_meet() -> None:
    """Two workloads with neighbouring seeds never draw the same; the first rounds have the seed itself."""
    assert round_seed(7, 0) == 7
    seeds = {round_seed(seed, at) for seed in range(100) for at in range(0, 1_000, 5)}
    assert len(seeds) == 100 * 200
    assert all(0 <= seed < 2**31 for seed in seeds)


@pytest.mark.parametrize("given", [{}, {"random_state": 5}, {"seed": 6}])
def test_what_is_resolved_has_the_users_own_seed(given: dict[str, Any]) -> None:
    """A worker is told the resolved parameters alone: with another seed they are another recipe, and the same settings again."""
    asked = estimator(n_estimators=7, subsample=0.5, **given)
    resolved = XGBoost().traits(asked).params
    assert settings_of(estimator(**resolved)) == settings_of(asked)
    assert settings_of(estimator(**resolved)).seed == next(iter(given.values()), None)
