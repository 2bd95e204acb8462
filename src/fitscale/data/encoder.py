"""An encoding, compiled: Arrow columns in, one matrix out, written straight where it is to lie.

A column is written as a strided assignment from its Arrow buffer: 1 to 2 ns a cell, no temporary copy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from fitscale.data.categories import codes_of, value_type
from fitscale.data.columns import PLAIN, booleans_of, buffer_of, date_parts_of, missing_of, nulls_of, numbers_of
from fitscale.data.encoding import positions_of
from fitscale.data.texts import vectors_of
from fitscale.data.vectors import Vectors

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.data.encoding import Column, Encoding

Write = Callable[["pa.Array", np.ndarray], None]  # (column, (n, its width) view of the matrix)


class Encoder:
    """Writers for the columns of batches of one schema; made again when another schema comes."""

    def __init__(self, encoding: Encoding) -> None:
        self.encoding = encoding
        self.impute = encoding.missing == "impute"
        self.onehot = encoding.input == "one-hot"
        self._schema: Any = None
        self._plan: list[tuple[int, int, int, str | None, Write]] = []
        self._values = {column.name: _values_of(column) for column in encoding.columns if column.kind == "category"}

    def dense(self, batch: pa.RecordBatch, out: np.ndarray) -> bool:
        """Fill ``out`` (n, d); whether any value is infinite."""
        nan = np.nan
        with np.errstate(over="ignore", invalid="ignore"):  # beyond float32 is infinite, which is looked for
            for position, first, stop, dtype, write in self._planned(batch):
                column = batch.column(position)
                if dtype is None:
                    write(column, out[:, first:stop])
                else:
                    out[:, first] = buffer_of(column, dtype)
                    if column.null_count:
                        out[nulls_of(column), first] = nan
            return _any_infinite(out)

    def csr(self, batch: pa.RecordBatch) -> tuple[Any, bool]:
        """A CSR matrix: quantities are stored even where they are 0, so that its pattern does not hang on values."""
        from scipy.sparse import hstack

        parts: list[Any] = []
        plain: list[tuple[Any, Column]] = []
        for step, column in zip(self._planned(batch), self.encoding.columns, strict=True):
            if not column.width:
                plain.append((step, column))
                continue
            if plain:
                parts.append(self._plain(batch, plain))
                plain = []
            parts.append(self._vectors(column, batch.column(step[0])).csr(column.width))
        if plain:
            parts.append(self._plain(batch, plain))
        X = parts[0] if len(parts) == 1 else hstack(parts, format="csr")
        return X, bool(np.isinf(X.data).any())

    def _plain(self, batch: pa.RecordBatch, of: list[tuple[Any, Column]]) -> Any:
        """Neighbouring columns that are no vectors."""
        from scipy.sparse import csr_matrix

        n, begin = batch.num_rows, of[0][0][1]
        onehot = [self.onehot and column.kind == "category" for _, column in of]
        widths = [
            1 if hot else stop - first for (_, first, stop, _, _), hot in zip((s for s, _ in of), onehot, strict=True)
        ]
        where = np.empty((n, sum(widths)), np.int32)
        data = np.ones((n, sum(widths)), np.float32)
        k = 0
        with np.errstate(over="ignore", invalid="ignore"):
            for ((position, first, stop, _, write), column), hot, width in zip(of, onehot, widths, strict=True):
                if hot:
                    codes = self._codes(column, batch.column(position))
                    where[:, k] = np.where(codes < 0, -1, codes + first - begin)
                else:
                    where[:, k : k + width] = np.arange(first - begin, stop - begin)
                    write(batch.column(position), data[:, k : k + width])
                k += width
        there = where >= 0
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(there.sum(axis=1))])
        return csr_matrix((data[there], where[there], starts), shape=(n, of[-1][0][2] - begin))

    def _vectors(self, column: Column, values: pa.Array) -> Vectors:
        if column.kind == "text":
            return vectors_of(values, column.width, column.ngrams, column.name)
        found = Vectors.of(values, column.name)
        if self.impute and np.isnan(found.values).any():
            found = found._replace(values=np.nan_to_num(found.values, nan=0.0, posinf=np.inf, neginf=-np.inf))
        return found

    def _planned(self, batch: pa.RecordBatch) -> list[tuple[int, int, int, str | None, Write]]:
        schema = batch.schema
        if self._schema is None or not schema.equals(self._schema):
            places = positions_of(self.encoding.raw_columns, schema.names)
            first, plan = 0, []
            for place, column in zip(places, self.encoding.columns, strict=True):
                stop = first + self._width(column)
                plain = column.kind == "number" and not column.mean
                dtype = PLAIN.get(str(schema.field(place).type)) if plain else None
                plan.append((place, first, stop, dtype, self._writer(column)))
                first = stop
            self._plan, self._schema = plan, schema
        return self._plan

    def _width(self, column: Column) -> int:
        if column.kind == "category":
            return column.codes if self.onehot else 1
        return column.width or len(column.parts) or 1

    def _writer(self, column: Column) -> Write:
        if column.kind == "category":
            return self._write_onehot(column) if self.onehot else self._write_codes(column)
        return self._write_vectors(column) if column.width else self._write_quantities(column)

    def _write_vectors(self, column: Column) -> Write:
        return lambda values, out: self._vectors(column, values).into(out)

    def _write_quantities(self, column: Column) -> Write:
        def write(values: pa.Array, out: np.ndarray) -> None:
            if column.kind == "date":
                quantities, nulls = date_parts_of(values, column.parts, column.name)
            else:
                one, nulls = (booleans_of if column.kind == "boolean" else numbers_of)(values, column.name)
                quantities = [one]
            for k, quantity in enumerate(quantities):
                gone = missing_of(quantity, nulls) if self.impute else nulls
                if column.deviation:
                    quantity = (quantity.astype(np.float64) - column.mean[k]) / column.deviation[k]
                out[:, k] = quantity
                if gone is not None:
                    out[gone, k] = np.nan if not self.impute else 0.0 if column.deviation else column.mean[k]

        return write

    def _codes(self, column: Column, values: pa.Array) -> np.ndarray:
        other = len(column.categories) if column.other else -1
        return codes_of(values, self._values[column.name], other, column.name)

    def _write_codes(self, column: Column) -> Write:
        gap = float(column.codes - 1) if column.gap else np.nan

        def write(values: pa.Array, out: np.ndarray) -> None:
            codes = self._codes(column, values)
            out[:, 0] = codes
            gone = np.flatnonzero(codes < 0)
            if len(gone):
                out[gone, 0] = gap

        return write

    def _write_onehot(self, column: Column) -> Write:
        def write(values: pa.Array, out: np.ndarray) -> None:
            codes = self._codes(column, values)
            known = np.flatnonzero(codes >= 0)
            out[:] = 0.0
            out[known, codes[known]] = 1.0

        return write


def _values_of(column: Column) -> pa.Array:
    import pyarrow as pa

    return pa.array(column.categories, pa.type_for_alias(value_type(column.type)))


def _any_infinite(out: np.ndarray) -> bool:
    """Without a temporary array: 0.1 ns a cell."""
    if not out.size:
        return False
    flat = out.reshape(-1) if out.flags.c_contiguous else out
    largest, smallest = np.fmax.reduce(flat, axis=None), np.fmin.reduce(flat, axis=None)
    return bool(largest == np.inf or smallest == -np.inf)
