"""Where a split by time falls: an exact quantile of the time column, in one pass, holding only the latest values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fitscale.data.columns import PER_SECOND
from fitscale.data.features import kind_of
from fitscale.data.sources.where import without_missing
from fitscale.errors import DataError, WorkloadError

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.data.reader import Reader
    from fitscale.records.data import Snapshot
    from fitscale.records.workload import DataSpec

_DRAWN = 1_000_000  # rows that tell where the origins of a cross-validation by time lie


def cuts_of(reader: Reader, column: str, holdout: float, validation: float) -> tuple[float | None, float | None]:
    """The first moments that are held out and that validate; None where the share is 0.

    The latest ``holdout`` of the rows, and the latest ``validation`` of those before. Rows of one moment stay together,
    so that a part can be larger than asked; only where very many share one is the column read again.

    Raises
    ------
    DataError
        Where a row has no time, or no training rows are left.
    """
    held = round(reader.rows * holdout)
    checked = round((reader.rows - held) * validation)
    rest = _latest(reader, column, held + checked + 1)
    cut = validation_cut = None
    if held:
        cut = _moment(rest[-held])
        rest = rest[rest < cut]
        if len(rest) <= checked:
            rest = _latest(reader, column, checked + 1, before=cut)
    if checked and len(rest):
        validation_cut = _moment(rest[-min(checked, len(rest))])
        rest = rest[rest < validation_cut]
        if not len(rest):
            rest = _latest(reader, column, 1, before=validation_cut)
    if not len(rest):
        raise DataError(
            f"data.time: column '{column}' cannot be split: all rows that would be trained on share their moment with"
            " those that would be held out; split by: random, or by a column"
        )
    return cut, validation_cut


def rolling_cuts_of(
    reader: Reader, column: str, validation: float, seed: int, origins: int
) -> list[tuple[float, float | None, float | None]]:
    """Of each origin: the first moment that is held out, the first that is not any more, and the first that validates.

    The rows are cut by time into ``origins + 1`` parts of about one size, as a million of them tell. An origin is where one of
    these ends: the next one is held out, and the latest ``validation`` of the rows before validate.

    Raises
    ------
    DataError
        Where a row has no time, or too few moments differ.
    """
    drawn = reader.sample(_DRAWN, seed) if reader.rows > _DRAWN else reader
    moments = _latest(drawn, column, drawn.rows)
    edges = np.unique(moments[[len(moments) * (k + 1) // (origins + 1) for k in range(origins)]])
    found: list[tuple[float, float | None, float | None]] = []
    for k, edge in enumerate(edges):
        cut = _moment(edge)
        before = moments[moments < cut]
        checked = round(len(before) * validation)
        validation_cut = _moment(before[-checked]) if checked else None
        if len(before) and (validation_cut is None or before[0] < validation_cut):
            found.append((cut, _moment(edges[k + 1]) if k + 1 < len(edges) else None, validation_cut))
    if len(found) < origins:
        raise DataError(
            f"data.time: column '{column}' has too few moments for {origins} origins; take fewer (evaluate.cv)"
        )
    return found


def moments_of(column: pa.Array) -> np.ndarray:
    """Nanoseconds (int64) of dates and timestamps, the values of numbers (int64 or float64). Nulls must be gone."""
    import pyarrow as pa
    import pyarrow.types as t

    kind = column.type
    if t.is_timestamp(kind) and not column.null_count:  # Arrow's cast takes twice as long
        moments: np.ndarray = column.view(pa.int64()).to_numpy() * (PER_SECOND["ns"] // PER_SECOND[kind.unit])
        return moments
    if t.is_timestamp(kind) or t.is_date(kind):
        column = column.cast(pa.timestamp("ns", getattr(kind, "tz", None)), safe=False).view(pa.int64())
    elif t.is_integer(kind):
        column = column.cast(pa.int64())
    elif t.is_floating(kind) or t.is_decimal(kind):
        column = column.cast(pa.float64())
    else:
        raise DataError(f"data.time: a column of type {kind} does not order rows; take a date or number")
    moments = column.to_numpy(zero_copy_only=False)
    return moments


def step_of(data: DataSpec, snapshot: Snapshot) -> int:
    """Between neighbours of a series, in the unit of its `moments_of`: nanoseconds, or what the column counts.

    Raises
    ------
    WorkloadError
        At data.step: a part of what the times can tell.
    """
    assert data.time is not None
    assert data.step_s is not None
    dates = kind_of(dict(snapshot.columns)[data.time]) == "date"
    step = data.step_s * 1e9 if dates else data.step_s
    if step < 1 or step != round(step):
        unit = "a nanosecond" if dates else f"1, as '{data.time}' counts"
        raise WorkloadError("data.step", f"{step:g} is no multiple of {unit}")
    return round(step)


def last_steps_of(reader: Reader, data: DataSpec, origins: int = 1) -> list[tuple[float, float | None]]:
    """Of each origin the first moment of its ``horizon`` steps, and of what comes after them: None for the last one.

    Raises
    ------
    DataError
        As `cuts_of`.
    """
    assert data.time is not None
    assert data.horizon is not None
    last, step = _latest(reader, data.time, 1)[-1], step_of(data, reader.snapshot)
    starts = [_moment(last - ((origins - k) * data.horizon - 1) * step) for k in range(origins)]
    return list(zip(starts, [*starts[1:], None], strict=True))


def times_of(column: pa.Array, name: str) -> np.ndarray:
    """(n,) int64 moments of the rows of a series.

    Raises
    ------
    DataError
        Where a row has none.
    """
    if column.null_count:
        raise DataError(
            f"data.time: column '{name}' is missing in {column.null_count:,} rows, which then belong nowhere in a series;"
            f" leave them out with {without_missing(name, str(column.type))}"
        )
    return moments_of(column)


def moments_as(moments: np.ndarray, type: str) -> pa.Array:
    """The other way: (n,) int64 moments as values of a column of this type."""
    import pyarrow as pa

    if kind_of(type) == "number":
        return pa.array(moments).cast(pa.type_for_alias(type))
    unit, _, zone = type.partition("[")[2].rstrip("]").partition(", tz=")
    stamps = pa.array(moments, pa.timestamp("ns", zone or None))
    if type.startswith("date"):
        return stamps.cast(pa.date32() if type.startswith("date32") else pa.date64(), safe=False)
    return stamps.cast(pa.timestamp(unit, zone or None), safe=False)


def _latest(reader: Reader, column: str, keep: int, before: float | None = None) -> np.ndarray:
    """The ``keep`` largest values (before a moment), ascending."""
    held: list[np.ndarray] = []
    have, missing, first_missing = 0, 0, -1
    for first, batch in reader.batches([column]):
        values = batch.column(0)
        gone = values.is_null(nan_is_null=True).to_numpy(zero_copy_only=False)
        if gone.any():
            if not missing:
                first_missing = first + int(np.argmax(gone))
            missing += int(gone.sum())
            continue
        moments = moments_of(values)
        held.append(moments if before is None else moments[moments < before])
        have += len(held[-1])
        if have > 2 * keep + 1_000_000:  # compacted now and then: the memory follows what is kept, not what is read
            held = [_top(np.concatenate(held), keep)]
            have = keep
    if missing:
        raise DataError(
            f"data.time: column '{column}' is missing in {missing:,} rows (the first is row {first_missing:,}), which"
            f" are then neither before nor after; leave them out with {without_missing(column, str(values.type))}"
        )
    return np.sort(_top(np.concatenate(held), keep)) if held else np.empty(0)


def _top(values: np.ndarray, keep: int) -> np.ndarray:
    return values if len(values) <= keep else np.partition(values, len(values) - keep)[-keep:]


def _moment(value: np.generic) -> float:
    """The largest float that is not after it: not every nanosecond of our time is a float."""
    exact = value.item()
    near = float(exact)
    return near if near <= exact else math.nextafter(near, -math.inf)
