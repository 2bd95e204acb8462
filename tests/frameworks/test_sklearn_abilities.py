"""What scikit-learn estimators can do, what is refused with which sentence, and how their cost grows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fitscale.errors import WorkloadError
from fitscale.frameworks.sklearn import ScikitLearn
from fitscale.records.data import Folds, Shape
from fitscale.records.plan import Law
from fitscale.records.run import Estimator, Recipe, Traits

pytest.importorskip("sklearn")


def traits(path: str, **params: Any) -> Traits:
    return ScikitLearn().traits(Estimator(path=path, params=params))


def law(path: str, rows: int, form: str = "matrix", features: int = 20, **params: Any) -> Law:
    made = Recipe(
        framework="sklearn",
        estimator=Estimator(path=path, params=params),
        encoding="",
        data="",
        target="y",
        folds=Folds(seed=0),
    )
    return ScikitLearn().law(Shape(rows=rows, features=features, holdout_rows=100), made, form)  # type: ignore[arg-type]


def seconds(found: Law) -> float:
    return sum(term.amount * term.prior for terms in found.time.values() for term in terms)


@pytest.mark.parametrize(
    ("path", "params", "input_", "missing", "sparse"),
    [
        ("sklearn.linear_model.LogisticRegression", {}, "one-hot", "impute", True),
        ("sklearn.linear_model.LinearRegression", {}, "one-hot", "impute", True),
        ("sklearn.naive_bayes.GaussianNB", {}, "one-hot", "impute", False),
        ("sklearn.ensemble.RandomForestRegressor", {}, "codes", "ok", True),
        ("sklearn.ensemble.GradientBoostingClassifier", {}, "codes", "impute", True),
        ("sklearn.ensemble.HistGradientBoostingClassifier", {}, "codes", "ok", False),
        ("sklearn.ensemble.AdaBoostClassifier", {}, "codes", "impute", True),
        ("sklearn.ensemble.BaggingClassifier", {"estimator": {"sklearn.svm.SVC": {"C": 2}}}, "one-hot", "impute", True),
        (
            "sklearn.multiclass.OneVsRestClassifier",
            {"estimator": {"sklearn.tree.DecisionTreeClassifier": None}},
            "codes",
            "impute",
            True,
        ),
        (
            "sklearn.model_selection.GridSearchCV",
            {
                "estimator": {"sklearn.pipeline.Pipeline": {"steps": [["clf", {"sklearn.svm.SVC": {}}]]}},
                "param_grid": {"clf__C": [1, 2]},
            },
            "raw",
            "ok",
            False,
        ),
    ],
)
def test_input(path: str, params: dict[str, Any], input_: str, missing: str, sparse: bool) -> None:
    """Trees take codes, pipelines raw columns, all others one-hot; missing values as the estimator's tags say."""
    found = traits(path, **params)
    assert (found.input, found.missing, found.sparse) == (input_, missing, sparse)


@pytest.mark.parametrize(
    ("path", "params", "stream", "units"),
    [
        ("sklearn.naive_bayes.MultinomialNB", {}, "equivalent", 1),
        ("sklearn.naive_bayes.GaussianNB", {"passes": 2}, "other", 2),
        ("sklearn.linear_model.SGDClassifier", {}, "other", 5),
        ("sklearn.linear_model.SGDRegressor", {"max_iter": 20}, "other", 20),
        ("sklearn.linear_model.Perceptron", {"shuffle": False, "tol": None}, "equivalent", 1000),
        ("sklearn.linear_model.SGDClassifier", {"early_stopping": True}, None, 20),
        ("sklearn.linear_model.SGDClassifier", {"class_weight": "balanced"}, None, 20),
        ("sklearn.neural_network.MLPClassifier", {"passes": 3}, "other", 3),
        ("sklearn.neural_network.MLPClassifier", {"solver": "lbfgs"}, None, 1),
        ("sklearn.linear_model.LogisticRegression", {}, None, 1),
    ],
)
def test_streams(path: str, params: dict[str, Any], stream: str | None, units: int) -> None:
    """What learns by partial_fit streams, and says how its result compares; laws count the same passes. Others tell of epochs."""
    found = traits(path, **params)
    assert found.can.get("stream") == stream
    assert (found.progress, found.units) == ("passes" if stream or units > 1 else "none", units)
    if stream:
        assert law(path, 100_000, "stream", **params).passes == units
        assert law(path, 100_000, "stream", **params).units == units * 2


@pytest.mark.parametrize(
    ("path", "params", "message"),
    [
        (
            "sklearn.linear_model.LogisticRegresion",
            {},
            "model.estimator: 'sklearn.linear_model.LogisticRegresion' does not import: "
            "sklearn.linear_model has no 'LogisticRegresion'; did you mean 'LogisticRegression'?",
        ),
        (
            "sklearn.linear_modell.Ridge",
            {},
            "model.estimator: 'sklearn.linear_modell.Ridge' does not import: "
            "no module 'sklearn.linear_modell'; did you mean 'sklearn.linear_model'?",
        ),
        (
            "nosuchpackage.Model",
            {},
            "model.estimator: 'nosuchpackage.Model' does not import: no module 'nosuchpackage'",
        ),
        (
            "sklearn.cluster.KMeans",
            {},
            "model.estimator: KMeans is a 'clusterer'; fitscale trains classifiers and regressors",
        ),
        ("sklearn.preprocessing.StandardScaler", {}, "model.estimator: StandardScaler has no method 'predict'"),
        ("sklearn.ensemble.IsolationForest", {}, "model.estimator: IsolationForest is a 'outlier_detector'"),
        ("sklearn.base.clone", {}, "model.estimator: 'sklearn.base.clone' is a function, not a class"),
        (
            "sklearn.svm.SVC",
            {"gama": 1},
            "model.params: sklearn.svm.SVC has no parameter 'gama'; did you mean 'gamma'?; it takes: C, kernel,",
        ),
        (
            "sklearn.svm.SVC",
            {"C": -1},
            "model.params: The 'C' parameter of SVC must be a float in the range (0.0, inf",
        ),
        ("sklearn.svm.SVC", {"passes": 2}, "model.params: sklearn.svm.SVC has no parameter 'passes'"),
        ("sklearn.pipeline.Pipeline", {}, "model.params: sklearn.pipeline.Pipeline: "),
        (
            "sklearn.pipeline.Pipeline",
            {"steps": [["clf", {"sklearn.svm.NuSVCC": {}}]]},
            "model.params: 'sklearn.svm.NuSVCC' does not import: sklearn.svm has no 'NuSVCC'; did you mean 'NuSVC'?",
        ),
        (
            "sklearn.pipeline.Pipeline",
            {"steps": [["clf", {"sklearn.svm.SVC": {"C": -1}}]]},
            "model.params: The 'C' parameter of SVC",
        ),
        (
            "sklearn.pipeline.Pipeline",
            {"steps": [["clf", {"sklearn.svm.SVC": {}}]], "clf__gama": 1},
            "model.params: Pipeline has no parameter 'clf__gama'; did you mean 'clf__gamma'?",
        ),
    ],
)
def test_errors_name_the_place_and_the_nearest(path: str, params: dict[str, Any], message: str) -> None:
    """What does not import or is not taken is refused before anything is read, with the nearest name."""
    with pytest.raises(WorkloadError) as error:
        traits(path, **params)
    assert str(error.value).startswith(message)


def test_a_bare_class_name_is_pointed_to_its_path() -> None:
    """A class name alone is answered with its import path, also where it is misspelt."""
    pytest.importorskip("sklearn")
    for word in ("LogisticRegression", "LogisticRegresion"):
        with pytest.raises(WorkloadError, match=r"did you mean 'sklearn\.linear_model\.LogisticRegression'\?"):
            traits(word)


def test_a_users_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A class of the user's own is taken by its import path; one whose module fails is refused with what it raised."""
    own = "from sklearn.linear_model import Ridge\nclass Mine(Ridge):\n    pass\n"
    (tmp_path / "own_estimators.py").write_text(own)
    (tmp_path / "own_broken.py").write_text("raise RuntimeError('no licence file')")
    (tmp_path / "own_needing.py").write_text("import nosuchlibrary")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert traits("own_estimators.Mine", alpha=2).target == "regressor"
    for module, message in (
        ("own_broken", "RuntimeError: no licence file"),
        ("own_needing", "nosuchlibrary, which it"),
    ):
        with pytest.raises(WorkloadError, match=message):
            traits(f"{module}.Model")


def test_lists_become_tuples_where_only_tuples_are_taken() -> None:
    """YAML has no tuples: a scaler's range can be written as a list; functions are named by their path."""
    steps = [
        ["range", {"sklearn.preprocessing.MinMaxScaler": {"feature_range": [0, 2]}}],
        ["log", {"sklearn.preprocessing.FunctionTransformer": {"func": {"numpy.log1p": None}}}],
        ["clf", {"sklearn.linear_model.LogisticRegression": {"class_weight": {"0": 1, "1": 5}}}],
    ]
    from fitscale.frameworks.sklearn.building import build

    made = build(Estimator(path="sklearn.pipeline.Pipeline", params={"steps": steps}))
    assert made.named_steps["range"].feature_range == (0, 2)
    assert made.named_steps["log"].func.__name__ == "log1p"
    assert made.named_steps["clf"].class_weight == {0: 1, 1: 5}
    assert traits("sklearn.pipeline.Pipeline", steps=steps).target == "classifier"


def test_held_out_rows_are_held_too() -> None:
    """The matrices of all views are filled in one pass: 4,000 held-out rows of 5,000 columns are 80 MB more."""
    one, more = (descent_bytes(Shape(rows=16_000, features=5_000, holdout_rows=held)) for held in (0, 4_000))
    assert more - one == pytest.approx(80e6)


def test_a_million_sparse_rows_are_told_within_fifteen_per_cent() -> None:
    """1,000,000 rows of 40 of 100,000 columns took 0.6 GB, of which reading a row group of 26 MB is a good part."""
    shape = Shape(rows=800_000, holdout_rows=200_000, features=100_000, density=40 / 100_000, piece_bytes=26_000_000)
    assert descent_bytes(shape) == pytest.approx(0.605e9, rel=0.15)


def descent_bytes(shape: Shape) -> float:
    made = Recipe(
        framework="sklearn",
        estimator=Estimator(path="sklearn.linear_model.SGDClassifier", params={}),
        encoding="",
        data="",
        target="y",
        folds=Folds(seed=0),
    )
    return sum(term.amount * term.prior for term in ScikitLearn().law(shape, made, "matrix").memory)


def test_every_estimator_of_the_library_has_traits_and_a_law() -> None:
    """No classifier or regressor that can be made without parameters is refused, and each has a finite cost."""
    from sklearn.utils import all_estimators

    seen = 0
    for name, cls in all_estimators(type_filter=["classifier", "regressor"]):
        if name.startswith("PassiveAggressive"):  # deprecated by the library: making one warns
            continue
        try:
            made = cls()
        except TypeError:
            continue
        if not hasattr(made, "predict"):  # it needs an estimator, and says so only when it fits
            continue
        path = f"{cls.__module__}.{name}"
        found = traits(path)
        assert found.target in ("classifier", "regressor")
        for form in ("matrix", *(["stream"] if "stream" in found.can else [])):
            assert 0 < seconds(law(path, 10_000, form)) < 1e8
        seen += 1
    assert seen > 60


@pytest.mark.parametrize(
    ("path", "exponent"),
    [
        ("sklearn.linear_model.LogisticRegression", (0.95, 1.05)),
        ("sklearn.ensemble.RandomForestClassifier", (1.05, 1.3)),
        ("sklearn.svm.SVC", (1.8, 2.1)),
        ("somewhere.Unknown", (0.9, 1.1)),
    ],
)
def test_cost_grows_with_rows(path: str, exponent: tuple[float, float]) -> None:
    """Ten times the rows cost ten times, n log² n or a hundred times as much, by family."""
    import math

    grown = math.log10(seconds(law(path, 10**6)) / seconds(law(path, 10**5)))
    assert exponent[0] <= grown <= exponent[1]


@pytest.mark.parametrize(
    ("params", "tried"),
    [({}, 4), ({"max_features": None}, 20), ({"max_features": 0.5}, 10), ({"max_features": 3}, 3)],
)
def test_forests_cost_by_the_columns_that_a_node_tries(params: dict[str, Any], tried: int) -> None:
    """A node of a forest looks at ``max_features`` of the columns, by default at the root of their number."""
    path = "sklearn.ensemble.RandomForestClassifier"
    one = law(path, 10**5, features=20, max_features=1).time["iterations"][0].amount
    assert law(path, 10**5, features=20, **params).time["iterations"][0].amount == pytest.approx(tried * one)


@pytest.mark.parametrize("name", ["Ridge", "LinearRegression", "RidgeClassifier"])
def test_a_linear_model_of_more_columns_than_rows_costs_by_its_rows(name: str) -> None:
    """80 rows × 10,000 columns took 0.01 to 0.06 s and 14 MB beside the matrix: no square of the columns is ever made."""
    found = law(f"sklearn.linear_model.{name}", 80, features=10_000)
    assert seconds(found) < 1
    assert next(term.amount for term in found.memory if term.name == "fit") < 20e6
    assert seconds(law("sklearn.linear_model.BayesianRidge", 80, features=10_000)) > 50


def test_cost_of_a_pipeline_is_that_of_its_last_predictor() -> None:
    """A search over a pipeline costs its folds times the fit inside."""
    inner = {"sklearn.ensemble.RandomForestClassifier": {"n_estimators": 10}}
    steps = {"steps": [["scale", {"sklearn.preprocessing.StandardScaler": None}], ["clf", inner]]}
    alone = law("sklearn.ensemble.RandomForestClassifier", 10**5, n_estimators=10).time["iterations"][0]
    piped = law("sklearn.pipeline.Pipeline", 10**5, **steps).time["iterations"][0]
    search = law(
        "sklearn.model_selection.GridSearchCV",
        10**5,
        estimator={"sklearn.pipeline.Pipeline": steps},
        param_grid={"clf__max_depth": [2, 3]},
        cv=3,
    ).time["iterations"][0]
    assert piped.amount == alone.amount
    assert search.amount == 7 * alone.amount


def test_streams_hold_a_batch() -> None:
    """The memory of a streamed fit does not grow with the rows."""

    def peak(rows: int, form: str) -> float:
        found = law("sklearn.linear_model.SGDClassifier", rows, form)
        return sum(term.amount * term.prior for term in found.memory)

    assert peak(10**8, "stream") == peak(10**6, "stream")
    assert peak(10**7, "matrix") > 4 * peak(10**6, "matrix")
