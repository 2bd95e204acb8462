"""Snapshots: what is noticed when the data changes."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fitscale.data.reader import open_reader
from fitscale.data.snapshot import compare, take, verify
from fitscale.errors import WorkloadError
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
