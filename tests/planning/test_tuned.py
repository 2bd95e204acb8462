"""What a search found is told from what it wrote down, and the user's own parameters stay where nothing is surely better."""

from __future__ import annotations

from typing import Any

import pytest

from fitscale.errors import MissingLibrary, WorkloadError
from fitscale.planning.trials.spaces import Space, check_search, entries_of, own_in, space_for
from fitscale.planning.trials.tuned import tuned
from fitscale.records.run import Estimator, Traits
from fitscale.records.trials import BLOCKS
from fitscale.records.tuning import Step
from fitscale.records.workload import DataSpec, ModelSpec, Search, Workload
from fitscale.workload.spaces import space_of

SPACE = Space(space_of({"depth": [1, 9], "rate": {"low": 0.01, "high": 1.0, "log": True}}), False)
MODEL = ModelSpec(estimator="some.Tree", params={"depth": 3, "kept": 7}, search=Search(budget_s=60.0))


def step(trial: int, state: Any, guides: float | None = None, compares: float | None = None, **more: Any) -> Step:
    """A step whose blocks that guide have one score, and the others another."""
    noise = [0.01, -0.01, 0.0, 0.005, -0.005, 0.002, -0.002, 0.0]
    n = BLOCKS if guides is not None else 0
    blocks = [guides if k % 2 == 0 else (compares or 0.0) + noise[k // 2] * (trial > 0) for k in range(n)]
    given = {"score": guides, "blocks": blocks, "metric": "roc_auc" if blocks else "", "spent_s": float(trial)}
    return Step.model_validate({"trial": trial, "state": state, **given, **more})


def begun(trial: int, **params: Any) -> Step:
    return Step(trial=trial, state="begun", params=params)


OWN = (begun(0), step(0, "done", 0.70, 0.70))


def test_what_is_surely_better_is_taken() -> None:
    steps = [*OWN, begun(1, depth=5), step(1, "done", 0.8, 0.75), begun(2, depth=6), step(2, "done", 0.79, 0.9)]
    found = tuned(MODEL, SPACE, steps)
    assert found.model == ModelSpec(estimator="some.Tree", params={"depth": 5, "kept": 7})
    assert found.own == ModelSpec(estimator="some.Tree", params={"depth": 3, "kept": 7})
    assert (found.better, found.trials, found.done, found.spent_s) == (True, 2, 2, 2.0)
    assert found.better_by is not None
    assert found.better_by.value == pytest.approx(0.05)
    assert found.reason.startswith("better than your own parameters: +0.0500 (0.04")


def test_what_only_the_guiding_rows_found_good_is_not_taken() -> None:
    """The best of many is the best by chance, too: by the rows that guided nothing it is no better."""
    steps = [*OWN]
    for k in range(1, 40):
        steps += [begun(k, depth=k % 9 + 1), step(k, "done", 0.7 + 0.001 * k, 0.7005)]
    found = tuned(MODEL, SPACE, steps)
    assert (found.better, found.model.params) == (False, {"depth": 3, "kept": 7})
    assert "not surely better than your own parameters" in found.reason
    assert (found.own_score, found.score) == pytest.approx((0.70, 0.7005), abs=1e-3)


def test_of_losses_less_is_better() -> None:
    steps = [*OWN, begun(1, depth=5), step(1, "done", 0.5, 0.5), begun(2, depth=6), step(2, "done", 0.9, 0.9)]
    found = tuned(MODEL, SPACE, steps, greater=False)
    assert found.model.params["depth"] == 5
    assert found.better_by is not None
    assert found.better_by.value == pytest.approx(0.2)


def test_another_name_of_a_parameter_is_replaced_too() -> None:
    model = MODEL.but(params={"eta": 0.3})
    steps = [*OWN, begun(1, rate=0.1), step(1, "done", 0.8, 0.8)]
    assert tuned(model, SPACE, steps, names={"eta": "rate"}).model.params == {"rate": 0.1}


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ([], "the time was over before your own parameters were judged"),
        ([begun(0), step(0, "cut")], "the time was over before your own parameters were judged"),
        (list(OWN), "before anything else was tried: your own parameters are kept; give a larger budget"),
        (
            [begun(0), step(0, "failed", why="C must be positive")],
            "your own parameters have no score: C must be positive",
        ),
        ([*OWN, begun(1, depth=1), step(1, "stopped", 0.1, 0.1)], "nothing else was as good on a part of the rows"),
    ],
)
def test_the_own_parameters_stay_where_nothing_was_judged(steps: list[Step], says: str) -> None:
    found = tuned(MODEL, SPACE, steps)
    assert (found.better, found.model.params) == (False, {"depth": 3, "kept": 7})
    assert says in found.reason


def test_what_was_found_is_taken_where_the_own_parameters_have_no_score() -> None:
    steps = [begun(0), step(0, "failed", why="no"), begun(1, depth=5), step(1, "done", 0.8, 0.8)]
    assert tuned(MODEL, SPACE, steps).model.params["depth"] == 5


def test_trials_are_counted_by_how_they_ended() -> None:
    steps = [
        *OWN,
        begun(1, depth=1),
        step(1, "stopped", 0.1, 0.1),
        begun(2, depth=2),
        step(2, "failed", why="x"),
        begun(3),
    ]
    found = tuned(MODEL, SPACE, steps)
    assert (found.trials, found.done, found.stopped, found.failed) == (3, 0, 1, 1)


# Spaces.


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("xgboost.XGBRegressor", {"n_estimators", "learning_rate", "max_depth"}),
        ("lightgbm.LGBMClassifier", {"num_iterations", "num_leaves", "min_data_in_leaf"}),
        ("sklearn.linear_model.LogisticRegression", {"C"}),
        ("sklearn.ensemble.RandomForestClassifier", {"max_features", "min_samples_leaf"}),
    ],
)
def test_common_estimators_have_a_published_space(path: str, names: set[str]) -> None:
    """By the main names that the library knows its parameters by."""
    space = space_for(ModelSpec(estimator=path, search=Search(budget_s=1.0)))
    assert space.published
    assert names <= set(space.ranges)


def test_every_published_space_is_taken_by_its_estimator() -> None:
    """Both ends of each range, by the library itself."""
    from importlib import import_module

    from fitscale.frameworks.lightgbm.spaces import SPACES as LIGHTGBM
    from fitscale.frameworks.sklearn.spaces import SPACES as SKLEARN
    from fitscale.frameworks.xgboost.spaces import SPACES as XGBOOST
    from fitscale.planning.trials.spaces import _end
    from fitscale.registry import plugin

    rooms = ("ensemble", "tree", "linear_model", "neighbors", "svm", "neural_network", "naive_bayes")
    for framework, table in (("xgboost", XGBOOST), ("lightgbm", LIGHTGBM), ("sklearn", SKLEARN)):
        for name in table:
            heads = [f"sklearn.{room}" for room in rooms] if framework == "sklearn" else [framework]
            path = next(f"{head}.{name}" for head in heads if hasattr(import_module(head), name))
            ranges = space_for(ModelSpec(estimator=path, search=Search(budget_s=1.0))).ranges
            for at in (0, -1):
                estimator = Estimator(path=path, params={n: _end(one, at) for n, one in ranges.items()})
                assert plugin("frameworks", framework)().traits(estimator).params


def test_early_stopping_finds_the_number_of_rounds_itself() -> None:
    model = ModelSpec(estimator="xgboost.XGBClassifier", search=Search(budget_s=1.0))
    assert "n_estimators" not in space_for(model, "n_estimators", stops_early=True).ranges


def test_an_estimator_without_a_published_space_needs_one() -> None:
    with pytest.raises(
        WorkloadError, match=r"model\.search\.space: is missing: there is no published space of own\.Ridge"
    ):
        space_for(ModelSpec(estimator="own.Ridge", search=Search(budget_s=1.0)))


def test_the_search_begins_at_the_own_parameters_that_lie_in_its_space() -> None:
    own = {"depth": 3, "rate": 5.0, "kept": 7}
    assert own_in(SPACE.ranges, own) == {"depth": 3}
    assert own_in(space_of({"a": {"choices": [1, True, "x"]}}), {"a": True}) == {"a": True}
    assert own_in(space_of({"depth": [1, 9]}), {"depth": 2.5}) == {}


def test_the_budget_beside_is_shared_by_those_without_one() -> None:
    model = ModelSpec(
        any_of=(
            ModelSpec(estimator="a.B"),
            ModelSpec(estimator="c.D", search=Search(space=SPACE.ranges)),
            ModelSpec(estimator="e.F", search=Search(budget_s=5.0, trials=2)),
        ),
        search=Search(budget_s=60.0, trials=9),
    )
    found = [entry.search for entry in entries_of(model)]
    assert [one.budget_s for one in found if one] == [30.0, 30.0, 5.0]
    assert [one.trials for one in found if one] == [9, 9, 2]
    assert entries_of(MODEL) == (MODEL,)


def job(**search: Any) -> Workload:
    given = {"budget_s": 1.0, **search}
    model = ModelSpec(estimator="sklearn.linear_model.Ridge", search=Search.model_validate(given))
    return Workload(name="job", data=DataSpec(uri="a", target="y"), model=model)


TRAITS = Traits(target="regressor", can={}, input="codes", missing="ok", progress="none")


@pytest.mark.parametrize(
    ("space", "says"),
    [
        ({"alhpa": [0.1, 1.0]}, r"model\.search\.space: .*Ridge has no parameter 'alhpa'; did you mean 'alpha'"),
        ({"alpha": [-3.0, 1.0]}, r"model\.search\.space: .*alpha"),
        ({"solver": {"choices": ["auto", "magic"]}}, r"model\.search\.space: .*magic"),
    ],
)
def test_what_the_estimator_does_not_take_is_told_before_anything_is_tried(space: dict[str, Any], says: str) -> None:
    workload = job(space=space_of(space))
    with pytest.raises(WorkloadError, match=says):
        check_search(workload, Estimator(path="sklearn.linear_model.Ridge"), TRAITS)


def test_without_optuna_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from fitscale import registry

    monkeypatch.setattr(registry.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingLibrary, match=r"model\.search needs optuna: pip install 'fitscale\[search\]'"):
        check_search(job(), Estimator(path="sklearn.linear_model.Ridge"), TRAITS)
