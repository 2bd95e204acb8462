"""A forest is the same bytes as one fit of the library, however its trees were shared out and who grew them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitscale.contracts import Divisible, Stopped
from fitscale.frameworks.sklearn import ScikitLearn, forests
from fitscale.frameworks.sklearn.building import build
from fitscale.frameworks.sklearn.families import trees_together
from fitscale.frameworks.sklearn.fitting import set_seed
from fitscale.frameworks.sklearn.pickling import dumps
from fitscale.records.data import Folds
from fitscale.records.run import Estimator, Recipe
from fitscale.testing.arrays import ArrayFeed, DirectContext

pytest.importorskip("sklearn")

SEED = 7
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "classifier": ("RandomForestClassifier", {}),
    "balanced": ("RandomForestClassifier", {"class_weight": "balanced_subsample", "max_samples": 0.5}),
    "weighted classes": ("ExtraTreesClassifier", {"class_weight": "balanced", "warm_start": True}),
    "regressor": ("RandomForestRegressor", {"max_features": 0.5, "n_jobs": 2, "random_state": 3}),
    "monotonic": ("ExtraTreesRegressor", {"monotonic_cst": [1, 0, -1, 0], "bootstrap": True}),
}


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few trees are grown together although there are few rows."""
    monkeypatch.setattr(forests, "LEAST_ROWS", 1)


def case(kind: str, trees: int = 11, **more: Any) -> tuple[Recipe, ArrayFeed]:
    name, params = KINDS[kind]
    estimator = Estimator(
        path=f"sklearn.ensemble.{name}", params={"n_estimators": trees, "max_depth": 4, **params, **more}
    )
    recipe = Recipe(
        framework="sklearn", estimator=estimator, encoding="", data="", target="y", folds=Folds(seed=0), seed=SEED
    )
    rng = np.random.default_rng(1)
    X = rng.normal(size=(300, 4)).astype(np.float32)
    X[rng.random(X.shape) < 0.05] = np.nan
    signal = np.nan_to_num(X[:, 0] - X[:, 2]) + 0.3 * rng.normal(size=300)
    classes = 3 if name.endswith("Classifier") else 0
    y = np.digitize(signal, [-0.5, 0.5]) if classes else signal
    weight = rng.exponential(size=300) if kind in ("balanced", "monotonic") else None
    return recipe, ArrayFeed(X, y, weight=weight, classes=classes)


def plain(recipe: Recipe, feed: ArrayFeed) -> bytes:
    """The library alone: one call of fit."""
    made = build(recipe.estimator)
    set_seed(made, recipe.seed)
    X, y, weight, _ = feed.matrix("train")
    given = {} if weight is None else {"sample_weight": weight.astype(np.float64)}
    with forests.quiet():  # it warns of warm_start with weights of classes, whatever it is used for
        made.fit(X, y.astype(np.int64 if feed.classes else np.float64), **given)
    if feed.classes:
        made.fitscale_classes_ = feed.classes
    return dumps(made)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_grow_the_forest_of_one_fit(kind: str, threads: int, tmp_path: Path) -> None:
    """In memory, a few trees at a time by each thread: the same bytes, and each tree is told of once."""
    recipe, feed = case(kind)
    context = DirectContext(scratch=tmp_path, threads=threads)
    fitted = ScikitLearn().fit(feed, recipe, None, context)
    assert fitted.payload == plain(recipe, feed)
    told = [units for units, _ in context.reported]
    assert told == sorted(set(told))
    assert told[-1] == fitted.units == 11
    assert len(told) > 1


def test_a_checkpoint_of_trees_that_were_shared_out_otherwise_loses_none(tmp_path: Path) -> None:
    """What fits into the way that they are shared out now is taken, the rest is grown again: the same forest."""
    recipe, feed = case(next(iter(KINDS)))
    before = DirectContext(scratch=tmp_path, threads=1)
    ScikitLearn().fit(feed, recipe, None, before)
    for state in before.checkpoints.values():
        fitted = ScikitLearn().fit(feed, recipe, state, DirectContext(scratch=tmp_path, threads=4))
        assert fitted.payload == plain(recipe, feed)


@pytest.mark.parametrize("kind", KINDS)
def test_parts_merge_to_the_forest_of_one_fit(kind: str, tmp_path: Path) -> None:
    """Grown apart, as bytes: the same bytes once they are merged."""
    recipe, feed = case(kind)
    framework = ScikitLearn()
    assert isinstance(framework, Divisible)
    spans = framework.spans(feed, recipe)
    parts = {span: framework.grow(feed, recipe, span) for span in reversed(spans)}
    fitted = framework.merge(feed, recipe, (parts[span] for span in spans))
    assert fitted == ScikitLearn().fit(feed, recipe, None, DirectContext(scratch=tmp_path))
    assert fitted.payload == plain(recipe, feed)


@settings(max_examples=12, deadline=None)
@given(cuts=st.sets(st.integers(1, 8)), order=st.randoms(use_true_random=False))
def test_any_way_of_sharing_out_the_trees_gives_the_same_forest(cuts: set[int], order: Any) -> None:
    """Wherever the trees are cut into parts, and in whatever order these are grown."""
    recipe, feed = case("classifier", 9, max_depth=2)
    made = build(recipe.estimator)
    set_seed(made, SEED)
    X, y, _, _ = feed.matrix("train")
    edges = [0, *sorted(cuts), 9]
    spans = list(pairwise(edges))
    order.shuffle(spans)
    merged = forests.merge(made, [forests.grow(made, forests.Rows(X, y.astype(np.int64), {}), span) for span in spans])
    merged.fitscale_classes_ = 3
    assert dumps(merged) == plain(recipe, feed)


@given(trees=st.integers(1, 400), rows=st.integers(0, 10**7), together=st.integers(1, 40), ending=st.integers(1, 64))
def test_every_tree_is_in_one_span(trees: int, rows: int, together: int, ending: int) -> None:
    """Spans are all of the trees in their order; of few rows one span has many, of many rows the last have few."""
    found = forests.spans(trees, rows, together, ending)
    assert [start for start, _ in found] == [0, *(stop for _, stop in found[:-1])]
    assert found[-1][1] == trees
    sizes = [stop - start for start, stop in found]
    assert all(size > 0 for size in sizes)
    assert sizes[:-1] == sorted(sizes[:-1], reverse=True)


def test_small_fits_are_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """What each fit of a part repeats would cost more than trees of so few rows."""
    monkeypatch.undo()
    assert forests.spans(100, 1_000, 4) == [(0, 100)]
    assert forests.spans(100, 3_000_000, 4)[:2] == [(0, 4), (4, 8)]
    assert forests.spans(100, 3_000_000, 4)[-1] == (99, 100)


def test_cheap_trees_are_grown_many_together() -> None:
    """Deep trees that look at every column are worth a fit each, shallow ones whose thresholds are drawn are not."""
    deep = trees_together("RandomForestRegressor", {}, 3e6, 30)
    middle = trees_together("RandomForestClassifier", {"max_depth": 12}, 3e6, 30)
    shallow = trees_together("ExtraTreesClassifier", {"max_depth": 4}, 3e6, 30)
    assert deep == 1
    assert 1 < middle < shallow <= 32


@pytest.mark.parametrize("threads", [1, 2])
def test_a_forest_goes_on_from_every_checkpoint(threads: int, tmp_path: Path) -> None:
    """What was grown is not grown again, and the bytes are those of one fit; also where trees are judged at the end."""
    recipe, feed = case("balanced", 40, oob_score=True)
    context = DirectContext(scratch=tmp_path, threads=threads)
    whole = ScikitLearn().fit(feed, recipe, None, context)
    assert whole.payload == plain(recipe, feed)
    for units, state in context.checkpoints.items():
        later = context.resumed(units)
        assert ScikitLearn().fit(feed, recipe, state, later) == whole, units
        assert all(told > units for told, _ in later.reported)


def test_a_stop_ends_the_threads(tmp_path: Path) -> None:
    """A fit that is stopped leaves none of its threads at work."""
    import threading

    recipe, feed = case("regressor", 40)
    with pytest.raises(Stopped):
        ScikitLearn().fit(feed, recipe, None, DirectContext(scratch=tmp_path, threads=3, stop_after=4))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("tree")]


def test_seeds_from_a_generator_keep_the_trees_together(tmp_path: Path) -> None:
    """A generator's state is not known tree by tree: one plain fit, no progress, no parts, and the reason is given."""
    state = {"numpy.random.RandomState": {"seed": 5}}
    recipe, feed = case("classifier", random_state=state)
    traits = ScikitLearn().traits(recipe.estimator)
    assert (traits.progress, traits.can) == ("none", {"whole": "same"})
    assert traits.cannot["parts"].startswith("draws the seeds of its trees from a generator")
    context = DirectContext(scratch=tmp_path)
    fitted = ScikitLearn().fit(feed, recipe, None, context)
    assert fitted.payload == plain(recipe, feed)
    assert [units for units, _ in context.reported] == [11] == [fitted.units]


def test_what_a_forest_says_of_itself() -> None:
    """It keeps progress by trees; parts are offered but where trees are judged on the rows that they left out."""
    framework = ScikitLearn()
    traits = framework.traits(case("classifier")[0].estimator)
    assert (traits.progress, traits.units, traits.units_param, traits.reload) == ("parts", 11, "n_estimators", False)
    assert traits.can == {"whole": "same", "parts": "same"}
    judged = framework.traits(case("classifier", oob_score=True)[0].estimator)
    assert (judged.progress, judged.can) == ("parts", {"whole": "same"})
    assert "oob_score" in judged.cannot["parts"]
