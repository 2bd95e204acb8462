"""What every source must do. Subclass it in your own tests:

class TestMySource(SourceSuite):
    def make(self, folder: Path) -> DataSpec:
        ...  # write some data there; 10,000 to 100,000 rows in at least 4 units show the most
        return DataSpec(uri=f"mine://{folder}", target="y")
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from fitscale.contracts import Source
from fitscale.data.reader import Reader, open_reader
from fitscale.records.data import Snapshot
from fitscale.records.workload import DataSpec

if TYPE_CHECKING:
    import pyarrow as pa


class SourceSuite:
    """Promises of a source, and of a `Reader` over it."""

    def make(self, folder: Path) -> DataSpec:
        """Lay data into an empty folder, or name some: what the workload's ``data`` would say."""
        raise NotImplementedError

    def test_it_is_a_source(self, tmp_path: Path) -> None:
        """It has every attribute and method of the contract."""
        source = open_reader(self.make(tmp_path)).source
        assert isinstance(source, Source)
        assert source.schemes

    def test_the_snapshot_is_the_same_each_time(self, tmp_path: Path) -> None:
        """Two looks at unchanged data pin the same, and a snapshot survives JSON."""
        data = self.make(tmp_path)
        one, two = open_reader(data).snapshot, open_reader(data).snapshot
        assert one == two
        assert one.content == two.content
        assert Snapshot.from_json(one.to_json()) == one
        assert one.rows == sum(piece.rows for piece in one.pieces) > 1

    def test_batches_have_the_types_of_the_snapshot(self, tmp_path: Path) -> None:
        """What is read is named and typed as the snapshot says."""
        reader = open_reader(self.make(tmp_path))
        for _, batch in reader.batches(_all(reader), batch_rows=1_000):
            assert tuple((field.name, str(field.type)) for field in batch.schema) == reader.snapshot.columns

    def test_there_are_as_many_rows_as_pinned(self, tmp_path: Path) -> None:
        """Row counts of the whole and of every unit are the snapshot's; no unit of it is empty."""
        reader = open_reader(self.make(tmp_path))
        assert reader.rows == reader.snapshot.rows
        assert sum(stop - start for start, stop, _ in reader.units) == reader.rows
        for start, stop, size in reader.units:
            assert start < stop
            assert size > 0
            assert sum(b.num_rows for _, b in reader.batches(_all(reader)[:1], start=start, stop=stop)) == stop - start

    def test_batches_are_no_longer_than_asked(self, tmp_path: Path) -> None:
        """At most ``batch_rows`` rows, none empty, numbered without gap."""
        reader = open_reader(self.make(tmp_path))
        for size in (7, 1_000, 10**9):
            row = 0
            for first, batch in reader.batches(_all(reader)[:2], batch_rows=size, stop=min(reader.rows, 300 * size)):
                assert first == row
                assert 0 < batch.num_rows <= size
                row += batch.num_rows
            assert row == min(reader.rows, 300 * size)

    def test_a_unit_reads_the_same_twice(self, tmp_path: Path) -> None:
        """The same rows in the same order again, from the same object and from a new one that has the snapshot."""
        data = self.make(tmp_path)
        reader = open_reader(data)
        again = open_reader(data, reader.snapshot)
        for start, stop, _ in reader.units[-2:]:
            texts = {_text(r, start, stop, batch_rows=rows) for r in (reader, again) for rows in (999, 65_536)}
            assert len(texts) == 1

    def test_units_in_order_are_the_whole(self, tmp_path: Path) -> None:
        """Rows are numbered through the units, pieces and parts in the snapshot's order."""
        reader = open_reader(self.make(tmp_path))
        columns = _all(reader)
        direct: list[pa.RecordBatch] = []
        for p, piece in enumerate(reader.snapshot.pieces):
            for k in range(len(piece.parts)):
                direct += reader.source.read(reader.snapshot, p, k, columns, 10_000)
        assert _told(direct, columns) == _text(reader, 0, reader.rows)

    def test_seeking_equals_slicing(self, tmp_path: Path) -> None:
        """From any row to any row, across the borders of units."""
        reader = open_reader(self.make(tmp_path))
        whole = _column(reader, _all(reader)[0])
        edges = sorted(
            {0, 1, reader.rows // 3, reader.units[0][1] - 1, reader.units[0][1], reader.rows - 1, reader.rows}
        )
        for start in edges:
            for stop in edges:
                got = [
                    b.column(0) for _, b in reader.batches(_all(reader)[:1], start=start, stop=stop, batch_rows=4_001)
                ]
                assert [repr(v) for array in got for v in array.to_pylist()] == whole[start : max(start, stop)]

    def test_ranges_keep_the_row_numbers(self, tmp_path: Path) -> None:
        """A reader over ranges yields these rows alone, under the numbers that they have in the whole."""
        reader = open_reader(self.make(tmp_path))
        whole = _column(reader, _all(reader)[-1])
        n = reader.rows
        part = Reader(reader.source, reader.snapshot, ((n // 5, n // 5 + 10), (n // 2, n // 2 + n // 4), (n - 1, n)))
        assert part.rows == 10 + n // 4 + 1
        rows = 0
        for first, batch in part.batches(_all(reader)[-1:], batch_rows=5_000):
            assert any(start <= first and first + batch.num_rows <= stop for start, stop in part.ranges)
            assert [repr(v) for v in batch.column(0).to_pylist()] == whole[first : first + batch.num_rows]
            rows += batch.num_rows
        assert rows == part.rows

    def test_columns_are_those_asked_for(self, tmp_path: Path) -> None:
        """Any columns in any order, with the values that they have in the whole."""
        reader = open_reader(self.make(tmp_path))
        asked = _all(reader)[::-2]
        for _, batch in reader.batches(asked):
            assert batch.schema.names == asked
        assert _column(reader, asked[0]) == [repr(v) for v in _values(reader, asked, asked[0])]

    def test_a_sample_is_a_seeded_part(self, tmp_path: Path) -> None:
        """As many rows as asked for, the same for a seed, others for another, all there under their numbers."""
        reader = open_reader(self.make(tmp_path))
        name = _all(reader)[0]
        whole = _column(reader, name)
        wanted = reader.rows // 10
        sample = reader.sample(wanted, seed=1)
        assert sample.rows == wanted
        assert sample.ranges == reader.sample(wanted, seed=1).ranges
        assert sample.ranges != reader.sample(wanted, seed=2).ranges
        for first, batch in sample.batches([name]):
            assert [repr(v) for v in batch.column(0).to_pylist()] == whole[first : first + batch.num_rows]
        assert reader.sample(reader.rows, seed=1).ranges == reader.ranges

    def test_a_sample_is_spread_and_opens_few_units(self, tmp_path: Path) -> None:
        """It has rows of every quarter, and of no more than 8 units (or those needed for so many rows)."""
        reader = open_reader(self.make(tmp_path))
        wanted = min(1_000, reader.rows // 10)
        counting = Counting(reader.source)
        sample = Reader(cast(Source, counting), reader.snapshot).sample(wanted, seed=0)
        rows = [first for first, _ in sample.batches(_all(reader)[:1])]
        assert {min(3, 4 * row // reader.rows) for row in rows} == {0, 1, 2, 3}
        assert len(counting.opened) <= max(8, 2 * wanted // min(stop - start for start, stop, _ in reader.units))
        assert len(counting.opened) >= min(8, len(reader.units))
        assert max(counting.opened.values()) == 1

    def test_what_lies_outside_is_not_opened(self, tmp_path: Path) -> None:
        """Reading one unit's rows opens that unit alone."""
        reader = open_reader(self.make(tmp_path))
        counting = Counting(reader.source)
        start, stop, _ = reader.units[len(reader.units) // 2]
        list(Reader(cast(Source, counting), reader.snapshot).batches(_all(reader)[:1], start=start, stop=stop))
        assert sum(counting.opened.values()) == 1

    def test_a_peek_shows_rows_of_it(self, tmp_path: Path) -> None:
        """Of a source that has it: about as many as asked, the same for one seed, with the columns and values of the whole."""
        reader = open_reader(self.make(tmp_path))
        peek: Any = getattr(reader.source, "peek", None)
        if peek is None:
            return
        found, again = list(peek(200, 0)), list(peek(200, 0))
        assert 0 < sum(batch.num_rows for batch in found) <= 300
        for name in _all(reader):
            assert _told(found, [name]) == _told(again, [name])
            seen = {repr(value) for batch in found for value in batch.column(name).to_pylist()}
            assert seen <= set(_column(reader, name))


class Counting:
    """A source that remembers which units were read."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.opened: Counter[tuple[int, int]] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.source, name)

    def read(
        self, snapshot: Snapshot, piece: int, part: int, columns: Sequence[str], batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        self.opened[piece, part] += 1
        return self.source.read(snapshot, piece, part, columns, batch_rows)


def _all(reader: Reader) -> list[str]:
    return [name for name, _ in reader.snapshot.columns]


def _told(batches: Sequence[pa.RecordBatch], columns: Sequence[str]) -> str:
    """The values as a text, in which NaN equals NaN."""
    return repr([[value for b in batches for value in b.column(name).to_pylist()] for name in columns])


def _text(reader: Reader, start: int, stop: int, batch_rows: int = 65_536) -> str:
    columns = _all(reader)
    return _told([b for _, b in reader.batches(columns, start=start, stop=stop, batch_rows=batch_rows)], columns)


def _values(reader: Reader, columns: Sequence[str], name: str) -> list[object]:
    return [value for _, batch in reader.batches(columns) for value in batch.column(name).to_pylist()]


def _column(reader: Reader, name: str) -> list[str]:
    return [repr(value) for value in _values(reader, [name], name)]
