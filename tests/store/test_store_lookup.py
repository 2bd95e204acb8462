"""A model by its key: rows are in key order, and a few looks find one."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitscale.store.lookup import Index

MOMENT = dt.datetime(2026, 1, 1)
COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "text": st.one_of(st.none(), st.sampled_from(["", "a", "b", "Ærø", "../x", "\U0001f600", "￿"])),
    "number": st.one_of(st.none(), st.integers(-3, 3)),
    "share": st.one_of(st.none(), st.sampled_from([-1.5, 0.0, 2.5, float("inf"), float("nan")])),
    "flag": st.one_of(st.none(), st.booleans()),
    "moment": st.one_of(st.none(), st.integers(0, 3).map(lambda n: MOMENT + dt.timedelta(hours=n))),
}
TYPES = {
    "text": pa.string(), "number": pa.int32(), "share": pa.float64(), "flag": pa.bool_(), "moment": pa.timestamp("us"),
}  # fmt: skip


def index_over(table: pa.Table) -> Index:
    """An index over rows that are in no file."""
    index = Index.__new__(Index)
    index.table, index._rows = table, None
    index.manifest = type("Manifest", (), {"groups": tuple(table.column_names)})()
    return index


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    names = draw(st.lists(st.sampled_from(list(COLUMNS)), min_size=1, max_size=3, unique=True))
    keys = draw(st.lists(st.tuples(*(COLUMNS[name] for name in names)), min_size=1, max_size=40, unique_by=repr))
    table = pa.table({name: pa.array([key[k] for key in keys], TYPES[name]) for k, name in enumerate(names)})
    return table.sort_by([(name, "ascending") for name in names])


@given(tables())
def test_every_key_is_found_where_it_is(table: pa.Table) -> None:
    """Whatever the types, null and NaN among them: the row is the one that a look at all rows finds."""
    keys = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
    for row, key in enumerate(keys):
        assert index_over(table)._searched(key) == row


@pytest.mark.parametrize("key", [("zz", 1), ("a", 9), (1, 1), ("a", "1"), (None, 1), ("a", 1.5)])
def test_an_unknown_key_is_none(key: tuple[Any, ...]) -> None:
    """Of another type, too."""
    table = pa.table({"text": ["a", "a", "b"], "number": [1, 2, 1]})
    assert index_over(table)._searched(key) is None
