"""Categories: what values count as the same, how often each was seen in bounded memory, and their codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fitscale.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

TEXT_BYTES = 256 << 20  # what the distinct values of one column may take while they are counted
MOST_PENDING = 256  # blocks that are not summed up yet: each holds 50 kB, however few its values are


def value_type(type: str) -> str:
    """The Arrow type that the categories of such a column are kept in: int64, double or string."""
    base = type.partition("values=")[2].partition(",")[0] if type.startswith("dictionary") else type
    if base in ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"):
        return "int64"
    return "double" if base in ("halffloat", "float", "double") else "string"


def distinct_of(column: pa.Array, type: str, name: str) -> tuple[pa.Array, np.ndarray]:
    """Distinct values as `value_type`, and each row's index among them, -1 where null.

    Some may repeat after the cast, and be null where they were not finite.

    Raises
    ------
    DataError
        Where values cannot be cast without loss, such as texts for categories that were numbers.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as t

    wanted = pa.type_for_alias(type)
    if not t.is_dictionary(column.type):
        if type == "string" and t.is_floating(column.type):
            raise DataError(f"column '{name}' is of type {column.type}, where the model was trained on texts")
        column = column.dictionary_encode()
    values = column.dictionary
    if t.is_floating(values.type):  # -0.0 is 0.0; what is not finite is missing
        values = pc.if_else(pc.is_finite(values), pc.add(values, pa.scalar(0, values.type)), None)
    try:
        values = values.cast(pa.int8()).cast(wanted) if t.is_boolean(values.type) else values.cast(wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        problem = str(error).splitlines()[0]
        raise DataError(f"column '{name}' cannot be read as categories of type {wanted}: {problem}") from None
    return values, column.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)


class CategoryCounts:
    """How often each value of one column occurs, in bounded memory.

    Exact while there are no more than ``room`` distinct values; beyond that the rarest so far are forgotten at fixed
    places, so that the outcome depends on the rows and their order alone.
    """

    def __init__(self, name: str, type: str, most: int) -> None:
        self.name = name
        self.type = value_type(type)
        self.most = most
        self.room = max(4 * most, 65_536)
        self.forgot = False
        self._pending: list[tuple[pa.Array, np.ndarray]] = []
        self._size = 0

    def add(self, column: pa.Array, picked: np.ndarray | None = None) -> None:
        """Count the rows ``picked`` (positions; None: all) of one block."""
        values, index = distinct_of(column, self.type, self.name)
        index = index if picked is None else index[picked]
        counts = np.bincount(index + 1, minlength=len(values) + 1)[1:]
        self._pending.append(_known(values, counts))
        self._size += len(self._pending[-1][1])
        if self._size > self.room or len(self._pending) > MOST_PENDING:
            self._merge()

    def result(self) -> tuple[tuple[str | int | float, ...], bool]:
        """The ``most`` frequent values, sorted, and whether there were others."""
        self._merge()
        values, counts = self._pending[0] if self._pending else (None, np.empty(0))
        if values is None or not len(counts):
            return (), False
        kept = np.sort(_order(counts)[: self.most])
        return tuple(values.take(kept).to_pylist()), self.forgot or len(kept) < len(counts)

    @property
    def distinct(self) -> int:
        """At least so many different values were seen."""
        return max((len(counts) for _, counts in self._pending), default=0)

    def _merge(self) -> None:
        """Sum up what is pending, sorted by value; forget the rarest where it is too much."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if not self._pending:
            return
        joined = pa.concat_arrays([values for values, _ in self._pending]).dictionary_encode()
        counts = np.concatenate([counts for _, counts in self._pending])
        sums = np.bincount(joined.indices.to_numpy(), weights=counts, minlength=len(joined.dictionary))
        order = pc.sort_indices(joined.dictionary)
        values, sums = joined.dictionary.take(order), sums[order.to_numpy()].astype(np.int64)
        keep = self.room // 2 if len(sums) > self.room else len(sums)
        if values.nbytes > TEXT_BYTES:
            keep = min(keep, max(self.most // 2, int(len(sums) * (TEXT_BYTES / 2 / values.nbytes))))
        if keep < len(sums):
            kept = np.sort(_order(sums)[:keep])
            values, sums, self.forgot = values.take(kept), sums[kept], True
        self._pending = [(values, sums)]
        self._size = 0


def codes_of(column: pa.Array, values: pa.Array, other: int, name: str) -> np.ndarray:
    """(n,) int64 codes of the sorted ``values``; ``other`` (which may be -1) where unseen, -1 where missing."""
    import pyarrow.compute as pc

    distinct, index = distinct_of(column, str(values.type), name)
    found = pc.index_in(distinct, value_set=values).fill_null(other).to_numpy(zero_copy_only=False).astype(np.int64)
    if distinct.null_count:
        found[distinct.is_null().to_numpy(zero_copy_only=False)] = -1
    codes: np.ndarray = np.append(found, -1)[index]
    return codes


def _known(values: pa.Array, counts: np.ndarray) -> tuple[pa.Array, np.ndarray]:
    """Without nulls and values that did not occur."""
    import pyarrow as pa

    keep = (counts > 0) & values.is_valid().to_numpy(zero_copy_only=False)
    return values.filter(pa.array(keep)), counts[keep]


def _order(counts: np.ndarray) -> np.ndarray:
    """The most frequent first; of equals the smaller value, as the values are sorted."""
    return np.argsort(-counts, kind="stable")
