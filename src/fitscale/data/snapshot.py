"""The exact data of a run: taken, held to what is there now, and staged where it cannot be read twice."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fitscale.data.checks import check_columns
from fitscale.errors import DataError, StorageFull
from fitscale.registry import plugin

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.contracts import Source
    from fitscale.data.reader import Reader
    from fitscale.records.data import Snapshot
    from fitscale.records.workload import DataSpec

GROUP_ROWS = 131_072  # of a staged row group
FILE_GROUPS = 64  # row groups of a staged file
SHOWN = 3  # names of files that a sentence gives


def take(source: Source, data: DataSpec) -> Snapshot:
    """Pin what is there now, and hold the workload's column names to it.

    Raises
    ------
    WorkloadError, DataError
        At data.uri, data.where, data.target, …
    """
    snapshot = source.snapshot()
    check_columns(snapshot, data)
    return snapshot


def verify(source: Source, snapshot: Snapshot) -> str | None:
    """The sentence that says what is no longer as pinned, or None. Reads footers, not rows."""
    look = getattr(source, "glance", source.snapshot)
    try:
        now: Snapshot = look()
    except DataError as error:
        return str(error)
    return compare(snapshot, now)


def compare(old: Snapshot, new: Snapshot) -> str | None:
    """What differs between two looks at a source: filter, columns, files added, removed, changed; None if nothing."""
    if old.where != new.where:
        return f"data.where was {_quoted(old.where)} and is {_quoted(new.where)}"
    before = {piece.path: piece for piece in old.pieces}
    now = {piece.path: piece for piece in new.pieces}
    changes = {
        "added": [path for path in now if path not in before],
        "removed": [path for path in before if path not in now],
        "changed": [p for p in now if p in before and (now[p].bytes, now[p].pin) != (before[p].bytes, before[p].pin)],
    }
    told = [f"{_files(paths)} {what}: {_some(paths)}" for what, paths in changes.items() if paths]
    was, is_ = dict(old.columns), dict(new.columns)
    differing = [name for name in {**was, **is_} if was.get(name) != is_.get(name)]
    if differing:
        name = differing[0]
        told.append(f"column '{name}' was {was.get(name, 'not there')} and is {is_.get(name, 'not there')}")
    return "; ".join(told) or None


def stage(reader: Reader, folder: Path) -> Snapshot:
    """Copy a reader's rows, in order, to Parquet files in a new folder, whole or not at all; their snapshot.

    A folder that is there was staged before and is taken as it is.

    Raises
    ------
    DataError
        If there are no rows.
    StorageFull
        If the disk is; nothing is left behind.
    """
    if not folder.exists():
        temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
        try:
            temporary.mkdir(parents=True)
            _write(reader, temporary)
            os.rename(temporary, folder)
            _sync(folder.parent)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StorageFull(f"{folder}: the disk is full: make room, then give the same command again") from None
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):  # else: another process was faster
                raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    staged: Snapshot = plugin("sources", "files")(folder).snapshot()
    return staged


def _write(reader: Reader, folder: Path) -> None:
    import pyarrow.parquet as pq

    writer: pq.ParquetWriter | None = None
    count = 0
    try:
        for table in _groups(reader):
            if count % FILE_GROUPS == 0:
                _close(writer)
                writer = pq.ParquetWriter(folder / f"part-{count // FILE_GROUPS:05}.parquet", table.schema)
            assert writer is not None
            writer.write_table(table, GROUP_ROWS)
            count += 1
    finally:
        _close(writer)
    if not count:
        raise DataError("data.uri: there are no rows to stage")
    for path in folder.iterdir():
        _sync(path)
    _sync(folder)


def _groups(reader: Reader) -> Iterator[pa.Table]:
    """Tables of `GROUP_ROWS` rows (the last may have fewer), however the source cuts its batches."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    rows = 0
    for _, batch in reader.batches([name for name, _ in reader.snapshot.columns]):
        held.append(batch)
        rows += batch.num_rows
        if rows >= GROUP_ROWS:
            table = pa.Table.from_batches(held)
            whole = rows - rows % GROUP_ROWS
            for start in range(0, whole, GROUP_ROWS):
                yield table.slice(start, GROUP_ROWS)
            held = table.slice(whole).to_batches()
            rows -= whole
    if rows:
        yield pa.Table.from_batches(held)


def _close(writer: object | None) -> None:
    if writer is not None:
        writer.close()  # type: ignore[attr-defined]


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)  # before the folder gets its name: a power cut must not leave a cut-off file
    finally:
        os.close(handle)


def _files(paths: Sequence[str]) -> str:
    return f"{len(paths):,} file{'' if len(paths) == 1 else 's'}"


def _some(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - SHOWN:,} more" if len(paths) > SHOWN else ""
    return ", ".join(paths[:SHOWN]) + more


def _quoted(text: str | None) -> str:
    return f'"{text}"' if text else "not given"
