"""From a key to a model's bytes: the version's index and its payload files."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fitscale.errors import DataError, UsageError
from fitscale.records.run import Manifest
from fitscale.store import chunks, trust, versions

if TYPE_CHECKING:
    import pyarrow as pa


CUT_OFF = "is shorter than the version's index says: it was cut off"


class Entry(NamedTuple):
    key: tuple[Any, ...]
    status: str
    why: str
    file: str
    offset: int
    length: int


class Index:
    """The index of one version, in memory: keys and places, not models."""

    def __init__(self, run: Path, version: int) -> None:
        import pyarrow.parquet as pq

        self.run = run
        self.version = version
        self.manifest: Manifest = versions.manifest(run, version)
        path = run / "versions" / str(version) / "index.parquet"
        try:
            self.table: pa.Table = pq.read_table(path, use_threads=False, memory_map=True)
        except (OSError, ValueError) as error:
            raise _damaged(path, f"cannot be read ({str(error).splitlines()[0]})") from error
        self._rows: dict[tuple[Any, ...], int] | None = None
        self._checked: set[str] = set()

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def rows(self) -> dict[tuple[Any, ...], int]:
        """From key to row of the table."""
        if self._rows is None:
            columns = [self.table.column(name).to_pylist() for name in self.manifest.groups]
            keys = zip(*columns, strict=True) if columns else [()]
            self._rows = {key: i for i, key in enumerate(keys)}
        return self._rows

    def entry(self, row: int) -> Entry:
        record = self.table.slice(row, 1).to_pylist()[0]
        key = tuple(record[name] for name in self.manifest.groups)
        file = self.manifest.payloads[record["file"]] if record["file"] is not None and record["file"] >= 0 else ""
        return Entry(key, record["status"], record["why"] or "", file, record["offset"], record["length"])

    def find(self, key: tuple[Any, ...]) -> Entry:
        """The entry of a key.

        Raises
        ------
        UsageError
            If the version knows no such group.
        """
        row = self._searched(key) if self._rows is None else self._rows.get(key)
        if row is None:
            shown = ", ".join(f"{name}={value!r}" for name, value in zip(self.manifest.groups, key, strict=False))
            raise UsageError(f"{self.run}: version {self.version} has no model for {shown or key}")
        return self.entry(row)

    def _searched(self, key: tuple[Any, ...]) -> int | None:
        """The row of one key: rows are in key order, so that twenty looks find one of a million."""
        if len(key) != len(self.manifest.groups):
            return None
        low, high = 0, len(self)
        try:
            for name, value in zip(self.manifest.groups, key, strict=True):
                column, wanted = self.table.column(name), _placed(value)

                def at(row: int, column: Any = column) -> tuple[int, Any]:
                    return _placed(column[row].as_py())

                low = bisect_left(range(high), wanted, low, high, key=at)
                high = bisect_right(range(high), wanted, low, high, key=at)
        except TypeError:  # text where numbers are
            return None
        return low if low < high else None

    def each(self, *, pickles: bool, trusted: bool) -> Iterator[tuple[int, tuple[Any, ...], bytes]]:
        """(row of the table, key, bytes) of each model, in key order: every payload file is read once. Raises as `payload`."""
        import pyarrow.compute as pc

        names = list(self.manifest.groups)
        rows = pc.indices_nonzero(pc.equal(self.table.column("status"), "fitted"))
        there = self.table.select([*names, "file", "offset", "length"]).take(rows)
        columns = [there.column(name).to_pylist() for name in names]
        keys: Iterable[tuple[Any, ...]] = zip(*columns, strict=True) if columns else iter([()] * len(rows))
        places = zip(*(there.column(name).to_pylist() for name in ("file", "offset", "length")), strict=True)
        files: dict[int, bytes] = {}
        for row, key, (file, offset, length) in zip(rows.to_pylist(), keys, places, strict=True):
            if file not in files:
                name = self.manifest.payloads[file]
                files = {file: chunks.kept(self.run, name).read_bytes()}  # in key order, one after the other
                if pickles:
                    trust.check(self.run, name, files[file], trust=trusted)
            payload = files[file][offset : offset + length]
            if len(payload) < length:
                raise _damaged(self.run / "models" / self.manifest.payloads[file], CUT_OFF)
            yield row, key, payload

    def payload(self, entry: Entry, *, pickles: bool, trusted: bool) -> bytes:
        """A model's bytes.

        Raises
        ------
        Untrusted
            If loading them could run code that somebody else wrote.
        UsageError
            If the group has no model.
        DataError
            If the file was cut off.
        """
        if entry.status != "fitted":
            raise UsageError(f"{self.run}: the group {entry.key} has no model: it is {entry.status} ({entry.why})")
        path = chunks.kept(self.run, entry.file)
        if pickles and entry.file not in self._checked:
            # Once for each payload file: the signature covers all of it.
            trust.check(self.run, entry.file, path.read_bytes(), trust=trusted)
            self._checked.add(entry.file)
        with open(path, "rb") as file:
            file.seek(entry.offset)
            payload = file.read(entry.length)
        if len(payload) < entry.length:
            raise _damaged(path, CUT_OFF)
        return payload


def _damaged(path: Path, how: str) -> DataError:
    return DataError(
        f"{path}: {how}; put it back, or train anew with --fresh; 'fitscale doctor' looks at all of a run's files"
    )


def _placed(value: Any) -> tuple[int, Any]:
    """What sorts as keys are sorted: NaN after numbers, null after all."""
    if value is None:
        return 2, 0
    return (1, 0) if value != value else (0, value)
