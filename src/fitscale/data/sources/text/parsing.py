"""One block of records → one Arrow record batch, or what is wrong in it. Runs in a thread; knows no files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fitscale.data.sources.text import kinds as K
from fitscale.data.sources.text.dialect import Dialect, as_read

if TYPE_CHECKING:
    import pyarrow as pa

MISSING = ("", "NA", "N/A", "n/a", "<NA>", "#N/A", "NULL", "Null", "null", "NaN", "nan", "NAN", "None")
TRUE, FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
_CONVERSION = re.compile(
    r"In CSV column #(\d+): (?:Row #(\d+): )?CSV conversion error to .*?(?:: invalid value '(.*)')?$", re.DOTALL
)


class Flaw(Exception):
    """Something in a block that is not as it was taken to be. ``row`` counts the block's records from 0."""

    file: Any  # where it is: set by who knows
    block: Any

    def __init__(self, row: int, **about: Any) -> None:
        super().__init__(row)
        self.row = row
        self.__dict__.update(about)


class Ragged(Flaw):
    """Another number of fields: ``found``."""

    found: int


class Unfit(Flaw):
    """A value that the ``column``'s kind does not hold."""

    column: str
    value: str


class HeaderAgain(Flaw):
    """``row`` is an offset in bytes here."""


class NotEncoded(Flaw):
    """A byte that the encoding has no place for; ``row`` is its offset."""


def parsed(data: bytes, dialect: Dialect, kinds: Mapping[str, str] | None, missing: Sequence[str]) -> pa.Table:
    """The rows of a block; without ``kinds`` each column as the parser sees it.

    Raises
    ------
    Flaw
    """
    import pyarrow as pa
    from pyarrow import csv

    if len(dialect.names) > 1 and dialect.header and (at := _header_in(data, dialect.header)) >= 0:
        raise HeaderAgain(at)
    ragged: list[Ragged] = []

    def refuse(row: Any) -> str:
        ragged.append(Ragged(row.number - 1, found=row.actual_columns))
        return "error"

    text = _utf8(data, as_read(dialect.encoding))
    types = None
    if kinds is not None:
        types = {name: K.parsed_type(kind) for name, kind in kinds.items()}
    try:
        table = csv.read_csv(
            pa.py_buffer(text),
            csv.ReadOptions(use_threads=False, block_size=len(text) + 1, column_names=list(dialect.names)),
            csv.ParseOptions(
                delimiter=dialect.delimiter, newlines_in_values=b'"' in text, invalid_row_handler=refuse,
                ignore_empty_lines=len(dialect.names) > 1,
            ),
            csv.ConvertOptions(
                check_utf8=False, column_types=types, null_values=list(missing), strings_can_be_null=True,
                quoted_strings_can_be_null=True, true_values=list(TRUE), false_values=list(FALSE),
                include_columns=list(kinds) if kinds is not None else None,
            ),
        )  # fmt: skip
    except pa.ArrowInvalid as error:
        if ragged:
            raise ragged[0] from None
        raise _unfit(error, dialect) from None
    return table if kinds is None else _typed(table, kinds)


def _utf8(data: bytes, encoding: str) -> bytes:
    if data.isascii():
        return data
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise NotEncoded(error.start) from None
    return data if encoding == "utf-8" else text.encode()


def _header_in(data: bytes, header: bytes) -> int:
    """Where the header's line stands among the rows; -1 if it does not."""
    at = data.find(header)
    while at >= 0:
        stop = at + len(header)
        if (at == 0 or data[at - 1 : at] == b"\n") and data[stop : stop + 1] in (b"\n", b"\r", b""):
            return at
        at = data.find(header, at + 1)
    return -1


def _unfit(error: Any, dialect: Dialect) -> Exception:
    found = _CONVERSION.search(str(error))
    if found is None:
        return error if isinstance(error, Exception) else ValueError(str(error))
    row = int(found[2]) - 1 if found[2] else 0
    return Unfit(row, column=dialect.names[int(found[1])], value=found[3] or "")


def _typed(table: pa.Table, kinds: Mapping[str, str]) -> pa.Table:
    for at, (name, kind) in enumerate(kinds.items()):
        if kind in K.SEPARATED:
            column = K.numbers(table.column(at), kind)
            if isinstance(column, int):
                raise Unfit(column, column=name, value=str(table.column(at)[column]))
            table = table.set_column(at, name, column)
        elif table.column(at).type != (type := K.arrow_type(kind)):
            table = table.set_column(at, name, table.column(at).cast(type))
    return table
