"""The smallest framework keeps every promise that the others make."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitscale.contracts import Fitted, Framework, Stopped
from fitscale.errors import WorkloadError
from fitscale.frameworks.baseline import Baseline, exact_sum
from fitscale.records.data import Folds, Shape
from fitscale.records.run import Estimator, Recipe
from fitscale.testing.arrays import ArrayFeed, DirectContext


def recipe(path: str = "baseline", **params: object) -> Recipe:
    estimator = Estimator(path=path, params=params)
    return Recipe(framework="baseline", estimator=estimator, encoding="", data="", target="y", folds=Folds(seed=0))


def feed(classes: int = 3, n: int = 1_000, **more: object) -> ArrayFeed:
    rng = np.random.default_rng(0)
    y = rng.integers(0, classes, n) if classes else rng.normal(size=n)
    return ArrayFeed(rng.normal(size=(n, 2)), y, weight=rng.random(n), classes=classes, **more)  # type: ignore[arg-type]


def fit(data: ArrayFeed, scratch: Path, made: Recipe | None = None) -> Fitted:
    return Baseline().fit(data, made or recipe(), None, DirectContext(scratch=scratch))


def test_fulfils_the_contract() -> None:
    """The class has all that a framework has."""
    assert isinstance(Baseline(), Framework)


@given(st.lists(st.floats(-1e300, 1e300, width=64), max_size=30))
def test_sums_are_exact(values: list[float]) -> None:
    """A sum loses no bit, whatever the sizes of its terms."""
    assert Fraction(exact_sum(np.array(values)), 2**1126) == sum(map(Fraction, values), Fraction(0))


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_model_is_the_weighted_share_or_mean(classes: int, tmp_path: Path) -> None:
    """A classifier holds the shares of weight by class, a regressor the weighted mean."""
    data = feed(classes)
    _, y, weight, _ = data.matrix("train")
    assert weight is not None
    value = json.loads(fit(data, tmp_path).payload)["value"]
    expected = [weight[y == c].sum() / weight.sum() for c in range(classes)] or [np.average(y, weights=weight)]
    np.testing.assert_allclose(value, expected, rtol=1e-5)


@pytest.mark.parametrize("classes", [0, 3])
def test_bytes_do_not_depend_on_form_batches_or_passes(classes: int, tmp_path: Path) -> None:
    """Form, size of batches and number of passes change no byte of the model."""
    whole = fit(feed(classes), tmp_path).payload
    for rows in (1, 7, 1_000):
        assert fit(feed(classes, form="stream", batch_rows=rows), tmp_path).payload == whole
    assert fit(feed(classes), tmp_path, recipe(passes=1)).payload == whole


def test_resumes_to_the_same_bytes(tmp_path: Path) -> None:
    """A fit that is stopped after a pass goes on from its state to the same bytes and units."""
    data, framework, stopped = feed(), Baseline(), DirectContext(scratch=tmp_path, stop_after=2)
    with pytest.raises(Stopped):
        framework.fit(data, recipe(), None, stopped)
    assert [units for units, _ in stopped.reported] == [1, 2]
    resumed = stopped.resumed(2)
    assert framework.fit(data, recipe(), stopped.checkpoints[2], resumed) == fit(data, tmp_path)
    assert [units for units, _ in resumed.reported] == [3]


def test_scores_every_row(tmp_path: Path) -> None:
    """Each row gets the most frequent class and the shares of all."""
    data, framework = feed(), Baseline()
    native = framework.load(fit(data, tmp_path).payload)
    scores = list(framework.score(native, data.batches("train", rows=300)))
    assert [len(s.row) for s in scores] == [300, 300, 300, 100]
    for s in scores:
        assert s.proba is not None
        assert (s.value == s.proba.argmax(axis=1)).all()
        np.testing.assert_allclose(s.proba.sum(axis=1), 1)


def test_fails_when_asked_to(tmp_path: Path) -> None:
    """A fit raises where a training row has the class that it is to fail on, and only there."""
    asked = recipe(fail=2)
    with pytest.raises(ValueError, match="asked to fail where a row has 2"):
        fit(feed(3), tmp_path, asked)
    assert fit(feed(2), tmp_path, asked).units == 3


def test_rows_without_weight_are_named(tmp_path: Path) -> None:
    """Weights that are all zero end with a sentence, not with a division by zero."""
    with pytest.raises(ValueError, match="no weight"):
        fit(ArrayFeed(np.zeros((3, 1)), [0, 1, 1], weight=[0, 0, 0]), tmp_path)


@pytest.mark.parametrize(
    ("path", "params", "message"),
    [
        ("baseline.Regresor", {}, "model.estimator: no 'baseline.Regresor'; did you mean 'baseline.Regressor'"),
        ("baseline", {"pases": 2}, "model.params: no 'pases'; did you mean 'passes'"),
        ("baseline", {"passes": 0}, "model.params: passes: 0 is not"),
    ],
)
def test_errors_name_the_place_and_the_nearest(path: str, params: dict[str, object], message: str) -> None:
    """A wrong path or parameter is refused with its place, value and the nearest that there is."""
    with pytest.raises(WorkloadError) as error:
        Baseline().traits(Estimator(path=path, params=params))
    assert str(error.value).startswith(message)


def test_law_grows_with_rows_and_passes() -> None:
    """Streams are read once for each pass, and hold one batch."""
    framework, shape = Baseline(), Shape(rows=10**6, features=10, holdout_rows=100)
    stream, whole = (framework.law(shape, recipe(passes=4), form) for form in ("stream", "matrix"))
    assert (stream.units, stream.passes, whole.passes) == (4, 4.0, 1.0)
    assert stream.time["iterations"][0].amount == 4 * 10**6
    assert stream.memory[1].amount < whole.memory[1].amount


def test_imports_no_heavy_library() -> None:
    """Neither framework's module, nor its law, loads scikit-learn, scipy or pandas."""
    code = (
        "import sys, fitscale.frameworks.baseline, fitscale.frameworks.sklearn as s, fitscale.frameworks.sklearn.laws\n"
        "assert s.ScikitLearn.name == 'sklearn'\n"
        "assert not {'sklearn', 'scipy', 'pandas', 'pyarrow', 'joblib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
