"""Parquet files: the suite over every way to name them, odd types, and what is wrong with a file."""

from __future__ import annotations

import datetime
import decimal
import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fitscale.data.reader import open_reader
from fitscale.data.sources import schemas
from fitscale.errors import DataError, SourceChanged
from fitscale.records.workload import DataSpec
from fitscale.testing.sources import SourceSuite


def table(start: int, rows: int) -> pa.Table:
    n = range(start, start + rows)
    return pa.table(
        {
            "i": pa.array(n, pa.int64()),
            "x": pa.array([None if k % 7 == 0 else k / 3 for k in n], pa.float32()),
            "s": pa.array([f"v{k % 13}" for k in n]).dictionary_encode(),
            "t": pa.array([k * 1_000_000_007 for k in n], pa.timestamp("ns")),
            "y": pa.array([k % 2 for k in n], pa.int8()),
        }
    )


def write(path: Path, start: int, rows: int, group: int = 1_000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table(start, rows), path, row_group_size=group)


def spec(uri: object, **more: object) -> DataSpec:
    return DataSpec(uri=str(uri), target="y", **more)


def values(uri: object, name: str = "i", **more: object) -> list:
    return [v for _, batch in open_reader(spec(uri, **more)).batches([name]) for v in batch.column(0).to_pylist()]


class TestOneFile(SourceSuite):
    def make(self, folder: Path) -> DataSpec:
        if not (folder / "data.parquet").exists():
            write(folder / "data.parquet", 0, 11_500)
        return spec("data.parquet", base=str(folder))


class TestFolderWithKeys(SourceSuite):
    def make(self, folder: Path) -> DataSpec:
        if not (folder / "d").exists():
            for k, (year, kind) in enumerate([(2024, "a"), (2024, "b%2Fc"), (2025, "__HIVE_DEFAULT_PARTITION__")]):
                write(folder / f"d/year={year}/kind={kind}/part-0.parquet", 5_000 * k, 5_000)
        return spec(folder / "d")


class TestFiltered(SourceSuite):
    def make(self, folder: Path) -> DataSpec:
        if not (folder / "part-1.parquet").exists():
            for k in range(3):
                write(folder / f"part-{k}.parquet", 8_000 * k, 8_000)
        return spec(folder / "part-*.parquet", where="s in ('v1', 'v2', 'v5') and (i < 5000 or i >= 9500)")


def test_what_is_not_data_is_passed_over(tmp_path):
    """Hidden files, those with an underscore, and other kinds are no part of a folder; order is by relative path."""
    for k, name in enumerate(["b.parquet", "a/z.parquet", "a/b.pq", "_old.parquet", ".x.parquet", "_tmp/c.parquet"]):
        write(tmp_path / name, k, 1)
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / "readme.txt").write_text("x")
    (tmp_path / "loop").symlink_to(tmp_path)
    reader = open_reader(spec(tmp_path))
    assert [piece.path for piece in reader.snapshot.pieces] == ["a/b.pq", "a/z.parquet", "b.parquet"]
    assert values(tmp_path) == [2, 1, 0]
    assert values("*.parquet", base=str(tmp_path)) == [0]
    assert values(f"file://{tmp_path}/b.parquet") == [0]


def test_columns_of_the_path_are_typed(tmp_path):
    """Whole numbers are int64, the rest text; the default partition is null; a column may be all that is read."""
    for key in ("k=1/m=01", "k=-2/m=x", "k=__HIVE_DEFAULT_PARTITION__/m=03"):
        write(tmp_path / key / "p.parquet", 0, 2)
    reader = open_reader(spec(tmp_path))
    assert dict(reader.snapshot.columns)["k"] == "int64"
    assert dict(reader.snapshot.columns)["m"] == "string"
    assert values(tmp_path, "k") == [-2, -2, 1, 1, None, None]
    assert values(tmp_path, "m", where="k is not null") == ["x", "x", "01", "01"]


def test_files_under_different_keys_are_refused(tmp_path):
    """One file outside the key=value folders of the others is named."""
    write(tmp_path / "k=1/a.parquet", 0, 2)
    write(tmp_path / "stray.parquet", 0, 2)
    with pytest.raises(DataError, match=r"stray\.parquet under no key"):
        open_reader(spec(tmp_path))


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"a": [1.5], "b": ["x"]}, "column 'a' is int64 in the first and double in the second"),
        ({"a": [1]}, "the second has no column 'b'"),
        ({"a": [1], "b": ["x"], "c": [1]}, "the first has no column 'c'"),
    ],
)
def test_schemas_that_differ_are_refused(tmp_path, other, words):
    """Both files and the first column that differs are named."""
    pq.write_table(pa.table({"a": [1], "b": ["x"]}), tmp_path / "one.parquet")
    pq.write_table(pa.table(other), tmp_path / "two.parquet")
    with pytest.raises(DataError, match=r"^data\.uri: ") as caught:
        open_reader(spec(tmp_path))
    assert "one.parquet and" in str(caught.value)
    assert "two.parquet differ" in str(caught.value)
    assert words in str(caught.value)


def test_files_of_many_columns_are_compared_soon():
    """Each column is looked for once: a second file of 10,000 columns took 22 s."""
    schema = pa.schema([(f"x{k}", pa.float32()) for k in range(10_000)])
    began = time.process_time()
    assert schemas.difference(schema, schema) is None
    assert time.process_time() - began < 2
    assert "no column 'x7'" in str(schemas.difference(schema, schema.remove(7)))


def test_the_order_of_columns_may_differ(tmp_path):
    """Columns are found by name, dictionaries and large texts count as texts."""
    pq.write_table(pa.table({"a": [1], "b": ["x"]}), tmp_path / "1.parquet")
    large = pa.array(["y"], pa.large_string())
    pq.write_table(pa.table({"b": large, "a": [2]}), tmp_path / "2.parquet")
    pq.write_table(pa.table({"b": pa.array(["z"]).dictionary_encode(), "a": [3]}), tmp_path / "3.parquet")
    assert values(tmp_path, "b") == ["x", "y", "z"]
    assert values(tmp_path, "a") == [1, 2, 3]


def test_two_columns_of_one_name_are_refused(tmp_path):
    """There would be no telling which is meant."""
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), tmp_path / "x.parquet")
    with pytest.raises(DataError, match="two columns named 'a'"):
        open_reader(spec(tmp_path / "x.parquet"))


def test_odd_types_and_names_are_read(tmp_path):
    """Decimals, dates, lists, zones, and a name with a dot."""
    odd = pa.table(
        {
            "a.b": [1, 2],
            "d": pa.array([decimal.Decimal("1.50"), None], pa.decimal128(9, 2)),
            "day": pa.array([datetime.date(2026, 1, 1), None]),
            "l": [[1, 2], []],
            "z": pa.array([0, 1], pa.timestamp("us", "Europe/Paris")),
            "y": [True, False],
        }
    )
    pq.write_table(odd, tmp_path / "x.parquet")
    reader = open_reader(spec(tmp_path / "x.parquet"))
    got = [batch for _, batch in reader.batches(odd.schema.names)]
    assert pa.Table.from_batches(got).to_pydict() == odd.to_pydict()
    assert values(tmp_path / "x.parquet", "a.b") == [1, 2]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty: 0 bytes"),
        (b"a,b\n1,2\n", "is not Parquet: let its name say what it is"),
        (b"PAR1" + b"x" * 100, "is cut off: 104 bytes"),
        (b"PAR1" + b"x" * 92 + b"\x10\0\0\0PAR1", "cannot be read as Parquet"),
        (b"PAR1" + b"x" * 92 + b"\xff\xff\0\0PAR1", "cut off"),
        (b"PARE" + b"x" * 100 + b"PARE", "encrypted"),
    ],
)
def test_what_is_no_parquet_says_why(tmp_path, content, words):
    """The file and its problem are named."""
    (tmp_path / "x.parquet").write_bytes(content)
    with pytest.raises(DataError, match=r"^data\.uri: .*x\.parquet") as caught:
        open_reader(spec(tmp_path / "x.parquet"))
    assert words in str(caught.value)


def test_what_is_not_there_says_what_is(tmp_path):
    """A misspelt name gets the nearest, an empty folder what else is in it."""
    write(tmp_path / "flights.parquet", 0, 2)
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts/a.txt").write_text("a\n1\n")
    for uri, words in [
        ("flihgts.parquet", "did you mean 'flights.parquet'"),
        ("no/such.parquet", f"no folder {tmp_path}/no"),
        ("empty", "it is empty"),
        ("texts", "there are: a.txt"),
        ("part-*.parquet", "matches nothing"),
        ("texts/*", "matches no Parquet file"),
    ]:
        with pytest.raises(DataError, match=r"^data\.uri: ") as caught:
            open_reader(spec(uri, base=str(tmp_path)))
        assert words in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_says_so(tmp_path):
    """With the system's reason."""
    write(tmp_path / "x.parquet", 0, 2)
    (tmp_path / "x.parquet").chmod(0)
    with pytest.raises(DataError, match="Permission denied"):
        open_reader(spec(tmp_path / "x.parquet"))


def test_a_file_that_changed_is_refused(tmp_path):
    """Rewritten, cut off or gone: the file and --fresh are named; touched only, it is read on."""
    path = tmp_path / "x.parquet"
    write(path, 0, 5_000)
    data = spec(path)
    snapshot = open_reader(data).snapshot
    os.utime(path, (1, 1))
    assert len(values(path)) == 5_000
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[-40] ^= 1  # in the footer, with the size as it was
    for content, words in [
        (whole[:-100], "cut off"),
        (bytes(changed), "another footer"),
        (whole + whole, "bytes, not"),
    ]:
        path.write_bytes(content)
        with pytest.raises(SourceChanged, match=r"x\.parquet.*--fresh") as caught:
            list(open_reader(data, snapshot).batches(["i"]))
        assert words in str(caught.value)
    path.unlink()
    with pytest.raises(SourceChanged, match="--fresh"):
        list(open_reader(data, snapshot).batches(["i"]))


def test_damaged_rows_are_an_error_of_their_file(tmp_path):
    """The row group that cannot be decoded is named."""
    path = tmp_path / "x.parquet"
    write(path, 0, 5_000)
    content = bytearray(path.read_bytes())
    content[4:2_000] = bytes(1_996)
    path.write_bytes(bytes(content))
    with pytest.raises(DataError, match=r"x\.parquet: row group 0 cannot be decoded"):
        values(path)


def test_a_file_cut_short_under_the_reader_does_not_end_the_process(tmp_path):
    """It is an error; a mapping into memory would be a signal."""
    write(tmp_path / "x.parquet", 0, 200_000, group=50_000)
    code = f"""
import os
from fitscale.data.reader import open_reader
from fitscale.records.workload import DataSpec
from fitscale.errors import FitscaleError
batches = open_reader(DataSpec(uri={str(tmp_path / "x.parquet")!r}, target="y")).batches(["i", "t"], batch_rows=1000)
next(batches)
os.truncate({str(tmp_path / "x.parquet")!r}, 1000)
try:
    list(batches)
except FitscaleError as error:
    raise SystemExit(7)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 7


def test_reading_starts_no_thread(tmp_path):
    """A worker that reads may fork: one thread of Arrow's, which is there from its import, and no more."""
    write(tmp_path / "x.parquet", 0, 50_000)
    code = f"""
import os
import pyarrow.parquet
from fitscale.data.reader import open_reader
from fitscale.records.workload import DataSpec
reader = open_reader(DataSpec(uri={str(tmp_path / "x.parquet")!r}, target="y"))
list(reader.batches(["y"], stop=1))
before = len(os.listdir("/proc/self/task"))
list(reader.batches(["i", "x", "s", "t"]))
print(before, len(os.listdir("/proc/self/task")))
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    before, after = map(int, done.stdout.split())
    assert after == before <= 3


def test_texts_may_come_as_dictionaries(tmp_path):
    """The values are the same, from the file and from its path, filtered or not."""
    for k in ("a", "b"):
        write(tmp_path / f"k={k}/x.parquet", 0, 3_000)
    for where in (None, "s = 'v3' or k = 'b'"):
        data = spec(tmp_path, where=where)
        plain, encoded = open_reader(data), open_reader(data, dictionaries=True)
        for (one, batch), (two, coded) in zip(
            plain.batches(["k", "x", "s"]), encoded.batches(["k", "x", "s"]), strict=True
        ):
            assert one == two
            assert [str(field.type)[:10] for field in coded.schema] == ["dictionary", "float", "dictionary"]
            assert batch.to_pydict() == coded.to_pydict()
