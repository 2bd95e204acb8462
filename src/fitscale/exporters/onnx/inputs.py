"""The inputs of an exported model: one for each raw column, of its natural type, and how a missing value is said.

float, half            float    NaN
double, decimal        double   NaN (times of the day and durations too, in seconds)
int8 to uint64         int64    the smallest int64
date, timestamp        int64    the smallest int64, which is numpy's NaT; days or the column's own unit since 1970, UTC
bool                   bool     a second input NAME.missing, which need not be given
text                   string   the empty text, or where that is a category the text (missing)

A Pipeline takes its columns as they are: only fractions can be missing there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fitscale.data.categories import value_type
from fitscale.data.columns import numbers_of
from fitscale.errors import DataError
from fitscale.records.base import Record

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.data.encoding import Column, Encoding

MISSING = np.iinfo(np.int64).min
Type = Literal["float", "double", "int64", "bool", "string"]
DTYPES: dict[str, Any] = {
    "float": np.float32,
    "double": np.float64,
    "int64": np.int64,
    "bool": np.bool_,
    "string": object,
}


class Input(Record):
    """One input, of shape (n, 1)."""

    name: str
    type: Type
    column: str  # Arrow type of the column that it was trained on
    missing: str | int | None = None  # what stands for a missing value; None: NaN
    flag: str | None = None  # the input that says, for truth values, where they are missing

    @property
    def dtype(self) -> Any:
        return DTYPES[self.type]


def inputs_of(encoding: Encoding) -> tuple[Input, ...]:
    """The inputs of the columns that an encoding reads, in its order."""
    taken = set(encoding.raw_columns)
    return tuple(_input(column, taken, encoding.input == "raw") for column in encoding.columns)


def _input(column: Column, taken: set[str], raw: bool) -> Input:
    type = type_of(column)
    missing: str | int | None = MISSING if type == "int64" and not raw else None
    if type == "string" and not raw:
        missing = ""
        while missing in column.categories:
            missing = f"({missing or 'missing'})"
    flag = None
    if type == "bool" and not raw:
        flag = f"{column.name}.missing"
        while flag in taken:
            flag += "~"
        taken.add(flag)
    return Input(name=column.name, type=type, column=column.type, missing=missing, flag=flag)


def type_of(column: Column) -> Type:
    """Of the raw column, whatever is made of it."""
    if column.type == "bool":
        return "bool"
    if column.kind == "date":
        return "int64"
    base = column.type.partition("values=")[2].partition(",")[0] or column.type
    if column.kind == "category" and value_type(column.type) == "string":
        return "string"
    if base in ("float", "halffloat"):
        return "float"
    return "int64" if base.startswith(("int", "uint")) else "double"


def sayable(inputs: Iterable[Input], batch: pa.RecordBatch) -> pa.RecordBatch:
    """The rows that can be given: without those that miss a value where nothing stands for one."""
    import pyarrow as pa

    whole = np.ones(batch.num_rows, bool)
    for one in inputs:
        if one.type not in ("float", "double") and one.missing is None and one.flag is None:
            whole &= batch.column(one.name).is_valid().to_numpy(zero_copy_only=False)
    return batch if whole.all() else batch.filter(pa.array(whole))


def feeds(inputs: Iterable[Input], batch: pa.RecordBatch) -> dict[str, np.ndarray]:
    """Arrow columns as what onnxruntime takes.

    Raises
    ------
    DataError
        Where a column holds something else than what was trained on.
    """
    found: dict[str, np.ndarray] = {}
    for one in inputs:
        column = batch.column(one.name)
        if one.flag is not None:
            gone = column.is_null().to_numpy(zero_copy_only=False)
            found[one.flag] = gone.reshape(-1, 1)
        found[one.name] = _values(one, column).reshape(-1, 1)
    return found


def _values(one: Input, column: pa.Array) -> np.ndarray:
    import pyarrow as pa
    import pyarrow.types as t

    try:
        if t.is_dictionary(column.type):
            column = column.dictionary_decode()
        if one.type in ("float", "double"):
            values, nulls = numbers_of(column, one.name)
            values = values.astype(one.dtype)
            if nulls is not None:
                values[nulls] = np.nan
            return np.asarray(values)
        if one.type == "string":
            return np.asarray(
                column.cast(pa.string()).fill_null(one.missing or "").to_numpy(zero_copy_only=False), object
            )
        if one.type == "bool":
            return np.asarray(column.fill_null(False).to_numpy(zero_copy_only=False))
        if t.is_date32(column.type):
            column = column.cast(pa.int32())
        return np.asarray(column.cast(pa.int64()).fill_null(one.missing or 0).to_numpy(zero_copy_only=False))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(f"column '{one.name}' cannot be read as {one.type}: {str(error).splitlines()[0]}") from None
