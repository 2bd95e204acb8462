"""Parquet files: one, a folder of them, a glob, ``key=value`` folders. A unit of reading is a row group."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from fitscale.data.sources import listing, matching, parquet, schemas
from fitscale.data.sources.where import parse
from fitscale.errors import DataError, SourceChanged
from fitscale.records.data import Piece, Snapshot

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from fitscale.records.workload import DataSpec

Stamp = tuple[int, int, int] | None
OPEN_AT_ONCE = 8  # files kept open, each with its parsed footer
FRESH = "put the file back as it was, or train anew with --fresh"


class Files:
    """Parquet files on disk.

    Attributes
    ----------
    threads
        Above 1, the columns of a row group are decoded by several threads, which a process that forks must not have.
    dictionaries
        Columns of text come as dictionaries, each batch with its own: faster where values repeat.
    """

    name: ClassVar[str] = "files"
    schemes: ClassVar[tuple[str, ...]] = ("", "file")
    suffixes: ClassVar[tuple[str, ...]] = (".parquet", ".pq", ".parq")
    needs: ClassVar[tuple[str, ...]] = ()
    stable: ClassVar[bool] = True

    def __init__(self, path: Path, where: str | None = None) -> None:
        self.root, self.paths = listing.listed(path, self.suffixes, "Parquet")
        self.where = where
        self.threads = 1
        self.dictionaries = False
        self._open: OrderedDict[str, tuple[pq.ParquetFile, Stamp]] = OrderedDict()

    @classmethod
    def open(cls, data: DataSpec) -> Self:
        if data.where:
            parse(data.where)
        return cls(listing.locate(data.uri, data.base), data.where)

    def snapshot(self) -> Snapshot:
        return self._snapshot(count=True)

    def glance(self) -> Snapshot:
        """As `snapshot`, but for what a filter keeps, which is not counted: reads footers alone."""
        return self._snapshot(count=False)

    def _snapshot(self, count: bool) -> Snapshot:
        values = {path: listing.hive_values(path) for path in self.paths}
        types = listing.hive_types(values)
        where = parse(self.where) if self.where else None
        first: pa.Schema | None = None
        pieces: list[Piece] = []
        for name in self.paths:
            path = self.root / name
            size, digest = parquet.footer(path)
            file = parquet.opened(path)
            schema = schemas.schema_of(file.schema_arrow, path, types)
            if first is None:
                first = schema
                if where:
                    matching.check(where, schema)
            elif difference := schemas.difference(first, schema):
                raise DataError(
                    f"{listing.PLACE}: {self.root / self.paths[0]} and {path} differ: {difference}; "
                    "name a glob that matches only files of one schema, or write them alike"
                )
            groups = [file.metadata.row_group(k) for k in range(file.metadata.num_row_groups)]
            # a row group's share of the file: its own size is that before compression
            share = size / (sum(group.total_byte_size for group in groups) or 1)
            rows = [group.num_rows for group in groups]
            if where and count:
                keys = schemas.Keys.of(values[name], lambda key: str(types[key]) == "int64")
                rows = [parquet.kept_rows(file, path, k, first, keys, where) for k in range(len(groups))]
            pieces.append(
                Piece(
                    path=name,
                    bytes=size,
                    pin=digest,
                    parts=tuple((n, round(g.total_byte_size * share)) for n, g in zip(rows, groups, strict=True)),
                    modified=path.stat().st_mtime,
                    values=values[name],
                )
            )
            file.close()
        assert first is not None  # listed() found a file
        columns = tuple((field.name, str(field.type)) for field in first)
        return Snapshot(source=self.name, root=str(self.root), columns=columns, pieces=tuple(pieces), where=self.where)

    def read(
        self, snapshot: Snapshot, piece: int, part: int, columns: Sequence[str], batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        pinned = snapshot.pieces[piece]
        types = dict(snapshot.columns)
        texts = [name for name, type in types.items() if type == "string"] if self.dictionaries else []
        own = [name for name in texts if name not in pinned.values]
        file = self._pinned(pinned, own)
        path = self.root / pinned.path
        keys = schemas.Keys.of(pinned.values, lambda key: types[key] == "int64")
        encoded = set(texts).intersection(columns)
        if snapshot.where is None:
            yield from parquet.decoded(file, path, part, columns, keys, batch_rows, self.threads, encoded)
            self._pinned(pinned, own)  # written over while it was read: what was decoded is of neither
            return
        where = parse(snapshot.where)
        asked = list(dict.fromkeys([*columns, *where.columns]))
        for batch in parquet.decoded(file, path, part, asked, keys, batch_rows, self.threads, encoded):
            kept = batch.filter(matching.mask(where, batch))
            if kept.num_rows:
                yield kept.select(list(columns))
        self._pinned(pinned, own)

    def _pinned(self, piece: Piece, encoded: Sequence[str]) -> pq.ParquetFile:
        """The file, held to the snapshot when it is opened, and again when it was written to since."""
        path = self.root / piece.path
        stamp = _stamp(path)
        if piece.path in self._open:
            file, before = self._open[piece.path]
            if stamp == before:
                self._open.move_to_end(piece.path)
                return file
            self._open.pop(piece.path)[0].close()
        try:
            size, digest = parquet.footer(path)
        except DataError as error:
            raise SourceChanged(f"{error}; it was there when the run began: {FRESH}") from None
        if (size, digest) != (piece.bytes, piece.pin):
            what = f"has {size:,} bytes, not {piece.bytes:,}" if size != piece.bytes else "has another footer"
            raise SourceChanged(f"{path} {what}: it changed since the run began; {FRESH}")
        file = parquet.opened(path, encoded)
        self._open[piece.path] = file, stamp
        if len(self._open) > OPEN_AT_ONCE:
            self._open.popitem(last=False)[1][0].close()
        return file


def _stamp(path: Path) -> Stamp:
    """What changes when a file is written to, or another takes its name; None where there is none."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_ino, about.st_size, about.st_mtime_ns
