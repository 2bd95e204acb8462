"""The reader: ranges and seeks for any cut of the data, samples, and how a source is found."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitscale.data.choosing import open_source, scheme_of
from fitscale.data.reader import Reader, open_reader
from fitscale.data.sample import merged, spread_ranges
from fitscale.data.staging import parquet_of
from fitscale.errors import DataError, SourceChanged, WorkloadError
from fitscale.records.data import Piece, Snapshot
from fitscale.records.workload import DataSpec

SPEC = DataSpec(uri="synthetic://?rows=200000&columns=1&categorical=0", target="y")


class Numbers:
    """Units of any sizes; a row's value is its number."""

    name, schemes, needs, stable = "numbers", ("numbers",), (), True

    def __init__(self, parts: list[list[int]], short: int = 0) -> None:
        self.parts, self.short = parts, short

    def snapshot(self) -> Snapshot:
        pieces = [
            Piece(path=f"{p}", bytes=1, pin="", parts=tuple((n, n) for n in sizes))
            for p, sizes in enumerate(self.parts)
        ]
        return Snapshot(source="numbers", root="", columns=(("n", "int64"),), pieces=tuple(pieces))

    def read(self, snapshot, piece, part, columns, batch_rows):
        import pyarrow as pa

        first = sum(map(sum, self.parts[:piece])) + sum(self.parts[piece][:part])
        for start in range(0, self.parts[piece][part] - self.short, batch_rows):
            stop = min(start + batch_rows, self.parts[piece][part] - self.short)
            yield pa.record_batch({"n": pa.array(range(first + start, first + stop), pa.int64())})


parts = st.lists(st.lists(st.integers(0, 9), max_size=4), min_size=1, max_size=4)
edge = st.integers(-2, 60)
ranges = st.lists(st.tuples(edge, edge), max_size=4)


@given(
    parts=parts,
    ranges=st.none() | ranges,
    start=st.integers(0, 40),
    stop=st.none() | st.integers(0, 60),
    size=st.integers(1, 12),
)
def test_exactly_the_rows_in_the_ranges_come(parts, ranges, start, stop, size):
    """For any units, ranges, seek and batch length: each wanted row once, in order, under its number."""
    source = Numbers(parts)
    total = sum(map(sum, parts))
    reader = Reader(source, source.snapshot(), None if ranges is None else tuple(ranges))
    wanted = {n for a, b in ([(0, total)] if ranges is None else ranges) for n in range(max(a, 0), min(b, total))}
    assert reader.rows == len(wanted)
    got: list[int] = []
    for first, batch in reader.batches(["n"], start=start, stop=stop, batch_rows=size):
        values = batch.column(0).to_pylist()
        assert values == list(range(first, first + len(values)))
        assert 0 < len(values) <= size
        got += values
    assert got == sorted(n for n in wanted if n >= start and (stop is None or n < stop))


@given(parts=parts, ranges=st.none() | ranges, rows=st.integers(0, 60), seed=st.integers(0, 5))
def test_a_sample_has_as_many_rows_as_asked(parts, ranges, rows, seed):
    """Or all, where there are fewer; a sample of a sample is a part of it."""
    source = Numbers(parts)
    reader = Reader(source, source.snapshot(), None if ranges is None else tuple(ranges))
    sample = reader.sample(rows, seed)
    assert sample.rows == min(rows, reader.rows)
    inside = {n for a, b in reader.ranges for n in range(a, b)}
    assert {n for a, b in sample.ranges for n in range(a, b)} <= inside
    assert sample.sample(rows // 2, seed).rows == min(rows // 2, reader.rows)


@given(ranges)
def test_merged_ranges_cover_the_same_rows(ranges):
    """Sorted, disjoint, none empty."""
    out = merged(ranges)
    assert {n for a, b in out for n in range(a, b)} == {n for a, b in ranges for n in range(a, b)}
    assert all(a < b for a, b in out)
    assert all(b < c for (_, b), (c, _) in pairwise(out))


@given(units=st.integers(1, 400), rows=st.integers(8, 20_000), seed=st.integers(0, 3))
def test_a_sample_is_spread_over_the_units(units, rows, seed):
    """No stretch of a third of the data is left out."""
    segments = [(k * 100, k * 100 + 100) for k in range(units)]
    total = units * 100
    picked = spread_ranges(segments, min(rows, total), seed)
    edges = [0, *[(a + b) / 2 for a, b in picked], total]
    assert max(b - a for a, b in pairwise(edges)) <= total / 3 + 100


def test_a_unit_that_came_out_short_is_noticed():
    """A source that yields fewer rows than pinned is an error, not other row numbers."""
    source = Numbers([[5, 5]], short=1)
    with pytest.raises(SourceChanged, match="part 0 has 4 rows, not 5"):
        list(Reader(source, Numbers([[5, 5]]).snapshot()).batches(["n"]))


def test_no_columns_are_refused():
    """Batches without columns would have no length."""
    with pytest.raises(ValueError, match="no columns"):
        list(open_reader(SPEC).batches([]))


def test_the_scheme_finds_the_source():
    """A path has none; an unknown one is an error at data.uri that says what there is."""
    assert [scheme_of(uri) for uri in ("a/b.parquet", "/a", "s3://b/k", "C:x")] == ["", "", "s3", ""]
    with pytest.raises(WorkloadError, match=r"data\.uri: no source reads 'synthetik://'; did you mean 'synthetic'"):
        open_reader(SPEC.but(uri="synthetik://?rows=5"))


def test_data_that_is_gone_when_a_run_goes_on_can_be_put_back(tmp_path):
    """Without a snapshot it is a wrong workload, with one it is an interruption."""
    parquet_of(open_source(SPEC), tmp_path / "d")
    data = DataSpec(uri=str(tmp_path / "d"), target="y")
    snapshot = open_reader(data).snapshot
    (tmp_path / "d").rename(tmp_path / "e")
    with pytest.raises(DataError):
        open_reader(data)
    with pytest.raises(SourceChanged, match="put it back"):
        open_reader(data, snapshot)
