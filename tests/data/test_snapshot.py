"""Snapshots: what is noticed when the data changes, and staging."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fitscale.data import snapshot as snapshots
from fitscale.data.reader import open_reader
from fitscale.data.snapshot import compare, stage, take, verify
from fitscale.errors import DataError, WorkloadError
from fitscale.records.workload import DataSpec


def write(path, rows=3, **columns):
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.table({"a": range(rows), "y": [k % 2 for k in range(rows)], **columns}), path)


@pytest.fixture
def data(tmp_path):
    for k in range(5):
        write(tmp_path / f"d/{k}.parquet")
    return DataSpec(uri=str(tmp_path / "d"), target="y")


def test_unchanged_data_is_the_same(data):
    """Nothing to say; and where the folder lies does not count."""
    old = open_reader(data).snapshot
    assert verify(open_reader(data).source, old) is None
    assert compare(old, old.but(root="/elsewhere")) is None
    assert old.content == old.but(root="/elsewhere").content


def test_added_removed_and_changed_files_are_named(data, tmp_path):
    """With their number, and not more than three names."""
    old = open_reader(data).snapshot
    write(tmp_path / "d/new.parquet")
    (tmp_path / "d/0.parquet").unlink()
    for k in (1, 2, 3, 4):
        write(tmp_path / f"d/{k}.parquet", rows=4)
    said = verify(open_reader(data).source, old)
    assert said == (
        "1 file added: new.parquet; 1 file removed: 0.parquet; "
        "4 files changed: 1.parquet, 2.parquet, 3.parquet and 1 more"
    )
    assert open_reader(data).snapshot.content != old.content


def test_a_changed_schema_and_filter_are_named(data, tmp_path):
    """The first column that differs, before and after."""
    old = open_reader(data).snapshot
    for k in range(5):
        write(tmp_path / f"d/{k}.parquet", a=[1.5, 2.5, 3.5])
    assert "column 'a' was int64 and is double" in str(verify(open_reader(data).source, old))
    filtered = open_reader(data.but(where="a > 2")).snapshot
    assert compare(old, filtered) == 'data.where was not given and is "a > 2"'


def test_a_look_at_what_changed_reads_no_rows(data, monkeypatch):
    """With a filter too: what it keeps is not counted again."""
    from fitscale.data.sources import parquet

    data = data.but(where="a > 0")
    old = open_reader(data).snapshot
    source = open_reader(data).source
    monkeypatch.setattr(parquet, "decoded", None)
    assert verify(source, old) is None


def test_data_that_is_gone_is_said(data, tmp_path):
    """As a sentence, not as an error."""
    reader = open_reader(data)
    (tmp_path / "d/3.parquet").write_bytes(b"PAR1")
    assert "3.parquet is cut off" in str(verify(reader.source, reader.snapshot))


def test_taking_checks_the_columns(data):
    """A misspelt target is refused before any work."""
    with pytest.raises(WorkloadError, match=r"data\.target: no column 'yy'"):
        take(open_reader(data).source, data.but(target="yy"))
    assert take(open_reader(data).source, data).rows == 15


def test_staging_keeps_rows_and_order(tmp_path, monkeypatch):
    """Whole row groups however the source cuts its batches, several files, and the same bytes again."""
    monkeypatch.setattr(snapshots, "GROUP_ROWS", 30_000)
    monkeypatch.setattr(snapshots, "FILE_GROUPS", 3)
    reader = open_reader(DataSpec(uri="synthetic://?rows=200000&columns=2&missing=0.3", target="y"))
    staged = stage(reader, tmp_path / "one")
    assert [rows for piece in staged.pieces for rows, _ in piece.parts] == [30_000] * 6 + [20_000]
    assert len(staged.pieces) == 3
    assert staged.columns == reader.snapshot.columns
    names = [name for name, _ in staged.columns]
    again = open_reader(DataSpec(uri=str(tmp_path / "one"), target="y"))
    one = pa.Table.from_batches([b for _, b in reader.batches(names)])
    assert one.equals(pa.Table.from_batches([b for _, b in again.batches(names)]))
    assert stage(reader, tmp_path / "two").content == staged.content


def test_staging_leaves_nothing_half_done(tmp_path):
    """A reader that fails leaves no folder; one that is there is taken as it is; no rows are refused."""
    reader = open_reader(DataSpec(uri="synthetic://?rows=300000&columns=1", target="y"))
    broken = open_reader(DataSpec(uri="synthetic://?rows=300000&columns=1", target="y"))
    good = broken.source.read

    def read(snapshot, piece, part, columns, batch_rows):
        if part == 3:
            raise ConnectionError("the line broke")
        return good(snapshot, piece, part, columns, batch_rows)

    broken.source.read = read
    with pytest.raises(ConnectionError):
        stage(broken, tmp_path / "data")
    assert list(tmp_path.iterdir()) == []
    staged = stage(reader, tmp_path / "data")
    assert stage(broken, tmp_path / "data") == staged
    with pytest.raises(DataError, match="no rows"):
        stage(reader.sample(0, 0), tmp_path / "none")
    assert not (tmp_path / "none").exists()
