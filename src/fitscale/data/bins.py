"""Bins of raw columns, and how the rows of each group lie in them: what a change of the columns themselves is seen by.

0           missing
1 … 10      of numbers: between the edges, which are quantiles of training rows; of categories: the most frequent, sorted
11          of categories: all others
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
from pydantic import Field

from fitscale.data.categories import codes_of, value_type
from fitscale.data.columns import numbers_of
from fitscale.data.encoding import positions_of
from fitscale.records.base import Record

if TYPE_CHECKING:
    import pyarrow as pa

MOST = 12  # bins of a column
VALUES = 10  # of them for values that are known
Kept = Literal["", "int64", "double", "string"]


class Binned(Record):
    """One raw column. Numbers have ``edges``, as float32, which belong to the bin below; categories have ``categories``."""

    name: str
    type: Kept  # of categories: the Arrow type that they are kept in; else empty
    edges: tuple[float, ...] = Field(default=(), max_length=VALUES)
    categories: tuple[str | int | float, ...] = Field(default=(), max_length=VALUES)

    @property
    def ordered(self) -> bool:
        return not self.type

    @property
    def bins(self) -> int:
        """With that of missing values, and of categories that of all others."""
        return len(self.edges) + 2 if self.ordered else len(self.categories) + 2

    def codes(self, column: pa.Array) -> np.ndarray:
        """(n,) uint8: which bin each value is in.

        Raises
        ------
        DataError
            For a column of another type that cannot be read as what was trained on.
        """
        if not self.ordered:
            return (codes_of(column, self._values, len(self.categories), self.name) + 1).astype(np.uint8)
        values, nulls = numbers_of(column, self.name)
        with np.errstate(over="ignore", invalid="ignore"):
            x = values.astype(np.float32)  # as models see them: a double and a float are in the same bin
        if nulls is not None:
            x[nulls] = np.nan
        code: np.ndarray = (x == x).view(np.uint8)
        for edge in self.edges:  # a comparison with each takes a tenth of a search among them
            code += x > np.float32(edge)
        return code

    @cached_property
    def _values(self) -> pa.Array:
        import pyarrow as pa

        return pa.array(self.categories, pa.type_for_alias(self.type))


class Bins(Record):
    """Those of some columns. Counts of a group are all columns' bins, one column after the other."""

    format: int = 1
    columns: tuple[Binned, ...]
    left_out: int = 0  # numbers, truth values and categories beyond the first ones, which are not looked at

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def width(self) -> int:
        """Of the counts of a group."""
        return sum(column.bins for column in self.columns)

    @property
    def slices(self) -> list[slice]:
        """Where each column's bins are among the counts."""
        ends = np.cumsum([column.bins for column in self.columns]).tolist()
        return [slice(end - column.bins, end) for end, column in zip(ends, self.columns, strict=True)]

    def count(self, batch: pa.RecordBatch, of: np.ndarray, counts: np.ndarray) -> None:
        """Add to the ``counts`` (groups, width) how many rows of each group lie in each bin.

        Parameters
        ----------
        batch
            With the columns, in any place.
        of
            (n,) int64, the group of each row; the number of groups for a row that does not count.
        """
        groups, base = len(counts), of * MOST
        for place, column, where in zip(
            positions_of(self.names, batch.schema.names), self.columns, self.slices, strict=True
        ):
            found = np.bincount(base + column.codes(batch.column(place)), minlength=MOST * groups)
            own = found[: MOST * groups].reshape(groups, MOST)[:, : column.bins]
            np.add(counts[:, where], own, out=counts[:, where], casting="unsafe")


class Counted:
    """The counts of some groups, summed up while their rows go by. ``most``: rows that a group has at most.

    Of small groups with many columns they would take more room than the rows, were they not as narrow as they can be.
    """

    def __init__(self, bins: Bins, groups: int = 1, most: int | None = None) -> None:
        self.bins = bins
        dtype = np.int64 if most is None else np.min_scalar_type(most)
        self.counts: np.ndarray = np.zeros((groups, bins.width), dtype)

    def add(self, batch: pa.RecordBatch, of: np.ndarray, counts: np.ndarray | None = None) -> None:
        """Rows of neighbouring groups ``of`` (n,), which rise; ``counts`` (n,) bool: which of them count, None: all."""
        if not len(of):
            return
        low, high = int(of[0]), int(of[-1]) + 1
        of = of - low
        if counts is not None:
            of = np.where(counts, of, high - low)
        self.bins.count(batch, of, self.counts[low:high])


def edges_of(values: np.ndarray) -> tuple[float, ...]:
    """Of (n,) float32 values of a sample: all of them where they are few, else those of nine quantiles, without repetition."""
    values = values[np.isfinite(values)]
    if not len(values):
        return ()
    values.sort()
    distinct = values[np.append(True, values[1:] != values[:-1])]
    if len(distinct) < VALUES - 1:  # each has a bin of its own, and what is below all, too
        found = np.append(np.nextafter(distinct[0], np.float32(-np.inf)), distinct)
    else:
        found = np.unique(values[len(values) * np.arange(1, VALUES) // VALUES])
    return tuple(float(edge) for edge in found + np.float32(0))  # no -0.0


def kept_type(kind: str, type: str) -> Kept:
    """`Binned.type` of a column of this kind and Arrow type."""
    return cast(Kept, value_type(type)) if kind == "category" else ""
