"""Columns whose values are sparse vectors: lists of (index, value), as rows of a CSR matrix are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fitscale.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_TYPE = re.compile(r"list<\w+: struct<index: int32(?: not null)?, value: float(?: not null)?>(?: not null)?>")


def is_vector(type: str) -> bool:
    """Whether a column of this Arrow type (`str` of it) holds sparse vectors."""
    return _TYPE.fullmatch(type) is not None


def vector_type() -> pa.DataType:
    """The Arrow type of such a column; no part of a vector can be missing."""
    import pyarrow as pa

    pair = pa.struct([pa.field("index", pa.int32(), False), pa.field("value", pa.float32(), False)])
    return pa.list_(pa.field("element", pair, False))


class Vectors(NamedTuple):
    """The rows of a column as a CSR matrix has them: row k has the pairs ``starts[k]`` to ``starts[k + 1]``."""

    starts: np.ndarray  # (n + 1,) int64, from 0
    indices: np.ndarray  # int32
    values: np.ndarray  # float32

    @classmethod
    def of(cls, column: pa.Array, name: str) -> Vectors:
        """Without a copy of the pairs. A vector that is missing has none.

        Raises
        ------
        DataError
            If the column does not hold sparse vectors.
        """
        import pyarrow as pa

        if not is_vector(str(column.type)):
            if pa.types.is_null(column.type):
                return cls(np.zeros(len(column) + 1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))
            raise DataError(f"column '{name}' is of type {column.type}, where the model was trained on sparse vectors")
        offsets = column.offsets.to_numpy()
        first, last = int(offsets[0]), int(offsets[-1])
        pairs = column.values.slice(first, last - first)
        starts = offsets.astype(np.int64) - first
        index, value = (pairs.field(k).to_numpy(zero_copy_only=False) for k in (0, 1))
        if column.null_count:  # what lies under a null may be anything
            there = column.is_valid().to_numpy(zero_copy_only=False)
            lengths = np.diff(starts)
            kept = np.repeat(there, lengths)
            starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.where(there, lengths, 0))])
            index, value = index[kept], value[kept]
        return cls(starts, index, value)

    def csr(self, width: int) -> Any:
        """A scipy CSR matrix of so many columns; pairs beyond, which no training row had, are left out."""
        from scipy.sparse import csr_matrix

        starts, index, value = self
        if len(index) and int(index.max()) >= width:
            known = index < width
            kept = np.concatenate([np.zeros(1, np.int64), np.cumsum(known)])
            starts, index, value = kept[starts], index[known], value[known]
        return csr_matrix((value, index, starts), shape=(len(starts) - 1, width), copy=False)

    def into(self, out: np.ndarray) -> None:
        """Write the rows into a dense (n, width) array."""
        rows = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        known = self.indices < out.shape[1]
        out[:] = 0.0
        out[rows[known], self.indices[known]] = self.values[known]
