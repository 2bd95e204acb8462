"""Files of one JSON object a line: ``jsonl://events.jsonl``, ``jsonl://folder`` or ``jsonl://folder/2026-*.jsonl``.

A unit of reading is about a megabyte of whole lines. The types of the columns are those that all lines of all files
agree on; a key that a line lacks is null there.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from fitscale.errors import DataError, SourceChanged, WorkloadError
from fitscale.records.data import Piece, Snapshot

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.records.workload import DataSpec

UNIT_BYTES = 1 << 20


class JsonLines:
    """See `fitscale.contracts.Source`."""

    name: ClassVar[str] = "jsonlines"
    schemes: ClassVar[tuple[str, ...]] = ("jsonl",)
    needs: ClassVar[tuple[str, ...]] = ("pyarrow",)
    stable: ClassVar[bool] = True  # files read again identically: nothing has to be staged

    def __init__(self, root: Path, paths: Sequence[Path]) -> None:
        self.root = root
        self.paths = tuple(paths)
        self._held_to: dict[str, str] = {}  # path → the pin that its contents were held to

    @classmethod
    def open(cls, data: DataSpec) -> Self:
        if data.where:
            raise WorkloadError("data.where", "jsonl takes no filter: leave it out, or write the rows to Parquet")
        asked = Path(data.base, data.uri.partition("://")[2])
        root = asked if asked.is_dir() else asked.parent
        found = [asked] if asked.is_file() else sorted(root.glob("*.jsonl" if asked.is_dir() else asked.name))
        if not found:
            raise DataError(f"data.uri: {asked}: no such file; name a .jsonl file, a folder of them or a glob")
        return cls(root, found)

    def snapshot(self) -> Snapshot:
        import pyarrow as pa

        schemas: list[pa.Schema] = []
        pieces: list[Piece] = []
        for path in self.paths:
            digest, parts = hashlib.sha256(), []
            for raw in _units(path):
                table = _parsed(raw, path)
                digest.update(raw)
                parts.append((table.num_rows, len(raw)))
                schemas.append(table.schema)
            name, size = path.relative_to(self.root).as_posix(), sum(size for _, size in parts)
            if parts:
                pieces.append(Piece(path=name, bytes=size, pin=digest.hexdigest()[:16], parts=tuple(parts)))
        if not pieces:
            raise DataError(f"data.uri: {self.root}: the files have no rows; name others")
        try:
            schema = pa.unify_schemas(schemas, promote_options="permissive")
        except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
            raise DataError(
                f"data.uri: {self.root}: lines differ in the type of a key ({error}); write it alike"
            ) from None
        columns = tuple((field.name, str(field.type)) for field in schema)
        return Snapshot(source=self.name, root=str(self.root), columns=columns, pieces=tuple(pieces))

    def read(
        self, snapshot: Snapshot, piece: int, part: int, columns: Sequence[str], batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        pinned = snapshot.pieces[piece]
        path = self.root / pinned.path
        self._hold(path, pinned.pin)
        start = sum(size for _, size in pinned.parts[:part])
        with open(path, "rb") as file:
            file.seek(start)
            raw = file.read(pinned.parts[part][1])
        schema = pa.schema([(name, pa.type_for_alias(type)) for name, type in snapshot.columns])
        yield from (
            _parsed(raw, path, schema).select(list(columns)).combine_chunks().to_batches(max_chunksize=batch_rows)
        )

    def _hold(self, path: Path, pin: str) -> None:
        """Refuse a file that is no longer what the snapshot pinned; looked at once by each object."""
        if self._held_to.get(str(path)) == pin:
            return
        try:
            now = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        except OSError:
            now = "gone"
        if now != pin:
            raise SourceChanged(f"{path}: is {now}, was {pin} when the run began; put it back, or train with --fresh")
        self._held_to[str(path)] = pin


def _units(path: Path) -> Iterator[bytes]:
    """The file in pieces of whole lines, of UNIT_BYTES and the rest of a line."""
    with open(path, "rb") as file:
        while raw := file.read(UNIT_BYTES):
            yield raw + file.readline()


def _parsed(raw: bytes, path: Path, schema: Any = None) -> pa.Table:
    import pyarrow as pa
    import pyarrow.json as json

    try:
        return json.read_json(
            io.BytesIO(raw),
            read_options=json.ReadOptions(
                use_threads=False, block_size=len(raw) + 1
            ),  # threads and forks do not go together
            parse_options=json.ParseOptions(explicit_schema=schema),
        )
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(f"data.uri: {path}: {error}; each line is to be one JSON object") from None
