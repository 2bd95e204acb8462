"""The encoding: how raw columns become the matrix, learnt once and kept with the model.

It gives the same bits batch by batch as in one piece: in the probe, in training, in scoring and in serving.

    number      one float32 column; a missing value is NaN, or the mean of the training rows
    boolean     0 and 1, missing like a number's
    date        year, month, day, weekday; of timestamps also hour, minute and second where any training row has them
    category    codes: one column of the value's place among the sorted training values. Then come, where they are
                needed, one code for all other values and one for missing ones (else NaN)
                one-hot: a column of 0 and 1 for each value; none is 1 where it is missing or unseen
    vector      a column for each index up to the largest of the training rows; 0 where a row has none, or, in a CSR
                matrix, not there
    text        as a vector: the counts of its words, in columns that the word's hash names

Of a series the matrix is one column of int64, the moments of its rows, and its values are float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fitscale.data.cut import times_of
from fitscale.data.labels import Labels
from fitscale.errors import DataError, nearest
from fitscale.records.base import Record
from fitscale.records.data import Kind

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.data.encoder import Encoder


class Column(Record):
    """One raw column: what it was when it was learnt, and what it becomes.

    ``mean`` and ``deviation`` have one figure for each of its encoded quantities (or none, where nothing needed them).
    """

    name: str
    type: str  # Arrow type
    kind: Kind
    parts: tuple[str, ...] = ()  # of a date
    categories: tuple[str | int | float, ...] = ()
    other: bool = False  # has a code for values that are not among the categories
    gap: bool = False  # has a code for missing values
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()
    width: int = 0  # of a vector or a text: its columns in the matrix
    filled: float = 0.0  # of them, how many a row has on average
    ngrams: int = 0  # of a text

    @property
    def codes(self) -> int:
        return len(self.categories) + self.other + self.gap


class Encoding(Record):
    """All that turns raw columns into what a framework takes, and its answers into labels."""

    format: int = 1
    input: Literal["raw", "codes", "one-hot", "series"]
    missing: Literal["ok", "impute"]
    sparse: bool = False
    columns: tuple[Column, ...]
    outcome: Labels
    dropped: tuple[tuple[str, str], ...] = ()  # (column, why)

    @property
    def raw_columns(self) -> tuple[str, ...]:
        """The raw columns that it reads."""
        return tuple(column.name for column in self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the encoded columns."""
        return self._outline[0]

    @property
    def kinds(self) -> tuple[Literal["q", "c"], ...]:
        return self._outline[1]

    @property
    def categories(self) -> tuple[int, ...]:
        """The number of codes of each encoded column; 0 for quantities."""
        return self._outline[2]

    @property
    def width(self) -> int:
        return len(self.names)

    @property
    def dtype(self) -> Any:
        """Of the matrix."""
        return np.int64 if self.input == "series" else np.float32

    @property
    def target_dtype(self) -> Any:
        return np.float64 if self.input == "series" else np.float32

    @property
    def target_name(self) -> str:
        return self.outcome.name

    @property
    def n_classes(self) -> int:
        """0 for a regression."""
        return len(self.outcome.classes)

    @property
    def most_set(self) -> int:
        """Cells that a row can have set at most by columns other than vectors, where it is sparse."""
        return sum(
            1 if column.kind == "category" else len(column.parts) or 1 for column in self.columns if not column.width
        )

    @property
    def filled(self) -> float:
        """Cells that a row has set by vectors, on average."""
        return sum(column.filled for column in self.columns)

    def labels(self) -> list[Any] | None:
        """The labels in the order of their codes; None for a regression."""
        return self.decode(np.arange(self.n_classes)).to_pylist() if self.n_classes else None

    def apply(self, batch: pa.RecordBatch) -> Any:
        """(n, d) float32 in C order, a CSR matrix where it is sparse, the raw columns, or (n, 1) int64 moments.

        Raises
        ------
        DataError
            For a missing column, one of another type that cannot be read as what was trained on, or infinite values.
        """
        if self.input == "raw":
            return self.raw(batch)
        if self.sparse:
            X, flawed = self.csr(batch)
        else:
            X = np.empty((batch.num_rows, self.width), self.dtype)
            flawed = self.into(batch, X)
        if flawed:
            raise infinite_values(X, self.names, None)
        return X

    def into(self, batch: pa.RecordBatch, out: np.ndarray) -> bool:
        """Write the encoded rows into ``out`` (n, d); whether any value is infinite."""
        if self.input == "series":
            out[:, 0] = times_of(batch.column(positions_of(self.raw_columns, batch.schema.names)[0]), self.names[0])
            return False
        return self._encoder.dense(batch, out)

    def csr(self, batch: pa.RecordBatch) -> tuple[Any, bool]:
        """A scipy CSR matrix, and whether any value is infinite."""
        return self._encoder.csr(batch)

    def infinite_in(self, batch: pa.RecordBatch) -> np.ndarray:
        """(n,) int: for each row the first of ``names`` that is infinite in it, -1 where none is.

        Slow, and called where something was seen to be wrong.

        Raises
        ------
        DataError
            As `apply`, but for infinite values.
        """
        if self.input == "series":
            return np.full(batch.num_rows, -1)
        if self.input == "raw":
            columns = [column.to_numpy(zero_copy_only=False) for column in self.raw(batch).columns]
            found = [(k, np.flatnonzero(np.isinf(c))) for k, c in enumerate(columns) if c.dtype.kind == "f"]
        elif self.sparse:
            X = self.csr(batch)[0].tocoo()
            bad = np.isinf(X.data)
            found = [(k, X.row[bad & (X.col == k)]) for k in np.unique(X.col[bad])]
        else:
            X = np.empty((batch.num_rows, self.width), np.float32)
            self.into(batch, X)
            found = [(k, np.flatnonzero(np.isinf(X[:, k]))) for k in range(self.width)]
        first = np.full(batch.num_rows, -1)
        for k, rows in reversed(found):
            first[rows] = k
        return first

    def raw(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The raw feature columns, untouched and in their order."""
        return batch.select(positions_of(self.raw_columns, batch.schema.names))

    def target(self, batch: pa.RecordBatch) -> np.ndarray:
        """(n,) class codes or values (`target_dtype`), NaN where missing."""
        column = batch.column(positions_of((self.outcome.name,), batch.schema.names)[0])
        return self.outcome.values(column) if self.input == "series" else self.outcome.y(column)

    def decode(self, codes: np.ndarray) -> pa.Array:
        """The labels of predicted class codes, a regression's values as they are; null where NaN."""
        return self.outcome.decode(codes)

    @cached_property
    def _encoder(self) -> Encoder:
        from fitscale.data.encoder import Encoder

        return Encoder(self)

    @cached_property
    def _outline(self) -> tuple[tuple[str, ...], tuple[Literal["q", "c"], ...], tuple[int, ...]]:
        return _outline_of(self)

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        kept = {name: value for name, value in state["__dict__"].items() if not name.startswith("_")}
        return {**state, "__dict__": kept}  # what was compiled is compiled again where it arrives


def _outline_of(encoding: Encoding) -> tuple[tuple[str, ...], tuple[Literal["q", "c"], ...], tuple[int, ...]]:
    names: list[str] = []
    codes: list[int] = []
    for column in encoding.columns:
        if encoding.input == "raw" or (column.kind == "category" and encoding.input == "codes"):
            new = [column.name]
        elif column.width:
            new = [f"{column.name}.{index}" for index in range(column.width)]
        elif column.kind == "category":
            new = [f"{column.name}={value}" for value in column.categories] + [f"{column.name}=(other)"] * column.other
        else:
            new = [f"{column.name}.{part}" for part in column.parts] or [column.name]
        names += new
        coded = encoding.input == "codes" and column.kind == "category"
        codes += [column.codes if coded else 0] * len(new)
    return tuple(_unlike(names)), tuple("c" if n else "q" for n in codes), tuple(codes)


def _unlike(names: list[str]) -> list[str]:
    """The same names, with ~2, ~3 after what is there already: libraries refuse repeated names."""
    if len(set(names)) == len(names):
        return names
    seen: set[str] = set()
    out: list[str] = []
    for name in names:
        new, k = name, 1
        while new in seen:
            k += 1
            new = f"{name}~{k}"
        seen.add(new)
        out.append(new)
    return out


def positions_of(names: Sequence[str], there: Sequence[str]) -> list[int]:
    """Where the columns are in a batch.

    Raises
    ------
    DataError
        Naming the one that is missing, and the nearest that is there.
    """
    place = {name: k for k, name in enumerate(there)}
    try:
        return [place[name] for name in names]
    except KeyError as error:
        name = error.args[0]
        raise DataError(f"no column '{name}', which the model was trained on{nearest(name, there)}") from None


def infinite_values(X: Any, names: tuple[str, ...], rows: np.ndarray | None) -> DataError:
    """Names the first column with infinite values, how many, and the first row where the ``rows`` have numbers."""
    if isinstance(X, np.ndarray):
        for j in range(X.shape[1]):
            where = np.flatnonzero(np.isinf(X[:, j]))
            if len(where):
                return _infinite(names[j], len(where), None if rows is None else int(rows[where[0]]))
    else:
        found = X.tocoo()
        inf = np.isinf(found.data)
        j = int(found.col[inf].min())
        where = np.sort(found.row[inf & (found.col == j)])
        return _infinite(names[j], len(where), None if rows is None else int(rows[where[0]]))
    raise AssertionError("called only where a value is infinite")


def _infinite(name: str, count: int, row: int | None) -> DataError:
    rows = f"{count:,} row{'' if count == 1 else 's'}"
    if row is None:
        return DataError(f"column '{name}' is infinite (or beyond 3.4e38) in {rows}; make these values missing")
    return DataError(
        f"column '{name}' is infinite (or beyond 3.4e38) in {rows} (the first is row {row:,}); make these values"
        " missing, or drop the column with data.features.drop"
    )
