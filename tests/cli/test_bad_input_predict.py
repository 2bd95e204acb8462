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
        (lambda: _set("a", [np.inf] * ROWS), ("new.parquet, rows 0 to 11: column 'a' is infinite", "make these values missing")),
    ],
    ids=["missing", "misspelt", "missing key", "other type", "infinite"],
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
