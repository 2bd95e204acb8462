"""New data that a model cannot take, or can after all: predictions are whole or not there."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from bad_jobs import LOGISTIC, XGBOOST, as_plain_user, job, refuse, table, there, write
from commands import Said, fitscale

from fitscale import open_run

ROWS = 12
MODELS = {"xgboost": (XGBOOST, False), "xgboost by key": (XGBOOST, True), "sklearn": (LOGISTIC, False)}


@pytest.fixture(scope="module", params=MODELS)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bool]:
    """A trained job, and whether it has many models."""
    model, many = MODELS[request.param]
    folder = tmp_path_factory.mktemp("trained")
    write(folder)
    path = job(folder, many=many, model=model)
    assert fitscale("train", path, "--quiet").code == 0
    return path, many


def _new() -> pa.Table:
    return table(y=None).slice(0, ROWS)


def _set(name: str, values: object) -> pa.Table:
    new = _new()
    return new.set_column(new.column_names.index(name), name, pa.array(values))


def _predict(trained: tuple[Path, bool], tmp_path: Path, new: pa.Table, *flags: object, out: str = "p.parquet") -> Said:
    pq.write_table(new, tmp_path / "new.parquet")
    return fitscale("predict", trained[0], "--data", tmp_path / "new.parquet", "--out", tmp_path / out, *flags)


def _predictions(trained: tuple[Path, bool], tmp_path: Path, new: pa.Table, *flags: object) -> pa.Table:
    said = _predict(trained, tmp_path, new, *flags)
    assert said.code == 0, said.err
    return pq.read_table(tmp_path / "p.parquet")


@pytest.mark.parametrize(
    ("new", "says"),
    [
        (lambda: _new().drop_columns(["b"]), ("new.parquet: no column 'b', which the model was trained on", "columns: a, k")),
        (lambda: _new().rename_columns(["a", "bb", "k"]), ("new.parquet: no column 'b'", "did you mean 'bb'?")),
        (lambda: _new().drop_columns(["k"]), ("new.parquet: no column 'k', ",)),
        (lambda: _set("a", ["q"] * ROWS), ("new.parquet, rows 0 to 11: column 'a' cannot be read as double", "'q'")),
    ],
    ids=["missing", "misspelt", "missing key", "other type"],
)  # fmt: skip
def test_data_that_a_model_cannot_take(
    trained: tuple[Path, bool], tmp_path: Path, new: Callable[[], pa.Table], says: tuple[str, ...]
) -> None:
    """Exit code 2, the file, the column, what is there; no file of predictions, whole or half."""
    refuse(_predict(trained, tmp_path, new()), *says)
    assert there(tmp_path) == {"new.parquet"}


def test_order_and_other_columns_do_not_matter(trained: tuple[Path, bool], tmp_path: Path) -> None:
    """Columns are found by name: reordered, or with others among them, the predictions are the same."""
    wanted = _predictions(trained, tmp_path, _new())
    for new in (_new().select(["k", "b", "a"]), _new().add_column(0, "extra", pa.array(["q"] * ROWS))):
        assert _predictions(trained, tmp_path, new).equals(wanted)


def test_unseen_values_keep_their_rows(trained: tuple[Path, bool], tmp_path: Path) -> None:
    """A category that no training row had is predicted for; a key that none had is an unknown key."""
    for values in (["q"] * ROWS, pa.nulls(ROWS, pa.string())):
        found = _predictions(trained, tmp_path, _set("k", values))
        assert found.num_rows == ROWS
        assert found.column("why").to_pylist() == (["unknown key"] if trained[1] else [None]) * ROWS
        assert found.column("prediction").null_count == (ROWS if trained[1] else 0)


def test_an_infinite_value_costs_its_row_alone(trained: tuple[Path, bool], tmp_path: Path) -> None:
    """The others get what they would get without it; `why` names the column, and the rows are counted."""
    wanted = _predictions(trained, tmp_path, _new(), "--proba")
    infinite = [np.inf if row in (3, 7) else value for row, value in enumerate(_new().column("a").to_pylist())]
    said = _predict(trained, tmp_path, _set("a", infinite), "--proba", "--json")
    found = pq.read_table(tmp_path / "p.parquet")
    reason = "column 'a' is infinite (or beyond 3.4e38)"
    assert said.record["why"] == {reason: 2}
    assert found.column("why").to_pylist() == [reason if row in (3, 7) else None for row in range(ROWS)]
    others = [row for row in range(ROWS) if row not in (3, 7)]
    assert found.take(others).equals(wanted.take(others))
    assert [found.column("prediction")[row].as_py() for row in (3, 7)] == [None, None]
    assert [found.column("proba_1")[row].as_py() for row in (3, 7)] == [None, None]


def test_whole_numbers_and_gaps_are_taken(trained: tuple[Path, bool], tmp_path: Path) -> None:
    """For a column of fractions."""
    for values in ([1] * ROWS, pa.nulls(ROWS, pa.float64())):
        assert _predictions(trained, tmp_path, _set("a", values)).column("prediction").null_count == 0


def test_no_rows_give_the_same_columns(trained: tuple[Path, bool], tmp_path: Path) -> None:
    """Of the same types, with probabilities too."""
    for flags in ((), ("--proba",)):
        some = _predictions(trained, tmp_path, _new(), *flags)
        assert _predictions(trained, tmp_path, _new().slice(0, 0), *flags).schema.equals(some.schema)


@pytest.mark.parametrize(
    ("out", "says"),
    [
        ("p.csv", ("--out ", "p.csv: predictions are written as Parquet", "ends in .parquet")),
        ("folder.parquet", ("--out ", "folder.parquet: ", "name a file")),
        ("file/p.parquet", ("--out ", "file/p.parquet: cannot be written", "name another file")),
        ("new.parquet", ("--out ", "new.parquet: is the data itself; name another file")),
    ],
)
def test_a_place_where_predictions_cannot_go(
    trained: tuple[Path, bool], tmp_path: Path, out: str, says: tuple[str, ...]
) -> None:
    """Said with --out and what would do; nothing is left."""
    (tmp_path / "file").touch()
    (tmp_path / "folder.parquet").mkdir()
    refuse(_predict(trained, tmp_path, _new(), out=out), *says)
    assert there(tmp_path) == {"file", "folder.parquet", "new.parquet"}


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("--data", "gone.parquet", "--out", "p.parquet"), ("no file gone.parquet",)),
        (("--data", "new.parquet", "--out", "p.parquet", "--version", "9"), ("no version 9; there are: 1",)),
        (("--data", "new.parquet", "--out", "p.parquet", "--version", "0"), ("no version 0; there are: 1",)),
        (("--data", "new.parquet", "--out", "p.parquet", "--run", "nowhere"), ("nowhere: is no run",)),
    ],
)
def test_data_versions_and_runs_that_are_not_there(
    trained: tuple[Path, bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...], says: tuple[str, ...]
) -> None:  # fmt: skip
    """Named, with what there is."""
    monkeypatch.chdir(tmp_path)
    pq.write_table(_new(), tmp_path / "new.parquet")
    refuse(fitscale("predict", trained[0], *argv), *says)
    assert there(tmp_path) == {"new.parquet"}


def test_a_folder_without_rights_for_predictions(trained: tuple[Path, bool], tmp_path: Path) -> None:
    """As a user who may not write there."""
    new = tmp_path / "new.parquet"
    pq.write_table(_new(), new)
    (tmp_path / "locked").mkdir(mode=0o555)
    argv = ("predict", trained[0], "--data", new, "--out", tmp_path / "locked" / "p.parquet")
    refuse(as_plain_user(argv, tmp_path), "p.parquet: cannot be written (Permission denied)", "name another file")
    assert there(tmp_path) == {"new.parquet", "locked"}


def test_probabilities_of_a_regressor(tmp_path: Path) -> None:
    """There are none, and --proba says so before a row is read."""
    write(tmp_path)
    path = job(tmp_path, model={"estimator": "xgboost.XGBRegressor", "params": {"n_estimators": 2}})
    assert fitscale("train", path, "--quiet").code == 0
    before = there(tmp_path)
    argv = ("predict", path, "--data", tmp_path / "d.parquet", "--out", tmp_path / "p.parquet", "--proba")
    refuse(fitscale(*argv), "--proba: the models are regressors; leave it out")
    assert there(tmp_path) == before
    with pytest.raises(AttributeError, match=r"xgboost\.XGBRegressor is a regressor: it has no probabilities"):
        open_run(tmp_path / "runs" / "job").model().predict_proba(table())


@pytest.mark.parametrize(
    ("estimator", "params", "says"),
    [
        ("sklearn.svm.LinearSVC", {}, "gives margins, which are no probabilities; inside sklearn.calibration"),
        (
            "sklearn.multiclass.OutputCodeClassifier",
            {"estimator": {"sklearn.svm.LinearSVC": None}},
            "gives labels alone",
        ),
    ],
)
def test_probabilities_of_a_classifier_that_has_none(
    tmp_path: Path, estimator: str, params: dict[str, object], says: str
) -> None:
    """Margins are not passed off as probabilities, on the command line or from Python; the sentence says what has some."""
    write(tmp_path)
    path = job(tmp_path, model={"estimator": estimator, "params": params})
    assert fitscale("train", path, "--quiet").code == 0
    before = there(tmp_path)
    argv = ("predict", path, "--data", tmp_path / "d.parquet", "--out", tmp_path / "p.parquet")
    refuse(fitscale(*argv, "--proba"), "--proba: ", estimator, says)
    assert there(tmp_path) == before
    with pytest.raises(AttributeError, match=says):
        open_run(tmp_path / "runs" / "job").model().predict_proba(table())
    assert fitscale(*argv).code == 0


PIPELINE = {
    "estimator": "sklearn.pipeline.Pipeline",
    "params": {
        "steps": [
            ["part", {"sklearn.compose.ColumnTransformer": {
                "transformers": [["k", {"sklearn.preprocessing.OneHotEncoder": None}, ["k"]], ["n", "passthrough", ["a", "b"]]],
            }}],
            ["fit", {"sklearn.linear_model.LogisticRegression": None}],
        ]
    },
}  # fmt: skip


def test_what_a_pipeline_raises_at_costs_its_row_alone(tmp_path: Path) -> None:
    """A category that it never saw, a value that it does not take; where it raises everywhere, nothing is written."""
    write(tmp_path)
    path = job(tmp_path, model=PIPELINE)
    assert fitscale("train", path, "--quiet").code == 0
    keys = ["q" if row == 5 else key for row, key in enumerate(_new().column("k").to_pylist())]
    numbers = [np.inf if row == 2 else value for row, value in enumerate(_new().column("a").to_pylist())]
    new = _set("k", keys).set_column(0, "a", pa.array(numbers))
    found = _predictions((path, False), tmp_path, new)
    assert [row for row, why in enumerate(found.column("why").to_pylist()) if why is not None] == [2, 5]
    assert "ValueError: Input X contains infinity" in found.column("why")[2].as_py()
    assert "ValueError: Found unknown categories ['q']" in found.column("why")[5].as_py()
    assert found.column("prediction").null_count == 2
    many = pa.concat_tables([_set("k", ["q"] * ROWS)] * 30)
    (tmp_path / "p.parquet").unlink()
    before = there(tmp_path)
    refuse(
        _predict((path, False), tmp_path, many),
        "new.parquet, rows 0 to 359: the model raises at 50 of these rows and more",
        "'q'",
    )
    assert there(tmp_path) == before
