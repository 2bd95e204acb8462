"""Descent by scikit-learn: its epochs are told as they come, and telling changes nothing of the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fitscale.contracts import Stopped
from fitscale.frameworks.sklearn import ScikitLearn
from fitscale.frameworks.sklearn.building import build
from fitscale.frameworks.sklearn.fitting import set_seed
from fitscale.frameworks.sklearn.pickling import dumps
from fitscale.records.data import Folds, Shape
from fitscale.records.run import Estimator, Recipe
from fitscale.testing.arrays import ArrayFeed, DirectContext

pytest.importorskip("sklearn")

FIXED = ("sklearn.linear_model.SGDClassifier", {"loss": "log_loss", "tol": None, "max_iter": 7})
UNTIL_TOL = ("sklearn.linear_model.SGDRegressor", {})
NETWORK = ("sklearn.neural_network.MLPClassifier", {"hidden_layer_sizes": 3, "max_iter": 6})


def recipe(path: str, params: dict[str, Any]) -> Recipe:
    return Recipe(
        framework="sklearn", estimator=Estimator(path=path, params=params), encoding="e", data="d", target="y",
        folds=Folds(seed=0), seed=5,
    )  # fmt: skip


def feed(classes: int) -> ArrayFeed:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(400, 4)).astype(np.float32)
    y = X[:, 0] + 0.3 * rng.normal(size=400)
    codes = np.digitize(y, np.quantile(y, np.arange(1, classes) / classes)) if classes else y
    return ArrayFeed(X, codes.astype(np.float32), classes=classes)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize(("path", "params"), [FIXED, UNTIL_TOL, NETWORK])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("threads", [1, 2])
def test_epochs_are_told_and_the_model_is_the_same(
    path: str, params: dict[str, Any], classes: int, threads: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each epoch once, in order, up to those that the fit had; the bytes are those of a fit that nobody watched."""
    made, data = recipe(path, params), feed(0 if path.endswith("Regressor") else classes)
    context = DirectContext(scratch=tmp_path, threads=threads)
    fitted = ScikitLearn().fit(data, made, None, context)
    told = [units for units, _ in context.reported]
    bare = build(made.estimator)
    set_seed(bare, 5)
    X, y, _, _ = data.matrix("train")
    bare.fit(
        X.astype(np.float64) if (path, params) == NETWORK else X,
        y.astype(np.int64) if data.classes else y.astype(np.float64),
    )
    assert told == list(range(1, len(told) + 1))
    assert fitted.units == told[-1] == bare.n_iter_
    if data.classes:
        bare.fitscale_classes_ = data.classes
    assert fitted.payload == dumps(bare)
    assert capsys.readouterr().out == ""


def test_it_ends_when_told_to(tmp_path: Path) -> None:
    """Nothing of such a fit can be kept, so it ends at once."""

    class Ending(DirectContext):
        def report(self, units: int, *args: Any, kept: bool = True, **more: Any) -> bytes | None:
            super().report(units, *args, **more)
            if units == 3 and not kept:
                raise Stopped
            return None

    context = Ending(scratch=tmp_path)
    with pytest.raises(Stopped):
        ScikitLearn().fit(feed(2), recipe(*FIXED), None, context)
    assert [units for units, _ in context.reported] == [1, 2, 3]


@pytest.mark.parametrize(("params", "units"), [({"tol": None, "max_iter": 40}, 40), ({}, 20), ({"max_iter": 9}, 9)])
def test_the_law_knows_them(params: dict[str, Any], units: int) -> None:
    """As many as will surely be, or are usual where a tolerance ends the fit; none of them is kept."""
    shape = Shape(rows=1000, features=4, classes=2)
    law = ScikitLearn().law(shape, recipe("sklearn.linear_model.SGDClassifier", params), "matrix")
    assert (law.units, law.keeps) == (units, False)
    assert ScikitLearn().law(shape, recipe("sklearn.linear_model.LogisticRegression", {}), "matrix").units == 1
