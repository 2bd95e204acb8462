"""Arrow files: the suite over every way to write them, and what is wrong with a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather as feather
import pytest

from fitscale.data.reader import open_reader
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


def write(path: Path, what: pa.Table, rows: int = 1_000, compression: str | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, what.schema, options=options) as writer:
        writer.write_table(what, max_chunksize=rows)


def spec(uri: object, **more: Any) -> DataSpec:
    return DataSpec(uri=str(uri), target="y", **more)


class TestOneFile(SourceSuite):
    def make(self, folder: Path) -> DataSpec:
        if not (folder / "data.arrow").exists():
            write(folder / "data.arrow", table(0, 11_500))
        return spec("data.arrow", base=str(folder))


class TestCompressedFolderWithKeys(SourceSuite):
    def make(self, folder: Path) -> DataSpec:
        for k, year in enumerate((2024, 2025)):
            if not (folder / f"d/year={year}").exists():
                write(folder / f"d/year={year}/part.feather", table(6_000 * k, 6_000), compression="zstd")
        return spec(folder / "d", where="i >= 3000 and year = 2024 or i > 9500")


def test_what_pandas_and_feather_write_is_read(tmp_path):
    """Texts of whichever Arrow type come as texts."""
    feather.write_feather(table(0, 10), str(tmp_path / "f.feather"))
    write(tmp_path / "g.ipc", pa.table({"s": pa.array(["a", None], pa.large_string()), "y": [0, 1]}))
    assert dict(open_reader(spec(tmp_path / "f.feather")).snapshot.columns)["s"] == "string"
    batch = next(open_reader(spec(tmp_path / "g.ipc")).batches(["s"]))[1]
    assert batch.to_pydict() == {"s": ["a", None]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty: 0 bytes"),
        (b"a,b\n1,2\n", "is no Arrow file: let its name say what it is"),
        (b"ARROW1\0\0" + b"x" * 92, "is cut off: 100 bytes"),
        (b"ARROW1\0\0" + b"x" * 92 + b"\x10\0\0\0ARROW1", "cannot be read as Arrow"),
        (b"\xff\xff\xff\xff" + b"x" * 92, "an Arrow stream"),
        (b"FEA1" + b"x" * 92, "Feather of the first version"),
    ],
)
def test_what_is_no_arrow_file_says_why(tmp_path, content, words):
    """The file, its problem and the next step."""
    (tmp_path / "x.arrow").write_bytes(content)
    with pytest.raises(DataError, match=r"^data\.uri: .*x\.arrow") as caught:
        open_reader(spec(tmp_path / "x.arrow"))
    assert words in str(caught.value)


def test_a_name_that_says_nothing_is_told_what_is_read(tmp_path):
    """Of Parquet alone the contents are enough."""
    (tmp_path / "rows.ffm").write_text("1 1:0.5\n")
    with pytest.raises(DataError, match=r"rows\.ffm is of a kind that its name does not say; .*\.parquet.*\.csv\.gz"):
        open_reader(spec(tmp_path / "rows.ffm"))


def test_files_of_different_kinds_are_refused(tmp_path):
    """Both are named, and a glob that matches one kind."""
    write(tmp_path / "a.arrow", table(0, 5))
    (tmp_path / "b.csv").write_text("y\n1\n")
    with pytest.raises(DataError, match=r"files of different kinds: .*a\.arrow and .*b\.csv; name a glob .*\*\.arrow"):
        open_reader(spec(tmp_path))
    assert open_reader(spec(tmp_path / "*.arrow")).rows == 5


def test_other_contents_of_the_same_layout_are_noticed(tmp_path):
    """A footer says where batches lie, and not what is in them."""
    data = spec(tmp_path / "x.arrow")
    write(tmp_path / "x.arrow", pa.table({"a": range(5_000), "y": range(5_000)}))
    reader = open_reader(data)
    write(tmp_path / "x.arrow", pa.table({"a": range(5_000), "y": range(1, 5_001)}))
    with pytest.raises(SourceChanged, match="has other contents"):
        list(reader.batches(["y"]))
    (tmp_path / "x.arrow").unlink()
    with pytest.raises(SourceChanged, match="is gone"):
        list(reader.batches(["y"]))
