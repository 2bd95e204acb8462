"""A reader over a table in memory, cut wherever a test wants it cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from fitscale.data.reader import Reader
from fitscale.records.data import Piece, Snapshot

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.records.workload import DataSpec


class TableSource:
    """A `contracts.Source` over one table; each part is a unit of reading."""

    name: ClassVar[str] = "table"
    schemes: ClassVar[tuple[str, ...]] = ()
    needs: ClassVar[tuple[str, ...]] = ("pyarrow",)
    stable: ClassVar[bool] = True

    def __init__(self, table: pa.Table, parts: Sequence[int]) -> None:
        self.table = table
        self.parts = tuple(parts)

    @classmethod
    def open(cls, data: DataSpec) -> TableSource:
        raise NotImplementedError("a table has no uri: use reader_over")

    def snapshot(self) -> Snapshot:
        columns = tuple((field.name, str(field.type)) for field in self.table.schema)
        parts = tuple((rows, rows) for rows in self.parts)
        return Snapshot(
            source=self.name,
            root="",
            columns=columns,
            pieces=(Piece(path="table", bytes=self.table.nbytes, pin="table", parts=parts),),
        )

    def read(
        self, snapshot: Snapshot, piece: int, part: int, columns: Sequence[str], batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        start = sum(self.parts[:part])
        rows = self.table.slice(start, self.parts[part]).select(list(columns))
        yield from rows.combine_chunks().to_batches(max_chunksize=batch_rows)


def reader_over(table: pa.Table, parts: Sequence[int] | None = None) -> Reader:
    """A reader over the table's rows in units of these sizes; default: one unit."""
    source = TableSource(table, [table.num_rows] if parts is None else parts)
    return Reader(source, source.snapshot())
