"""Any table in, a workload file out that is valid, or one sentence; never a crash."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitscale.data.checks import check_columns
from fitscale.data.features import encodable, feature_columns
from fitscale.data.labels import LabelLearner, labels_for
from fitscale.data.reader import open_reader
from fitscale.data.starter.choices import choose, see
from fitscale.data.starter.drafting import Draft, draft
from fitscale.data.starter.looking import look
from fitscale.data.starter.writing import Item, Line, scalar, text_of
from fitscale.errors import UsageError
from fitscale.records.workload import DataSpec, Workload
from fitscale.workload import parse
from fitscale.workload.document import read_document

N = 120


def drafted(table: pa.Table, folder: Path, said: Mapping[str, Any] | None = None) -> Draft:
    """What `init` would write of a table."""
    with pa.OSFile(str(folder / "rows.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=50)
    said = {"data.uri": "rows.arrow", **(said or {})}
    found = look(DataSpec(uri="rows.arrow", base=str(folder), target=""))
    columns = see(found)
    choices = choose(columns, found, said)
    return draft(found, columns, choices, said, name="rows", folder=folder, given="fitscale init rows.arrow")


def workload_of(made: Draft, folder: Path) -> Workload:
    return parse(read_document(made.text)[0], file=None, folder=folder)


def hold_to_the_data(workload: Workload) -> None:
    """What `plan` looks at before anything is fitted."""
    reader = open_reader(workload.data)
    check_columns(reader.snapshot, workload.data)
    encodable(feature_columns(workload.data, reader.snapshot.columns), workload.data.features.categorical)
    assert workload.model.estimator is not None
    kind: Literal["classifier", "regressor"] = "regressor" if "Regressor" in workload.model.estimator else "classifier"
    target = workload.data.target
    labels = labels_for(target, dict(reader.snapshot.columns)[target], kind, grouped=False)
    for first, batch in reader.batches([target]):
        if isinstance(labels, LabelLearner):
            labels.add(first, batch.column(0))
        else:
            assert np.isfinite(labels.y(batch.column(0))).all()
    if isinstance(labels, LabelLearner):
        labels.result()


NAMES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["y", "no", "12", "1e3", "null", "a: b", "- a", "#", "{x}", "'", '"', "a\nb", "\u2028", "é", "🙂", "id"]
    ),
)
COLUMNS = st.one_of(
    *(
        st.lists(st.one_of(st.none(), values), min_size=1, max_size=9).map(
            lambda v, type=type: pa.array((v * N)[:N], type)
        )
        for values, type in (
            (st.floats(width=32), pa.float32()),
            (st.floats(), pa.float64()),
            (st.integers(-(2**63), 2**63 - 1), pa.int64()),
            (st.integers(0, 3), pa.uint8()),
            (st.booleans(), pa.bool_()),
            (st.text(max_size=3), pa.string()),
            (st.sampled_from(["2026-01-31", "1.5", "NA", "7"]), pa.large_string()),
            (st.sampled_from(["a", "b"]), pa.dictionary(pa.int8(), pa.string())),
            (st.dates(), pa.date32()),
            (st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1)), pa.timestamp("us")),
            (st.decimals(-99, 99, places=2), pa.decimal128(6, 2)),
            (st.binary(max_size=3), pa.binary()),
            (st.lists(st.integers(0, 2), max_size=2), pa.list_(pa.int8())),
            (st.timedeltas(dt.timedelta(0), dt.timedelta(9)), pa.duration("us")),
        )
    )
)
EASY = st.sampled_from(
    [
        pa.array(range(N)),
        pa.array([k % 2 for k in range(N)]),
        pa.array([k / 3 for k in range(N)]),
        pa.array([("a", "b", "c")[k % 3] for k in range(N)]),
        pa.array([1] * N),
        pa.nulls(N),
        pa.array([None if k % 5 == 0 else k % 2 == 0 for k in range(N)]),
        pa.array([float("nan") if k % 5 == 0 else k / 2 for k in range(N)]),
        pa.array([f"key-{k}" for k in range(N)]),
        pa.array([f"2026-01-{k % 28 + 1:02}" for k in range(N)]),
        pa.array([dt.datetime(2026, 1, 1) + dt.timedelta(hours=k) for k in range(N)]),
        pa.array([[k] for k in range(N)]),
    ]
)


@given(columns=st.dictionaries(NAMES, st.one_of(EASY, EASY, COLUMNS), max_size=6))
@settings(max_examples=100, deadline=None)
def test_any_table_gives_a_valid_workload_or_one_sentence(columns: dict[str, pa.Array]) -> None:
    """Names that YAML would take for something else, types that have no place, all values missing, none."""
    table = pa.table(columns)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            made = drafted(table, folder)
        except UsageError as error:
            told = str(error)
        else:
            told = ""
        if told:
            assert len(told.splitlines()) == 1
            return
        workload = workload_of(made, folder)
        assert workload.data.target in table.column_names
        hold_to_the_data(workload)


@given(st.text())
def test_any_text_comes_back_as_it_was(text: str) -> None:
    """Written plain where that is safe, quoted else."""
    try:
        assert read_document(f"a: {scalar(text)}")[0] == {"a": text}
        assert read_document(f"a: [{scalar(text)}, 1]")[0] == {"a": [text, 1]}
    except UnicodeEncodeError:
        assert any("\ud800" <= letter <= "\udfff" for letter in text)


@given(st.recursive(st.one_of(st.none(), st.booleans(), st.integers(-9, 10**20), st.text(max_size=3)),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner), max_leaves=5))  # fmt: skip
def test_any_value_comes_back_as_it_was(value: Any) -> None:
    """Lists and mappings too, in one line."""
    assert read_document(f"a: {scalar(value)}")[0] == {"a": value}


def test_offers_are_comments_and_become_keys_without_their_marks() -> None:
    """In a section that is there, and as a section of its own; a long reason stands above its line."""
    text = text_of(
        ["head"],
        [
            Line("name", "n", "why"),
            Line("data.target", "y", "w" * 100),
            Line("data.groups", ["a", "b c"], "offered", offered=True),
            Line("data.features.drop", (Item("k", "a key"), Item("no", "")), "left out"),
            Line("data.features.note", None, "look"),
            Line("needs.deadline", "1h", "", offered=True),
        ],
    )
    assert read_document(text)[0] == {"name": "n", "data": {"target": "y", "features": {"drop": ["k", "no"]}}}
    bare = "\n".join(
        line.replace("# ", "", 1) for line in text.splitlines() if "offered" in line or "needs" in line or "1h" in line
    )
    assert read_document(bare.replace("  groups", "groups"))[0] == {
        "groups": ["a", "b c"],
        "needs": {"deadline": "1h"},
    }
    assert max(map(len, text.splitlines())) <= 120


def shop(n: int = N) -> pa.Table:
    return pa.table(
        {
            "customer_id": range(n),
            "store_id": [k % 4 for k in range(n)],
            "at": [dt.datetime(2026, 1, 1) + dt.timedelta(hours=k) for k in range(n)],
            "amount": [(k * 7919) % 101 / 7 for k in range(n)],
            "churned": [None if k == 5 else (k * 7919) % 3 == 0 for k in range(n)],
        }
    )


def test_each_line_says_where_its_value_came_from(tmp_path: Path) -> None:
    """Every key has a comment behind it or above it; what was not taken is offered."""
    text = drafted(shop(), tmp_path).text
    before = ""
    for line in text.splitlines():
        key = line.strip()
        if key and not key.startswith("#") and not key.endswith(":"):
            assert "  # " in line or before.startswith("#"), line
        before = key
    assert "# groups: [store_id]" in text
    assert "# by: time" in text
    assert "# by: store_id" in text
    assert text.startswith("# yaml-language-server: $schema=")


def test_what_was_guessed_is_what_is_written(tmp_path: Path) -> None:
    """Target, time, what is left out, and the filter for rows without a target."""
    workload = workload_of(drafted(shop(), tmp_path), tmp_path)
    assert workload.data.target == "churned"
    assert workload.data.time == "at"
    assert workload.data.features.drop == ("customer_id",)
    assert workload.data.where == "churned is not null"
    hold_to_the_data(workload)


def test_what_was_said_wins_over_every_guess(tmp_path: Path) -> None:
    """Flags by dotted place; none means none; what else was said stands in the file too."""
    said = {
        "data.target": "amount", "data.time": None, "data.groups": ("store_id",), "model.estimator": "a.b.C",
        "needs.deadline": "2h", "evaluate.cv": 5, "model.params": {"n": 1}, "seed": 7, "where": [{"local": {"cores": 1}}],
    }  # fmt: skip
    workload = workload_of(drafted(shop(), tmp_path, said), tmp_path)
    assert (workload.data.target, workload.data.time, workload.data.groups) == ("amount", None, ("store_id",))
    assert (workload.model.estimator, workload.model.params, workload.seed) == ("a.b.C", {"n": 1}, 7)
    assert (workload.evaluate.cv, workload.evaluate.holdout) == (5, None)
    assert workload.needs.deadline is not None
    assert workload.needs.deadline.must_s == 7200
    assert workload.where[0].cores == 1


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"data.target": "churnd"}, "--target churnd: no such column; did you mean 'churned'?"),
        ({"data.target": "at"}, "--target at: it is of type timestamp[us]"),
        ({"data.time": "nope"}, "--time nope: no such column; columns: customer_id, "),
        ({"data.groups": ("churned",)}, "--groups churned: is the target"),
        ({"data.time": "store"}, "did you mean 'store_id'?"),
        ({"needs.deadline": "soon"}, "needs.deadline: 'soon' cannot be read"),
        ({"model.estimator": "no way"}, "model.estimator: 'no way' is not an import path"),
    ],
)
def test_what_was_said_and_cannot_be_is_named(tmp_path: Path, said: dict[str, Any], sentence: str) -> None:
    """With the flag or the place, the value and the next step."""
    with pytest.raises(UsageError) as refused:
        drafted(shop(), tmp_path, said)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (pa.table({"y": [0, 1] * 9}), "'y' is the only column: there is nothing to predict it from"),
        (pa.table({"a": [1] * 9, "b": [None] * 9}), "no column can be predicted (a: it has a single value ('1')"),
        (pa.table({"a": [1], "b": [2]}), "only 1 row can be read: at least 2 are needed"),
        (pa.table({"a": pa.array([], pa.int8())}), "no rows can be read: at least 2 are needed"),
    ],
)
def test_data_that_teaches_nothing_is_refused_in_a_sentence(tmp_path: Path, table: pa.Table, sentence: str) -> None:
    """Nothing is written of it."""
    with pytest.raises(UsageError) as refused:
        drafted(table, tmp_path)
    assert sentence in str(refused.value)


@pytest.mark.parametrize("name", ["left", "order", "churned", "Left", "is late", 'a"b', "null", "select", "x.y"])
def test_rows_without_a_target_are_left_out_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    """A word of SQL, capitals, blanks and quotes in its name."""
    table = pa.table({"a": range(N), name: [None if k == 5 else (k * 7919) % 3 == 0 for k in range(N)]})
    made = drafted(table, tmp_path, {"data.target": name})
    hold_to_the_data(workload_of(made, tmp_path))


def test_of_rows_that_nobody_counted_the_groups_are_those_looked_at(tmp_path: Path) -> None:
    """A text's rows are not known before it is read whole; no size of a group is made up."""
    rows = "\n".join(f"{k % 4},{k * 7919 % 101},{k % 2}" for k in range(N))
    (tmp_path / "d.csv").write_text(f"store_id,x,y\n{rows}\n")
    found = look(DataSpec(uri="d.csv", base=str(tmp_path), target=""))
    assert choose(see(found), found, {}).models_of(0) == "4 models of about 30 rows each of those looked at"
