"""A bounded, seeded part of what cannot be entered by row: of text files and of a database, without reading the whole."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from postgres_server import Server

from fitscale.data.choosing import open_source
from fitscale.data.sources.opening import Bytes
from fitscale.data.sources.text import files
from fitscale.data.starter.looking import look
from fitscale.errors import DataError
from fitscale.records.workload import DataSpec


def spec(uri: object, **more: Any) -> DataSpec:
    return DataSpec(uri=str(uri), target="", **more)


def rows_of(data: DataSpec, rows: int = 1_000, seed: int = 0) -> pa.Table:
    source: Any = open_source(data)
    return pa.Table.from_batches(list(source.peek(rows, seed)))


def lines(rows: int) -> str:
    return "i,kind,at\n" + "".join(
        f"{k},{'late' if k > rows / 2 else 'early'},2026-01-{k % 28 + 1:02}\n" for k in range(rows)
    )


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each read of a text file gave."""
    found: list[int] = []
    honest = Bytes.read

    def counted(self: Bytes, size: int) -> bytes:
        data = honest(self, size)
        found.append(len(data))
        return data

    monkeypatch.setattr(Bytes, "read", counted)
    return found


def test_a_large_text_is_sampled_from_end_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: list[int]
) -> None:
    """Stretches all over it, the same for one seed; most of it is not read."""
    monkeypatch.setattr(files, "SPOT", 4_096)
    path = tmp_path / "d.csv"
    path.write_text(lines(40_000))
    found = rows_of(spec(path))
    assert 1_000 <= found.num_rows <= 1_020
    assert found.schema.types == [pa.int64(), pa.string(), pa.date32()]
    numbers = found.column("i").to_pylist()
    assert numbers == sorted(numbers)
    assert min(numbers) < 4_000
    assert max(numbers) > 36_000
    assert set(found.column("kind").to_pylist()) == {"early", "late"}
    assert found.equals(rows_of(spec(path)))
    assert not found.equals(rows_of(spec(path), seed=1))
    assert sum(read) < path.stat().st_size * 2  # three openings, and each looks at the head too


def test_a_small_text_is_sampled_whole(tmp_path: Path) -> None:
    """All of its rows, where they are no more than asked; of a packed one too."""
    (tmp_path / "d.csv.gz").write_bytes(gzip.compress(lines(700).encode()))
    assert rows_of(spec(tmp_path / "d.csv.gz")).column("i").to_pylist() == list(range(700))


def test_a_text_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    """With the line: a sample that passes over all of it would be no answer."""
    (tmp_path / "d.csv").write_text(lines(50) + "7,8\n")
    with pytest.raises(DataError, match="line 52: has 2 fields, and there are 3 columns"):
        rows_of(spec(tmp_path / "d.csv"))


def test_a_folder_of_texts_is_sampled_from_many_of_them(tmp_path: Path) -> None:
    """With the columns of their paths, and what the filter keeps."""
    for year in range(2000, 2020):
        (tmp_path / f"year={year}").mkdir()
        (tmp_path / f"year={year}" / "d.csv").write_text(lines(100))
    found = rows_of(spec(tmp_path, where="kind = 'late'"), rows=200)
    assert len(set(found.column("year").to_pylist())) >= 8
    assert set(found.column("kind").to_pylist()) == {"late"}


def test_a_table_is_sampled_by_its_blocks(postgres: Server) -> None:
    """From all over it, without a column that Arrow lacks; a small one whole, a query from its beginning."""
    postgres.sql(
        "create table t as select g as i, g * 0.5 as x, point(g, g) as odd from generate_series(1, 60000) g",
        "analyze t",
    )
    found = look(spec(postgres.uri(), table="t"), rows=2_000)
    numbers = found.table.column("i").to_pylist()
    assert 1_000 < len(numbers) <= 2_000
    assert max(numbers) - min(numbers) > 30_000
    assert found.columns == (("i", "int32"), ("x", "double"), ("odd", "null"))
    small = look(spec(postgres.uri(), query="select i, x from t where i <= 50"))
    assert small.table.num_rows == 50
    assert look(spec(postgres.uri(), query="select i, x from t"), rows=300).table.num_rows == 300


def test_of_a_filter_as_many_rows_are_looked_at(tmp_path: Path) -> None:
    """Of files that can be entered anywhere too, though nobody has counted what it keeps."""
    import pyarrow.parquet as pq

    table = pa.table({"i": range(20_000), "k": [i % 10 for i in range(20_000)]})
    pq.write_table(table, tmp_path / "d.parquet", row_group_size=1_000)
    found = look(spec(tmp_path / "d.parquet", where="k = 3"), rows=500)
    assert set(found.table.column("k").to_pylist()) == {3}
    assert 400 <= found.table.num_rows <= 500
    assert found.rows is None
    assert look(spec(tmp_path / "d.parquet"), rows=500).rows == 20_000
