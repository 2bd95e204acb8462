"""svmlight files: one, a folder of them, a glob, ``key=value`` folders; plain, gzip or zstd.

They have two columns here: ``label``, and ``x``, whose values are sparse vectors: lists of index and value. Indices are
kept as they are written. Where they begin at 1, column 0 is one that no row has, which costs nothing; so a file whose
rows happen to have no index 0 means the same columns as the others.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self

import numpy as np

from fitscale.contracts import StartAgain
from fitscale.data.sources import listing, matching
from fitscale.data.sources.opening import Bytes
from fitscale.data.sources.parsed import ParsedFiles
from fitscale.data.sources.svmlight.parsing import Odd, Rows, parsed
from fitscale.data.sources.where import parse
from fitscale.data.vectors import vector_type
from fitscale.errors import DataError
from fitscale.records.workload import SvmLightFiles

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.records.data import Snapshot
    from fitscale.records.workload import DataSpec

LABEL, VECTOR = "label", "x"
BLOCK_BYTES = 4 << 20
LONGEST = 256 << 20  # a line's bytes
THREADS = 8
WHOLE = 2.0**53  # labels beyond are no whole numbers that a double holds


class Block(NamedTuple):
    """Whole lines: where they begin in the decompressed text, and the number of the first."""

    data: bytes
    offset: int
    line: int


class SvmLight(ParsedFiles):
    """See `contracts.Source`, and there on what is staged."""

    name: ClassVar[str] = "svmlight"
    schemes: ClassVar[tuple[str, ...]] = ("", "file")
    suffixes: ClassVar[tuple[str, ...]] = tuple(
        f".{kind}{packed}" for kind in ("svm", "svmlight", "libsvm") for packed in ("", ".gz", ".zst")
    )
    takes: ClassVar[tuple[str, ...]] = ("svmlight",)
    needs: ClassVar[tuple[str, ...]] = ()
    stable: ClassVar[bool] = False

    def __init__(self, path: Path, where: str | None, asked: SvmLightFiles) -> None:
        self.root, self.paths = listing.listed(path, self.suffixes, "svmlight")
        self.where = where
        self._least = 1 if asked.zero_based is False else 0
        self._said = asked.zero_based is not None
        values = {path: listing.hive_values(path) for path in self.paths}
        self._keys = listing.hive_types(values)
        self._fractions = False  # among the labels, as far as they were seen
        self._first: dict[str, int] = {}  # smallest index, by file
        self._qid = False
        if self.where:
            matching.check(parse(self.where), self._schema())

    @classmethod
    def open(cls, data: DataSpec) -> Self:
        return cls(listing.locate(data.uri, data.base), data.where, data.svmlight)

    @property
    def assumed(self) -> tuple[str, ...]:
        """What reading rests on beyond what was said, in words."""
        told = []
        begins = sorted(set(self._first.values()))
        if begins and not self._said and begins[0] > 0:
            told.append("indices as they are written: no row has index 0, as where they begin at 1")
        elif begins and not self._said and begins[-1] > 0:
            other = next(path for path, first in self._first.items() if first > 0)
            told.append(f"indices as they are written: some files have index 0, {other} has none")
        if self._qid:
            told.append("qid passed over, as ranking is not offered")
        return tuple(told)

    def read(
        self, snapshot: Snapshot, piece: int, part: int, columns: Sequence[str], batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        pinned = snapshot.pieces[piece]
        self._check_pinned(pinned)
        self._fractions = dict(snapshot.columns)[LABEL] == "double"
        before = sum(size for _, size in pinned.parts[:part])
        with Bytes(self.root / pinned.path, before) as source:
            rows = parsed(source.read(pinned.parts[part][1]), self._least)
        batch = self._kept(piece, rows).select(list(columns))
        for start in range(0, batch.num_rows, batch_rows):
            yield batch.slice(start, batch_rows)

    def _schema(self) -> pa.Schema:
        import pyarrow as pa

        label = pa.float64() if self._fractions else pa.int64()
        return pa.schema([(LABEL, label), (VECTOR, vector_type()), *self._keys.items()])

    def _batches(self, index: int) -> Iterator[tuple[Block, pa.RecordBatch]]:
        path = self.paths[index]
        for block, rows in self._parsed(self.root / path):
            self._qid |= rows.qid
            if (first := rows.first) is not None:
                self._first[path] = min(first, self._first.get(path, first))
            if not self._fractions and not _whole(rows.label):
                self._fractions = True
                raise StartAgain
            yield block, self._kept(index, rows)

    def _parsed(self, path: Path) -> Iterator[tuple[Block, Rows]]:
        """All rows of a file, block by block in order; some blocks are parsed ahead."""
        threads = min(THREADS, len(os.sched_getaffinity(0)))
        ahead: deque[tuple[Block, Future[Rows]]] = deque()
        with Bytes(path) as source, ThreadPoolExecutor(threads) as pool:
            try:
                for block in _blocks(source, BLOCK_BYTES):
                    ahead.append((block, pool.submit(parsed, block.data, self._least)))
                    if len(ahead) > threads:
                        yield _done(path, *ahead.popleft())
                while ahead:
                    yield _done(path, *ahead.popleft())
            finally:
                for _, future in ahead:
                    future.cancel()

    def _kept(self, index: int, rows: Rows) -> pa.RecordBatch:
        """The rows that the filter keeps, with the columns of the path."""
        import pyarrow as pa

        schema = self._schema()
        pairs = schema.field(VECTOR).type.value_type
        struct = pa.StructArray.from_arrays([pa.array(rows.indices), pa.array(rows.values)], fields=list(pairs))
        vectors = pa.ListArray.from_arrays(pa.array(rows.starts), struct, type=vector_type())
        arrays = [pa.array(rows.label).cast(schema.field(LABEL).type), vectors]
        arrays += self._of_path(index, len(rows.label)).values()
        return self._filtered(pa.RecordBatch.from_arrays(arrays, schema=schema))


def _done(path: Path, block: Block, future: Future[Rows]) -> tuple[Block, Rows]:
    try:
        return block, future.result()
    except Odd as odd:
        raise DataError(f"{listing.PLACE}: {path}, line {block.line + odd.line:,}: {odd.problem}") from None


def _blocks(source: Bytes, size: int) -> Iterator[Block]:
    """Blocks of whole lines, of about ``size`` bytes.

    Raises
    ------
    DataError
        If a line is too long to be one.
    """
    held, offset, line = b"", 0, 1
    while chunk := source.read(size):
        held = held + chunk if held else chunk
        end = held.rfind(b"\n") + 1
        if end:
            yield Block(held[:end], offset, line)
            line += held.count(b"\n", 0, end)
            held, offset = held[end:], offset + end
        elif len(held) > LONGEST:
            raise DataError(
                f"{listing.PLACE}: {source.path}, line {line:,}: is longer than {LONGEST >> 20} MB; is it an svmlight file?"
            )
    if held:
        yield Block(held, offset, line)


def _whole(label: np.ndarray) -> bool:
    return bool(((label == np.floor(label)) & (np.abs(label) < WHOLE)).all())
