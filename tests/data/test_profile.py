"""The profile: what is measured, what is estimated, what is warned of; and the checks of columns and target."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fitscale.data.profile import (
    check_columns,
    profile,
)
from fitscale.data.reader import Reader, open_reader
from fitscale.data.tally import Distinct
from fitscale.errors import DataError, WorkloadError
from fitscale.records.data import Profile
from fitscale.records.workload import DataSpec, Features

LOTS = 1 << 40


def reader_of(tmp_path, columns: dict, group=None, **more) -> tuple[Reader, DataSpec]:
    pq.write_table(pa.table(columns), tmp_path / "x.parquet", row_group_size=group)
    data = DataSpec(uri=str(tmp_path / "x.parquet"), **{"target": "y", **more})
    return open_reader(data), data


def synthetic(query: str, **more) -> tuple[Reader, DataSpec]:
    data = DataSpec(uri=f"synthetic://?{query}", target="y", **more)
    return open_reader(data), data


def test_small_data_is_measured(tmp_path):
    """All rows are read: shares and counts are exact, and say so."""
    n = 1_000
    reader, data = reader_of(
        tmp_path,
        {
            "x": [None if k % 4 == 0 else float("nan") if k % 4 == 1 else k % 10 for k in range(n)],
            "s": [f"v{k % 7}" for k in range(n)],
            "b": [k % 3 == 0 for k in range(n)],
            "d": [datetime.date(2026, 1, 1)] * n,
            "code": [k % 5 for k in range(n)],
            "y": [k % 2 for k in range(n)],
        },
        features=Features(categorical=("code",), drop=("d",)),
    )
    found = profile(reader, data, limit_bytes=LOTS, limit_s=60)
    columns = {column.name: column for column in found.columns}
    assert {name: column.kind for name, column in columns.items()} == {
        "x": "number", "s": "category", "b": "boolean", "d": "date", "code": "category", "y": "number"
    }  # fmt: skip
    assert columns["x"].missing.value == 0.5
    assert columns["x"].missing.origin == "measured"
    assert columns["s"].distinct is not None
    assert (columns["s"].distinct.value, columns["s"].distinct.origin) == (7, "measured")
    assert [columns[name].note for name in ("y", "d", "x")] == ["target", "dropped", ""]
    assert (found.read_rows, found.rows.value, found.rows.origin) == (n, n, "measured")
    assert found.read_bytes > 0
    assert Profile.from_json(found.to_json()) == found


def test_large_data_is_estimated_within_its_intervals():
    """Part of the rows is read, said so, and what was planted lies within the intervals."""
    reader, data = synthetic("rows=3000000&columns=2&categorical=1&missing=0.2&levels=40")
    found = profile(reader, data, limit_bytes=reader.snapshot.bytes // 3, limit_s=60)
    assert 8_000 < found.read_rows < reader.rows
    assert found.read_bytes <= reader.snapshot.bytes // 3
    columns = {column.name: column for column in found.columns}
    for name in ("x0", "x1", "c0"):
        missing = columns[name].missing
        assert missing.origin == "estimated"
        assert missing.low < 0.2 < missing.high
        assert missing.high - missing.low < 0.1
    assert columns["c0"].distinct.low <= 40 <= columns["c0"].distinct.high
    x0 = columns["x0"].distinct
    assert x0.low < x0.value < x0.high
    assert x0.high > 1_500_000


def test_no_time_still_gives_a_profile():
    """What one batch shows, spread or not, with what was read."""
    reader, data = synthetic("rows=3000000&columns=2&groups=5", groups=("group",))
    found = profile(reader, data, limit_bytes=LOTS, limit_s=0)
    assert 0 < found.read_rows < 100_000
    assert found.groups is not None
    assert not found.groups.exact


def test_group_sizes_are_exact_when_they_can_be(tmp_path):
    """By one pass over the group columns; a missing part of a key is told."""
    a, b = ["p", "p", "q", None, "q", "q"] * 50, [1, 1, 1, 1, 2, 1] * 50
    reader, data = reader_of(tmp_path, {"rows": a, "b": b, "y": range(300)}, groups=("rows", "b"))
    found = profile(reader, data, limit_bytes=LOTS, limit_s=60)
    sizes = found.groups
    assert (sizes.n, sizes.rows_min, sizes.rows_median, sizes.rows_max, sizes.exact) == (4, 50, 75, 100, True)
    assert "the group key (rows, b) is missing in 50 of 300 rows" in found.warnings


def test_a_group_for_each_row_is_told(tmp_path):
    """With the numbers, before anything is fitted; two rows of most are none of that."""
    reader, data = reader_of(tmp_path, {"id": range(300), "y": range(300)}, groups=("id",))
    (told,) = profile(reader, data, limit_bytes=LOTS, limit_s=60).warnings
    assert told.startswith(
        "300 groups of 300 rows: most have a single one, from which nothing is learnt; group by fewer"
    )
    reader, data = reader_of(tmp_path, {"id": [k // 2 for k in range(300)], "y": range(300)}, groups=("id",))
    assert not any("groups of" in each for each in profile(reader, data, limit_bytes=LOTS, limit_s=60).warnings)


def test_group_sizes_are_estimated_when_they_must_be():
    """From a sample, and marked so."""
    reader, data = synthetic("rows=1000000&columns=1&categorical=0&groups=100", groups=("group",))
    exact = profile(reader, data, limit_bytes=LOTS, limit_s=60).groups
    rough = profile(reader, data, limit_bytes=reader.snapshot.bytes // 8, limit_s=60).groups
    assert exact.exact
    assert not rough.exact
    assert rough.n == exact.n == 100
    assert rough.rows_max == pytest.approx(exact.rows_max, rel=0.2)


def test_groups_that_lie_together_are_counted_as_such(tmp_path):
    """A table by key: each group of a part of the rows is there as a whole, and there are as many more as rows."""
    rows = np.arange(400_000)
    reader, data = reader_of(tmp_path, {"id": rows // 200, "y": rows}, 10_000, groups=("id",))
    found = profile(reader, data, limit_bytes=reader.snapshot.bytes // 20, limit_s=60).groups
    assert not found.exact
    assert found.n == pytest.approx(2_000, rel=0.1)
    assert found.rows_median == found.rows_max == 200


def test_odd_columns_are_warned_of(tmp_path):
    """All missing, constant, infinite, a key, unusable; not of roles and of what is dropped."""
    n = 200
    reader, data = reader_of(
        tmp_path,
        {
            "empty": pa.array([None] * n, pa.float64()),
            "same": ["x"] * n,
            "inf": [np.inf if k < 3 else k for k in range(n)],
            "id": [f"u{k}" for k in range(n)],
            "list": [[k] for k in range(n)],
            "gone": ["x"] * n,
            "w": [1.0] * n,
            "__index_level_0__": [k // 2 for k in range(n)],
            "fine": [k % 50 for k in range(n)],
            "y": range(n),
        },
        weight="w",
        features=Features(drop=("gone",)),
    )
    warnings = profile(reader, data, limit_bytes=LOTS, limit_s=60).warnings
    for words in (
        "'empty' is missing in all 200 rows",
        "'same' has one value in all 200 rows",
        "'inf' is infinite in 3 of 200 rows",
        "'id' has a different value in nearly all of 200 rows",
        "'list' is of type list<element: int64>, which cannot be a feature",
        "'__index_level_0__' is the index that pandas wrote",
    ):
        assert sum(words in warning for warning in warnings) == 1, warnings
    assert len(warnings) == 6


@pytest.mark.parametrize("n", [0, 1, 4_095, 4_096, 200_000])
def test_distinct_values_are_counted_in_bounded_memory(n):
    """Exact to 4,095, then within 6 %, however often values repeat and whatever the batches."""
    distinct = Distinct()
    values = pa.array(np.tile(np.arange(n), 2), pa.int64())
    for start in range(0, 2 * n, 10_000):
        distinct.add(values.slice(start, 10_000))
    assert distinct.seen == n if n < 4_096 else distinct.seen == pytest.approx(n, rel=0.06)
    assert len(distinct._least) <= 4_096


BAD = [
    (
        {"target": "incme"},
        "data.target: no column 'incme'; did you mean 'income'? columns: age, city, income, w, tags, when, f",
    ),
    ({"groups": ("citty",)}, "data.groups: no column 'citty'; did you mean 'city'"),
    ({"groups": ("income",)}, "data.groups: column 'income' is named also as data.target"),
    ({"groups": ("city", "city")}, "data.groups: column 'city' is named twice"),
    ({"groups": ("tags",)}, "data.groups: column 'tags' is of type list"),
    ({"groups": ("f",)}, "fractions make no group keys"),
    ({"weight": "city"}, "data.weight: column 'city' is of type string: a weight is a number"),
    ({"weight": "income"}, "data.weight: column 'income' is named also as data.target"),
    ({"time": "city"}, "data.time: column 'city' is of type string"),
    ({"target": "tags"}, "data.target: column 'tags' is of type list"),
    ({"target": "when"}, "data.target: column 'when' is of type date32[day]"),
    ({"features": Features(drop=("aeg",))}, "data.features.drop: no column 'aeg'; did you mean 'age'"),
    ({"features": Features(keep=("income",))}, "data.features.keep: 'income' is the target"),
]


@pytest.mark.parametrize(("change", "words"), BAD)
def test_a_column_that_cannot_play_its_role_is_refused(tmp_path, change, words):
    """With the place, the name, and what to do."""
    columns = {"age": [1, 2], "city": ["a", "b"], "income": [1.0, 2.0], "w": [1, 2], "tags": [[1], [2]]}
    columns |= {"when": [datetime.date(2026, 1, 1)] * 2, "f": [0.5, 1.5]}
    reader, data = reader_of(tmp_path, columns, target="income")
    check_columns(reader.snapshot, data)
    with pytest.raises(WorkloadError) as caught:
        check_columns(reader.snapshot, data.but(**change))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "where", "words"),
    [
        (0, None, "data.uri: x.parquet has no rows"),
        (1, None, "data.uri: x.parquet has only 1 row"),
        (9, "a > 50", 'data.where: no row is kept by "a > 50"'),
    ],
)
def test_too_few_rows_are_refused(tmp_path, rows, where, words):
    """None, or one; or none that the filter keeps."""
    values = pa.array(range(rows), pa.int64())
    reader, data = reader_of(tmp_path, {"a": values, "y": values}, where=where)
    with pytest.raises(DataError) as caught:
        check_columns(reader.snapshot, data)
    assert words in str(caught.value)


def test_nothing_left_to_learn_from_is_refused(tmp_path):
    """A target alone, or all else dropped."""
    reader, data = reader_of(tmp_path, {"y": [0, 1]})
    with pytest.raises(DataError, match=r"data\.features: no column is left"):
        check_columns(reader.snapshot, data)
