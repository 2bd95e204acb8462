"""The published suite, on estimators of each family, and on baseline."""

from __future__ import annotations

from typing import ClassVar

import pytest

from fitscale.contracts import Stopped
from fitscale.frameworks.baseline import Baseline
from fitscale.frameworks.sklearn import ScikitLearn
from fitscale.records.run import Estimator
from fitscale.testing.arrays import ArrayFeed
from fitscale.testing.frameworks import FrameworkSuite, Tried
from fitscale.testing.trying import Case

pytest.importorskip("sklearn")

STEPS = [
    ["fill", {"sklearn.impute.SimpleImputer": None}],
    ["scale", {"sklearn.preprocessing.StandardScaler": None}],
    ["clf", {"sklearn.linear_model.LogisticRegression": {"C": 0.1}}],
]


def case(path: str, target: str = "binary", *, weights: bool = True, **params: object) -> Case:
    return Case(Estimator(path=path, params=params), target, weights)  # type: ignore[arg-type]


class TestBaseline(FrameworkSuite):
    framework = Baseline
    cases: ClassVar = {
        "binary": case("baseline.Classifier"),
        "multiclass": case("baseline.Classifier", "multiclass"),
        "regression": case("baseline.Regressor", "regression"),
    }


class TestScikitLearn(FrameworkSuite):
    framework = ScikitLearn
    cases: ClassVar = {
        "logistic": case("sklearn.linear_model.LogisticRegression", "multiclass"),
        "ridge": case("sklearn.linear_model.Ridge", "regression"),
        "hgb": case("sklearn.ensemble.HistGradientBoostingClassifier", "multiclass", max_iter=4),
        "forest": case("sklearn.ensemble.RandomForestRegressor", "regression", n_estimators=3),
        "neighbours": case("sklearn.neighbors.KNeighborsClassifier", weights=False),
        "margins": case("sklearn.svm.LinearSVC"),
        "pipeline": case("sklearn.pipeline.Pipeline", steps=STEPS),
    }


class TestStreams(FrameworkSuite):
    """Progress is kept in the stream alone, where the units are batches: see `sklearn.streams`."""

    framework = ScikitLearn
    cases: ClassVar = {
        "sgd": case("sklearn.linear_model.SGDClassifier", loss="log_loss", passes=30),
        "sgd-in-order": case("sklearn.linear_model.SGDRegressor", "regression", shuffle=False, tol=None, max_iter=30),
    }

    def test_law_is_pure_and_finite(self, tried: Tried) -> None:
        """Units are batches in the stream, where they are kept; elsewhere epochs, which are not."""
        whole = tried.law(640, "matrix")
        assert (whole.units, whole.keeps) == (30 if tried.case.target == "regression" else 20, False)
        assert tried.law(640, "stream").units == 30 * 10

    def test_a_resumed_fit_gives_the_same_bytes(self, tried: Tried) -> None:  # type: ignore[override]
        """From every checkpoint of the stream."""
        feed: ArrayFeed = tried.feed("stream")
        context = tried.context()
        fitted = tried.fit(feed, context=context)
        assert len(context.checkpoints) > 1
        for units, state in context.checkpoints.items():
            assert tried.framework.fit(feed, tried.recipe(feed), state, context.resumed(units)) == fitted, units

    def test_a_stopped_fit_leaves_a_usable_checkpoint(self, tried: Tried) -> None:
        """`Stopped` comes through, and what was saved before it leads to the same model."""
        feed: ArrayFeed = tried.feed("stream")
        context = tried.context(stop_after=1)
        with pytest.raises(Stopped):
            tried.fit(feed, context=context)
        ((units, state),) = context.checkpoints.items()
        again = tried.framework.fit(feed, tried.recipe(feed), state, context.resumed(units))
        assert again == tried.fit(feed)


class TestStreamedBayes(TestStreams):
    """One pass is fewer batches than a segment here: nothing to resume."""

    cases: ClassVar = {"bayes": case("sklearn.naive_bayes.GaussianNB", "multiclass")}
    test_law_is_pure_and_finite = None  # type: ignore[assignment]
    test_a_resumed_fit_gives_the_same_bytes = None  # type: ignore[assignment]
    test_a_stopped_fit_leaves_a_usable_checkpoint = None  # type: ignore[assignment]
