"""The suite that every feed passes, whatever it reads from.

    class TestMine(FeedSuite):
        @pytest.fixture
        def feed(self) -> Feed:
            return make_feed(reader, data, encoding, folds, batch_rows=100, scratch=tmp_path)

The feed should have rows in each of the three views, and more training rows than two of its batches hold.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fitscale.contracts import Batch, Feed, View

VIEWS: tuple[View, ...] = ("train", "validation", "holdout")
SIZES = (1, 7, 64, 1_000, 10_000_000)


def bits(X: Any) -> bytes:
    """What a matrix holds, to the bit; of raw columns their values."""
    if hasattr(X, "column_names"):
        return repr(X.to_pydict()).encode()
    return np.ascontiguousarray(X if isinstance(X, np.ndarray) else X.toarray()).tobytes()


def same(a: Batch, b: Batch) -> bool:
    """Equal to the bit, row by row."""
    weights = [None if batch.weight is None else batch.weight.tobytes() for batch in (a, b)]
    return (
        bits(a.X) == bits(b.X)
        and a.y.tobytes() == b.y.tobytes()
        and np.array_equal(a.row, b.row)
        and weights[0] == weights[1]
    )


def together(batches: list[Batch]) -> Batch:
    """The rows of several batches as one."""
    X = [batch.X for batch in batches]
    whole: Any
    if hasattr(X[0], "column_names"):
        import pyarrow as pa

        whole = pa.concat_tables(X)
    else:
        whole = np.concatenate([x if isinstance(x, np.ndarray) else x.toarray() for x in X])
    weights = [batch.weight for batch in batches if batch.weight is not None]
    return Batch(
        whole,
        np.concatenate([batch.y for batch in batches]),
        np.concatenate(weights) if weights else None,
        np.concatenate([batch.row for batch in batches]),
    )


class FeedSuite:
    """Subclass it with a fixture ``feed``."""

    ordered = True  # a view's rows ascend by number (not so over several groups)
    shards = True

    def test_it_fulfils_the_protocol(self, feed: Feed) -> None:
        """All that the contract names is there, and it tells of every column."""
        assert isinstance(feed, Feed)
        assert len(feed.names) == len(feed.kinds) == len(feed.categories) == len(set(feed.names))
        assert all((kind == "c") == (codes > 0) for kind, codes in zip(feed.kinds, feed.categories, strict=True))

    def test_the_matrix_is_what_frameworks_take(self, feed: Feed) -> None:
        """float32 in C order (or CSR), one row for each count, codes below their number, classes below theirs."""
        for view in VIEWS:
            X, y, weight, row = feed.matrix(view)
            assert len(y) == len(row) == feed.count(view) == X.shape[0]
            assert y.dtype == np.float32
            assert row.dtype == np.int64
            assert weight is None or (weight.dtype == np.float32 and len(weight) == len(y))
            if feed.classes:
                assert set(np.unique(y)) <= set(range(feed.classes))
            if hasattr(X, "column_names"):
                continue
            assert X.dtype == np.float32
            assert X.shape[1] == len(feed.names)
            assert feed.sparse or (isinstance(X, np.ndarray) and X.flags.c_contiguous)
            for j, codes in enumerate(feed.categories):
                if codes:
                    assert set(np.unique(X[:, j][~np.isnan(X[:, j])])) <= set(range(codes))

    @pytest.mark.parametrize("rows", SIZES)
    def test_batches_are_the_matrix(self, feed: Feed, rows: int) -> None:
        """Batches of any size hold exactly that many rows but for the last, and together the bits of the matrix."""
        for view in VIEWS:
            batches = list(feed.batches(view, rows))  # before the matrix, so that they are read for themselves
            whole = feed.matrix(view)
            assert all(len(batch.row) == rows for batch in batches[:-1])
            assert all(len(batch.row) for batch in batches)
            if batches:
                assert same(together(batches), whole)
            else:
                assert len(whole.row) == 0
            if release := getattr(feed, "release", None):
                release(view)

    def test_batches_of_two_views_may_be_read_by_turns(self, feed: Feed) -> None:
        """Reading one view does not change what was given of another."""
        pairs = list(zip(feed.batches("train", 5), feed.batches("holdout", 5), strict=False))
        for k, view in enumerate(("train", "holdout")):
            alone = list(feed.batches(view, 5))  # type: ignore[arg-type]
            assert all(same(pair[k], batch) for pair, batch in zip(pairs, alone, strict=False))

    def test_start_seeks(self, feed: Feed) -> None:
        """Batches from a start are those that the whole would have given from there."""
        for view in VIEWS:
            n = feed.count(view)
            whole = feed.matrix(view)
            if release := getattr(feed, "release", None):
                release(view)
            for start in sorted({0, 1, n // 3, n // 2, max(0, n - 1)}):
                got = list(feed.batches(view, 11, start))
                if start < n:
                    rest = together(got)
                    assert np.array_equal(rest.row, whole.row[start:])
                    assert rest.y.tobytes() == whole.y[start:].tobytes()
                    assert len(got[0].row) == min(11, n - start)
            assert not list(feed.batches(view, 11, n))

    def test_views_are_disjoint(self, feed: Feed) -> None:
        """No row is in two views, and none twice in one."""
        rows = np.concatenate([feed.matrix(view).row for view in VIEWS])
        assert len(rows) == len(np.unique(rows))

    def test_rows_ascend(self, feed: Feed) -> None:
        """The order is the snapshot's."""
        if not self.ordered:
            pytest.skip("rows are ordered by group")
        assert all((np.diff(feed.matrix(view).row) > 0).all() for view in VIEWS)

    def test_the_frame_has_the_same_rows(self, feed: Feed) -> None:
        """Raw columns, y and weight stand in the matrix's order."""
        for view in VIEWS:
            table, y, weight = feed.frame(view)
            whole = feed.matrix(view)
            assert table.num_rows == len(whole.row)
            assert y.tobytes() == whole.y.tobytes()
            assert (weight is None) == (whole.weight is None)
            assert weight is None or whole.weight is None or weight.tobytes() == whole.weight.tobytes()

    @pytest.mark.parametrize("world", [1, 2, 3, 5])
    def test_shards_share_out_the_training_rows(self, feed: Feed, world: int) -> None:
        """Each shard has every world-th batch; together they have every row once; other views are whole in each."""
        if not self.shards:
            pytest.skip("groups have no shards")
        whole = feed.matrix("train")
        seen: list[np.ndarray] = []
        for rank in range(world):
            shard = feed.shard(rank, world)
            got = list(shard.batches("train"))
            of = np.arange(len(whole.row)) // feed.batch_rows
            mine = of % world == rank
            assert shard.count("train") == int(mine.sum())
            assert [len(batch.row) for batch in got] == list(np.unique(of[mine], return_counts=True)[1])
            seen += [batch.row for batch in got]
            if got:
                assert same(together(got), shard.matrix("train"))
                later = list(feed.shard(rank, world).batches("train", start=feed.batch_rows))
                assert [batch.row.tolist() for batch in later] == [batch.row.tolist() for batch in got[1:]]
            assert same(shard.matrix("holdout"), feed.matrix("holdout"))
        assert np.array_equal(np.sort(np.concatenate(seen)), np.sort(whole.row))

    def test_groups_have_every_row_once(self, feed: Feed) -> None:
        """The groups' rows are the feed's, in each view."""
        groups = [group for _, group in feed.groups()]
        for view in VIEWS:
            rows = np.concatenate([group.matrix(view).row for group in groups])
            assert np.array_equal(np.sort(rows), np.sort(feed.matrix(view).row))
            assert sum(group.count(view) for group in groups) == feed.count(view)

    def test_files_hold_the_encoded_rows(self, feed: Feed) -> None:
        """Parquet and CSV have the columns by name and the target last, in the matrix's order."""
        import pyarrow.csv as csv
        import pyarrow.parquet as parquet

        whole = feed.matrix("train")
        if hasattr(whole.X, "column_names"):
            pytest.skip("raw columns are not encoded")
        dense = whole.X if isinstance(whole.X, np.ndarray) else whole.X.toarray()
        for table in (
            parquet.read_table(feed.file("parquet", "train")),
            csv.read_csv(feed.file("csv", "train")),
        ):
            assert table.column_names[:-1] == list(feed.names)
            columns = [column.to_numpy().astype(np.float32) for column in table.columns]
            assert np.array_equal(np.column_stack(columns[:-1]), dense, equal_nan=True)
            assert np.array_equal(columns[-1], whole.y)
