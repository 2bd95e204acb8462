"""One text file among those of a source: its pieces parsed side by side, and flaws told with file and line."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fitscale.data.sources.listing import PLACE
from fitscale.data.sources.opening import WIDE, Bytes, compression
from fitscale.data.sources.text import records
from fitscale.data.sources.text.dialect import Dialect, as_read
from fitscale.data.sources.text.parsing import Flaw, HeaderAgain, NotEncoded, Ragged, Unfit, parsed
from fitscale.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK = 4 << 20
THREADS = 8
SPOT, SPOTS = 262_144, 15


class TextFile(NamedTuple):
    path: Path
    dialect: Dialect

    def opened(self, offset: int | None = None) -> Bytes:
        """The text from an offset on, by default from the first row."""
        return Bytes(self.path, self.dialect.start if offset is None else offset, self.dialect.encoding)

    def tables(
        self, kinds: Mapping[str, str] | None, missing: Sequence[str], size: int, offset: int | None = None
    ) -> Iterator[tuple[records.Block, pa.Table]]:
        """All rows, or those from the offset of a block on, block by block in order; some blocks are parsed ahead.

        Raises
        ------
        Unfit, NotEncoded
            A value that its column's kind does not hold, a byte that the encoding has no place for.
        DataError
            What is wrong whatever the kinds are: with the line and the next step.
        """
        threads = min(THREADS, len(os.sched_getaffinity(0)))
        ahead: deque[tuple[records.Block, Future[pa.Table]]] = deque()
        with self.opened(offset) as source, ThreadPoolExecutor(threads) as pool:
            try:
                for block in records.blocks(source, self.dialect.separator, size):
                    ahead.append((block, pool.submit(parsed, block.data, self.dialect, kinds, missing)))
                    if len(ahead) > threads:
                        yield self._done(*ahead.popleft())
                while ahead:
                    yield self._done(*ahead.popleft())
            finally:
                for _, future in ahead:
                    future.cancel()

    def _done(self, block: records.Block, future: Future[pa.Table]) -> tuple[records.Block, pa.Table]:
        try:
            return block, future.result()
        except (Ragged, HeaderAgain) as flaw:
            raise self.told(block, flaw) from None
        except Flaw as flaw:
            flaw.file, flaw.block = self, block
            raise

    def spots(self, missing: Sequence[str]) -> Iterator[tuple[records.Block, pa.Table]]:
        """A few stretches of rows from all over the file, as the parser sees them: what their columns may be.

        Of a file that cannot be entered in its middle, the first alone. A stretch that is no whole records (it may
        begin within quotes) is passed over.
        """
        size = self.path.stat().st_size
        whole = compression(self.path) or self.dialect.encoding in WIDE or size < SPOT * SPOTS
        for start in [0] if whole else [size * k // SPOTS for k in range(SPOTS)]:
            first = max(start, self.dialect.start)
            with self.opened(first) as source:
                text = source.read(BLOCK if whole else SPOT)
            begin = 0 if first == self.dialect.start else text.find(b"\n") + 1
            try:
                end = begin + records.last_end(text[begin:], self.dialect.separator)
            except records.Misquoted:
                continue
            if end == begin and whole:  # one line without its end
                end = len(text)
            if end > begin:
                block = records.Block(text[begin:end], first + begin)
                try:
                    yield block, parsed(block.data, self.dialect, None, missing)
                except Flaw:
                    continue

    def told(self, block: records.Block, flaw: Flaw) -> DataError:
        """What is wrong, with the line and the next step."""
        if isinstance(flaw, HeaderAgain | NotEncoded):
            line = records.line_of(self.opened(0), block.offset + flaw.row)
            if isinstance(flaw, HeaderAgain):
                return self._error(line, "is the header again, as where files were joined; take the line out")
            return self._error(
                line, f"is not in {self.dialect.encoding} (byte 0x{block.data[flaw.row]:02X}); say data.csv.encoding"
            )
        line, record = self.record(block, flaw.row)
        shown = record.decode(as_read(self.dialect.encoding), "replace").rstrip("\r\n")
        if isinstance(flaw, Unfit):
            return self._error(line, f"'{flaw.value}' in column '{flaw.column}'")
        assert isinstance(flaw, Ragged)
        columns = len(self.dialect.names)
        told = f"has {flaw.found} field{'s' * (flaw.found != 1)}, and there are {columns} columns: '{_short(shown)}'"
        if b"\n" in record.rstrip(b"\r\n"):
            until = line + record.rstrip(b"\r\n").count(b"\n")
            return self._error(line, f"{told}; a quote that opens here closes no earlier than line {until:,}: close it")
        return self._error(line, f"{told}; mend the line, or put in quotes what holds a delimiter")

    def record(self, block: records.Block, row: int) -> tuple[int, bytes]:
        """(number of the line, bytes) of a block's row."""
        skip = len(self.dialect.names) > 1
        at, record = records.record_at(block.data, self.dialect.separator, row, skip_empty=skip)
        return records.line_of(self.opened(0), block.offset + at), record

    def _error(self, line: int, problem: str) -> DataError:
        return DataError(f"{PLACE}: {self.path}, line {line:,}: {problem}")


def _short(text: str) -> str:
    text = text.replace("\n", " ")
    return text if len(text) <= 60 else text[:59] + "…"
