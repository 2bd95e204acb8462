"""Data that cannot be trained on: what is wrong, where, and what to do about it; and nothing half-written."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent))
from bad_jobs import (
    BASELINE,
    KEYS,
    LIGHTGBM,
    LOGISTIC,
    REGRESSOR,
    XGBOOST,
    N,
    as_plain_user,
    job,
    refuse,
    table,
    there,
    versions,
    write,
)
from commands import fitscale

NUMBERS = tuple(map(float, range(N)))


class Case(NamedTuple):
    prepare: Callable[[Path], object]
    says: tuple[str, ...]
    sections: dict[str, Any] = {}


def _data(**over: Any) -> Callable[[Path], object]:
    return lambda folder: write(folder, table(**over))


def _rows(n: int) -> Callable[[Path], object]:
    return lambda folder: write(folder, table().slice(0, n))


def _but(row: int, value: object, values: Sequence[object] = NUMBERS) -> list[object]:
    return [value if i == row else other for i, other in enumerate(values)]


def _cut(folder: Path) -> None:
    path = write(folder)
    path.write_bytes(path.read_bytes()[:1_000])


def _damage(folder: Path) -> None:
    path = write(folder)
    raw = bytearray(path.read_bytes())
    raw[8:1_000] = b"\xff" * 992
    path.write_bytes(bytes(raw))


def _unlike(folder: Path) -> None:
    (folder / "parts").mkdir()
    pq.write_table(table(), folder / "parts" / "1.parquet")
    pq.write_table(table(b=["text"] * N), folder / "parts" / "2.parquet")


def _twice(folder: Path) -> None:
    columns = [table().column(name) for name in ("a", "b", "k", "y")]
    write(folder, pa.Table.from_arrays(columns, names=["a", "a", "k", "y"]))


# What is known before a row is trained on: no run is begun.
BEFORE = {
    "no file": Case(lambda folder: None, ("data.uri: no file d.parquet in ", "starts from the workload's folder")),
    "a misspelt file": Case(write, ("no file d.parqet", "did you mean 'd.parquet'?"), {"data": {"uri": "d.parqet"}}),
    "not Parquet": Case(
        lambda folder: (folder / "d.parquet").write_text("a,b\n1,2\n"), ("d.parquet is not Parquet", "let its name say")
    ),
    "an empty file": Case(lambda folder: (folder / "d.parquet").touch(), ("d.parquet is empty: 0 bytes", "write it again")),
    "cut off": Case(_cut, ("d.parquet is cut off: 1,000 bytes", "copy it again")),
    "damaged within": Case(_damage, ("d.parquet: row group 0 cannot be decoded", "write it again")),
    "an empty folder": Case(lambda folder: (folder / "d.parquet").mkdir(), ("has no Parquet file in it: it is empty",)),
    "unlike schemas": Case(
        _unlike,
        ("1.parquet and ", "2.parquet differ: column 'b' is double in the first and string in the second", "write them alike"),
        {"data": {"uri": "parts"}},
    ),
    "a column twice": Case(_twice, ("d.parquet has two columns named 'a'", "rename one of them")),
    "no rows": Case(_rows(0), ("data.uri: d.parquet has no rows", "at least 2 are needed")),
    "one row": Case(_rows(1), ("data.uri: d.parquet has only 1 row", "at least 2 are needed")),
    "no row is kept": Case(write, ('data.where: no row is kept by "b > 100"', "widen it"), {"data": {"where": "b > 100"}}),
    "no such target": Case(
        write, ("data.target: no column 'yy'", "did you mean 'y'?", "columns: a, b, k, y"), {"data": {"target": "yy"}}
    ),
    "no such weight": Case(write, ("data.weight: no column 'w'",), {"data": {"weight": "w"}}),
    "a weight of text": Case(
        _data(w=["heavy"] * N), ("data.weight: column 'w' is of type string", "a number"), {"data": {"weight": "w"}}
    ),
    "a target of dates": Case(
        _data(y=pa.array([0] * N, pa.date32())), ("data.target: column 'y' is of type date32", "cast it")
    ),
    "no feature": Case(
        write, ("data.features: no column is left", "keep and drop"), {"data": {"features": {"drop": ["a", "b", "k"]}}}
    ),
}  # fmt: skip

# What only the rows show: a worker finds it, and there is no version.
WHILE = {
    "one class": Case(_data(y=[1] * N), ("data.target: column 'y' has the one value 1", "two classes or more")),
    "no value at all": Case(_data(y=pa.nulls(N, pa.int64())), ("data.target: column 'y'",)),
    "fractions as classes": Case(
        _data(y=np.linspace(0.5, 9, N)), ("data.target: column 'y' has values such as 0.5", "take a regressor")
    ),
    "text as values": Case(
        _data(y=["high"] * N), ("data.target: column 'y' is of type string", "take a classifier"), {"model": REGRESSOR}
    ),
}


@pytest.mark.parametrize("many", [False, True], ids=["one model", "many models"])
@pytest.mark.parametrize("name", BEFORE)
def test_data_that_is_wrong_begins_no_run(tmp_path: Path, name: str, many: bool) -> None:
    """Exit code 2, the place, the value, the next step; the folder is as it was."""
    case = BEFORE[name]
    case.prepare(tmp_path)
    path = job(tmp_path, many=many, **{key: dict(value) for key, value in case.sections.items()})
    before = there(tmp_path)
    refuse(fitscale("train", path), *case.says)
    assert there(tmp_path) == before


@pytest.mark.parametrize("many", [False, True], ids=["one model", "many models"])
@pytest.mark.parametrize("name", WHILE)
def test_data_that_a_worker_finds_wrong_makes_no_version(tmp_path: Path, name: str, many: bool) -> None:
    """The worker's sentence and exit code are the command's, and are the same when it is given again."""
    case = WHILE[name]
    case.prepare(tmp_path)
    path = job(tmp_path, many=many, **case.sections)
    said = [refuse(fitscale("train", path, "--quiet"), *case.says) for _ in range(1 if many else 2)]
    assert said[0] == said[-1]
    assert versions(tmp_path) == []


@pytest.mark.parametrize(
    ("over", "sections", "says"),
    [
        ({"y": _but(7, None, [0, 1] * (N // 2))}, {}, ("data.target: column 'y' is missing in 1 row", "row 7", "data.where")),
        ({"a": _but(9, np.inf)}, {}, ("column 'a' is infinite", "row 9", "make these values missing")),
        ({"y": _but(9, np.inf)}, {"model": REGRESSOR}, ("data.target: column 'y' is infinite", "row 9")),
        ({"w": _but(4, -1.0)}, {"data": {"weight": "w"}}, ("data.weight: column 'w' is negative", "row 4")),
        ({"w": _but(4, None)}, {"data": {"weight": "w"}}, ("data.weight: column 'w' is missing", "row 4")),
    ],
    ids=["missing target", "infinite feature", "infinite target", "negative weight", "missing weight"],
)  # fmt: skip
def test_one_row_that_is_wrong_is_named(
    tmp_path: Path, over: dict[str, Any], sections: dict[str, Any], says: tuple[str, ...]
) -> None:
    """Of one model: exit code 2 with the row's number, and no version. (In a group it is that group's failure.)"""
    write(tmp_path, table(**over))
    refuse(fitscale("train", job(tmp_path, **{k: dict(v) for k, v in sections.items()})), *says)
    assert versions(tmp_path) == []


@pytest.mark.parametrize("many", [False, True], ids=["one model", "many models"])
@pytest.mark.parametrize(
    "model", [BASELINE, XGBOOST, LIGHTGBM, LOGISTIC], ids=["baseline", "xgboost", "lightgbm", "sklearn"]
)
def test_weights_that_are_all_zero(tmp_path: Path, model: dict[str, Any], many: bool) -> None:
    """The same sentence, whether the library would have raised at it or fitted a model of nothing."""
    write(tmp_path, table(w=[0.0] * N))
    path = job(tmp_path, model=model, many=many, data={"weight": "w"})
    refuse(
        fitscale("train", path, "--quiet"),
        "data.weight: column 'w' is 0 in all ",
        "training rows",
        "leave data.weight out",
    )
    assert versions(tmp_path) == []


@pytest.mark.parametrize("model", [BASELINE, REGRESSOR], ids=["classifier", "regressor"])
@pytest.mark.parametrize("name", ["y", "Late?"])
def test_the_advice_for_a_missing_target_is_enough(tmp_path: Path, name: str, model: dict[str, Any]) -> None:
    """NaN is not null: the filter that the refusal names leaves out both, and a job with it runs."""
    values = [None if i % 50 == 0 else float("nan") if i % 50 == 1 else float(i % 2) for i in range(N)]
    write(tmp_path, table(**{"y": None, name: values}))
    data = {"target": name}
    said = refuse(
        fitscale("train", job(tmp_path, model=model, data=data), "--quiet"), f"column '{name}' is missing in "
    )
    where = yaml.safe_load(said.partition("with data.where: ")[2].partition(", which")[0])
    mended = job(tmp_path, name="mended", model=model, data={**data, "where": where})
    assert fitscale("train", mended, "--quiet").code == 0
    planned = fitscale("plan", job(tmp_path, name="again", model=model, data=data))
    assert "is missing in 12 of 300 rows" in " ".join(planned.out.split())
    assert "neither null nor NaN" in " ".join(planned.out.split())


def test_a_target_of_durations_is_one_of_seconds(tmp_path: Path) -> None:
    """A regressor predicts them; for a classifier there is a sentence."""
    write(tmp_path, table(y=pa.array([i % 90 for i in range(N)], pa.duration("s"))))
    assert fitscale("train", job(tmp_path, model=REGRESSOR), "--quiet").code == 0
    path = job(tmp_path, name="classes")
    refuse(fitscale("train", path), "data.target: column 'y' is of type duration[s], which has no classes")
    assert versions(tmp_path, "classes") == []


@pytest.mark.parametrize("model", [BASELINE, XGBOOST, LOGISTIC], ids=["baseline", "xgboost", "sklearn"])
def test_a_hold_out_that_leaves_no_row_to_train_on(tmp_path: Path, model: dict[str, Any]) -> None:
    """The same sentence, whichever library was to fit nothing."""
    write(tmp_path, table().slice(0, 20))
    path = job(tmp_path, model=model, evaluate={"holdout": "99.9%"})
    refuse(fitscale("train", path, "--quiet"), "evaluate: no row is left to train on; hold out less")
    assert versions(tmp_path) == []


@pytest.mark.parametrize("many", [False, True], ids=["one model", "many models"])
@pytest.mark.parametrize("type_", [pa.float64(), pa.null()], ids=str)
def test_a_column_that_is_missing_everywhere_warns_and_trains(tmp_path: Path, many: bool, type_: pa.DataType) -> None:
    """The plan says which, and what to do; the model predicts."""
    write(tmp_path, table(a=pa.nulls(N, type_)))
    path = job(tmp_path, many=many)
    said = fitscale("train", path)
    assert (said.code, said.err) == (0, "")
    assert "column 'a' is missing in all 300 rows: leave it out with data.features.drop" in " ".join(said.out.split())
    new, out = tmp_path / "new.parquet", tmp_path / "p.parquet"
    pq.write_table(table(a=pa.nulls(N, type_), y=None), new)
    assert fitscale("predict", path, "--data", new, "--out", out).code == 0
    assert pq.read_table(out).num_rows == N


def test_the_plan_warns_of_a_target_with_gaps(tmp_path: Path) -> None:
    """`plan` trains nothing, so it cannot fail on them; it says them."""
    write(tmp_path, table(y=[None if i < 5 else i % 2 for i in range(N)]))
    said = fitscale("plan", job(tmp_path))
    assert said.code == 0
    assert "the target 'y' is missing in 5 of 300 rows" in " ".join(said.out.split())


def test_a_probe_that_meets_such_rows_says_what_the_fit_would(tmp_path: Path) -> None:
    """A part of the rows is fitted first where the whole takes long: exit code 2 and the sentence, not 'nothing runs'."""
    n = 20_000
    gaps = pa.table({"a": np.arange(float(n)), "b": np.ones(n), "y": [None if i % 5 == 0 else i % 2 for i in range(n)]})
    write(tmp_path, gaps)
    slow = {"estimator": "sklearn.ensemble.RandomForestClassifier", "params": {"n_estimators": 5000}}
    for command in ("plan", "train"):
        said = fitscale(command, job(tmp_path, model=slow))
        assert said.code == 2, said.err
        assert "data.target: column 'y' is missing in" in said.err
    assert versions(tmp_path) == []


def test_a_probe_of_a_rare_class_refuses_nothing(tmp_path: Path) -> None:
    """A part of the rows may show one class of two: that is nothing against the whole."""
    n = 200_000
    write(
        tmp_path, pa.table({"a": np.arange(float(n)), "b": np.ones(n), "y": [int(i in (5, 90_000)) for i in range(n)]})
    )
    slow = {"estimator": "sklearn.svm.SVC", "params": {}}  # tells nothing of its pace, so that parts are fitted
    said = fitscale("plan", job(tmp_path, model=slow), "--json")
    assert said.code == 0, said.err
    assert said.record["probing_s"] > 0
    assert said.record["decision"]["chosen"]["candidate"]["name"] == "in-memory"


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    """As a user without rights to it."""
    write(tmp_path).chmod(0)
    path = job(tmp_path)
    before = there(tmp_path)
    refuse(as_plain_user(("train", path), tmp_path), "d.parquet cannot be read: Permission denied")
    assert there(tmp_path) == before


def test_a_group_without_a_key_is_a_group(tmp_path: Path) -> None:
    """Rows whose key is missing are told of, and lose nobody else a model."""
    write(tmp_path, table(k=[None if i % 3 == 0 else KEYS[i % 3] for i in range(N)]))
    said = fitscale("train", job(tmp_path, many=True))
    assert said.code == 0, said.err
    assert "the group key (k) is missing in 100 of 300 rows" in " ".join(said.out.split())
    assert fitscale("models", "list", tmp_path / "job.yaml", "--json").record["found"] == 3


@pytest.mark.parametrize("many", [False, True], ids=["one model", "many models"])
def test_a_library_that_refuses_a_fit_speaks_for_itself(tmp_path: Path, many: bool) -> None:
    """Exit code 1, the library's words, and where the whole trace is; of many models each has its reason."""
    write(tmp_path)
    params = {"solver": "liblinear", "penalty": "l1", "dual": True}
    path = job(tmp_path, many=many, model={**LOGISTIC, "params": params})
    said = fitscale("train", path, "--quiet")
    words = (
        "ValueError: Unsupported set of arguments" if not many else "3 of 3 groups failed, more than needs.max_failed"
    )
    told = refuse(said, words, code=1)
    if many:
        found = fitscale("models", "list", path, "--failed", "--json").record["models"]
        assert {row["status"] for row in found} == {"failed"}
        assert all("Unsupported set of arguments" in row["why"] for row in found)
        return
    assert versions(tmp_path) == []
    attempt = Path(told.strip().rpartition("the whole trace is in ")[2])
    assert any("Traceback" in log.read_text() for log in attempt.glob("log*"))
