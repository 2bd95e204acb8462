"""A text cut into blocks of whole records, so that blocks can be parsed side by side.

A quote opens a field only at the field's start, as in the parser; inside it, line ends are part of the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from fitscale.data.sources.listing import PLACE
from fitscale.data.sources.opening import Bytes
from fitscale.errors import DataError

LONGEST = 64 << 20  # a record's bytes: so much is held at once where a quote does not close
QUOTE = 0x22
_QUOTED = re.compile(rb'"(?>[^"]*(?:""[^"]*)*)"')


class Misquoted(Exception):
    """A quote opens at ``at``, takes in the end of a line, and closes before other text: it was not to open."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


class Block(NamedTuple):
    data: bytes
    offset: int  # of its first byte, in the decompressed text


def blocks(source: Bytes, delimiter: bytes, size: int) -> Iterator[Block]:
    """All that the source still has, in blocks of about ``size`` bytes.

    Raises
    ------
    DataError
        If a quote does not close, or closes too late: where it opens.
    """
    held, offset = b"", source.given
    while chunk := source.read(size):
        held = held + chunk if held else chunk
        try:
            end = last_end(held, delimiter)
        except Misquoted as flaw:
            line = line_of(source.again(), offset + flaw.at)
            raise DataError(
                f"{PLACE}: {source.path}, line {line:,}: the quote that opens here closes on a later line, before other "
                'text; close it, or write "" for a quote within quotes'
            ) from None
        if end:
            yield Block(held[:end], offset)
            held, offset = held[end:], offset + end
        elif len(held) > LONGEST:
            raise _open_ended(source, held, offset, delimiter, f"within {LONGEST >> 20} MB")
    if held:
        if _unclosed(held, delimiter) is not None:
            raise _open_ended(source, held, offset, delimiter, "before the end of the file")
        yield Block(held, offset)


def last_end(text: bytes, delimiter: bytes) -> int:
    """Where the last whole record of a text ends that begins with a record; 0 if none does.

    Raises
    ------
    Misquoted
    """
    if b'"' not in text:
        return text.rfind(b"\n") + 1
    quotes = np.flatnonzero(np.frombuffer(text, np.uint8) == QUOTE)
    if not _paired(text, quotes, delimiter):
        return _walked(text, delimiter)
    stop, last = len(text), len(quotes)
    while True:
        if last % 2:  # the last of them opens a field that does not close: no record ends after it
            last -= 1
            stop = int(quotes[last])
        end = text.rfind(b"\n", 0, stop)
        if end < 0:
            return 0
        if last == 0 or end > quotes[last - 1]:
            return end + 1
        last -= 1  # it lies within the quotes, or before them


def _paired(text: bytes, quotes: np.ndarray, delimiter: bytes) -> bool:
    """Whether every other quote opens and the next one closes, as where no quote stands within an unquoted field."""
    data = np.frombuffer(text, np.uint8)
    opens, closes = quotes[0::2], quotes[1::2]
    before = np.where(opens > 0, data[opens - 1], 0x0A)
    after = np.where(closes < len(data) - 1, data[np.minimum(closes + 1, len(data) - 1)], 0x0A)
    edges = np.array([delimiter[0], 0x0A, 0x0D, QUOTE], np.uint8)
    return bool(np.isin(before, edges).all() and np.isin(after, edges).all())


def pattern_of(delimiter: bytes) -> re.Pattern[bytes]:
    """One whole record with its end, from its start."""
    field = _field(delimiter)
    return re.compile(rb"%b(?:%b%b)*(?:\n|\Z)" % (field, re.escape(delimiter), field))


def _walked(text: bytes, delimiter: bytes) -> int:
    """As `last_end`, record by record: slow, and exact whatever stands in unquoted fields."""
    record, field = pattern_of(delimiter), re.compile(_field(delimiter))
    at = 0
    while at < len(text) and (found := record.match(text, at)) and found.group().endswith(b"\n"):
        if text.find(b"\n", at, found.end() - 1) >= 0:
            _check_quotes(text, at, found.end() - 1, field)
        at = found.end()
    return at


def _check_quotes(text: bytes, at: int, stop: int, field: re.Pattern[bytes]) -> None:
    while at < stop and (found := field.match(text, at)):
        quoted = _QUOTED.match(text, at)
        if quoted and b"\n" in quoted.group() and text[quoted.end() : found.end()].strip(b"\r"):
            raise Misquoted(at)
        at = found.end() + 1


def _unclosed(text: bytes, delimiter: bytes) -> int | None:
    """Where the record begins that has a quote which does not close."""
    record = pattern_of(delimiter)
    at = 0
    while at < len(text):
        found = record.match(text, at)
        if found is None:
            return at
        at = found.end()
    return None


def record_at(text: bytes, delimiter: bytes, number: int, *, skip_empty: bool) -> tuple[int, bytes]:
    """(offset, bytes) of the number-th record of a block, from 0."""
    record = pattern_of(delimiter)
    at = seen = 0
    while at < len(text) and (found := record.match(text, at)):
        own = found.group()
        if not (skip_empty and not own.strip(b"\r\n")):
            if seen == number:
                return at, own
            seen += 1
        at = found.end()
    return at, text[at:]


def line_of(start: Bytes, offset: int) -> int:
    """The number of the line that holds a byte, from 1. Reads the text from its start, and closes it."""
    lines = 1
    with start:
        while start.given < offset:
            lines += start.read(min(4 << 20, offset - start.given)).count(b"\n")
    return lines


def _open_ended(source: Bytes, held: bytes, offset: int, delimiter: bytes, until: str) -> DataError:
    at = _unclosed(held, delimiter)
    if at is None:
        line = line_of(source.again(), offset)
        return DataError(f"{PLACE}: {source.path}, line {line:,}: is longer than {LONGEST >> 20} MB; is it text?")
    field = re.compile(_field(delimiter))
    while found := field.match(held, at):  # from the record's start to the field that does not close
        at = found.end() + 1
    return DataError(
        f"{PLACE}: {source.path}, line {line_of(source.again(), offset + at):,}: the quote that opens here does not "
        f'close {until}; close it, or write "" for a quote within quotes'
    )


def _field(delimiter: bytes) -> bytes:
    d = re.escape(delimiter)
    return rb'(?:"(?>[^"]*(?:""[^"]*)*)"[^%b\n]*|(?!")[^%b\n]*)' % (d, d)
