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
from fitscale.records.base import Figure, digest_of
from fitscale.records.data import Snapshot, Stage, Staging
from fitscale.records.workload import DataSpec, SvmLightFiles
from fitscale.registry import plugin

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.contracts import Source

FORMAT = 1  # raised when the same source would be staged to other rows
ABOUT = "staging.json"
SAMPLE = "sample-"
# Of a forecast from a part of the rows, relative: what begins and ends is in it too, and it compresses otherwise.
RATE_ERROR, SIZE_ERROR = 0.8, 0.2
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
    found = None if fresh and not is_pinned(source) else found_staged(source, data, folder)
    if found is not None:
        return found
    folder, origin = folder.absolute(), outline_of(source)
    check_columns(origin, data, counted=any(piece.parts for piece in origin.pieces))
    about = _made(source, origin, _asked(data), folder, told)
    return _opened(folder, about, data), about


def found_staged(source: Source, data: DataSpec, folder: Path) -> tuple[Reader, Staging] | None:
    """A reader over what was staged by an earlier call from what is there now; None where nothing was."""
    folder, origin = folder.absolute(), outline_of(source)
    about = _found(folder, source, origin, _asked(data))
    return None if about is None else (_opened(folder, about, data), about)


def sampled(
    source: Source, data: DataSpec, folder: Path, told: Told = lambda text: None
) -> tuple[Reader, Stage] | None:
    """A reader over a bounded part of the rows, kept in ``folder`` in the place of the last one; and what all would take.

    None where the source gives no part, or one without rows: they are to be staged.

    Raises
    ------
    WorkloadError, DataError, StorageFull
        As `staged`.
    """
    part = source.sample() if hasattr(source, "sample") else None
    if part is None:
        return None
    folder, origin = folder.absolute(), outline_of(source)
    check_columns(origin, data, counted=False)
    told(f"sampling {part.told}")
    _clear(folder)
    temporary = folder / f".staged.{os.getpid()}.tmp"
    began = time.monotonic()
    try:
        with _room(folder):
            temporary.mkdir(parents=True)
            rows = written(part.batches, temporary, least=0)
            if rows < 2:
                return None
            seconds = time.monotonic() - began
            size = sum(path.stat().st_size for path in temporary.iterdir())
            _clear_samples(folder)
            to = folder / f"{SAMPLE}{plugin('sources', 'files')(temporary).snapshot().content}"
            _moved(temporary, to)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    number, least, most = part.rows(rows)
    every = Figure(value=number, low=least, high=most, origin="estimated")
    stage = Stage(
        seconds=_scaled(every, seconds / rows / part.faster, RATE_ERROR), bytes=_scaled(every, size / rows, SIZE_ERROR), rows=every,
        sampled=rows, sample_s=round(seconds, 3),
    )  # fmt: skip
    snapshot: Snapshot = plugin("sources", "files")(to).snapshot().but(origin=origin)
    return open_reader(data, snapshot), stage


def _scaled(rows: Figure, each: float, error: float) -> Figure:
    value = rows.value * each
    return Figure(
        value=value, low=rows.low * each / (1 + error), high=rows.high * each * (1 + error), origin="forecast"
    )


def _opened(folder: Path, about: Staging, data: DataSpec) -> Reader:
    snapshot: Snapshot = plugin("sources", "files")(folder / _name(about)).snapshot().but(origin=about.origin)
    return open_reader(data, snapshot)


def is_pinned(source: Source) -> bool:
    """Whether a change of it would be seen: what is not pinned is staged again only if that is asked for."""
    return all(piece.pin for piece in outline_of(source).pieces)


def _asked(data: DataSpec) -> str:
    """The digest of how it is to be read."""
    said = (data.csv.to_json(), data.svmlight.to_json()) if data.svmlight != SvmLightFiles() else (data.csv.to_json(),)
    return digest_of(str(FORMAT), *said, repr((data.table, data.query, data.key)))


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
            _clear_samples(folder)
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
        if (temporary / ABOUT).exists():
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


def _clear_samples(folder: Path) -> None:
    """The part that an earlier plan looked at."""
    for path in folder.glob(f"{SAMPLE}*"):
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
