"""What is converted predicts as the run does, on raw rows; what cannot be converted says what is lacking."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from fitting import fit, write_table

from fitscale.errors import NotExportable
from fitscale.exporters.onnx.comparing import compare

XGB = "xgboost.XGBClassifier"
LINEAR, ENSEMBLE = "sklearn.linear_model.", "sklearn.ensemble."


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_table(tmp_path_factory.mktemp("onnx"))


@pytest.mark.parametrize(
    ("path", "target", "params"),
    [
        (XGB, "y", {"n_estimators": 8}),
        (XGB, "y", {"n_estimators": 8, "booster": "dart", "rate_drop": 0.3}),
        (XGB, "y", {"n_estimators": 4, "num_parallel_tree": 2, "subsample": 0.5}),
        (XGB, "y", {"n_estimators": 4, "objective": "binary:hinge"}),
        (XGB, "y3", {"n_estimators": 6}),
        ("xgboost.XGBRegressor", "v", {"n_estimators": 6}),
        ("xgboost.XGBRegressor", "y", {"n_estimators": 6, "objective": "count:poisson"}),
        (LINEAR + "LogisticRegression", "y3", {}),
        (LINEAR + "Ridge", "v", {}),
        (LINEAR + "SGDClassifier", "y3", {"loss": "hinge"}),
        ("sklearn.svm.LinearSVC", "y", {}),
        (ENSEMBLE + "RandomForestClassifier", "y", {"n_estimators": 10}),
        (ENSEMBLE + "RandomForestClassifier", "y3", {"n_estimators": 10}),
        (ENSEMBLE + "ExtraTreesRegressor", "v", {"n_estimators": 5}),
        (ENSEMBLE + "HistGradientBoostingClassifier", "y", {"max_iter": 8}),
        (ENSEMBLE + "HistGradientBoostingClassifier", "y3", {"max_iter": 4}),
        (ENSEMBLE + "HistGradientBoostingRegressor", "y", {"max_iter": 4, "loss": "poisson"}),
        (ENSEMBLE + "GradientBoostingClassifier", "y", {"n_estimators": 5}),
        ("baseline.Regressor", "v", {}),
    ],
)
def test_it_predicts_as_the_run_does(table: Path, path: str, target: str, params: dict[str, Any]) -> None:
    """Numbers, dates, texts, truth values and categories go in raw, with values missing in most; no label differs."""
    seen = fit(table, path, target, params, scale=path.startswith((LINEAR, "sklearn.svm"))).compared()
    assert seen.rows == 1_200
    assert seen.ties == 0


@pytest.mark.parametrize("path", [XGB, LINEAR + "LogisticRegression"])
def test_the_encoding_has_the_same_bits(table: Path, path: str) -> None:
    """Codes or one-hot, missing kept or filled in: the matrix inside the graph is the one that fitscale makes."""
    import onnxruntime
    from onnx import TensorProto, helper

    from fitscale.exporters.onnx import encoding as nodes
    from fitscale.exporters.onnx.graph import Graph
    from fitscale.exporters.onnx.inputs import feeds, inputs_of
    from fitscale.exporters.onnx.models import _declare

    made = fit(table, path, "y", {"n_estimators": 1} if path == XGB else {"max_iter": 1, "tol": 1e9}, scale=path != XGB)
    inputs = inputs_of(made.encoding)
    graph = Graph(frozenset(name for one in inputs for name in (one.name, one.flag) if name))
    _declare(graph, inputs)
    X = graph.output(nodes.matrix(graph, made.encoding, inputs), "X")
    model = graph.model([helper.make_tensor_value_info(X, TensorProto.FLOAT, ["n", made.encoding.width])], {})
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    [found] = session.run(None, feeds(inputs, made.rows))
    wanted = made.encoding.apply(made.rows)
    np.testing.assert_array_equal(found, wanted.toarray() if hasattr(wanted, "toarray") else wanted)


def test_lightgbms_trees_say_what_its_booster_says() -> None:
    """Sets of categories, missing values, and columns that missed nothing before: read from the booster's own dump."""
    lightgbm = pytest.importorskip("lightgbm", reason="lightgbm is not installed")
    import onnxruntime
    from onnx import TensorProto, helper

    from fitscale.exporters.onnx.graph import Graph
    from fitscale.exporters.onnx.lightgbm import answer

    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, 30, 900), rng.normal(size=900), rng.normal(size=900)]).astype(np.float32)
    X[::9, 1] = np.nan
    y = np.isin(X[:, 0], [1, 5, 7, 20]) * 2 + np.nan_to_num(X[:, 1]) + X[:, 2]
    params = {"objective": "poisson", "verbosity": -1, "num_threads": 1, "min_data_per_group": 5}
    data = lightgbm.Dataset(X, np.maximum(y, 0), categorical_feature=[0])
    booster = lightgbm.train(params, data, num_boost_round=8)
    X[::7, 2] = np.nan
    graph = Graph(frozenset({"X"}))
    graph.inputs.append(helper.make_tensor_value_info("X", TensorProto.FLOAT, ["n", 3]))
    regression: Any = SimpleNamespace(n_classes=0)
    said = answer(graph, "X", booster, None, regression, ())  # type: ignore[arg-type]
    model = graph.model([helper.make_tensor_value_info(said.value, TensorProto.FLOAT, ["n"])], {})
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"X": X})[0], booster.predict(X), rtol=1e-5)


def test_a_trees_split_by_a_set_is_one_by_a_set(table: Path) -> None:
    """What XGBoost learnt of categories is neither left out nor unfolded into many splits."""
    model, _ = fit(table, XGB, "y", {"n_estimators": 8}).exported()
    import onnx

    [node] = [node for node in onnx.load_from_string(model).graph.node if node.op_type.startswith("TreeEnsemble")]
    modes = next(onnx.numpy_helper.to_array(a.t) for a in node.attribute if a.name == "nodes_modes")
    assert (modes == 6).any()


def test_old_runtimes_read_what_has_no_sets(table: Path) -> None:
    """Without categories the trees are a TreeEnsembleRegressor, in ai.onnx.ml 3."""
    made = fit(table, XGB, "y", {"n_estimators": 3}, drop=("store", "grade", "plan", "many"))
    import onnx

    model = onnx.load_from_string(made.exported()[0])
    assert {opset.domain: opset.version for opset in model.opset_import} == {"": 13, "ai.onnx.ml": 3}
    assert "TreeEnsembleRegressor" in {node.op_type for node in model.graph.node}


def test_a_pipeline_takes_its_raw_columns(table: Path) -> None:
    """Its own encoders are converted with it."""
    steps = [
        ["i", {"sklearn.impute.SimpleImputer": None}],
        ["s", {"sklearn.preprocessing.StandardScaler": None}],
    ]
    columns = [
        ["n", {"sklearn.pipeline.Pipeline": {"steps": steps}}, ["small", "large"]],
        ["c", {"sklearn.preprocessing.OneHotEncoder": {"handle_unknown": "ignore"}}, ["many"]],
    ]
    params = {
        "steps": [
            ["p", {"sklearn.compose.ColumnTransformer": {"transformers": columns}}],
            ["m", {"sklearn.linear_model.LogisticRegression": None}],
        ]
    }
    seen = fit(table, "sklearn.pipeline.Pipeline", "y3", params, keep=("small", "large", "many")).compared()
    assert seen.rows == 1_200
    columns[1][2] = ["plan"]  # a missing text cannot be said, and its rows are not compared
    seen = fit(table, "sklearn.pipeline.Pipeline", "y", params, keep=("small", "large", "plan")).compared()
    assert 900 < seen.rows < 1_200


def test_an_operator_that_is_lacking_is_named(table: Path) -> None:
    """With the estimator, and skl2onnx's own sentence."""
    with pytest.raises(NotExportable, match=r"skl2onnx cannot convert NearestCentroid: .*shape calculator"):
        fit(table, "sklearn.neighbors.NearestCentroid", "y3").exported()


def test_a_model_that_predicts_otherwise_is_refused(table: Path) -> None:
    """Another fit's graph beside the run's own model: the difference is told, with its count of rows."""
    one = fit(table, XGB, "y", {"n_estimators": 8})
    other = fit(table, XGB, "y", {"n_estimators": 8, "max_depth": 2})
    model, inputs = other.exported()
    with pytest.raises(NotExportable, match=r"another label in \d+ of 1,200 rows, .* no tie \(within 1e-05\)"):
        compare(model, inputs, one.native, one.encoding, one.recipe, one.rows)


def test_the_model_says_what_it_takes(table: Path) -> None:
    """Each input's type, and how a missing value is said, stand in the metadata."""
    import onnx

    model = onnx.load_from_string(fit(table, XGB, "y", {"n_estimators": 1}).exported()[0])
    types = {one.name: one.type.tensor_type.elem_type for one in model.graph.input}
    kinds = {"small": "FLOAT", "large": "DOUBLE", "whole": "INT64", "flag": "BOOL", "plan": "STRING", "at": "INT64"}
    assert {name: onnx.TensorProto.DataType.Name(types[name]) for name in kinds} == kinds
    about = {entry.key: entry.value for entry in model.metadata_props}
    assert about["classes"] == "[false,true]"
    assert '"missing":"(missing)","name":"plan"' in about["inputs"]  # the empty text is a category
