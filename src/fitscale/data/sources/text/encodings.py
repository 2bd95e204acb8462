"""In which encoding a text is: UTF-8 unless its bytes say otherwise, and never two in one file."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from fitscale.data.sources.listing import PLACE
from fitscale.data.sources.opening import WIDE, Bytes
from fitscale.errors import DataError, WorkloadError

BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
SPOKEN = {"utf-8": "UTF-8", "cp1252": "Windows-1252", "latin-1": "Latin-1"}
_FOREIGN = re.compile(rb"[^\n]*[\x80-\xff][^\n]*")
# Letters with accents and typographic signs as UTF-8 has them; as Windows-1252 they would be 'Ã¤', 'Â°', 'â€œ'.
_MARKS = re.compile(rb"\xc3[\x80-\xbf]|\xc2[\xa0-\xbf]|\xe2\x80[\x80-\xbf]|\xe2\x82\xac")


def begun(path: Path) -> str:
    """The encoding that the file's first bytes say; '' if they say nothing."""
    with Bytes(path) as source:
        head = source.read(4)
    for mark, encoding in BOMS.items():
        if head.startswith(mark):
            return encoding
    if len(head) == 4 and 0 in head[:2]:
        return "utf-16-le" if head[1] == 0 else "utf-16-be"
    return ""


def named(encoding: str) -> str:
    """The name under which Python and we know an encoding that the workload names.

    Raises
    ------
    WorkloadError
        At data.csv.encoding, if it is none, or one in which line ends and delimiters are not single bytes.
    """
    try:
        name = codecs.lookup(encoding).name
        plain = '\n\r",;|\t'.encode(name) == b'\n\r",;|\t'
    except (LookupError, UnicodeError):
        told = f"'{encoding}' is no encoding; say utf-8, cp1252, latin-1 or utf-16"
        raise WorkloadError("data.csv.encoding", told) from None
    name = {"iso8859-1": "latin-1", "utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(name, name)
    if not plain and name not in WIDE and name != "utf-8":
        raise WorkloadError("data.csv.encoding", f"text in '{encoding}' cannot be read; convert it to utf-8")
    return name


def other_than_utf8(path: Path) -> str:
    """The encoding of a file that is not all UTF-8: cp1252, or latin-1 where bytes have no place in that.

    Raises
    ------
    DataError
        If some lines are UTF-8 and others are not: the first of each.
    """
    utf8: tuple[int, str] | None = None
    foreign: tuple[int, int] | None = None
    undefined = False
    line, rest = 1, b""
    with Bytes(path) as source:
        while chunk := source.read(4 << 20):
            text, _, rest_ = (rest + chunk).rpartition(b"\n")
            if not text and len(rest_) < (64 << 20):
                rest = rest_
                continue
            seen = _look(text + b"\n", line)
            utf8, foreign, undefined = utf8 or seen[0], foreign or seen[1], undefined or seen[2]
            line += text.count(b"\n") + 1
            rest = rest_
    seen = _look(rest, line)
    utf8, foreign, undefined = utf8 or seen[0], foreign or seen[1], undefined or seen[2]
    if utf8 and foreign:
        raise DataError(
            f"{PLACE}: {path} is in two encodings: line {utf8[0]:,} is UTF-8 ('{utf8[1]}'), line {foreign[0]:,} is not "
            f"(byte 0x{foreign[1]:02X}); convert it to one, or say data.csv.encoding"
        )
    return "latin-1" if undefined else "cp1252"


def _look(text: bytes, line: int) -> tuple[tuple[int, str] | None, tuple[int, int] | None, bool]:
    """The first line that is surely UTF-8, the first that is surely not, whether any byte is none of cp1252's."""
    if text.isascii():
        return None, None, False
    utf8: tuple[int, str] | None = None
    foreign: tuple[int, int] | None = None
    undefined = any(byte in text for byte in (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d"))
    for found in _FOREIGN.finditer(text):
        own = found.group()
        try:
            own.decode()
        except UnicodeDecodeError as error:
            foreign = foreign or (line + text.count(b"\n", 0, found.start()), own[error.start])
        else:
            if utf8 is None and (mark := _MARKS.search(own)):
                utf8 = line + text.count(b"\n", 0, found.start()), mark.group().decode()
        if utf8 and foreign:
            break
    return utf8, foreign, undefined
