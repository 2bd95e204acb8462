"""Rows cut by group: every row once, in order, and the feeds of groups that are slices of it."""

from __future__ import annotations

import datetime as dt
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fitscale.contracts import Feed
from fitscale.data.feed import make_feed
from fitscale.data.folds import assign
from fitscale.data.groups import GroupedFeed, make_groups
from fitscale.data.learning import learn
from fitscale.data.partition import ROW, Partition, kept_columns, partition
from fitscale.errors import DataError, StorageFull
from fitscale.records.data import Folds
from fitscale.records.run import Traits
from fitscale.records.workload import DataSpec
from fitscale.testing.feeds import FeedSuite, bits, same
from fitscale.testing.tables import reader_over

N = 3_000
DATA = DataSpec(uri="x", target="y", weight="w", groups=("origin", "day"))
FOLDS = Folds(seed=0, holdout=0.2, validation=0.1)
PARTS = [1_000, 1, 1_999]
HOW = {
    "codes": Traits(target="classifier", can={}, input="codes", missing="ok", progress="none"),
    "sparse": Traits(target="classifier", can={}, input="one-hot", missing="impute", progress="none", sparse=True),
    "raw": Traits(target="classifier", can={}, input="raw", missing="ok", progress="none"),
}


def table(n: int = N) -> pa.Table:
    rng = np.random.default_rng(0)
    return pa.table(
        {
            "origin": pa.array(
                rng.choice(["JFK", "EWR", "LGA", None], n, p=[0.5, 0.3, 0.15, 0.05])
            ).dictionary_encode(),
            "day": pa.array([None if k == 9 else dt.date(2020, 1, 1 + k) for k in rng.integers(0, 10, n).tolist()]),
            "a": rng.normal(size=n),
            "k": rng.integers(0, 50, n).astype(str),
            "c": pa.array(rng.choice(["x", "y", "zz"], n), mask=rng.random(n) < 0.1).dictionary_encode(),
            "w": rng.random(n),
            "y": rng.choice(["no", "yes"], n),
        }
    )


def cut(rows: pa.Table, folder: Path, data: DataSpec = DATA, folds: Folds = FOLDS, **more: Any) -> Partition:
    reader = reader_over(rows, more.pop("parts", PARTS))
    return partition(reader, data, kept_columns(reader, data, folds), folder, **more)


def key_order(key: tuple[Any, ...]) -> list[tuple[bool, Any]]:
    return [(part is None, "" if part is None else part) for part in key]


def all_rows(there: Partition) -> pa.Table:
    return pa.Table.from_batches([batch for _, batch in there.batches([*there.cut.columns, ROW])])


@pytest.mark.parametrize("memory_bytes", [1 << 30, 40_000, 4_000])
def test_rows_are_ordered_by_key_and_number(tmp_path: Path, memory_bytes: int) -> None:
    """In one bucket, in several, in one for each group: the same rows in the same order, null keys last, nothing lost."""
    rows = table()
    there = cut(rows, tmp_path / "cut", memory_bytes=memory_bytes)
    got = all_rows(there)
    numbers = got[ROW].to_numpy()
    assert np.array_equal(np.sort(numbers), np.arange(N))
    plain = rows.cast(
        pa.schema([(f.name, "string" if pa.types.is_dictionary(f.type) else f.type) for f in rows.schema])
    )
    assert (
        got.drop_columns([ROW]).to_pydict() == plain.take(pa.array(numbers)).select(list(there.cut.columns)).to_pydict()
    )
    keys = list(zip(rows["origin"].to_pylist(), rows["day"].to_pylist(), strict=True))
    wanted = sorted(range(N), key=lambda row: (key_order(keys[row]), row))
    assert numbers.tolist() == wanted
    assert there.key_tuples(0, len(there)) == list(dict.fromkeys(keys[row] for row in wanted))
    assert there.sizes.tolist() == [keys.count(key) for key in there.key_tuples(0, len(there))]
    assert [p.name for p in tmp_path.iterdir()] == ["cut"]  # no temporary files are left


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.integers(-2, 2)),
            st.one_of(st.none(), st.sampled_from(["", "a", "b", "ä", "a b"])),
            st.one_of(st.none(), st.booleans()),
        ),
        min_size=1,
        max_size=40,
    ),
    st.sampled_from([1 << 30, 500]),
)
def test_any_keys(tmp_path: Path, keys: list[tuple[Any, ...]], memory_bytes: int) -> None:
    """Nulls, empty texts, unicode, truth values, in any combination and order."""
    folder = tmp_path / str(time.monotonic_ns())
    columns = dict(zip("abc", zip(*keys, strict=True), strict=True))
    rows = pa.table({"a": pa.array(columns["a"], pa.int16()), "b": pa.array(columns["b"], pa.string()),
                     "c": pa.array(columns["c"], pa.bool_()), "x": range(len(keys)), "y": range(len(keys))})  # fmt: skip
    data = DataSpec(uri="x", target="y", groups=("a", "b", "c"))
    there = cut(rows, folder, data, parts=[len(keys)], memory_bytes=memory_bytes)
    wanted = sorted(range(len(keys)), key=lambda row: (key_order(keys[row]), row))
    assert all_rows(there)["x"].to_pylist() == wanted
    assert there.key_tuples(0, len(there)) == list(dict.fromkeys(keys[row] for row in wanted))


def test_a_slice_is_read_alone(tmp_path: Path) -> None:
    """Rows from any place to any other, in any batch size."""
    there = cut(table(), tmp_path / "cut", memory_bytes=40_000)
    whole = all_rows(there)[ROW].to_pylist()
    for start, stop in ((0, 1), (5, 5), (17, 2_222), (2_999, 3_000)):
        got = list(there.batches([ROW], start=start, stop=stop, batch_rows=100))
        assert [number for _, batch in got for number in batch.column(0).to_pylist()] == whole[start:stop]
        assert [place for place, _ in got] == [start + k for k in np.cumsum([0, *[b.num_rows for _, b in got]])[:-1]]


def test_files_of_many_columns_do_not_all_stay_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker holds what one file describes, however many there are: of 10,000 columns that is 60 MB for each."""
    there = cut(table(), tmp_path / "cut", memory_bytes=40_000)
    files = len(list((tmp_path / "cut" / "rows").iterdir()))
    assert files > 2
    before = len(os.listdir("/proc/self/fd"))
    whole = all_rows(there)
    assert len(os.listdir("/proc/self/fd")) == before + files
    monkeypatch.setattr("fitscale.data.partition.DESCRIBED", 1)
    again = Partition(tmp_path / "cut")
    assert all_rows(again).equals(whole)
    assert len(os.listdir("/proc/self/fd")) == before + files + 1


@pytest.mark.parametrize(
    "folds", [FOLDS, Folds(seed=1, by="column", column="k", holdout=0.5), Folds(seed=0, part=(1, 3))]
)  # fmt: skip
def test_folds_are_those_of_the_whole_table(tmp_path: Path, folds: Folds) -> None:
    """A row is in the same fold as where there is one model; counts by group are exact."""
    rows = table()
    there = cut(rows, tmp_path / "cut", folds=folds)
    wanted = assign(folds, np.arange(N), rows["k"].combine_chunks())
    keys = list(zip(rows["origin"].to_pylist(), rows["day"].to_pylist(), strict=True))
    counts = there.fold_counts(folds)
    for g, key in enumerate(there.key_tuples(0, len(there))):
        mine = wanted[[row for row in range(N) if keys[row] == key]]
        assert counts[g].tolist() == [int((mine == code).sum()) for code in (0, 1, 2)]


def test_it_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure leaves nothing; what was cut from the same rows is taken again; another partition is not overwritten."""
    rows, folder = table(), tmp_path / "cut"

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pyarrow.parquet.write_table", full)
        with pytest.raises(StorageFull, match="the disk is full"):
            cut(rows, folder)
    assert not list(tmp_path.iterdir())
    (tmp_path / ".cut.1.part" / "rows").mkdir(parents=True)  # what a killed one leaves
    first = cut(rows, folder)
    assert [path.name for path in tmp_path.iterdir()] == ["cut"]
    before = (folder / "index.parquet").stat().st_mtime_ns
    assert cut(rows, folder).cut == first.cut
    assert (folder / "index.parquet").stat().st_mtime_ns == before
    with pytest.raises(DataError, match="partition of other rows"):
        cut(rows, folder, DATA.but(groups=("origin",)))


def grouped(folder: Path, rows: pa.Table | None = None, how: str = "codes", start: int = 0, stop: int | None = None,
            data: DataSpec = DATA) -> GroupedFeed:  # fmt: skip
    rows = table() if rows is None else rows
    there = cut(rows, folder / "cut", data)
    encoding = learn(reader_over(rows, PARTS), data, FOLDS, HOW[how])
    stop = len(there) if stop is None else stop
    return make_groups(there, data, encoding, FOLDS, start, stop, batch_rows=50, scratch=folder)


class TestChunk(FeedSuite):
    ordered = False
    shards = False

    @pytest.fixture(params=list(HOW))
    def feed(self, request: pytest.FixtureRequest, tmp_path: Path) -> Feed:
        return grouped(tmp_path, how=request.param)


class TestGroup(FeedSuite):
    shards = False

    @pytest.fixture(params=list(HOW))
    def feed(self, request: pytest.FixtureRequest, tmp_path: Path) -> Feed:
        return list(grouped(tmp_path, how=request.param).groups())[3][1]


@pytest.mark.parametrize("how", list(HOW))
def test_a_group_has_its_rows_of_the_whole_matrix(tmp_path: Path, how: str) -> None:
    """The same bits as the rows of the one feed over everything, whatever chunk the group is in."""
    rows = table()
    reader = reader_over(rows, PARTS)
    whole = make_feed(reader, DATA, learn(reader, DATA, FOLDS, HOW[how]), FOLDS)
    keys = list(zip(rows["origin"].to_pylist(), rows["day"].to_pylist(), strict=True))
    everything = grouped(tmp_path, rows, how)
    n = len(everything)
    feeds = dict(everything.groups())
    assert list(feeds) == sorted(set(keys), key=key_order)
    for start, stop in ((0, 1), (3, 9), (n - 2, n)):
        for key, group in grouped(tmp_path, rows, how, start, stop).groups():
            for view in ("train", "validation", "holdout"):
                one, all_ = group.matrix(view), whole.matrix(view)
                at = np.flatnonzero([keys[row] == key for row in all_.row])
                assert np.array_equal(one.row, all_.row[at])
                assert one.y.tobytes() == all_.y[at].tobytes()
                if how != "raw":
                    assert bits(one.X) == bits(all_.X[at])
                else:
                    assert one.X.to_pydict() == all_.X.take(pa.array(at)).to_pydict()
                assert same(one, feeds[key].matrix(view))


def test_a_groups_matrix_is_no_copy(tmp_path: Path) -> None:
    """Slices of one matrix: 250,000 groups cost one matrix and no more."""
    feed = grouped(tmp_path)
    for _, group in feed.groups():
        X = group.matrix("train").X
        assert np.shares_memory(X, feed.chunk.rows.X)
        assert X.flags.c_contiguous


def test_sizes_say_where_the_groups_are(tmp_path: Path) -> None:
    """What a kernel that fits many groups at once needs: the rows of all, one group after the other."""
    feed = grouped(tmp_path)
    for view in ("train", "holdout"):
        rows = np.split(feed.matrix(view).row, np.cumsum(feed.sizes(view))[:-1])
        assert [part.tolist() for part in rows] == [group.matrix(view).row.tolist() for _, group in feed.groups()]


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [("a", float("inf"), "column 'a' is infinite"), ("w", -1.0, "is negative"), ("y", None, "data.target.*missing")],
)
def test_a_bad_row_costs_its_group_alone(tmp_path: Path, column: str, value: object, problem: str) -> None:
    """Infinite features, negative weights, missing targets: the group that has them fails, the others do not."""
    rows = table()
    values = rows[column].to_pylist()
    values[1_234] = value
    rows = rows.set_column(rows.column_names.index(column), column, pa.array(values))
    bad = (rows["origin"][1_234].as_py(), rows["day"][1_234].as_py())
    failed = []
    for key, group in grouped(tmp_path, rows).groups():
        try:
            for view in ("train", "validation", "holdout"):
                group.matrix(view)
        except DataError as error:
            failed.append(key)
            assert "row 1,234" in str(error)  # noqa: PT017 - the others must not raise
    assert failed == [bad]
    group = dict(grouped(tmp_path, rows).groups())[bad]
    view = next(view for view in ("train", "validation", "holdout") if 1_234 in _rows(group, view))
    with pytest.raises(DataError, match=problem):
        group.matrix(view)


def _rows(group: Any, view: str) -> list[int]:
    start, stop = group._span(view)
    return group._chunk.rows.row[start:stop].tolist()  # type: ignore[no-any-return]
