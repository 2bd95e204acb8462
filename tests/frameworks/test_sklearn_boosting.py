"""Boosting by scikit-learn tells of each round, and goes on from any of them to the bytes of one fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from fitscale.contracts import Stopped
from fitscale.frameworks.sklearn import ScikitLearn
from fitscale.frameworks.sklearn.building import build
from fitscale.frameworks.sklearn.fitting import set_seed
from fitscale.frameworks.sklearn.pickling import dumps
from fitscale.records.data import Folds
from fitscale.records.run import Estimator, Recipe
from fitscale.testing.arrays import ArrayFeed, DirectContext

pytest.importorskip("sklearn")

SEED = 7
HIST, STAGES = "HistGradientBoosting", "GradientBoosting"
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "histograms": (f"{HIST}Classifier", {"early_stopping": False, "max_features": 0.6}),
    "histograms of values": (f"{HIST}Regressor", {"loss": "absolute_error", "warm_start": True}),
    "stopping": (f"{HIST}Classifier", {"early_stopping": True, "n_iter_no_change": 2, "learning_rate": 0.8}),
    "stages": (f"{STAGES}Classifier", {}),
    "sampled stages": (f"{STAGES}Regressor", {"subsample": 0.6, "max_features": 2, "loss": "huber", "random_state": 1}),
}


def case(kind: str, rounds: int = 8, **more: Any) -> tuple[Recipe, ArrayFeed]:
    name, params = KINDS[kind]
    said = {"max_iter" if name.startswith(HIST) else "n_estimators": rounds, "max_depth": 3, **params, **more}
    recipe = Recipe(
        framework="sklearn",
        estimator=Estimator(path=f"sklearn.ensemble.{name}", params=said),
        encoding="",
        data="",
        target="y",
        folds=Folds(seed=0),
        seed=SEED,
    )
    rng = np.random.default_rng(1)
    X = rng.normal(size=(400, 4)).astype(np.float32)
    if name.startswith(HIST):
        X[rng.random(X.shape) < 0.05] = np.nan
    signal = np.nan_to_num(X[:, 0] - X[:, 2]) + 0.3 * rng.normal(size=400)
    classes = 3 if name.endswith("Classifier") else 0
    y = np.digitize(signal, [-0.5, 0.5]) if classes else signal
    weight = rng.exponential(size=400) if kind in ("histograms", "sampled stages") else None
    return recipe, ArrayFeed(X, y, weight=weight, classes=classes)


def plain(recipe: Recipe, feed: ArrayFeed) -> bytes:
    """The library alone: one call of fit."""
    made = build(recipe.estimator)
    set_seed(made, recipe.seed)
    if type(made).__name__.startswith(HIST):
        made.set_params(categorical_features=None)
    X, y, weight, _ = feed.matrix("train")
    given = {} if weight is None else {"sample_weight": weight.astype(np.float64)}
    with threadpool_limits(1):  # histogram boosting keeps the number of its threads
        made.fit(X, y.astype(np.int64 if feed.classes else np.float64), **given)
    if feed.classes:
        made.fitscale_classes_ = feed.classes
    return dumps(made)


@pytest.mark.parametrize("kind", KINDS)
def test_boosting_is_the_model_of_one_fit(kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The bytes of the bare library, each round told of once, and nothing printed."""
    recipe, feed = case(kind)
    context = DirectContext(scratch=tmp_path)
    fitted = ScikitLearn().fit(feed, recipe, None, context)
    assert fitted.payload == plain(recipe, feed)
    assert [units for units, _ in context.reported] == list(range(1, fitted.units + 1))
    assert (fitted.units < 8) == (kind == "stopping")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", KINDS)
def test_boosting_goes_on_from_every_round(kind: str, tmp_path: Path) -> None:
    """From the state that each round left: the same bytes, and only the later rounds are told of."""
    recipe, feed = case(kind)
    context = DirectContext(scratch=tmp_path)
    whole = ScikitLearn().fit(feed, recipe, None, context)
    assert list(context.checkpoints) == list(range(1, whole.units))
    for units, state in context.checkpoints.items():
        later = context.resumed(units)
        assert ScikitLearn().fit(feed, recipe, state, later) == whole, units
        assert [told for told, _ in later.reported] == list(range(units + 1, whole.units + 1))


def test_a_stop_in_mid_fit_leaves_a_usable_state(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """`Stopped` comes through what is printed, and printing works afterwards."""
    recipe, feed = case("histograms")
    context = DirectContext(scratch=tmp_path, stop_after=3)
    with pytest.raises(Stopped):
        ScikitLearn().fit(feed, recipe, None, context)
    ((units, state),) = [item for item in context.checkpoints.items() if item[0] == 3]
    print("still here")  # noqa: T201
    assert capfd.readouterr().out == "still here\n"
    again = ScikitLearn().fit(feed, recipe, state, context.resumed(units))
    assert again == ScikitLearn().fit(feed, recipe, None, DirectContext(scratch=tmp_path))


def test_who_asks_for_words_gets_them(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """``verbose`` of the estimator prints as it does without fitscale."""
    recipe, feed = case("histograms", verbose=2)
    ScikitLearn().fit(feed, recipe, None, DirectContext(scratch=tmp_path))
    assert "[8/8]" in capfd.readouterr().out


@pytest.mark.parametrize(("kind", "more"), [("stages", {"n_iter_no_change": 3}), ("stopping", {"scoring": "accuracy"})])
def test_what_only_the_fit_knows_is_not_gone_on_with(kind: str, more: dict[str, Any], tmp_path: Path) -> None:
    """Losses that are not kept, or a score of its own: one plain fit that keeps no progress."""
    recipe, feed = case(kind, **more)
    traits = ScikitLearn().traits(recipe.estimator)
    assert (traits.progress, traits.can) == ("none", {"whole": "same"})
    context = DirectContext(scratch=tmp_path)
    fitted = ScikitLearn().fit(feed, recipe, None, context)
    assert fitted.payload == plain(recipe, feed)
    assert [units for units, _ in context.reported] == [fitted.units]
    assert not context.checkpoints


@pytest.mark.parametrize("kind", KINDS)
def test_what_boosting_says_of_itself(kind: str) -> None:
    """It keeps progress by rounds, as many as its parameters say; laws count the same."""
    recipe, _ = case(kind)
    traits = ScikitLearn().traits(recipe.estimator)
    assert (traits.progress, traits.units, traits.reload) == ("rounds", 8, False)
