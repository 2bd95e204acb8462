"""Arrow files (IPC, also called Feather): one, a folder of them, a glob, ``key=value`` folders.

A unit of reading is a record batch. Files are mapped: what is not compressed is read where it lies, and counts to no
process's own memory.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

from fitscale.data.sources import listing, matching, schemas
from fitscale.data.sources.where import parse
from fitscale.errors import DataError, SourceChanged
from fitscale.records.data import Piece, Snapshot

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.records.workload import DataSpec

OPEN_AT_ONCE = 8
SPOT, SPOTS = 4_096, 64
MAGIC = b"ARROW1"
FRESH = "put the file back as it was, or train anew with --fresh"


class Held(NamedTuple):
    file: Any  # the mapped file, which its reader needs to stay
    reader: Any
    stamp: tuple[int, int, int]


class ArrowFiles:
    """Arrow files on disk. Texts come as plain texts, whatever the file has; see `schemas.plain`."""

    name: ClassVar[str] = "arrow"
    schemes: ClassVar[tuple[str, ...]] = ("", "file")
    suffixes: ClassVar[tuple[str, ...]] = (".arrow", ".feather", ".ipc")
    needs: ClassVar[tuple[str, ...]] = ()
    stable: ClassVar[bool] = True

    def __init__(self, path: Path, where: str | None = None) -> None:
        self.root, self.paths = listing.listed(path, self.suffixes, "Arrow")
        self.where = where
        self._open: OrderedDict[str, Held] = OrderedDict()

    @classmethod
    def open(cls, data: DataSpec) -> Self:
        if data.where:
            parse(data.where)
        return cls(listing.locate(data.uri, data.base), data.where)

    def snapshot(self) -> Snapshot:
        return self._snapshot(count=True)

    def glance(self) -> Snapshot:
        """As `snapshot`, but for what a filter keeps, which is not counted."""
        return self._snapshot(count=False)

    def _snapshot(self, count: bool) -> Snapshot:
        values = {path: listing.hive_values(path) for path in self.paths}
        types = listing.hive_types(values)
        where = parse(self.where) if self.where else None
        first: pa.Schema | None = None
        pieces: list[Piece] = []
        for name in self.paths:
            path = self.root / name
            size, digest = pinned(path)
            held = _opened(path)
            schema = schemas.schema_of(held.reader.schema, path, types)
            if first is None:
                first = schema
                if where:
                    matching.check(where, schema)
            elif difference := schemas.difference(first, schema):
                raise DataError(
                    f"{listing.PLACE}: {self.root / self.paths[0]} and {path} differ: {difference}; "
                    "name a glob that matches only files of one schema, or write them alike"
                )
            rows = lengths = _lengths(held.reader, path)
            if where and count:
                keys = schemas.Keys.of(values[name], lambda key: str(types[key]) == "int64")
                parts = (_part(held.reader, path, k, where.columns, keys) for k in range(len(lengths)))
                rows = [matching.mask(where, batch).true_count for batch in parts]
            share = size / (sum(lengths) or 1)
            pieces.append(
                Piece(
                    path=name, bytes=size, pin=digest, modified=path.stat().st_mtime, values=values[name],
                    parts=tuple((n, max(1, round(length * share))) for n, length in zip(rows, lengths, strict=True)),
                )
            )  # fmt: skip
            held.file.close()
        assert first is not None  # listed() found a file
        columns = tuple((field.name, str(field.type)) for field in first)
        return Snapshot(source=self.name, root=str(self.root), columns=columns, pieces=tuple(pieces), where=self.where)

    def read(
        self, snapshot: Snapshot, piece: int, part: int, columns: Sequence[str], batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        pinned_ = snapshot.pieces[piece]
        types = dict(snapshot.columns)
        keys = schemas.Keys.of(pinned_.values, lambda key: types[key] == "int64")
        path = self.root / pinned_.path
        where = parse(snapshot.where) if snapshot.where else None
        asked = list(dict.fromkeys([*columns, *(where.columns if where else ())]))
        batch = _part(self._held(pinned_).reader, path, part, asked, keys)
        if where:
            batch = batch.filter(matching.mask(where, batch)).select(list(columns))
        for start in range(0, batch.num_rows, batch_rows):
            yield batch.slice(start, batch_rows)
        self._held(pinned_)  # written over while it was read: what was given is of neither

    def _held(self, piece: Piece) -> Held:
        """The file, held to the snapshot when it is opened, and again when it was written to since."""
        path = self.root / piece.path
        if (held := self._open.get(piece.path)) is not None:
            if held.stamp == _stamp(path):
                self._open.move_to_end(piece.path)
                return held
            self._open.pop(piece.path)
        try:
            size, digest = pinned(path)
        except DataError as error:
            raise SourceChanged(f"{error}; it was there when the run began: {FRESH}") from None
        if (size, digest) != (piece.bytes, piece.pin):
            what = f"has {size:,} bytes, not {piece.bytes:,}" if size != piece.bytes else "has other contents"
            raise SourceChanged(f"{path} {what}: it changed since the run began; {FRESH}")
        held = self._open[piece.path] = _opened(path)
        if len(self._open) > OPEN_AT_ONCE:
            self._open.popitem(last=False)
        return held


def pinned(path: Path) -> tuple[int, str]:
    """(bytes, digest of the footer and of spots all over the file): a footer says where batches lie, not what they hold.

    Raises
    ------
    DataError
        If it is missing, unreadable, cut short, or no Arrow file.
    """
    try:
        with open(path, "rb") as file:
            size = path.stat().st_size
            head = file.read(8)
            if not size:
                raise DataError(f"{listing.PLACE}: {path} is empty: 0 bytes; write it again")
            if head.startswith(b"FEA1"):
                raise DataError(f"{listing.PLACE}: {path} is Feather of the first version: write it again as Feather 2")
            if not head.startswith(MAGIC):
                stream = head.startswith(b"\xff\xff\xff\xff")
                what = "an Arrow stream, which has no places to begin at: write it as an Arrow file" if stream else (
                    "no Arrow file: let its name say what it is, such as .csv or .parquet"
                )  # fmt: skip
                raise DataError(f"{listing.PLACE}: {path} is {what}")
            file.seek(max(0, size - 10))
            tail = file.read(10)
            length = int.from_bytes(tail[:4], "little")
            if tail[4:] != MAGIC or length + 10 > size:
                raise DataError(
                    f"{listing.PLACE}: {path} is cut off: {size:,} bytes without a footer at their end; copy it again"
                )
            h = hashlib.sha256(str(size).encode())
            file.seek(size - 10 - length)
            h.update(file.read(length))
            for k in range(SPOTS):
                file.seek(size * k // SPOTS)
                h.update(file.read(SPOT))
            return size, h.hexdigest()[:32]
    except FileNotFoundError:
        raise DataError(f"{listing.PLACE}: {path} is gone") from None
    except OSError as error:
        raise DataError(f"{listing.PLACE}: {path} cannot be read: {error.strerror}") from None


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_ino, about.st_size, about.st_mtime_ns


def _opened(path: Path, fields: list[int] | None = None) -> Held:
    import pyarrow as pa

    stamp = _stamp(path)
    try:
        file = pa.memory_map(str(path))
        options = pa.ipc.IpcReadOptions(use_threads=False, included_fields=fields)
        reader = pa.ipc.open_file(file, options=options)
    except (OSError, pa.ArrowException) as error:
        told = schemas.line_of(error)
        raise DataError(f"{listing.PLACE}: {path} cannot be read as Arrow: {told}; write it again") from None
    assert stamp is not None
    return Held(file, reader, stamp)


def _lengths(reader: Any, path: Path) -> list[int]:
    """Rows of each record batch. Of a compressed file, one column is unpacked for it."""
    import pyarrow as pa

    narrow = _opened(path, [0] if len(reader.schema) else None)
    try:
        return [narrow.reader.get_batch(k).num_rows for k in range(reader.num_record_batches)]
    except (OSError, pa.ArrowException) as error:
        told = schemas.line_of(error)
        raise DataError(f"{listing.PLACE}: {path} cannot be read as Arrow: {told}; write it again") from None
    finally:
        narrow.file.close()


def _part(reader: Any, path: Path, part: int, columns: Sequence[str], keys: schemas.Keys) -> pa.RecordBatch:
    """A record batch's rows with columns of the file and of its path, of plain types, in the asked order."""
    import pyarrow as pa

    try:
        batch = reader.get_batch(part)
        arrays = {}
        for name in columns:
            array = keys.repeated(name, batch.num_rows) if name in keys.values else batch.column(name)
            type = schemas.plain(array.type)
            arrays[name] = array if type == array.type else array.cast(type)
        return pa.record_batch(arrays)
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"{listing.PLACE}: {path}: record batch {part} cannot be read: {schemas.line_of(error)}; the file is damaged: "
            "write it again"
        ) from None
