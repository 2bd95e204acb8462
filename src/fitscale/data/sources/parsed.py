"""What files share that must be parsed, and so are staged: they are pinned, read in order, and counted by reading them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from fitscale.contracts import StartAgain
from fitscale.data.sources import listing, matching, schemas
from fitscale.data.sources.opening import pin, whole_digest
from fitscale.data.sources.where import parse
from fitscale.errors import SourceChanged
from fitscale.records.data import Piece, Snapshot

if TYPE_CHECKING:
    import pyarrow as pa


class ParsedFiles(ABC):
    """Files below ``root``, some rows of which ``where`` keeps. See `contracts.Source`, and there on what is staged."""

    name: ClassVar[str]
    root: Path
    paths: tuple[str, ...]
    where: str | None
    _keys: dict[str, Any]  # columns that the paths hold, with their types

    @abstractmethod
    def _schema(self) -> pa.Schema:
        """The columns as far as they are known, those of the path included."""

    @abstractmethod
    def _batches(self, index: int) -> Iterator[tuple[Any, pa.RecordBatch]]:
        """All rows of a file, with the block of bytes (``data``) that each batch was parsed from. May raise `StartAgain`."""

    def outline(self) -> Snapshot:
        """The columns as far as they are known, and what pins the files. No row is counted."""
        return self._snapshot([()] * len(self.paths))

    def digests(self) -> dict[str, str]:
        """Of all bytes of each file: looked at where only its time has changed."""
        return {path: whole_digest(self.root / path) for path in self.paths}

    def stream(self) -> Iterator[pa.RecordBatch]:
        """All rows of all files in order, parsed by several threads; see `contracts.Source`."""
        for index in range(len(self.paths)):
            for _, batch in self._batches(index):
                yield batch

    def snapshot(self) -> Snapshot:
        """As pinned, with the rows of each block: reads everything."""
        while True:
            try:
                parts = [
                    tuple((batch.num_rows, len(block.data)) for block, batch in self._batches(index))
                    for index in range(len(self.paths))
                ]
            except StartAgain:
                continue
            return self._snapshot(parts)

    def _snapshot(self, parts: Sequence[Sequence[tuple[int, int]]]) -> Snapshot:
        pieces = []
        for path, own in zip(self.paths, parts, strict=True):
            size, digest = pin(self.root / path)
            pieces.append(
                Piece(
                    path=path, bytes=size, pin=digest, parts=tuple(own), values=listing.hive_values(path),
                    modified=(self.root / path).stat().st_mtime,
                )
            )  # fmt: skip
        columns = tuple((field.name, str(field.type)) for field in self._schema())
        return Snapshot(source=self.name, root=str(self.root), columns=columns, pieces=tuple(pieces), where=self.where)

    def _check_pinned(self, pinned: Piece) -> None:
        path = self.root / pinned.path
        if pin(path) != (pinned.bytes, pinned.pin):
            raise SourceChanged(
                f"{path}: it changed since the run began; put the file back as it was, or train anew with --fresh"
            )

    def _of_path(self, index: int, rows: int) -> dict[str, pa.Array]:
        """The columns that the path of a file holds, for so many rows."""
        import pyarrow as pa

        keys = schemas.Keys.of(listing.hive_values(self.paths[index]), lambda key: self._keys[key] == pa.int64())
        return {key: keys.repeated(key, rows) for key in self._keys}

    def _filtered(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        return batch.filter(matching.mask(parse(self.where), batch)) if self.where else batch
