"""Room for all rows of a view, filled piece by piece in one pass: "Arrow in, one matrix out"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fitscale.contracts import Batch

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.data.encoding import Encoding


SPARE = 1.05  # of what is reckoned with: pages that are never touched cost nothing
GROWN = 1.5


class DenseRoom:
    """One matrix of at most ``rows`` rows: pages that are never touched cost nothing."""

    def __init__(self, rows: int, width: int, dtype: Any = np.float32) -> None:
        self.X = np.empty((rows, width), dtype)
        self.n = 0

    def next(self, n: int) -> np.ndarray:
        """The next ``n`` rows, to be written to."""
        self.n += n
        return self.X[self.n - n : self.n]

    def put(self, X: Any) -> None:
        self.next(len(X))[:] = X

    def whole(self) -> np.ndarray:
        return self.X[: self.n]


class SparseRoom:
    """One CSR matrix of at most ``rows`` rows; ``filled`` stored cells each are reckoned with, and more find room."""

    def __init__(self, rows: int, width: int, filled: float) -> None:
        cells = int(rows * filled * SPARE) + 1
        self.data = np.empty(cells, np.float32)
        self.indices = np.empty(cells, np.int32)
        self.starts = np.zeros(rows + 1, np.int64)
        self.width = width
        self.n = 0

    def put(self, X: Any) -> None:
        at, n = int(self.starts[self.n]), X.shape[0]
        if at + X.nnz > len(self.data):
            room = max(at + X.nnz, int(len(self.data) * GROWN))
            self.data, self.indices = (
                np.concatenate([old[:at], np.empty(room - at, old.dtype)]) for old in (self.data, self.indices)
            )
        self.data[at : at + X.nnz] = X.data
        self.indices[at : at + X.nnz] = X.indices
        self.starts[self.n + 1 : self.n + n + 1] = at + X.indptr[1:]
        self.n += n

    def whole(self) -> Any:
        from scipy.sparse import csr_matrix

        nnz = int(self.starts[self.n])
        parts = (self.data[:nnz], self.indices[:nnz], self.starts[: self.n + 1])
        return csr_matrix(parts, shape=(self.n, self.width))


class RawRoom:
    """The raw feature columns as one Arrow table, without a copy."""

    def __init__(self, encoding: Encoding) -> None:
        self.encoding = encoding
        self.batches: list[pa.RecordBatch] = []

    def put(self, X: Any) -> None:
        self.batches += X.to_batches()

    def whole(self) -> pa.Table:
        import pyarrow as pa

        if not self.batches:
            return pa.table({name: pa.nulls(0) for name in self.encoding.raw_columns})
        return pa.Table.from_batches(self.batches)


class Gathered:
    """A view's rows as they come in: features, y, weight, row number."""

    def __init__(self, encoding: Encoding, rows: int, weighted: bool) -> None:
        self.room: DenseRoom | SparseRoom | RawRoom
        if encoding.input == "raw":
            self.room = RawRoom(encoding)
        elif encoding.sparse:
            self.room = SparseRoom(rows, encoding.width, encoding.most_set + encoding.filled)
        else:
            self.room = DenseRoom(rows, encoding.width, encoding.dtype)
        self.y = np.empty(rows, encoding.target_dtype)
        self.weight = np.empty(rows, np.float32) if weighted else None
        self.row = np.empty(rows, np.int64)
        self.n = 0

    def put(self, y: np.ndarray, weight: np.ndarray | None, row: np.ndarray) -> None:
        """All but the features, which go into `room`."""
        end = self.n + len(y)
        self.y[self.n : end], self.row[self.n : end] = y, row
        if self.weight is not None and weight is not None:
            self.weight[self.n : end] = weight
        self.n = end

    def whole(self) -> Batch:
        weight = None if self.weight is None else self.weight[: self.n]
        return Batch(self.room.whole(), self.y[: self.n], weight, self.row[: self.n])
