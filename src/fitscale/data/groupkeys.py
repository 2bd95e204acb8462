"""The keys of groups: which there are, how many rows each has, and the group number of a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fitscale.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.data.reader import Reader

ROWS = "__rows__"
PENDING = 1_000_000  # counted keys that are held before they are summed up


def counted_keys(reader: Reader, groups: Sequence[str], only: KeyFilter | None = None) -> tuple[pa.Table, np.ndarray]:
    """The distinct keys in sorted order (null last), and each one's rows. One pass over the key columns.

    Raises
    ------
    DataError
        If no row has one of the keys that are meant.
    """
    import pyarrow as pa

    pending: list[pa.Table] = []
    size = 0

    def summed() -> pa.Table:
        table = pa.concat_tables(pending).group_by(list(groups), use_threads=False).aggregate([(ROWS, "sum")])
        return table.rename_columns([ROWS if name == f"{ROWS}_sum" else name for name in table.column_names])

    for _, read in reader.batches(list(groups)):
        batch = read if only is None else read.filter(pa.array(only.of(read)))
        ones = pa.Table.from_batches([plain(batch)]).append_column(ROWS, pa.repeat(1, batch.num_rows))
        pending.append(ones.group_by(list(groups), use_threads=False).aggregate([(ROWS, "sum")]))
        pending[-1] = pending[-1].rename_columns(
            [ROWS if name == f"{ROWS}_sum" else name for name in pending[-1].column_names]
        )
        size += pending[-1].num_rows
        if size > PENDING:
            pending = [summed()]
            size = 0
    if only is not None and not any(part.num_rows for part in pending):
        raise DataError("data.uri: no row is of one of the groups that are to be trained again")
    table = summed().sort_by([(name, "ascending") for name in groups])
    rows: np.ndarray = table.column(ROWS).to_numpy().astype(np.int64)
    return table.select(list(groups)).combine_chunks(), rows


class KeyFilter:
    """Which rows have one of these keys."""

    def __init__(self, keys: pa.Table) -> None:
        self.ranks = KeyRanks(keys)

    def of(self, batch: pa.RecordBatch | pa.Table) -> np.ndarray:
        """(n,) bool."""
        import pyarrow.compute as pc

        known = np.ones(batch.num_rows, bool)
        rank = np.zeros(batch.num_rows, np.int64)
        for name, values, seen in self.ranks.columns():
            column = batch.column(name)
            found = pc.index_in(column, value_set=values.cast(column.type))
            known &= found.is_valid().to_numpy(zero_copy_only=False)
            code = rank * len(values) + found.fill_null(0).to_numpy().astype(np.int64)
            rank = np.minimum(np.searchsorted(seen, code), len(seen) - 1)
            known &= seen[rank] == code
        return known


class KeyRanks:
    """The group number of rows: the place of their key among the sorted keys, column by column."""

    def __init__(self, keys: pa.Table) -> None:
        self.names = keys.column_names
        self._values: list[pa.Array] = []
        self._seen: list[np.ndarray] = []
        rank = np.zeros(keys.num_rows, np.int64)
        for name in self.names:
            column = _one(keys.column(name))
            values = column.unique()
            values = values.take(_sorted(values))
            self._values.append(values)
            code = rank * len(values) + _places(column, values)
            seen = np.unique(code)  # the prefixes that occur: numbers stay small however many columns there are
            self._seen.append(seen)
            rank = np.searchsorted(seen, code)

    def columns(self) -> Iterator[tuple[str, pa.Array, np.ndarray]]:
        """Of each column its name, its values, and which prefixes of keys occur."""
        return zip(self.names, self._values, self._seen, strict=True)

    def of(self, batch: pa.RecordBatch) -> np.ndarray:
        """(n,) int64 group numbers; every key must be one of those."""
        rank = np.zeros(batch.num_rows, np.int64)
        for name, values, seen in self.columns():
            code = rank * len(values) + _places(batch.column(name), values)
            rank = code if len(seen) == seen[-1] + 1 else np.searchsorted(seen, code)
        return rank


def plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Without dictionaries, which differ from batch to batch."""
    import pyarrow as pa
    import pyarrow.types as t

    if not any(t.is_dictionary(field.type) for field in batch.schema):
        return batch
    columns = [c.dictionary_decode() if t.is_dictionary(c.type) else c for c in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def keys_as_tuples(keys: pa.Table) -> list[tuple[Any, ...]]:
    return list(zip(*[keys.column(name).to_pylist() for name in keys.column_names], strict=True))


def _places(column: pa.Array, values: pa.Array) -> np.ndarray:
    import pyarrow.compute as pc

    found = pc.index_in(column, value_set=values)
    if found.null_count:
        raise AssertionError("a key that was not there when the keys were counted")
    places: np.ndarray = found.to_numpy(zero_copy_only=False).astype(np.int64)
    return places


def _sorted(values: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    return pc.sort_indices(values)  # null last


def _one(column: pa.ChunkedArray) -> pa.Array:
    import pyarrow as pa

    chunk = column.combine_chunks()
    return chunk if isinstance(chunk, pa.Array) else pa.concat_arrays(chunk.chunks)
