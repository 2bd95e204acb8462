"""What the target holds, from one pass over its column; and the sentences for a target that cannot be trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fitscale.data.features import kind_of
from fitscale.errors import DataError
from fitscale.records.base import Record

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.data.reader import Reader
    from fitscale.records.workload import DataSpec

MOST_CLASSES = 1_000


class TargetValues(Record):
    """``classes``: (value, rows) sorted by value; empty where there are more than 1,000 (``many``)."""

    name: str
    type: str
    rows: int
    missing: int  # null or NaN
    first_missing: int | None = None  # number of a row
    infinite: int = 0
    classes: tuple[tuple[bool | int | float | str, int], ...] = ()
    many: bool = False
    numeric: bool = True
    whole: bool = True  # all values are whole numbers, or truth values
    low: float | None = None
    high: float | None = None


def target_values(reader: Reader, data: DataSpec) -> TargetValues:
    """Read the target column, once, in bounded memory."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as t

    name = data.target
    type = dict(reader.snapshot.columns)[name]
    numeric = kind_of(type) in ("number", "boolean")
    counts: dict[bool | int | float | str, int] = {}
    missing = infinite = 0
    first_missing: int | None = None
    whole, many = numeric, False
    low, high = np.inf, -np.inf
    for first, batch in reader.batches([name]):
        column = batch.column(0)
        if t.is_decimal(column.type) or t.is_float16(column.type):
            column = column.cast(pa.float64())
        gone = pc.is_null(column, nan_is_null=True)
        if n := gone.true_count:
            if first_missing is None:
                first_missing = first + pc.index(gone, True).as_py()
            missing += n
            column = column.filter(pc.invert(gone))
        if t.is_floating(column.type):
            infinite += pc.is_inf(column).true_count
        if numeric and len(column):
            ends = pc.min_max(column)
            low, high = min(low, float(ends["min"].as_py())), max(high, float(ends["max"].as_py()))
            whole = whole and _whole(column)
        if not many:
            many = not _count(column, counts)
    known = low <= high
    return TargetValues(
        name=name,
        type=type,
        rows=reader.rows,
        missing=missing,
        first_missing=first_missing,
        infinite=infinite,
        classes=() if many else tuple(sorted(counts.items())),
        many=many,
        numeric=numeric,
        whole=whole,
        low=low if known else None,
        high=high if known else None,
    )


def need_no_missing(target: TargetValues) -> None:
    """Raise DataError at data.target if any value is missing or infinite."""
    if target.missing:
        raise DataError(
            f"data.target: '{target.name}' is missing in {target.missing:,} of {target.rows:,} rows (the first is row "
            f'{target.first_missing:,}): fill them in, or leave them out with data.where: "{target.name} is not null"'
        )
    if target.infinite:
        raise DataError(
            f"data.target: '{target.name}' is infinite in {target.infinite:,} rows: leave them out or cap them"
        )


def need_classes(target: TargetValues) -> None:
    """Raise DataError at data.target unless a classifier can learn it: 2 to 1,000 classes."""
    if len(target.classes) == 1:
        value = target.classes[0][0]
        raise DataError(f"data.target: '{target.name}' has a single class ({value!r}) in all {target.rows:,} rows")
    if target.many:
        advice = "a regressor may be meant" if target.numeric else "is it a key?"
        raise DataError(
            f"data.target: '{target.name}' has more than {MOST_CLASSES:,} different values, too many classes: {advice}"
        )
    if not target.whole and target.numeric:
        value = next(value for value, _ in target.classes if not float(value).is_integer())
        raise DataError(
            f"data.target: '{target.name}' has fractions such as {value!r}, no classes: a regressor may be meant"
        )


def need_numbers(target: TargetValues) -> None:
    """Raise DataError at data.target unless a regressor can learn it: numbers that differ."""
    if not target.numeric:
        raise DataError(
            f"data.target: '{target.name}' is {target.type} and a regressor predicts numbers: a classifier may be meant"
        )
    if target.low is not None and target.low == target.high:
        raise DataError(f"data.target: '{target.name}' is {target.low:g} in all {target.rows:,} rows: nothing to learn")


def _whole(column: pa.Array) -> bool:
    import pyarrow.types as t

    if not t.is_floating(column.type):
        return True
    values = column.to_numpy(zero_copy_only=False)
    return bool((np.floor(values) == values).all())


def _count(column: pa.Array, counts: dict[bool | int | float | str, int]) -> bool:
    """Add to the counts; False if there are more than `MOST_CLASSES`, which are then forgotten."""
    import pyarrow.compute as pc

    found = pc.value_counts(column)
    if len(found) <= MOST_CLASSES:
        for value, n in zip(found.field(0).to_pylist(), found.field(1).to_pylist(), strict=True):
            counts[value] = counts.get(value, 0) + n
    if len(found) > MOST_CLASSES or len(counts) > MOST_CLASSES:
        counts.clear()
        return False
    return True
