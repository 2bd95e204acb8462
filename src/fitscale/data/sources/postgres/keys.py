"""Rows in the order of their key, held to it while they are read: none without a key, none with the same one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fitscale.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

ELSE = "name a column that has a value of its own in each row, or leave data.key out"


def in_key_order(batches: Iterator[pa.RecordBatch], key: str) -> Iterator[pa.RecordBatch]:
    """The same batches.

    Raises
    ------
    DataError
        At data.key: a row has no key, or two have the same: their order would be the server's whim.
    """
    import pyarrow.compute as pc

    last: Any = None
    for batch in batches:
        column = batch.column(key)
        if column.null_count:
            raise DataError(
                f"data.key: column '{key}' has no value in some rows: leave them out with data.where: \"{key} is not null\", "
                f"or {ELSE}"
            )
        if batch.num_rows:
            same = pc.equal(column.slice(1), column.slice(0, batch.num_rows - 1))
            twice = column[0].as_py() if column[0].as_py() == last else None
            if twice is None and (at := pc.index(same, True).as_py()) >= 0:
                twice = column[at].as_py()
            if twice is not None:
                raise DataError(f"data.key: column '{key}' has the value {twice!r} in more than one row: {ELSE}")
            last = column[-1].as_py()
        yield batch
