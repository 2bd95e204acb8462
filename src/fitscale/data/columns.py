"""Arrow columns as numpy values, without copies where the buffers already are what is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fitscale.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

PLAIN = {
    "int8": "i1", "int16": "i2", "int32": "i4", "int64": "i8", "uint8": "u1", "uint16": "u2", "uint32": "u4",
    "uint64": "u8", "halffloat": "f2", "float": "f4", "double": "f8",
}  # fmt: skip
PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
DATE_PARTS = ("year", "month", "day", "weekday")
TIME_PARTS = ("hour", "minute", "second")


def buffer_of(column: pa.Array, dtype: str) -> np.ndarray:
    """The values as they lie in the column's buffer; those under nulls are arbitrary. No copy."""
    n = len(column)
    data = column.buffers()[1]
    if data is None:
        return np.zeros(n, dtype)
    return np.frombuffer(data, dtype, n, column.offset * np.dtype(dtype).itemsize)


def nulls_of(column: pa.Array) -> np.ndarray:
    """Positions of the nulls."""
    valid = column.buffers()[0]
    if valid is None:
        return np.empty(0, np.int64) if column.null_count == 0 else np.arange(len(column))
    bits = np.unpackbits(np.frombuffer(valid, np.uint8), count=column.offset + len(column), bitorder="little")
    return np.flatnonzero(bits[column.offset :] == 0)


def numbers_of(column: pa.Array, name: str) -> tuple[np.ndarray, np.ndarray | None]:
    """The values, of their own numeric type, and the positions of nulls (None: there are none).

    Decimals, durations and times of the day (in seconds) and texts that are numbers become float64.

    Raises
    ------
    DataError
        Where the column does not hold numbers.
    """
    import pyarrow as pa
    import pyarrow.types as t

    nulls = nulls_of(column) if column.null_count else None
    kind = column.type
    if dtype := PLAIN.get(str(kind)):
        return buffer_of(column, dtype), nulls
    if t.is_boolean(kind):
        return buffer_of(column.cast(pa.uint8()), "u1"), nulls
    if t.is_null(kind):
        return np.zeros(len(column)), np.arange(len(column))
    if t.is_time(kind) or t.is_duration(kind):
        return buffer_of(column, "i4" if t.is_time32(kind) else "i8") / float(PER_SECOND[kind.unit]), nulls
    if t.is_dictionary(kind):
        column = column.dictionary_decode()
    if t.is_decimal(kind) or t.is_string(column.type) or t.is_large_string(column.type):
        return buffer_of(_cast(column, pa.float64(), name), "f8"), nulls
    raise DataError(f"column '{name}' is of type {kind}, where the model was trained on numbers")


def booleans_of(column: pa.Array, name: str) -> tuple[np.ndarray, np.ndarray | None]:
    """0 and 1, and the positions of nulls. Numbers are taken where they are 0 or 1."""
    values, nulls = numbers_of(column, name)
    wrong = (values != 0) & (values != 1)
    if values.dtype.kind == "f":
        wrong &= ~np.isnan(values)
    if nulls is not None:
        wrong[nulls] = False
    if wrong.any():
        raise DataError(
            f"column '{name}' has the value {values[wrong][0]}, where the model was trained on truth values"
        )
    return values, nulls


def date_parts_of(column: pa.Array, parts: tuple[str, ...], name: str) -> tuple[list[np.ndarray], np.ndarray | None]:
    """float64 columns, one for each part, and the positions of nulls.

    In UTC where the column has a time zone, in its own clock where it has none. Monday is weekday 0; seconds have
    their fraction. float32 cannot hold seconds since 1970: it is off by a minute by now.
    """
    import pyarrow as pa
    import pyarrow.types as t

    nulls = nulls_of(column) if column.null_count else None
    kind = column.type
    if t.is_null(kind):
        return [np.zeros(len(column)) for _ in parts], np.arange(len(column))
    if t.is_string(kind) or t.is_large_string(kind):
        column = _cast(column, pa.timestamp("us"), name)
        kind = column.type
    if t.is_date32(kind):
        days, within, unit = buffer_of(column, "i4").astype(np.int64), None, 1
    elif t.is_date64(kind) or t.is_timestamp(kind):
        unit = PER_SECOND["ms" if t.is_date64(kind) else kind.unit]
        days, within = np.divmod(buffer_of(column, "i8"), 86_400 * unit)
    else:
        raise DataError(f"column '{name}' is of type {kind}, where the model was trained on dates")
    day = days.astype("M8[D]")
    month = day.astype("M8[M]")
    out: list[np.ndarray] = []
    values: np.ndarray
    for part in parts:
        if part == "year":
            values = month.astype("M8[Y]").astype(np.int64) + 1970
        elif part == "month":
            values = month.astype(np.int64) % 12 + 1
        elif part == "day":
            values = (day - month.astype("M8[D]")).astype(np.int64) + 1
        elif part == "weekday":
            values = (days + 3) % 7
        elif within is None:
            values = np.zeros(len(days))
        elif part == "hour":
            values = within // (3_600 * unit)
        elif part == "minute":
            values = within // (60 * unit) % 60
        else:
            values = within % (60 * unit) / unit
        out.append(values.astype(np.float64))
    return out, nulls


def missing_of(values: np.ndarray, nulls: np.ndarray | None) -> np.ndarray | None:
    """The positions of nulls and NaN; None where there are none."""
    if values.dtype.kind != "f":
        return nulls
    nan = np.isnan(values)
    if nulls is not None:
        nan[nulls] = True
    return np.flatnonzero(nan) if nan.any() else None


def _cast(column: pa.Array, type: pa.DataType, name: str) -> pa.Array:
    import pyarrow as pa

    try:
        return column.cast(type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(f"column '{name}' cannot be read as {type}: {str(error).splitlines()[0]}") from None
