"""The filter of a workload: what it keeps, what it refuses, what it does not read."""

from __future__ import annotations

import sqlite3
from contextlib import suppress

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fitscale.data.reader import open_reader
from fitscale.data.sources import parquet
from fitscale.data.sources.where import parse
from fitscale.errors import WorkloadError
from fitscale.records.workload import DataSpec

ROWS = [(None if k % 5 == 0 else k % 11, None if k % 7 == 0 else f"t{k % 3}", k / 4 - 20) for k in range(240)]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """240 rows in 8 row groups, sorted by c."""
    path = tmp_path_factory.mktemp("where") / "x.parquet"
    a, b, c = zip(*ROWS, strict=True)
    day = pa.array([86_400_000_000_000 * k + 1 for k in range(240)], pa.timestamp("ns"))
    data = {"a": a, "b": b, "c": c, "ok": [k % 2 == 0 for k in range(240)], "day": day, "y": range(240)}
    data["utc"] = pa.array([3_600_000 * k for k in range(240)], pa.timestamp("ms", "UTC"))
    data["date"] = pa.array(range(240), pa.date32())
    pq.write_table(pa.table(data), path, row_group_size=30)
    return path


def kept(path, where: str) -> list[int]:
    reader = open_reader(DataSpec(uri=str(path), target="y", where=where))
    got = [v for _, batch in reader.batches(["y"], batch_rows=7) for v in batch.column(0).to_pylist()]
    assert len(got) == reader.rows
    return got


numbers = st.integers(-3, 13)
texts = st.sampled_from(["'t0'", "'t1'", "'zz'", "''"])
ops = st.sampled_from(["=", "<>", "!=", "<", "<=", ">", ">="])
leaves = st.one_of(
    st.builds("a {} {}".format, ops, numbers),
    st.builds("{} {} a".format, numbers, ops),
    st.builds("c {} {}".format, ops, st.sampled_from(["-20", "-7.25", "0", "13.5", "40"])),
    st.builds("b {} {}".format, ops, texts),
    st.builds("a {} c".format, ops),
    st.builds("a in ({}, {})".format, numbers, numbers),
    st.builds("b not in ({}, {})".format, texts, texts),
    st.builds("c between {} and {}".format, numbers, numbers),
    st.builds("not a between {} and {}".format, numbers, numbers),
    st.sampled_from(["a is null", "b is not null", "not b is null"]),
)
filters = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds("({}) and ({})".format, inner, inner),
        st.builds("({}) or ({})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=filters)
def test_it_keeps_what_a_database_keeps(path, where):
    """Any filter keeps the rows that SQLite keeps, with nulls as SQL has them, and statistics lose none."""
    with sqlite3.connect(":memory:") as base:
        base.execute("create table t (a, b, c, y)")
        base.executemany("insert into t values (?, ?, ?, ?)", [(*row, k) for k, row in enumerate(ROWS)])
        expected = [y for (y,) in base.execute(f"select y from t where {where} order by y")]
    base.close()
    assert kept(path, where) == expected


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("ok", range(0, 240, 2)),
        ("not ok and y < 10", [1, 3, 5, 7, 9]),
        ("ok = false and y < 4", [1, 3]),
        ("day >= '1970-08-20'", range(231, 240)),
        ("day > '1970-08-27 00:00:00.000000001'", [239]),
        ("day < date '1970-01-03'", [0, 1]),
        ("utc between '1970-01-10 20:00:00' and '1970-01-10T21:00:00Z'", [236, 237]),
        ("date = '1970-08-28'", [239]),
        ('"y" = 3', [3]),
    ],
)
def test_moments_and_truth_values(path, where, expected):
    """Dates, nanoseconds, zones and booleans compare as they are meant."""
    assert kept(path, where) == list(expected)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("b like 't%'", "(like) is not understood"),
        ("upper(b) = 'T1'", "UPPER(b)"),
        ("a in (select 1)", "is not understood"),
        ("a + 1 = 2", "a + 1"),
        ("1 = 1", "is not understood"),
        ("a >", "cannot be read"),
        ("a = 1; drop table t", "cannot be read"),
        ("", "cannot be read"),
        ("a = null", "is null"),
        ("aa = 1", "no column 'aa'; did you mean"),
        ("a = 'x'", "column 'a' (int64) cannot be compared with 'x': write the number without quotes"),
        ("b = 1", "write the value in single quotes"),
        ("day > 5", "write it as '2026-01-31'"),
        ("day > 'soon'", "write it as '2026-01-31'"),
        ("ok = 1", "column 'ok' (bool) cannot be compared with 1"),
        ("b > a", "cannot be compared"),
    ],
)
def test_what_is_not_understood_is_named(path, where, words):
    """At data.where, with the word, and before rows are read."""
    with pytest.raises(WorkloadError, match=r"^data\.where: ") as caught:
        kept(path, where) if where else parse(where)
    assert words in str(caught.value)


@given(st.text(max_size=40))
def test_any_text_is_parsed_or_refused(text):
    """No other error comes out."""
    with suppress(WorkloadError):
        parse(text)


@pytest.mark.parametrize(
    ("where", "read"), [("c < -13", 1), ("c between 3 and 5 or c = 39", 2), ("c > 100", 0), ("a >= 0", 8)]
)
def test_statistics_rule_out_parts(path, where, read, monkeypatch):
    """Row groups that cannot match are not decoded; they stay listed, without rows."""
    decoded: list[int] = []
    real = parquet.decoded
    monkeypatch.setattr(
        parquet, "decoded", lambda file, path, part, *a, **k: (decoded.append(part), real(file, path, part, *a, **k))[1]
    )
    snapshot = open_reader(DataSpec(uri=str(path), target="y", where=where)).snapshot
    assert len(decoded) == read
    assert len(snapshot.pieces[0].parts) == 8
    assert sum(rows > 0 for rows, _ in snapshot.pieces[0].parts) == read


def test_nan_passes_a_not(tmp_path):
    """Statistics know nothing of NaN: it is not lost where a filter is negated."""
    pq.write_table(pa.table({"x": [1.0, float("nan")], "y": [0, 1]}), tmp_path / "x.parquet")
    assert kept(tmp_path / "x.parquet", "not (x < 5)") == [1]
    assert kept(tmp_path / "x.parquet", "x != 1") == [1]
    assert kept(tmp_path / "x.parquet", "x >= 1") == [0]
