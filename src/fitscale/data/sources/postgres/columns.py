"""Which types of PostgreSQL are read as what; what has no place in a table of numbers, texts and dates is said."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from fitscale.data.features import roles_of
from fitscale.data.sources.postgres.statement import identifier
from fitscale.errors import DataError, WorkloadError

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.records.workload import DataSpec

# type → (as Arrow writes it, how it is selected, a word on what that changes)
KNOWN: dict[str, tuple[str, str, str]] = {
    "bool": ("bool", "{}", ""),
    "int2": ("int16", "{}", ""),
    "int4": ("int32", "{}", ""),
    "int8": ("int64", "{}", ""),
    "oid": ("int64", "{}::int8", ""),
    "float4": ("float", "{}", ""),
    "float8": ("double", "{}", ""),
    "numeric": ("double", "{}::float8", "as float64, of numeric"),
    "money": ("double", "{}::numeric::float8", "as float64, of money"),
    "text": ("string", "{}", ""),
    "varchar": ("string", "{}", ""),
    "name": ("string", "{}", ""),
    "char": ("string", "{}", ""),
    "bpchar": ("string", "{}::text", ""),  # without the blanks that pad it
    "uuid": ("string", "{}::text", ""),
    # Arrow has no infinite moments: the driver would give the years 294247 and −290308 for them.
    "date": ("date32[day]", "case when isfinite({0}) then {0} end", ""),
    "timestamp": ("timestamp[us]", "case when isfinite({0}) then {0} end", ""),
    "timestamptz": ("timestamp[us, tz=UTC]", "case when isfinite({0}) then {0} end", ""),
    "time": ("time64[us]", "{}", ""),
}
CASTS = {"interval": "extract(epoch from {})", "json": "({} ->> 'name')", "jsonb": "({} ->> 'name')"}


class Column(NamedTuple):
    """A column as it is read. ``sql`` is empty where it is not: it is dropped, and Arrow has no such type."""

    name: str
    type: str
    sql: str
    kind: str  # PostgreSQL's own name
    note: str = ""


def columns_of(schema: pa.Schema, data: DataSpec) -> tuple[Column, ...]:
    """The columns of a table or query.

    Raises
    ------
    WorkloadError
        At data.features.drop: a column that is used, and is of a type that has no place here.
    DataError
        At data.query: two columns of one name.
    """
    if twice := [name for name, n in Counter(schema.names).items() if n > 1]:
        raise DataError(f"data.query: it gives two columns named '{twice[0]}': rename one with 'as'")
    return tuple(_column(field, data) for field in schema)


def _column(field: pa.Field, data: DataSpec) -> Column:
    import pyarrow as pa

    kind = (field.metadata or {}).get(b"POSTGRESQL:type", b"").decode().strip('"')
    name = identifier(field.name)
    if kind in KNOWN:
        type, how, note = KNOWN[kind]
        return Column(field.name, type, how.format(name), kind, note)
    if pa.types.is_string(field.type):  # an enum, or another type that is sent as text
        return Column(field.name, "string", f"{name}::text", kind)
    roles, features = roles_of(data), data.features
    used = field.name in roles or (
        field.name not in features.drop and (field.name in features.keep or not features.keep)
    )
    if used:
        spoken = _spoken(kind)
        cast = CASTS.get(kind, "{}::text").format(field.name)
        raise WorkloadError(
            f"data.{roles[field.name]}" if field.name in roles else "data.features.drop",
            f"column '{field.name}' is of type {spoken}, which is no number, text, truth value or date: "
            + ("" if field.name in roles else "add it to drop, or ")
            + f"give a data.query that makes one of it, such as {cast}",
        )
    return Column(field.name, "null", "", kind)


def _spoken(kind: str) -> str:
    if kind.startswith("_"):
        return f"{kind[1:]}[]"
    return "the server's own" if kind.startswith("unnamed") else kind


def arrow_type(text: str) -> pa.DataType:
    """The type that `str` of it gives."""
    import pyarrow as pa

    if text.startswith("timestamp"):
        return pa.timestamp("us", "UTC" if "UTC" in text else None)
    return pa.type_for_alias({"date32[day]": "date32", "time64[us]": "time64[us]"}.get(text, text))


def as_read(batch: pa.RecordBatch, columns: tuple[Column, ...]) -> pa.RecordBatch:
    """A batch of the driver with the columns in order, those that were not read as null, and no metadata."""
    import pyarrow as pa

    arrays, names = [], iter(range(batch.num_columns))
    for column in columns:
        if not column.sql:
            arrays.append(pa.nulls(batch.num_rows))
            continue
        array, type = batch.column(next(names)), arrow_type(column.type)
        arrays.append(array if array.type == type else array.cast(type))
    fields = [pa.field(column.name, array.type) for column, array in zip(columns, arrays, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))
