"""CSV and TSV files: one, a folder of them, a glob, ``key=value`` folders; plain, gzip or zstd.

Text has no types: they are settled over all rows of all files. A look at parts of the files says what the columns
probably are; where a later row shows otherwise, the rest is looked at too, and reading begins again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from fitscale.contracts import Part, StartAgain
from fitscale.data.sample import drawn
from fitscale.data.sources import listing, matching
from fitscale.data.sources.opening import WIDE, compression
from fitscale.data.sources.parsed import ParsedFiles
from fitscale.data.sources.text import encodings, settling
from fitscale.data.sources.text import kinds as K
from fitscale.data.sources.text.dialect import same_names, sniffed
from fitscale.data.sources.text.files import BLOCK, TextFile
from fitscale.data.sources.text.parsing import MISSING, Flaw, NotEncoded, Unfit, parsed
from fitscale.data.sources.text.records import Block
from fitscale.data.sources.where import parse
from fitscale.records.workload import Csv

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.records.data import Snapshot
    from fitscale.records.workload import DataSpec


class Text(ParsedFiles):
    """Delimited text on disk. See `contracts.Source`, and there on what is staged.

    Attributes
    ----------
    expects
        Arrow types that columns are known to have, by the model that they are read for: a column of text stays text
        though all of its values are numbers this time.
    """

    name: ClassVar[str] = "text"
    schemes: ClassVar[tuple[str, ...]] = ("", "file")
    suffixes: ClassVar[tuple[str, ...]] = tuple(
        f".{kind}{packed}" for kind in ("csv", "tsv", "tab") for packed in ("", ".gz", ".zst")
    )
    takes: ClassVar[tuple[str, ...]] = ("csv",)
    needs: ClassVar[tuple[str, ...]] = ()
    stable: ClassVar[bool] = False

    def __init__(self, path: Path, where: str | None = None, asked: Csv = Csv()) -> None:  # noqa: B008 (frozen)
        self.root, self.paths = listing.listed(path, self.suffixes, "CSV")
        self.where, self.asked = where, asked
        self.missing = asked.missing or MISSING
        self.expects: Mapping[str, str] = {}
        values = {path: listing.hive_values(path) for path in self.paths}
        self._keys = listing.hive_types(values)
        self._files = [TextFile(self.root / path, sniffed(self.root / path, asked)) for path in self.paths]
        for file in self._files[1:]:
            same_names(self._files[0].dialect, file.dialect, self._files[0].path, file.path)
        self._settled: settling.Settled | None = None
        self._guessed: settling.Settled | None = None
        self._texts: dict[str, str] = {}  # columns whose joined kind did not hold each value after all: where

    @classmethod
    def open(cls, data: DataSpec) -> Self:
        if data.where:
            parse(data.where)
        return cls(listing.locate(data.uri, data.base), data.where, data.csv)

    @property
    def assumed(self) -> tuple[str, ...]:
        """What reading rests on beyond what was said, in words."""
        said = [told for file in self._files for told in file.dialect.assumed]
        notes = (self._settled or self._guess()).notes
        texts = [f"column '{name}' as text: {where}" for name, where in self._texts.items()]
        return tuple(dict.fromkeys([*said, *self._decided()[1], *notes, *texts]))

    def sample(self) -> Part | None:
        """Stretches of large files, typed as they show it; see `contracts.Source`."""
        size = sum((self.root / path).stat().st_size for path in self.paths)
        entered = all(not compression(file.path) and file.dialect.encoding not in WIDE for file in self._files)
        if size < SAMPLE_WORTH or not entered:
            return None
        indices = range(0, len(self._files), max(1, len(self._files) // settling.FILES))
        read = [0]

        def stretches() -> Iterator[pa.RecordBatch]:
            kinds = self._decided()[0]
            for index in indices:
                file = self._files[index]
                own = {name: kinds[name] for name in file.dialect.names}
                for block, _ in file.spots(self.missing):
                    try:
                        table = parsed(block.data, file.dialect, own, self.missing)
                    except (Unfit, NotEncoded):
                        continue  # staging settles what it is
                    read[0] += len(block.data)
                    yield self._kept(index, table)

        def rows(found: int) -> tuple[float, float, float]:
            number = found * size / max(1, read[0])
            return number, max(found, number / SAMPLE_ERROR), number * SAMPLE_ERROR

        return Part(
            stretches(), rows, f"parts of {size / 1e9:.1f} GB of text in {len(self.paths):,} files", SAMPLE_FASTER
        )

    def peek(self, rows: int, seed: int) -> Iterator[pa.RecordBatch]:
        """About so many rows, a seeded part of each stretch that the guess of the columns' types has looked at."""
        kinds = self._decided()[0]
        found: list[pa.RecordBatch] = []
        for index, file in list(enumerate(self._files))[:: max(1, len(self._files) // settling.FILES)]:
            own = {name: kinds[name] for name in file.dialect.names}
            for block, _ in file.spots(self.missing):
                with suppress(Flaw):
                    found.append(self._kept(index, parsed(block.data, file.dialect, own, self.missing)))
        # Where no stretch could be read, what is wrong is said by reading in order.
        yield from drawn(found or self._beginning(rows), rows, seed)

    def _beginning(self, rows: int) -> list[pa.RecordBatch]:
        while True:
            found: list[pa.RecordBatch] = []
            try:
                for batch in self.stream():
                    found.append(batch)
                    if sum(each.num_rows for each in found) >= rows:
                        break
                return found
            except StartAgain:
                continue

    def read(
        self, snapshot: Snapshot, piece: int, part: int, columns: Sequence[str], batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        pinned = snapshot.pieces[piece]
        file = self._files[piece]
        self._check_pinned(pinned)
        if self._settled is None:
            self._settle()
        before = sum(size for _, size in pinned.parts[:part])
        with file.opened(file.dialect.start + before) as source:
            block = Block(source.read(pinned.parts[part][1]), file.dialect.start + before)
        kinds = self._decided()[0]
        table = parsed(block.data, file.dialect, {name: kinds[name] for name in file.dialect.names}, self.missing)
        batch = self._kept(piece, table).select(list(columns))
        for start in range(0, batch.num_rows, batch_rows):
            yield batch.slice(start, batch_rows)

    def _schema(self) -> pa.Schema:
        import pyarrow as pa

        own = [(name, K.arrow_type(kind)) for name, kind in self._decided()[0].items() if name not in self._keys]
        schema = pa.schema([*own, *self._keys.items()])
        if self.where:
            matching.check(parse(self.where), schema)
        return schema

    def _batches(self, index: int) -> Iterator[tuple[Block, pa.RecordBatch]]:
        file = self._files[index]
        kinds = self._decided()[0]
        own = {name: kinds[name] for name in file.dialect.names}
        try:
            for block, table in file.tables(own, self.missing, BLOCK_BYTES):
                yield block, self._kept(index, table)
        except Unfit as flaw:
            if self._settled is None:
                # What was parsed so far fits the guess, and the guess is never too wide: the rest can tell.
                self._settle(index, flaw.block.offset)
            else:  # such as 0x1F beside 0.5, or 1.5 beside 3,14: no kind of number holds both
                line, _ = file.record(flaw.block, flaw.row)
                self._texts[flaw.column] = f"line {line:,} of {file.path.name} has '{flaw.value}'"
            raise StartAgain from None
        except NotEncoded as flaw:
            self._other_encoding(flaw)
            raise StartAgain from None

    def _settle(self, index: int = 0, offset: int | None = None) -> None:
        while True:
            try:
                rest = self._files[index:]
                self._settled = settling.Settled.over(rest, self.missing, BLOCK_BYTES, self._guess(), offset)
                return
            except NotEncoded as flaw:
                self._other_encoding(flaw)

    def _other_encoding(self, flaw: NotEncoded) -> None:
        """The file is not in the encoding that its beginning is in."""
        file: TextFile = flaw.file
        if self.asked.encoding or file.dialect.encoding == "latin-1":
            raise file.told(flaw.block, flaw)
        encoding = encodings.other_than_utf8(file.path)
        told = f"the encoding {encodings.SPOKEN[encoding]}, as it is not UTF-8"
        dialect = file.dialect._replace(encoding=encoding, assumed=(*file.dialect.assumed, told))
        self._files[self._files.index(file)] = file._replace(dialect=dialect)

    def _guess(self) -> settling.Settled:
        if self._guessed is None:
            self._guessed = settling.Settled.guessed(self._files, self.missing)
        return self._guessed

    def _decided(self) -> tuple[dict[str, str], list[str]]:
        """What the columns are read as by what is known so far, and a word on what that assumes."""
        first = self._files[0].dialect
        if self._settled is None:
            read_as = settling.resolved(self._guess().kinds, first.delimiter, self.asked.decimal)
            if "any" in read_as.values():
                self._settle()  # only other rows can tell
        found = (self._settled or self._guess()).kinds
        known = {name: K.TEXT if name in self._texts else found.get(name, "null") for name in first.names}
        return settling.decided(known, first.delimiter, self.asked.decimal, self.expects)

    def _kept(self, index: int, table: pa.Table) -> pa.RecordBatch:
        """The rows that the filter keeps, with the columns of the path, in the order of the first file."""
        import pyarrow as pa

        names = [name for name in self._files[0].dialect.names if name not in self._keys]
        arrays = {name: _one(table.column(name)) for name in names}
        return self._filtered(pa.record_batch(arrays | self._of_path(index, table.num_rows)))


BLOCK_BYTES = BLOCK
SAMPLE_WORTH = 512 << 20  # bytes: below, all of it is staged in a few seconds, and `train` has it then
SAMPLE_ERROR = 1.2  # of the number of rows
SAMPLE_FASTER = 3.0  # several threads, and a stretch is parsed twice: measured 3.0 on two cores


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
