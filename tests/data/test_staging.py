"""Staging: what cannot be read again as it is, is read once; what changed since is noticed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from fitscale.contracts import StartAgain
from fitscale.data import rowgroups, staging
from fitscale.data.choosing import open_source
from fitscale.data.reader import open_reader
from fitscale.data.snapshot import compare
from fitscale.data.staging import parquet_of, staged
from fitscale.errors import DataError, StorageFull
from fitscale.records.data import Piece, Snapshot
from fitscale.records.workload import DataSpec

SPEC = DataSpec(uri="synthetic://?rows=200000&columns=2&missing=0.3", target="y")


def csv(folder: Path, rows: int = 50, last: object = 1) -> DataSpec:
    text = "x,y\n" + "".join(f"{k},{k % 2}\n" for k in range(rows)) + f"{last},1\n"
    (folder / "d.csv").write_text(text)
    return DataSpec(uri=str(folder / "d.csv"), target="y")


def rows_of(reader: Any) -> pa.Table:
    return pa.Table.from_batches([b for _, b in reader.batches([name for name, _ in reader.snapshot.columns])])


def test_rows_and_order_are_kept(tmp_path, monkeypatch):
    """Whole row groups however the source cuts its batches, several files, and the same bytes again."""
    monkeypatch.setattr(rowgroups, "GROUP_ROWS", 30_000)
    monkeypatch.setattr(rowgroups, "FILE_GROUPS", 3)
    reader, about = staged(open_source(SPEC), SPEC, tmp_path / "one")
    assert [rows for piece in reader.snapshot.pieces for rows, _ in piece.parts] == [30_000] * 6 + [20_000]
    assert len(reader.snapshot.pieces) == 3
    assert rows_of(reader).equals(rows_of(open_reader(SPEC)))
    assert about.rows == 200_000
    assert about.bytes == sum(piece.bytes for piece in reader.snapshot.pieces)
    assert staged(open_source(SPEC), SPEC, tmp_path / "two")[0].snapshot.content == reader.snapshot.content


def test_wide_rows_make_short_groups(tmp_path, monkeypatch):
    """So that a group of them does not fill the memory."""
    monkeypatch.setattr(rowgroups, "GROUP_CELLS", 5_000 * 5)
    reader, _ = staged(open_source(SPEC), SPEC, tmp_path)
    assert len(reader.snapshot.columns) == 5
    assert {rows for rows, _ in reader.snapshot.pieces[0].parts} == {5_000}


def test_it_is_read_where_it_lies(tmp_path):
    """The workload still names the source; the rows come from the folder, as of another process too."""
    reader, _ = staged(open_source(SPEC), SPEC, tmp_path)
    again = open_reader(SPEC, Snapshot.from_json(reader.snapshot.to_json()))
    assert type(again.source).__name__ == "Files"
    assert again.snapshot.origin is not None
    assert again.snapshot.origin.source == "synthetic"
    assert rows_of(again).equals(rows_of(reader))


def test_what_is_unchanged_is_staged_once(tmp_path, monkeypatch):
    """Another look takes what is there; so does one at a file that was copied back, whose time alone differs."""
    data = csv(tmp_path)
    first, about = staged(open_source(data), data, tmp_path / "data")
    monkeypatch.setattr(staging, "_write", None)
    again, same = staged(open_source(data), data, tmp_path / "data")
    assert (again.snapshot, same) == (first.snapshot, about)
    os.utime(tmp_path / "d.csv", (1, 1))
    _, later = staged(open_source(data), data, tmp_path / "data")
    assert later.content == about.content
    assert later.origin.pieces[0].modified == 1
    monkeypatch.setattr("fitscale.data.sources.parsed.whole_digest", None)  # that it is the same is known by now
    staged(open_source(data), data, tmp_path / "data")


def test_types_that_showed_late_are_no_change(tmp_path, monkeypatch):
    """What a first look takes the columns for may be narrower than what they turned out to be."""
    monkeypatch.setattr("fitscale.data.sources.text.files.BLOCK", 100)
    data = csv(tmp_path, last="word")
    assert dict(open_source(data).outline().columns)["x"] == "int64"
    reader, about = staged(open_source(data), data, tmp_path / "data")
    assert dict(reader.snapshot.columns)["x"] == "string"
    assert about.assumed == ("column 'x' as text: line 52 of d.csv has 'word'",)
    monkeypatch.setattr(staging, "_write", None)
    assert staged(open_source(data), data, tmp_path / "data")[1] == about


@pytest.mark.parametrize("change", ["a value of the same length", "a row more"])
def test_what_changed_is_staged_anew(tmp_path, change):
    """In the file's own words, though what is read is Parquet."""
    data = csv(tmp_path, rows=400_000)
    first, _ = staged(open_source(data), data, tmp_path / "data")
    path = tmp_path / "d.csv"
    raw = path.read_bytes()
    middle = raw.index(b"\n123456,") + 1
    path.write_bytes(raw[:middle] + b"999999" + raw[middle + 6 :] if "value" in change else raw + b"5,1\n")
    os.utime(path, (2, 2))
    second, _ = staged(open_source(data), data, tmp_path / "data")
    assert second.snapshot.content != first.snapshot.content
    if "row" in change:
        assert compare(first.snapshot, second.snapshot) == "1 file changed: d.csv"
    assert len(list((tmp_path / "data").iterdir())) == 2


def test_how_it_is_to_be_read_counts(tmp_path):
    """The same file, read otherwise, is staged beside."""
    data = csv(tmp_path)
    staged(open_source(data), data, tmp_path / "data")
    other = data.but(csv=data.csv.but(missing=("7",)))
    reader, _ = staged(open_source(other), other, tmp_path / "data")
    assert rows_of(reader).column("x").null_count == 1
    assert len(list((tmp_path / "data").iterdir())) == 2


class Queue:
    """A source that cannot be pinned: each reading gives what is there then."""

    name, schemes, needs, stable = "queue", ("queue",), (), False

    def __init__(self) -> None:
        self.read_times = 0

    def outline(self) -> Snapshot:
        piece = Piece(path="table", bytes=0, pin="", parts=())
        return Snapshot(source="queue", root="", columns=(("y", "int64"), ("x", "int64")), pieces=(piece,))

    def stream(self) -> Any:
        self.read_times += 1
        if self.read_times == 1:
            yield pa.record_batch({"x": [0, 0], "y": [0, 0]})
            raise StartAgain
        yield pa.record_batch({"y": [0, 1], "x": [self.read_times, 5]})


def test_a_source_may_begin_again(tmp_path):
    """What it gave until then is not among the rows; and what cannot be pinned is staged anew only when asked to."""
    source, data = Queue(), DataSpec(uri="queue://", target="y")
    reader, about = staged(source, data, tmp_path)
    assert rows_of(reader).to_pydict() == {"y": [0, 1], "x": [2, 5]}
    assert staged(source, data, tmp_path)[1] == about
    for _ in range(3):
        newest = rows_of(staged(source, data, tmp_path, fresh=True)[0])
        assert newest["x"][0].as_py() == source.read_times
        assert rows_of(staged(source, data, tmp_path)[0]).equals(newest)


def test_nothing_is_left_half_done(tmp_path, monkeypatch):
    """Of a source that fails, of a disk that is full, of a process that was killed; and no rows are refused."""
    data = csv(tmp_path)
    source = open_source(data)

    def broken() -> Any:
        yield from list(open_source(data).stream())
        raise ConnectionError("the line broke")

    source.stream = broken  # type: ignore[method-assign]
    folder = tmp_path / "data"
    with pytest.raises(ConnectionError):
        staged(source, data, folder)
    (folder / ".staged.999999999.tmp").mkdir()
    (folder / ".staged.999999999.tmp" / "part").touch()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(staging, "sync", full)
        with pytest.raises(StorageFull, match="make room"):
            staged(open_source(data), data, folder)
    assert list(folder.iterdir()) == []
    (tmp_path / "d.csv").write_text("x,y\n")
    with pytest.raises(DataError, match="no rows"):
        staged(open_source(data), data, folder)
    with pytest.raises(DataError, match="no rows"):
        parquet_of(open_source(data), tmp_path / "none")


def test_a_file_that_is_written_to_meanwhile_is_noticed(tmp_path):
    """What was read is of neither state."""
    data = csv(tmp_path)
    source = open_source(data)
    good = source.stream

    def while_written() -> Any:
        yield from good()
        csv(tmp_path, rows=60)

    source.stream = while_written  # type: ignore[method-assign]
    with pytest.raises(DataError, match="written to while it was read"):
        staged(source, data, tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []
