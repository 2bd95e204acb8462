"""What cannot be read again as it is: read once, written as Parquet into a folder, and taken from there from then on.

Whether what was staged is still what is there, is seen as with any snapshot: by names, sizes and pins. Where a file has
another time and nothing else differs, all of its bytes are looked at, if the source gives their digests.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from fitscale.contracts import StartAgain
from fitscale.data.checks import check_columns
from fitscale.data.reader import Reader, open_reader
from fitscale.data.rowgroups import sync, written
from fitscale.data.snapshot import compare
from fitscale.errors import DataError, StorageFull
from fitscale.records.base import digest_of
from fitscale.records.data import Snapshot, Staging
from fitscale.records.workload import DataSpec
from fitscale.registry import plugin

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.contracts import Source

FORMAT = 1  # raised when the same source would be staged to other rows
ABOUT = "staging.json"
EVERY_S = 5.0
FULL = "the disk is full; what was committed is kept: make room, then give the same command again"
Told = Callable[[str], None]


def staged(
    source: Source, data: DataSpec, folder: Path, *, fresh: bool = False, told: Told = lambda text: None
) -> tuple[Reader, Staging]:
    """A reader over what was staged, in one of the folders of ``folder``: of an earlier call, or of this one.

    Raises
    ------
    WorkloadError, DataError
        What is wrong with the data; nothing is left behind.
    StorageFull
        If the disk is; nothing is left behind.
    """
    folder, origin = folder.absolute(), outline_of(source)
    check_columns(origin, data, counted=any(piece.parts for piece in origin.pieces))
    asked = digest_of(str(FORMAT), data.csv.to_json(), repr((data.table, data.query, data.key)))
    about = None if fresh and any(not piece.pin for piece in origin.pieces) else _found(folder, source, origin, asked)
    if about is None:
        about = _made(source, origin, asked, folder, told)
    snapshot: Snapshot = plugin("sources", "files")(folder / _name(about)).snapshot().but(origin=about.origin)
    return open_reader(data, snapshot), about


def parquet_of(source: Source, folder: Path) -> Reader:
    """A reader over all of a source's rows as Parquet in a new folder, which its caller deletes.

    Raises
    ------
    DataError, StorageFull
    """
    origin = outline_of(source)
    with _room(folder):
        _write(source, origin, folder, lambda text: None)
    snapshot: Snapshot = plugin("sources", "files")(folder).snapshot()
    return open_reader(DataSpec(uri=str(folder), target=""), snapshot.but(origin=origin))


def outline_of(source: Source) -> Snapshot:
    """What is there, with as little reading as the source can."""
    look: Callable[[], Snapshot] = source.outline if hasattr(source, "outline") else source.snapshot
    return look()


def _name(about: Staging) -> str:
    return digest_of(about.asked, about.content)


def _found(folder: Path, source: Source, origin: Snapshot, asked: str) -> Staging | None:
    """What was staged last from what is there now."""
    for about, path in sorted(_all(folder), key=lambda known: -known[0].at):
        if about.asked != asked or _differs(about.origin, origin):
            continue
        if not about.digests or _times(about.origin) == _times(origin):
            return about
        if about.digests == source.digests():  # type: ignore[attr-defined]
            about = about.but(origin=origin)  # so that the next look is a short one
            _write_about(about, path)
            return about
    return None


def _all(folder: Path) -> Iterator[tuple[Staging, Path]]:
    for path in folder.glob(f"*/{ABOUT}"):
        with suppress(OSError, ValidationError):
            yield Staging.from_json(path.read_bytes()), path


def _differs(one: Snapshot, other: Snapshot) -> bool:
    """By what pins them: what the columns are, may have been seen only while they were read."""
    return compare(one.but(columns=()), other.but(columns=())) is not None


def _times(snapshot: Snapshot) -> list[float]:
    return [piece.modified for piece in snapshot.pieces]


def _made(source: Source, origin: Snapshot, asked: str, folder: Path, told: Told) -> Staging:
    _clear(folder)
    if hasattr(source, "volume"):
        told(f"staging {source.volume()}")
    temporary = folder / f".staged.{os.getpid()}.tmp"
    began, at = time.monotonic(), time.time()
    try:
        with _room(folder):
            rows = _write(source, origin, temporary, told)
            content = plugin("sources", "files")(temporary).snapshot().content
            digests = source.digests() if hasattr(source, "digests") else {}
            after = outline_of(source)
            if _differs(origin, after) or _times(origin) != _times(after):
                raise DataError(
                    "data.uri: it was written to while it was read; give the command again once it is at rest"
                )
            about = Staging(
                origin=after, asked=asked, content=content, rows=rows, seconds=round(time.monotonic() - began, 3), at=at,
                bytes=sum(path.stat().st_size for path in temporary.iterdir()),
                assumed=tuple(getattr(source, "assumed", ())), digests=digests,
            )  # fmt: skip
            _write_about(about, temporary / ABOUT)
            sync(temporary)
            _moved(temporary, folder / _name(about))
            return about
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _room(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(f"{folder}: {FULL}") from None
        raise


def _moved(temporary: Path, to: Path) -> None:
    """Give what was staged its name; the same rows may be there, staged from files of other times."""
    if to.exists():
        os.replace(temporary / ABOUT, to / ABOUT)
    else:
        try:
            os.rename(temporary, to)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):  # else: another process was faster
                raise
    sync(to.parent)


def _clear(folder: Path) -> None:
    """What a process left that is no more."""
    for path in folder.glob(".staged.*.tmp"):
        pid = path.name.split(".")[2]
        if pid.isdigit() and not Path("/proc", pid).exists():
            shutil.rmtree(path, ignore_errors=True)


def _write(source: Source, origin: Snapshot, folder: Path, told: Told) -> int:
    """All rows as Parquet files in a new folder; how many."""
    while True:
        folder.mkdir(parents=True)
        try:
            with closing(_watched(_batches(source), origin, told)) as batches:  # ends what it reads from, too
                return written(batches, folder)
        except StartAgain:
            shutil.rmtree(folder)


def _batches(source: Source) -> Iterator[pa.RecordBatch]:
    if hasattr(source, "stream"):
        yield from source.stream()
        return
    reader = Reader(source, source.snapshot())
    for _, batch in reader.batches([name for name, _ in reader.snapshot.columns]):
        yield batch


def _watched(batches: Iterator[pa.RecordBatch], origin: Snapshot, told: Told) -> Generator[pa.RecordBatch, None, None]:
    """The same, with a word each few seconds."""
    rows, said = 0, time.monotonic()
    for batch in batches:
        yield batch
        rows += batch.num_rows
        if time.monotonic() - said >= EVERY_S:
            said = time.monotonic()
            told(f"staging {origin.root or origin.source} to Parquet in the run: {rows:,} rows so far")


def _write_about(about: Staging, path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(about.to_json())
    sync(temporary)
    os.replace(temporary, path)
