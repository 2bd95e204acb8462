"""From Python: the same four as on the command line, and live objects that sit in no file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fitscale
from fitscale.errors import DataError, FitscaleError, Untrusted, UsageError, WorkloadError
from fitscale.records.plan import Plan
from fitscale.running.live import write_frame
from fitscale.workload import build

SMALL = {
    "data": {"uri": "synthetic://?rows=6000&columns=4", "target": "y"},
    "model": {"estimator": "baseline.Classifier"},
}


def frame(rows: int = 2_000, seed: int = 0) -> Any:
    """Two numbers, a category and a target that hangs on them, as pandas."""
    pd = pytest.importorskip("pandas")
    random = np.random.default_rng(seed)
    made = pd.DataFrame(
        {"a": random.normal(size=rows), "b": random.normal(size=rows), "c": random.choice(["x", "y"], rows)}
    )
    made["late"] = (made.a + made.b + random.normal(size=rows) > 0).astype(int)
    return made


@pytest.mark.parametrize("form", ["path", "text", "mapping", "workload"])
def test_a_workload_has_many_forms(tmp_path: Path, form: str) -> None:
    """A file, its path as text, a mapping, or what `build` returns."""
    path = tmp_path / "job.yaml"
    path.write_text(json.dumps(SMALL))
    forms = {
        "path": path,
        "text": str(path),
        "mapping": SMALL,
        "workload": build(SMALL["data"], estimator="baseline.Classifier"),
    }
    made = fitscale.plan(forms[form], tmp_path / "run")
    assert isinstance(made, Plan)
    assert made.decision.chosen is not None


def test_train_opens_the_version_and_predicts(tmp_path: Path) -> None:
    """Trained, opened again, and predicted with: in memory and into a file."""
    run = fitscale.train(SMALL, tmp_path / "run")
    assert (run.version, run.manifest.models) == (1, 1)
    assert fitscale.open_run(tmp_path / "run").version == 1
    data = "synthetic://?rows=100&columns=4&seed=1"
    table = fitscale.predict(run, data, proba=True)
    assert (table.num_rows, {"prediction", "why", "proba_0", "proba_1"} <= set(table.column_names)) == (100, True)
    counted = fitscale.predict(tmp_path / "run", data, tmp_path / "p.parquet")
    assert (counted.rows, counted.predicted) == (100, 100)
    assert pq.read_table(tmp_path / "p.parquet").column("prediction").equals(table.column("prediction"))


def test_errors_of_a_frame_name_no_file_of_ours(tmp_path: Path) -> None:
    """The data was no file: what is said of it names none that is gone when it is read."""
    run = fitscale.train(SMALL, tmp_path / "run")
    with pytest.raises(DataError, match=r"^the data: no column 'x0', which the model was trained on; columns: b"):
        fitscale.predict(run, pa.table({"b": [1.0]}))


@pytest.mark.parametrize("call", ["plan", "train", "predict", "open_run"])
def test_elsewhere_than_on_linux_there_is_one_sentence(call: str) -> None:
    """Before anything is imported that is on Linux alone."""
    script = (
        "import sys\nsys.modules['fcntl'] = None\nimport fitscale.api, fitscale.errors\nsys.platform = 'win32'\n"
        f"try: fitscale.{call}('a', *['b'] * {int(call == 'predict')})\n"
        "except fitscale.errors.UsageError as error: print(error.exit_code, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("2 fitscale needs Linux"), done.stderr


def test_the_run_folder_follows_the_workload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """runs/NAME beside the file; FITSCALE_RUNS says otherwise."""
    path = tmp_path / "job.yaml"
    path.write_text(json.dumps(SMALL))
    fitscale.plan(path)
    assert (tmp_path / "runs" / "job" / "run.json").exists()
    monkeypatch.setenv("FITSCALE_RUNS", str(tmp_path / "other"))
    fitscale.plan(path)
    assert (tmp_path / "other" / "job" / "run.json").exists()


def test_a_pipeline_and_a_frame(tmp_path: Path) -> None:
    """They are kept in the run, fitted by a worker, and the model takes a frame."""
    sklearn = pytest.importorskip("sklearn")
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    data = frame().drop(columns="c")
    workload = {
        "data": {"uri": data, "target": "late"},
        "evaluate": {"metric": "roc_auc"},
        "model": {"estimator": make_pipeline(StandardScaler(), LogisticRegression(C=0.5))},
    }
    run = fitscale.train(workload, tmp_path / "run")
    assert run.name == "late"
    assert run.score is not None
    assert run.score > 0.8
    assert run.manifest.recipes["fit"].versions == {"sklearn": sklearn.__version__}
    assert run.model().native.named_steps["logisticregression"].C == 0.5
    assert len(run.model().predict(data)) == len(data)
    assert fitscale.predict(run, data.head(7)).num_rows == 7
    assert sorted(path.suffix for path in (tmp_path / "run" / "live").iterdir()) == [".parquet", ".pkl"]
    again = fitscale.train(workload, tmp_path / "run")
    assert (again.version, len(list((tmp_path / "run" / "plans").iterdir()))) == (1, 1)


def test_one_model_for_each_group_of_a_frame(tmp_path: Path) -> None:
    """Keys are the values of the frame's column."""
    pytest.importorskip("sklearn")
    from sklearn.tree import DecisionTreeClassifier

    workload = {
        "data": {"uri": frame(), "target": "late", "groups": ["c"]},
        "model": {"estimator": DecisionTreeClassifier(max_depth=2)},
    }
    run = fitscale.train(workload, tmp_path / "run")
    assert run.models().column("c").to_pylist() == ["x", "y"]
    assert run.model("x").native.get_depth() == 2


def test_a_booster_goes_by_its_parameters(tmp_path: Path) -> None:
    """A library with a framework of its own is not pickled: it is what the workload file would say."""
    xgboost = pytest.importorskip("xgboost")
    workload = {
        "data": {"uri": frame(), "target": "late"},
        "model": {"estimator": xgboost.XGBClassifier(n_estimators=4, max_depth=3)},
    }
    made = fitscale.plan(workload, tmp_path / "run")
    assert made.workload.model.live is None
    assert made.traits.units == 4


MAIN = """
import sys
import fitscale, numpy as np, pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

class First(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self
    def transform(self, X):
        return X[["a"]]

random = np.random.default_rng(0)
frame = pd.DataFrame({"a": random.normal(size=900), "b": random.normal(size=900)})
frame["y"] = (frame.a > 0).astype(int)
workload = {"data": {"uri": frame, "target": "y"}, "model": {"estimator": make_pipeline(First(), LogisticRegression())}}
run = fitscale.train(workload, sys.argv[1])
print(run.plan.decision.chosen.candidate.engine, len(run.model().predict(frame)))
"""


def test_a_class_of_main_is_fitted_in_this_process(tmp_path: Path) -> None:
    """No other process knows it."""
    pytest.importorskip("sklearn")
    script = tmp_path / "script.py"
    script.write_text(MAIN)
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "run")], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout.split() == ["inline", "900"], done.stderr


def test_a_pickle_that_somebody_else_put_there_is_not_loaded(tmp_path: Path) -> None:
    """The signature covers the contents: the run stops before anything of it runs."""
    pytest.importorskip("sklearn")
    from sklearn.naive_bayes import GaussianNB

    workload = {"data": {"uri": frame().drop(columns="c"), "target": "late"}, "model": {"estimator": GaussianNB()}}
    made = fitscale.plan(workload, tmp_path / "run")
    assert made.workload.model.live is not None
    (tmp_path / "run" / made.workload.model.live).write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")
    with pytest.raises(Untrusted, match="was not written by you"):
        fitscale.train(made.workload, tmp_path / "run")
    assert not Path("owned").exists()


@pytest.mark.parametrize(
    ("sections", "error", "sentence"),
    [
        ({"data": {"uri": 7, "target": "y"}}, WorkloadError, "data.uri: a int is no data; give a path"),
        ({"data": {"uri": {"a": [1, 2], "y": [1]}, "target": "y"}}, DataError, "data.uri: "),
        ({"model": {"estimator": object()}}, WorkloadError, "model.estimator: a object is no estimator"),
        ({"model": {"estimator": dict}}, WorkloadError, "model.estimator: dict is a class; give an instance"),
        ({"modle": {}}, WorkloadError, "did you mean 'model'?"),
    ],
)
def test_what_cannot_be_taken_is_named(
    tmp_path: Path, sections: dict[str, Any], error: type[FitscaleError], sentence: str
) -> None:
    """With its place, and what would do."""
    with pytest.raises(error) as raised:
        fitscale.train({**SMALL, **sections}, tmp_path / "run")
    assert sentence in str(raised.value)


def test_what_is_no_workload() -> None:
    """A list is none."""
    with pytest.raises(UsageError, match="a workload is a path, a mapping"):
        fitscale.plan([1])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "model", "wrong"),
    [
        ({"target": "late"}, {}, "model"),
        ({"target": "lat"}, {"estimator": "baseline.Classifier"}, "data.target"),
        ({"target": "late"}, {"estimator": "baseline.Nothing"}, "model.estimator"),
        ({"target": "late", "groups": ["late"]}, {"estimator": "baseline.Classifier"}, "data.groups"),
    ],
)
def test_nothing_is_written_for_a_workload_that_is_wrong(
    tmp_path: Path, data: dict[str, Any], model: dict[str, Any], wrong: str
) -> None:
    """Whether its words are wrong or it does not fit the frame: neither frame nor folder stays."""
    for call in (fitscale.plan, fitscale.train):
        with pytest.raises(WorkloadError, match=wrong):
            call({"data": {"uri": frame(), **data}, "model": model}, tmp_path / "runs" / "run")
        assert not list(tmp_path.iterdir())


def test_a_wrong_call_leaves_a_run_as_it_was(tmp_path: Path) -> None:
    """Its own frame and estimator go; those of the version stay, and so does what it would have shared with them."""
    pytest.importorskip("sklearn")
    from sklearn.naive_bayes import GaussianNB

    run, data = tmp_path / "run", frame(300).drop(columns="c")
    right = {"data": {"uri": data, "target": "late"}, "model": {"estimator": GaussianNB()}}
    fitscale.train(right, run)
    kept = {path: path.read_bytes() for name in ("live", "signatures") for path in (run / name).iterdir()}
    for uri, estimator in ((frame(200), GaussianNB()), (data, GaussianNB(var_smoothing=1e-3))):
        with pytest.raises(WorkloadError, match=r"data\.weight"):
            fitscale.train(
                {"data": {"uri": uri, "target": "late", "weight": "w"}, "model": {"estimator": estimator}}, run
            )
    assert {path: path.read_bytes() for name in ("live", "signatures") for path in (run / name).iterdir()} == kept
    assert fitscale.train(right, run).version == 1


def test_equal_frames_have_one_file(tmp_path: Path) -> None:
    """Whatever pandas notes beside the columns; other values make another file."""
    data = frame()
    first = write_frame(data, tmp_path)
    other = data.copy()
    other.index = other.index + 1
    assert write_frame(other, tmp_path) == first
    assert write_frame(pa.Table.from_pandas(data, preserve_index=False), tmp_path) == first
    other.loc[3, "a"] = 0.0
    assert write_frame(other, tmp_path) != first
    assert len(list(tmp_path.iterdir())) == 2
