"""A parsed ``data.where`` against columns, batches, and the statistics of a part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from fitscale.data.sources.where import PLACE, Column, Node, Value, Where, parse
from fitscale.errors import WorkloadError, nearest

if TYPE_CHECKING:
    import pyarrow as pa


FUNCTIONS = {
    "=": "equal",
    "!=": "not_equal",
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
}


class Bounds(NamedTuple):
    """What is known of a column in one part. ``low`` and ``high`` are None where unknown."""

    low: Any
    high: Any
    nulls: int | None
    rows: int


def check(where: Where, schema: pa.Schema) -> None:
    """Every column is there and can be compared with its values.

    Raises
    ------
    WorkloadError
        At data.where.
    """
    for name in where.columns:
        if name not in schema.names:
            known = ", ".join(schema.names)
            raise WorkloadError(PLACE, f"no column '{name}'{nearest(name, schema.names) or ';'} columns: {known}")
    _bind(where.root, schema)


def mask(where: Where, batch: pa.RecordBatch) -> pa.BooleanArray:
    """(n,) booleans: which rows are kept; what compares with null is not."""
    import pyarrow.compute as pc

    return pc.fill_null(_mask(where.root, batch), False)


def rows_that_match(table: pa.Table, text: str) -> pa.Table:
    """The rows of a table that a condition holds for.

    Raises
    ------
    WorkloadError
        As `where.parse` and `check`.
    """
    import pyarrow as pa

    condition = parse(text)
    check(condition, table.schema)
    parts = [batch.filter(mask(condition, batch)) for batch in table.combine_chunks().to_batches()]
    return pa.Table.from_batches(parts, table.schema)


def may_match(where: Where, schema: pa.Schema, bounds: Callable[[str], Bounds | None]) -> bool:
    """Whether a part can hold a row that is kept, by its statistics alone."""
    return _may(where.root, schema, bounds)


def _bind(node: Node, schema: pa.Schema) -> None:
    for item in node.of:
        if isinstance(item, Node):
            _bind(item, schema)
    if isinstance(node.of[0], Column) and node.op != "null":
        left = node.of[0]
        for item in node.of[1:]:
            if not isinstance(item, Column):
                _scalar(item, schema.field(left.name).type, left.name)


@lru_cache(maxsize=1024, typed=True)
def _scalar(value: Value, type: pa.DataType, column: str) -> pa.Scalar:
    """A value of the filter as the column has it."""
    import pyarrow as pa

    is_number = pa.types.is_integer(type) or pa.types.is_floating(type) or pa.types.is_decimal(type)
    try:
        if pa.types.is_boolean(type) and isinstance(value, bool):
            return pa.scalar(value)
        if is_number and isinstance(value, (int, float)) and not isinstance(value, bool):
            return pa.scalar(value)
        if pa.types.is_string(type) and isinstance(value, str):
            return pa.scalar(value)
        if pa.types.is_temporal(type) and isinstance(value, str):
            return _moment(value, type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OverflowError):
        pass
    hint = ""
    if is_number and isinstance(value, str):
        hint = ": write the number without quotes"
    elif pa.types.is_string(type):
        hint = ": write the value in single quotes"
    elif pa.types.is_temporal(type):
        hint = ": write it as '2026-01-31' or '2026-01-31 12:00:00'"
    raise WorkloadError(PLACE, f"column '{column}' ({type}) cannot be compared with {value!r}{hint}")


def _moment(value: str, type: pa.DataType) -> pa.Scalar:
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pa.scalar(value)
    if pa.types.is_timestamp(type) and type.tz:
        try:
            return text.cast(type)
        except pa.ArrowInvalid:  # no zone given: the column's own
            return pc.assume_timezone(text.cast(pa.timestamp(type.unit)), type.tz)
    return text.cast(type)


def _mask(node: Node, batch: pa.RecordBatch) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    match node.op:
        case "and":
            return pc.and_kleene(_mask(node.of[0], batch), _mask(node.of[1], batch))
        case "or":
            return pc.or_kleene(_mask(node.of[0], batch), _mask(node.of[1], batch))
        case "not":
            return pc.invert(_mask(node.of[0], batch))
    name = node.of[0].name
    left = _array(batch, name)
    if node.op == "null":
        return pc.is_null(left)
    type = left.type
    if node.op == "in":
        hits = [pc.equal(left, _scalar(v, type, name)) for v in node.of[1:]]
        found = hits[0]
        for hit in hits[1:]:
            found = pc.or_kleene(found, hit)
        return found
    other = node.of[1]
    right = _array(batch, other.name) if isinstance(other, Column) else _scalar(other, type, name)
    try:
        return getattr(pc, FUNCTIONS[node.op])(left, right)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        that = f"column '{other.name}'" if isinstance(other, Column) else repr(other)
        raise WorkloadError(PLACE, f"column '{name}' ({type}) cannot be compared with {that}") from None


def _array(batch: pa.RecordBatch, name: str) -> pa.Array:
    import pyarrow as pa

    array = batch.column(name)
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _may(node: Node, schema: pa.Schema, bounds: Callable[[str], Bounds | None]) -> bool:
    if node.op == "and":
        return all(_may(item, schema, bounds) for item in node.of)
    if node.op == "or":
        return any(_may(item, schema, bounds) for item in node.of)
    negated = node.op == "not"
    inner: Node = node.of[0] if negated else node
    if negated and inner.op != "null":
        return True  # statistics leave out NaN, and NaN passes a 'not'
    name = inner.of[0].name
    known = bounds(name)
    if known is None:
        return True
    if inner.op == "null":
        return known.nulls is None or (known.nulls < known.rows if negated else known.nulls > 0)
    if known.nulls == known.rows:
        return False  # nothing compares with null
    if known.low is None or known.high is None or any(isinstance(v, Column) for v in inner.of[1:]):
        return True
    values = [_plain(_scalar(v, schema.field(name).type, name)) for v in inner.of[1:]]
    try:
        return _within(inner.op, known.low, known.high, values)
    except TypeError:  # statistics of another type than the column: they rule nothing out
        return True


def _within(op: str, low: Any, high: Any, values: Sequence[Any]) -> bool:
    if low != low or high != high:
        return True
    if op in ("=", "in"):
        return any(low <= v <= high for v in values)
    value = values[0]
    ways: dict[str, bool] = {"<": low < value, "<=": low <= value, ">": high > value, ">=": high >= value}
    return ways.get(op, True)


def _plain(scalar: pa.Scalar) -> Any:
    """As statistics have it: moments as whole numbers of their unit (Python has no nanoseconds)."""
    import pyarrow as pa

    return scalar.value if pa.types.is_timestamp(scalar.type) else scalar.as_py()
