"""Types of text columns: seen block by block, joined over all blocks. The join does not depend on where blocks end.

``int64`` and ``double`` together are ``double``; a date and a moment a moment; anything else together is text. Numbers
with separators are kinds of their own: ``us`` (1,234.50), ``eu`` (1.234,50 or 3,14), ``any`` (1,234, which is either).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

TEXT = "string"
CHAINS = (
    ("date32[day]", "timestamp[s]", "timestamp[ns]"),
    ("timestamp[s, tz=UTC]", "timestamp[ns, tz=UTC]"),
    ("int64", "double", "us"),
    ("int64", "double", "eu"),
    ("int64", "double", "any", "us"),
    ("int64", "double", "any", "eu"),
)
KNOWN = {"null", "bool", "time32[s]", TEXT}.union(*CHAINS)
SEPARATED = ("us", "eu", "any")
_EXPONENT = r"([eE][-+]?\d+)?"
NUMBER = rf"^\s*[-+]?(\d+\.?\d*|\.\d+){_EXPONENT}\s*$"
_AMBIGUOUS = r"^\s*[-+]?[1-9]\d{0,2},\d{3}\s*$"
US = rf"^\s*[-+]?[1-9]\d{{0,2}}(,\d{{3}})+(\.\d*)?{_EXPONENT}\s*$"
EU = rf"^\s*[-+]?((\d{{1,3}}(\.\d{{3}})+|\d*),\d+{_EXPONENT}|\d{{1,3}}(\.\d{{3}}){{2,}})\s*$"
_ANY_NUMBER = f"{NUMBER}|{US}|{EU}"
# What may stand in a column that is known to be of the kind.
ALLOWED = {
    "us": rf"^\s*[-+]?(\d{{1,3}}(,\d{{3}})+|\d+)?(\.\d*)?{_EXPONENT}\s*$",
    "eu": rf"^\s*[-+]?(\d{{1,3}}(\.\d{{3}})+|\d+)?(,\d*)?{_EXPONENT}\s*$",
}
PEEK = 64


def join(one: str, other: str) -> str:
    """The narrowest kind that holds the values of both."""
    if one == other or other == "null":
        return one
    if one == "null":
        return other
    for chain in CHAINS:
        if one in chain and other in chain:
            return chain[max(chain.index(one), chain.index(other))]
    return TEXT


def seen(column: pa.ChunkedArray) -> str:
    """The kind of a column of one block, as the parser took it."""
    kind = str(column.type)
    if kind == TEXT:
        return _separated(column) or TEXT
    return kind if kind in KNOWN else TEXT


def _separated(column: pa.ChunkedArray) -> str:
    """Which kind of numbers with separators the texts are; '' if any is no number."""
    if not all(_held(column.drop_null().slice(0, n)) for n in (PEEK, len(column))):
        return ""
    us, eu, ambiguous = (_matching(column, pattern) for pattern in (US, EU, _AMBIGUOUS))
    surely_us, surely_eu = us > ambiguous, eu > ambiguous
    if surely_us and surely_eu:
        return ""
    return "us" if surely_us else "eu" if surely_eu else "any" if ambiguous else ""


def _held(values: pa.ChunkedArray) -> bool:
    import pyarrow.compute as pc

    return len(values) > 0 and pc.all(pc.match_substring_regex(values, _ANY_NUMBER)).as_py() is True


def _matching(values: pa.ChunkedArray, pattern: str) -> int:
    import pyarrow.compute as pc

    return int(pc.sum(pc.match_substring_regex(values, pattern)).as_py() or 0)


def is_mostly_numbers(texts: pa.ChunkedArray) -> bool:
    """Whether most of the first values are numbers: then the others may be slips."""
    known = texts.drop_null().slice(0, PEEK)
    return 2 * _matching(known, _ANY_NUMBER) > len(known)


def first_other(texts: pa.ChunkedArray) -> int:
    """The position of the first value that is no number; 0 where all are, in ways that exclude each other."""
    import pyarrow.compute as pc

    number = pc.fill_null(pc.match_substring_regex(texts, _ANY_NUMBER), True)
    return max(0, int(pc.index(number, False).as_py()))


def resolved(kind: str, delimiter: str, decimal: str | None, others: frozenset[str]) -> str:
    """What a column is read as: ``any`` by the other columns, or by what usually goes with the delimiter.

    A decimal comma that the workload names also makes numbers such as 1.234 whole thousands.
    """
    if decimal == "," and kind in ("double", "any"):
        return "eu"
    if kind != "any":
        return kind
    if decimal == ".":
        return "us"
    if ("us" in others) != ("eu" in others):
        return "us" if "us" in others else "eu"
    return "us" if delimiter == "," else "eu" if delimiter == ";" else "any"


def parsed_type(kind: str) -> pa.DataType:
    """What the parser is told."""
    import pyarrow as pa

    if kind.startswith("timestamp"):
        return pa.timestamp("ns" if "[ns" in kind else "s", tz="UTC" if "UTC" in kind else None)
    return pa.string() if kind in SEPARATED else pa.type_for_alias(kind)


def arrow_type(kind: str) -> pa.DataType:
    """The type that batches have: one that Parquet has too, which knows no seconds."""
    import pyarrow as pa

    if kind in SEPARATED:
        return pa.float64()
    type = parsed_type(kind)
    if kind.startswith("timestamp[s"):
        return pa.timestamp("ms", tz=type.tz)
    return pa.time32("ms") if kind == "time32[s]" else type


def numbers(texts: pa.ChunkedArray, kind: str) -> pa.ChunkedArray | int:
    """Texts of a kind of numbers with separators as float64, or the position of the first that is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    fits = pc.fill_null(pc.match_substring_regex(texts, ALLOWED[kind]), True)
    if not pc.all(fits).as_py() and len(texts):
        return int(pc.index(fits, False).as_py())
    thousands, decimal = (",", ".") if kind == "us" else (".", ",")
    plain = pc.utf8_trim_whitespace(pc.replace_substring(texts, thousands, ""))
    if decimal == ",":
        plain = pc.replace_substring(plain, ",", ".")
    plain = pc.if_else(pc.starts_with(plain, "+"), pc.utf8_slice_codeunits(plain, 1), plain)
    try:
        return plain.cast(pa.float64())
    except pa.ArrowInvalid:  # a sign alone, or a dot
        return next(k for k, value in enumerate(plain.to_pylist()) if value is not None and not _is_number(value))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
