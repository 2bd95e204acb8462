"""scikit-learn estimators: the same model as the bare library, in each form, however often it was interrupted."""

from __future__ import annotations

import pickle
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fitscale.contracts import Batch, Framework, Scores, Stopped
from fitscale.errors import WorkloadError
from fitscale.frameworks.sklearn import ScikitLearn
from fitscale.frameworks.sklearn.pickling import dumps
from fitscale.records.data import Folds
from fitscale.records.run import Estimator, Recipe
from fitscale.testing.arrays import ArrayFeed, DirectContext

pytest.importorskip("sklearn")
from sklearn.base import BaseEstimator, RegressorMixin

LOGISTIC = "sklearn.linear_model.LogisticRegression"
SGD = "sklearn.linear_model.SGDClassifier"
BAYES = "sklearn.naive_bayes.GaussianNB"
FOREST = "sklearn.ensemble.RandomForestClassifier"
HGB = "sklearn.ensemble.HistGradientBoostingClassifier"
PIPELINE = "sklearn.pipeline.Pipeline"
STEPS = {"steps": [["scale", {"sklearn.preprocessing.StandardScaler": None}], ["clf", {LOGISTIC: {"C": 0.1}}]]}
BARE = [
    (LOGISTIC, {"C": 0.5}),
    (HGB, {"max_iter": 5, "early_stopping": False}),
    (FOREST, {"n_estimators": 5}),
    ("sklearn.tree.DecisionTreeClassifier", {"max_depth": 4}),
    (SGD, {"loss": "log_loss"}),
    (BAYES, {}),
    ("sklearn.neighbors.KNeighborsClassifier", {}),
]


def recipe(path: str, params: dict[str, Any] | None = None, *, seed: int = 0, live: str | None = None) -> Recipe:
    estimator = Estimator(path=path, params=params or {}, live=live)
    return Recipe(
        framework="sklearn", estimator=estimator, encoding="", data="", target="y", folds=Folds(seed=0), seed=seed
    )


def feed(classes: int = 2, n: int = 600, **more: Any) -> ArrayFeed:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n, 4)).astype(np.float32)
    signal = X[:, 0] + X[:, 1] ** 2 + 0.3 * rng.normal(size=n)
    y = np.digitize(signal, np.quantile(signal, np.arange(1, classes) / classes)) if classes else signal
    return ArrayFeed(X, y, classes=classes, **more)


def score(native: Any, data: ArrayFeed) -> Scores:
    parts = list(ScikitLearn().score(native, data.batches("train", rows=250)))
    proba = None if parts[0].proba is None else np.concatenate([p.proba for p in parts if p.proba is not None])
    return Scores(np.concatenate([p.value for p in parts]), proba, np.concatenate([p.row for p in parts]))


def fitted(made: Recipe, data: ArrayFeed, scratch: Path, threads: int = 1) -> Any:
    framework = ScikitLearn()
    result = framework.fit(data, made, None, DirectContext(scratch=scratch, threads=threads))
    return framework.load(result.payload)


def test_fulfils_the_contract() -> None:
    """The class has all that a framework has."""
    assert isinstance(ScikitLearn(), Framework)


@pytest.mark.parametrize(("path", "params"), BARE)
def test_equals_the_bare_library(path: str, params: dict[str, Any], tmp_path: Path) -> None:
    """A whole fit gives the model that the library gives on the same rows, with the seed as random_state."""
    from sklearn.utils import get_tags

    data = feed()
    native = fitted(recipe(path, params, seed=7), data, tmp_path)
    X, y = data.matrix("train").X, data.matrix("train").y.astype(int)
    X = X if path == SGD else X.astype(np.float64)
    bare = type(native)(**params)
    if "random_state" in bare.get_params():
        bare.set_params(random_state=7)
    bare.fit(X, y)
    assert get_tags(bare).estimator_type == "classifier"
    found = score(native, data)
    assert found.proba is not None
    np.testing.assert_allclose(found.proba, bare.predict_proba(X), atol=1e-12)
    np.testing.assert_array_equal(found.value, bare.predict(X))


@pytest.mark.parametrize(
    ("path", "params"),
    [
        (FOREST, {"n_estimators": 2, "max_depth": 2, "min_samples_leaf": 40}),
        ("sklearn.ensemble.GradientBoostingClassifier", {"n_estimators": 1, "max_depth": 1, "learning_rate": 1e-300}),
        (HGB, {"max_iter": 1, "learning_rate": 1e-300, "early_stopping": False}),
    ],
)
@pytest.mark.parametrize("classes", [2, 3])
def test_labels_where_shares_tie(path: str, params: dict[str, Any], classes: int, tmp_path: Path) -> None:
    """Where classes have equal shares, the label is still the one that the library predicts."""
    rng = np.random.default_rng(3)
    y = np.resize(np.arange(classes), 120 * classes).astype(np.float32)
    data = ArrayFeed(rng.normal(size=(len(y), 3)).astype(np.float32), y, classes=classes)
    native = fitted(recipe(path, params), data, tmp_path)
    found = score(native, data)
    assert found.proba is not None
    tied = (found.proba == found.proba.max(axis=1, keepdims=True)).sum(axis=1) > 1
    assert tied.any() or path == FOREST
    np.testing.assert_array_equal(found.value, native.predict(data.matrix("train").X))


@pytest.mark.parametrize(("path", "params"), [*BARE, (PIPELINE, STEPS)])
def test_same_bytes_in_other_processes(path: str, params: dict[str, Any], tmp_path: Path) -> None:
    """The payload is the same in another process under another hash seed, its recipe read back from JSON."""
    made, form = recipe(path, params), "frame" if path == PIPELINE else "matrix"
    here = ScikitLearn().fit(feed(form=form), made, None, DirectContext(scratch=tmp_path)).payload
    (tmp_path / "recipe.json").write_text(made.to_json())
    data = feed()
    np.savez(tmp_path / "rows.npz", X=data.matrix("train").X, y=data.matrix("train").y)
    code = textwrap.dedent(f"""
        import numpy as np, sys
        from pathlib import Path
        from fitscale.frameworks.sklearn import ScikitLearn
        from fitscale.records.run import Recipe
        from fitscale.testing.arrays import ArrayFeed, DirectContext
        at = Path({str(tmp_path)!r})
        rows, made = np.load(at / "rows.npz"), Recipe.from_json((at / "recipe.json").read_text())
        feed = ArrayFeed(rows["X"], rows["y"], form={form!r})
        sys.stdout.buffer.write(ScikitLearn().fit(feed, made, None, DirectContext(scratch=at)).payload)
    """)
    there = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, env={"PYTHONHASHSEED": "5", **_environment()}
    )
    assert there.stdout == here


@pytest.mark.parametrize(("path", "params"), [*BARE, (PIPELINE, STEPS)])
def test_same_bytes_after_others_were_loaded(path: str, params: dict[str, Any], tmp_path: Path) -> None:
    """Neither an unpickled estimator in the process nor having been unpickled itself changes the bytes of a model."""
    made, form = recipe(path, params), "frame" if path == PIPELINE else "matrix"
    payloads = []
    for _ in range(2):
        payload = ScikitLearn().fit(feed(form=form), made, None, DirectContext(scratch=tmp_path)).payload
        payloads += [payload, dumps(pickle.loads(payload))]
    assert payloads == payloads[:1] * 4


def _environment() -> dict[str, str]:
    import os

    return {k: v for k, v in os.environ.items() if k != "PYTHONHASHSEED"}


@pytest.mark.parametrize("n_jobs", [None, -1, 3])
def test_threads_do_not_change_a_forest(n_jobs: int | None, tmp_path: Path) -> None:
    """The attempt's threads decide, the payload keeps what the user said, and its bytes do not depend on them."""
    made = recipe(FOREST, {"n_estimators": 6, "n_jobs": n_jobs})
    one, two = (fitted(made, feed(), tmp_path, threads) for threads in (1, 2))
    assert pickle.dumps(one) == pickle.dumps(two)
    assert one.n_jobs == n_jobs


class Asking(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Notes down how many threads it was to start, as classes do that know nothing of joblib's configuration."""

    def __init__(self, n_jobs: int | None = None) -> None:
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any) -> Asking:
        self.fitted_with_ = self.n_jobs
        return self

    def predict(self, X: Any) -> np.ndarray:
        return np.full(len(X), self.n_jobs or -1.0)


@pytest.mark.parametrize("n_jobs", [None, -1, 3])
@pytest.mark.parametrize("inside", [False, True])
def test_a_foreign_class_is_told_its_threads(n_jobs: int | None, inside: bool, tmp_path: Path) -> None:
    """LightGBM's would take all cores where n_jobs is left open. It fits with the attempt's threads, and predicts with one."""
    path, params = f"{__name__}.Asking", {"n_jobs": n_jobs}
    if inside:
        path, params = PIPELINE, {"steps": [["asking", {path: params}]]}
    made = fitted(recipe(path, params), feed(0, form="frame" if inside else "matrix"), tmp_path, 2)
    asking = made.steps[0][1] if inside else made
    assert (asking.fitted_with_, asking.n_jobs) == (2, n_jobs)
    (scores, *_) = ScikitLearn().score(made, feed(0).batches("train"))
    assert set(scores.value) == {1.0}
    assert asking.n_jobs == n_jobs


@pytest.mark.parametrize(
    ("path", "params"), [(SGD, {"passes": 3, "loss": "log_loss"}), (BAYES, {}), (SGD, {"passes": 2, "average": True})]
)
@pytest.mark.parametrize("stop", [2, 4])
def test_resumes_in_mid_pass(path: str, params: dict[str, Any], stop: int, tmp_path: Path) -> None:
    """A stream stopped in the middle of a pass goes on to the bytes of the uninterrupted fit."""
    data, framework, made = feed(form="stream", batch_rows=90), ScikitLearn(), recipe(path, params)
    whole = framework.fit(data, made, None, DirectContext(scratch=tmp_path, segment=2))
    stopped = DirectContext(scratch=tmp_path, segment=2, stop_after=stop)
    with pytest.raises(Stopped):
        framework.fit(data, made, None, stopped)
    resumed = stopped.resumed(stop)
    assert framework.fit(data, made, stopped.checkpoints[stop], resumed) == whole
    assert whole.units == 7 * params.get("passes", 1)
    assert [units for units, _ in resumed.reported] == list(range(stop + 1, whole.units + 1))


def test_streamed_bayes_is_equivalent(tmp_path: Path) -> None:
    """GaussianNB from a stream gives the probabilities of the whole fit within 1e-6, with weights too."""
    weight = np.random.default_rng(0).random(600)
    streamed = fitted(recipe(BAYES), feed(3, form="stream", batch_rows=70, weight=weight), tmp_path)
    whole = fitted(recipe(BAYES), feed(3, weight=weight), tmp_path)
    a, b = score(streamed, feed(3)).proba, score(whole, feed(3)).proba
    np.testing.assert_allclose(a, b, atol=1e-6)


def test_streamed_sgd_in_order_is_equivalent(tmp_path: Path) -> None:
    """SGD that neither shuffles nor stops by itself makes the same steps from a stream as from the matrix."""
    params = {"shuffle": False, "tol": None, "max_iter": 4}
    assert ScikitLearn().traits(Estimator(path=SGD, params=params)).can["stream"] == "equivalent"
    streamed = fitted(recipe(SGD, params), feed(form="stream", batch_rows=70), tmp_path)
    whole = fitted(recipe(SGD, params), feed(), tmp_path)
    np.testing.assert_allclose(streamed.coef_, whole.coef_, rtol=1e-4)


def test_missing_classes_still_have_columns(tmp_path: Path) -> None:
    """A fit that saw classes 0 and 2 of three gives three columns, and codes as labels."""
    data = feed(3)
    rows = data.matrix("train")
    some = rows.y != 1
    part = ArrayFeed(rows.X[some], rows.y[some], classes=3)
    for path in (LOGISTIC, FOREST, "sklearn.svm.LinearSVC"):
        found = score(fitted(recipe(path), part, tmp_path), data)
        assert found.proba is not None
        assert found.proba.shape == (600, 3)
        assert (found.proba[:, 1] == 0).all()
        assert set(found.value) == {0.0, 2.0}


@pytest.mark.parametrize("classes", [2, 3])
def test_margins_rank_as_decision_function(classes: int, tmp_path: Path) -> None:
    """Where there are only margins, the shares are in their order, between 0 and 1, and sum to 1."""
    data = feed(classes)
    native = fitted(recipe("sklearn.svm.LinearSVC"), data, tmp_path)
    found = score(native, data)
    assert found.proba is not None
    np.testing.assert_allclose(found.proba.sum(axis=1), 1)
    margin = native.decision_function(data.matrix("train").X)
    if classes == 2:
        np.testing.assert_array_equal(np.argsort(found.proba[:, 1]), np.argsort(margin))
    np.testing.assert_array_equal(found.proba.argmax(axis=1), found.value)


def test_sparse_rows(tmp_path: Path) -> None:
    """A CSR matrix gives the probabilities of the dense one, whole and streamed."""
    from scipy.sparse import csr_matrix

    dense = feed().matrix("train")
    X = np.where(np.abs(dense.X) > 1, np.abs(dense.X), 0)
    assert ScikitLearn().traits(Estimator(path=LOGISTIC)).sparse
    for path, form in ((LOGISTIC, "matrix"), ("sklearn.naive_bayes.MultinomialNB", "stream")):
        feeds = [ArrayFeed(rows, dense.y, form=form, batch_rows=100) for rows in (csr_matrix(X), X)]  # type: ignore[arg-type]
        a, b = (score(fitted(recipe(path), data, tmp_path), data).proba for data in feeds)
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_pipeline_takes_raw_columns(tmp_path: Path) -> None:
    """A pipeline gets text columns by name, fits, and scores Arrow tables."""
    import pyarrow as pa

    class Raw(ArrayFeed):
        def frame(self, view: Any) -> Any:
            _, y, weight, _ = self.matrix(view)
            return pa.table({"age": self.matrix(view).X[:, 0], "city": pa.array(["a", "b"] * 300)}), y, weight

    transformers = [
        ["q", {"sklearn.preprocessing.StandardScaler": {}}, ["age"]],
        ["c", {"sklearn.preprocessing.OneHotEncoder": {"handle_unknown": "ignore"}}, ["city"]],
    ]
    params = {
        "steps": [
            ["columns", {"sklearn.compose.ColumnTransformer": {"transformers": transformers}}],
            ["clf", {FOREST: {"n_estimators": 3}}],
        ],
        "clf__max_depth": 2,
    }
    traits = ScikitLearn().traits(Estimator(path=PIPELINE, params=params))
    assert (traits.input, traits.can) == ("raw", {"whole": "same"})
    data = Raw(feed().matrix("train").X, feed().matrix("train").y, form="frame", weight=np.ones(600))
    native = fitted(recipe(PIPELINE, params, seed=3), data, tmp_path)
    assert native.named_steps["clf"].max_depth == 2
    assert native.named_steps["clf"].random_state == 3
    table = data.frame("train")[0]
    [found] = ScikitLearn().score(native, [Batch(table, data.matrix("train").y, None, np.arange(600))])
    np.testing.assert_array_equal(found.value, native.predict(table.to_pandas()))


def test_live_estimators_are_cloned_from_their_pickle(tmp_path: Path) -> None:
    """A live object is read from its address, unfitted, with the workload's parameters set over its own."""
    from sklearn.linear_model import LogisticRegression

    live = LogisticRegression(C=0.2).fit([[0.0], [1.0]], [0, 1])
    (tmp_path / "estimator.pickle").write_bytes(pickle.dumps(live))
    at = str(tmp_path / "estimator.pickle")
    assert ScikitLearn().traits(Estimator(path=LOGISTIC, live=at)).params == {"C": 0.2}
    native = fitted(recipe(LOGISTIC, {"fit_intercept": False}, live=at), feed(), tmp_path)
    bare = LogisticRegression(C=0.2, fit_intercept=False)
    X, y, _, _ = feed().matrix("train")
    np.testing.assert_allclose(native.coef_, bare.fit(X.astype(np.float64), y).coef_)


def test_histogram_boosting_learns_categories(tmp_path: Path) -> None:
    """Columns of codes are categories where they fit into the bins, and plain codes where they do not."""
    X = np.random.default_rng(0).integers(0, 4, (600, 3)).astype(np.float32)
    data = ArrayFeed(X, X[:, 1] == 2, kinds=("q", "c", "c"), categories=(0, 4, 300))
    native = fitted(recipe(HGB, {"max_iter": 3}), data, tmp_path)
    assert native.is_categorical_.tolist() == [False, True, False]
    by_name = fitted(recipe(HGB, {"max_iter": 3, "categorical_features": ["f2"]}), data, tmp_path)
    assert by_name.is_categorical_.tolist() == [False, False, True]
    with pytest.raises(WorkloadError, match="categorical_features: no column 'f9'"):
        fitted(recipe(HGB, {"categorical_features": ["f9"]}), data, tmp_path)


def test_weights_where_they_are_not_taken(tmp_path: Path) -> None:
    """Weights for an estimator that has no use for them are an error, not silently dropped."""
    with pytest.raises(WorkloadError, match=r"data\.weight: KNeighborsClassifier takes none"):
        fitted(recipe("sklearn.neighbors.KNeighborsClassifier"), feed(weight=np.ones(600)), tmp_path)


def test_steps_from_row_to_row_are_made_in_float32(tmp_path: Path) -> None:
    """Gradient steps take the rows as they are, whole or streamed: there is no second matrix of them."""
    whole = fitted(recipe(SGD), feed(), tmp_path)
    streamed = fitted(recipe(SGD, {"max_iter": 3}), feed(form="stream", batch_rows=70), tmp_path)
    assert whole.coef_.dtype == streamed.coef_.dtype == np.float32
    assert fitted(recipe(LOGISTIC), feed(), tmp_path).coef_.dtype == np.float64


def test_unscaled_columns_are_fitted_in_float64(tmp_path: Path) -> None:
    """Ridge on columns of very different sizes equals the library in float64, where float32 would lose digits."""
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(600, 3)) * [1, 1e3, 1e5] + [0, 1e4, 1e6]).astype(np.float32)
    y = (X @ [1.0, 1e-3, 1e-5]).astype(np.float32)
    native = fitted(recipe("sklearn.linear_model.Ridge"), ArrayFeed(X, y, classes=0), tmp_path)
    from sklearn.linear_model import Ridge

    np.testing.assert_allclose(native.coef_, Ridge().fit(X.astype(np.float64), y.astype(np.float64)).coef_, rtol=1e-9)
