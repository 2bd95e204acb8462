"""What one column of the looked-at rows holds, as far as a guess needs it."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from fitscale.data.features import kind_of
from fitscale.data.hashing import words_of
from fitscale.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.records.data import Kind

FEW = 50
LOOKED = 2_000  # different texts that are looked at for what they may be
_NUMBER = re.compile(r"\s*[-+]?(\d{1,3}([,' ]\d{3})+|\d+)?([.,]\d+)?([eE][-+]?\d+)?\s*%?\s*", re.ASCII)
_CODE = re.compile(r"\s*0\d", re.ASCII)  # 01234 is a postal code, and no number
_DATE = re.compile(
    r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})|\d{1,2}[- ][A-Za-z]{3,9}[- ]\d{2,4})"
    r"([T ]\s*\d{1,2}:\d{2}.*)?\s*",
    re.ASCII,
)


class Seen(NamedTuple):
    """``values`` are float64 with NaN where missing; of a category its codes, −1 where missing."""

    name: str
    type: str
    kind: Kind
    rows: int
    missing: int
    distinct: int
    values: np.ndarray
    digest: str  # the same for columns of the same values
    infinite: int = 0
    whole: bool = False  # numbers without fractions
    hides: Literal["", "numbers", "dates"] = ""  # what texts are
    few: tuple[tuple[str, int], ...] = ()  # (value, rows) of a column of few values, the most frequent first

    @property
    def known(self) -> int:
        return self.rows - self.missing

    @property
    def low(self) -> float:
        return float(np.nanmin(self.values)) if self.known and self.kind != "category" else np.nan

    @property
    def high(self) -> float:
        return float(np.nanmax(self.values)) if self.known and self.kind != "category" else np.nan


def seen(name: str, type: str, column: pa.ChunkedArray) -> Seen:
    """Look at a column. ``type`` is what the source calls it; what it could not read is null in ``column``."""
    import pyarrow as pa

    n = len(column)
    kind = kind_of(type)
    if kind == "unsupported" or pa.types.is_null(column.type):
        unread: Kind = "unsupported" if type != "null" and kind == "unsupported" else kind
        return Seen(name, type, unread, n, n, 0, np.full(n, np.nan), "")
    whole = column.combine_chunks()
    array: pa.Array = pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole
    try:
        words = words_of(array)
    except (DataError, pa.ArrowException):
        return Seen(name, type, "unsupported", n, n, 0, np.full(n, np.nan), "")
    values = _codes(array) if kind == "category" else _numbers(array)
    gone = values < 0 if kind == "category" else np.isnan(values)
    known = words[~gone]
    distinct = len(np.unique(known))
    numbers = values[~gone]
    return Seen(
        name=name,
        type=type,
        kind=kind,
        rows=n,
        missing=int(gone.sum()),
        distinct=distinct,
        values=values,
        digest=hashlib.sha256(kind.encode() + words.tobytes()).hexdigest()[:32],
        infinite=int(np.isinf(numbers).sum()),
        whole=kind in ("number", "boolean") and bool((np.floor(numbers) == numbers).all()),
        hides=_hidden(array) if kind == "category" else "",
        few=_few(array.filter(pa.array(~gone))) if 0 < distinct <= FEW else (),
    )


def parsed(column: Seen, array: pa.ChunkedArray) -> np.ndarray:
    """A text column that hides numbers or dates, as numbers in their order: (n,) float64, NaN where missing."""
    texts = array.to_pylist()
    if column.hides == "numbers":
        return np.array([_number(text) for text in texts], np.float64)
    return np.array([_moment(text) for text in texts], np.float64)


def _number(text: str | None) -> float:
    """By whichever of comma and point is last."""
    if text is None:
        return np.nan
    plain = re.sub(r"[\s'%]", "", text)
    comma, point = plain.rfind(","), plain.rfind(".")
    if comma > point:
        plain = plain.replace(".", "")
    plain = plain.replace(",", "." if comma > point and plain.count(",") == 1 else "")
    try:
        return float(plain)
    except ValueError:
        return np.nan


def _moment(text: str | None) -> float:
    """The digits of a date that begins with its year, in their order; of other ways to write one, nothing."""
    found = re.match(r"\s*(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]\s*(\d{1,2}):(\d{2}))?", text or "", re.ASCII)
    if found is None:
        return np.nan
    year, month, day, hour, minute = (int(part or 0) for part in found.groups())
    return float((((year * 13 + month) * 32 + day) * 24 + hour) * 60 + minute)


def _numbers(array: pa.Array) -> np.ndarray:
    import pyarrow as pa
    import pyarrow.types as t

    kind = array.type
    if t.is_boolean(kind):
        array = array.cast(pa.int8())
    elif t.is_date32(kind) or t.is_time32(kind):
        array = array.cast(pa.int32())
    elif t.is_temporal(kind):
        array = array.cast(pa.int64())
    if not t.is_floating(array.type) or t.is_float16(array.type):
        array = array.cast(pa.float64(), safe=False)
    values: np.ndarray = array.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return values if array.null_count == 0 else np.where(array.is_null().to_numpy(zero_copy_only=False), np.nan, values)


def _codes(array: pa.Array) -> np.ndarray:
    import pyarrow.types as t

    codes = array if t.is_dictionary(array.type) else array.dictionary_encode()
    values: np.ndarray = codes.indices.cast("int64").fill_null(-1).to_numpy(zero_copy_only=False)
    return values


def _hidden(array: pa.Array) -> Literal["", "numbers", "dates"]:
    """What all of the texts are (of the first that differ, some), if it is something else than text."""
    import pyarrow.compute as pc

    texts = [str(text) for text in pc.unique(array.drop_null().slice(0, 20 * LOOKED)).slice(0, LOOKED).to_pylist()]
    texts = [text for text in texts if text.strip()]
    if len(texts) < 2:
        return ""
    if all(_DATE.fullmatch(text) for text in texts):
        return "dates"
    if any(_CODE.match(text) for text in texts):
        return ""
    return "numbers" if all(any(map(str.isdigit, t)) and _NUMBER.fullmatch(t) for t in texts) else ""


def _few(known: pa.Array) -> tuple[tuple[str, int], ...]:
    import pyarrow.compute as pc

    found = pc.value_counts(known)
    pairs = zip(found.field(0).to_pylist(), found.field(1).to_pylist(), strict=True)
    texts = [(str(value).lower() if isinstance(value, bool) else str(value), int(n)) for value, n in pairs]
    return tuple(sorted(texts, key=lambda pair: (-pair[1], pair[0])))
