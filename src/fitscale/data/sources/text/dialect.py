"""How a text is written: encoding, delimiter, header. Seen from its beginning; what was assumed is said."""

from __future__ import annotations

import csv
import io
import re
from codecs import BOM_UTF8
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from fitscale.data.sources.listing import PLACE
from fitscale.data.sources.opening import WIDE, Bytes
from fitscale.data.sources.text import encodings
from fitscale.data.sources.text.records import record_at
from fitscale.errors import DataError, nearest
from fitscale.records.workload import Csv

HEAD = 262_144
LINES = 200
DELIMITERS = (",", ";", "\t", "|")
SPOKEN = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_DATUM = re.compile(r"\s*[-+]?(\d[\d.,]*|[.,]\d+)([eE][-+]?\d+)?\s*|\d{4}-\d\d-\d\d.*", re.ASCII)


class Dialect(NamedTuple):
    """``start`` is where the first row begins in the decompressed text; ``header`` the line of names, if there is one."""

    encoding: str
    delimiter: str
    names: tuple[str, ...]
    start: int
    header: bytes = b""
    assumed: tuple[str, ...] = ()

    @property
    def separator(self) -> bytes:
        return self.delimiter.encode()


def sniffed(path: Path, asked: Csv) -> Dialect:
    """How a file is written, as far as the workload does not say.

    Raises
    ------
    DataError
        If it has no names for its columns, or two of one name; or is no text.
    """
    said = encodings.begun(path)
    encoding = encodings.named(asked.encoding) if asked.encoding else said or "utf-8"
    encoding = said if encoding in WIDE and said in WIDE else encoding  # the mark says which of the two
    assumed: list[str] = []
    with Bytes(path, encoding=encoding) as source:
        head = source.read(HEAD)
    if not asked.encoding and not _is_utf8(head):
        encoding = encodings.other_than_utf8(path)
    if not asked.encoding and encoding not in ("utf-8", said):
        assumed.append(f"the encoding {encodings.SPOKEN[encoding]}, as it is not UTF-8")
    start = len(BOM_UTF8) if head.startswith(BOM_UTF8) else 0
    head = head[start:]
    if b"\x00" in head:
        raise DataError(f"{PLACE}: {path} is no text: it has bytes of 0; is it of the kind that its name says?")
    if b"\r" in head and b"\n" not in head:
        raise DataError(f"{PLACE}: {path} ends its lines with CR alone: convert them to LF")
    given = asked.delimiter
    hint = re.match(rb"sep=(.)\r?\n", head, re.IGNORECASE)  # a line that spreadsheets understand
    if hint is not None:
        start, head, given = start + hint.end(), head[hint.end() :], given or hint[1].decode("latin-1")
    text = head.decode(as_read(encoding), "replace")
    delimiter, sure = (given, True) if given else _delimiter(text, path.name)
    if not sure:
        assumed.append(f"{SPOKEN[delimiter]} between fields")
    at, line = record_at(head, delimiter.encode(), 0, skip_empty=True)
    first = next(
        csv.reader(io.StringIO(line.decode(as_read(encoding), "replace"), newline=""), delimiter=delimiter), []
    )
    if not any(field.strip() for field in first):
        raise DataError(f"{PLACE}: {path}, line 1: has no names of columns; say data.csv.header: [NAME, …]")
    if isinstance(asked.header, tuple):
        _check_names(asked.header, path)
        if len(asked.header) != len(first):
            raise DataError(
                f"data.csv.header: names {len(asked.header)} columns, and line 1 of {path} has {len(first)} fields"
            )
        return Dialect(encoding, delimiter, asked.header, start, b"", tuple(assumed))
    if asked.header is None and _is_data(first, text, delimiter):
        raise DataError(
            f"{PLACE}: {path}, line 1: '{delimiter.join(first)[:60]}' is like the rows below it, and no header; say "
            "data.csv.header: [NAME, …], or data.csv.header: true where these are names"
        )
    names = tuple(field.strip() for field in first)
    _check_names(names, path)
    return Dialect(encoding, delimiter, names, start + at + len(line), line.rstrip(b"\r\n"), tuple(assumed))


def as_read(encoding: str) -> str:
    """The encoding of what `Bytes` gives."""
    return "utf-8" if encoding in WIDE else encoding


def _is_utf8(head: bytes) -> bool:
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.end == len(head) and len(head) - error.start < 4 and error.reason == "unexpected end of data"
    return True


def _delimiter(text: str, name: str) -> tuple[str, bool]:
    """What stands between fields, and whether there is no doubt: the header's fields are those of most records."""
    best = (0.0, 0, ",")
    counts: list[str] = []
    for delimiter in DELIMITERS:
        records = _records(text, delimiter)
        n = len(records[0]) if records else 0
        if n < 2:
            continue
        share = sum(len(record) == n for record in records) / len(records)
        counts.append(delimiter)
        best = max(best, (share, n, delimiter))
    usual = "\t" if re.search(r"\.(tsv|tab)(\.|$)", name, re.IGNORECASE) else ","
    return (usual, True) if not counts else (best[2], best[2] == usual)


def _records(text: str, delimiter: str) -> list[list[str]]:
    found: list[list[str]] = []
    try:
        for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if record:
                found.append(record)
            if len(found) > LINES:
                break
    except csv.Error:  # a field that is longer than the module takes
        pass
    return found[:-1] if len(found) > 1 and not text.endswith("\n") else found


def _is_data(first: list[str], text: str, delimiter: str) -> bool:
    """Whether the first record has numbers or dates, in columns that have them throughout."""
    rows = _records(text, delimiter)[1:]
    if not any(_DATUM.fullmatch(field) for field in first):
        return False
    if not rows:
        return True

    def numeric(column: int) -> bool:
        values = [row[column] for row in rows if column < len(row) and row[column].strip()]
        return bool(values) and all(_DATUM.fullmatch(value) for value in values)

    return all(bool(_DATUM.fullmatch(field)) == numeric(k) for k, field in enumerate(first) if field.strip())


def _check_names(names: tuple[str, ...], path: Path) -> None:
    if empty := [k for k, name in enumerate(names, 1) if not name]:
        raise DataError(
            f"{PLACE}: {path}, line 1: column {empty[0]} of {len(names)} has no name; name it, or say data.csv.header: [NAME, …]"
        )
    if twice := [name for name, n in Counter(names).items() if n > 1]:
        raise DataError(f"{PLACE}: {path} has two columns named '{twice[0]}': rename one of them")


def same_names(first: Dialect, other: Dialect, one: Path, two: Path) -> None:
    """Files of one source have the same columns, in whatever order.

    Raises
    ------
    DataError
        Naming the first that one of them lacks.
    """
    for a, b, lacking in ((first, other, two), (other, first, one)):
        for name in a.names:
            if name not in b.names:
                raise DataError(
                    f"{PLACE}: {one} and {two} differ: {lacking.name} has no column '{name}'{nearest(name, b.names)}; "
                    "name a glob that matches only files of one kind, or write them alike"
                )
