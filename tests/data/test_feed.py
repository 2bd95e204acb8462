"""The feed of one model: one set of rows in every form."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fitscale.contracts import Feed
from fitscale.data.feed import TableFeed, make_feed
from fitscale.data.learning import learn
from fitscale.data.reader import Reader, open_reader
from fitscale.errors import DataError
from fitscale.records.data import Folds
from fitscale.records.run import Traits
from fitscale.records.workload import DataSpec
from fitscale.testing.feeds import FeedSuite, bits, same, together
from fitscale.testing.tables import reader_over

N = 2_000
DATA = DataSpec(uri="x", target="y", weight="w")
PARTS = [1, 699, 0, 800, 500]
FOLDS = {
    "random": Folds(seed=0, holdout=0.2, validation=0.1),
    "column": Folds(seed=0, by="column", column="who", holdout=0.3, validation=0.2),
    "time": Folds(seed=0, by="time", column="when", holdout=0.2, validation=0.1, cut=1_500.0, validation_cut=1_300.0),
}


def table(n: int = N) -> pa.Table:
    rng = np.random.default_rng(0)
    return pa.table(
        {
            "a": rng.normal(size=n),
            "b": pa.array(rng.integers(0, 9, n), mask=rng.random(n) < 0.1),
            "c": pa.array(rng.choice(["x", "y", "zz", "ä"], n), mask=rng.random(n) < 0.1),
            "k": rng.integers(0, 60, n).astype(str),
            "d": pa.array(np.arange(n) * 3_600, pa.timestamp("s")),
            "who": rng.integers(0, 150, n).astype(str),
            "when": rng.permutation(n),
            "w": rng.random(n),
            "y": rng.choice(["no", "yes", "maybe"], n),
        }
    )


def traits(input: str, missing: str = "ok", sparse: bool = False) -> Traits:
    return Traits(
        target="classifier", can={}, input=input, missing=missing, progress="none", sparse=sparse  # type: ignore[arg-type]
    )  # fmt: skip


HOW = {
    "codes": traits("codes"),
    "one-hot": traits("one-hot", "impute"),
    "sparse": traits("one-hot", "impute", sparse=True),
    "raw": traits("raw"),
}


def feed_over(
    reader: Reader, how: str = "codes", folds: str = "random", data: DataSpec = DATA, **more: Any
) -> TableFeed:
    encoding = learn(reader, data, FOLDS[folds], HOW[how])
    return make_feed(reader, data, encoding, FOLDS[folds], **{"batch_rows": 100, **more})


class TestRandom(FeedSuite):
    @pytest.fixture(params=list(HOW))
    def feed(self, request: pytest.FixtureRequest, tmp_path: Path) -> Feed:
        feed = feed_over(reader_over(table(), PARTS), request.param, scratch=tmp_path)
        assert feed.sparse == (request.param == "sparse")
        return feed


class TestByColumn(FeedSuite):
    @pytest.fixture(params=["column", "time"])
    def feed(self, request: pytest.FixtureRequest, tmp_path: Path) -> Feed:
        return feed_over(reader_over(table(), PARTS), "codes", request.param, scratch=tmp_path)


class TestSample(FeedSuite):
    @pytest.fixture
    def feed(self, tmp_path: Path) -> Feed:
        return feed_over(reader_over(table(), PARTS).sample(900, seed=3), scratch=tmp_path)


class TestFiles(FeedSuite):
    @pytest.fixture
    def feed(self, tmp_path: Path) -> Feed:
        rows = table()
        (tmp_path / "rows").mkdir()
        for k, (start, stop) in enumerate([(0, 750), (750, 2_000)]):
            pq.write_table(rows.slice(start, stop - start), tmp_path / "rows" / f"{k}.parquet", row_group_size=333)
        data = DATA.but(uri=str(tmp_path / "rows"))
        return feed_over(open_reader(data), data=data, scratch=tmp_path)


@pytest.mark.parametrize("how", list(HOW))
@pytest.mark.parametrize("folds", list(FOLDS))
def test_the_rows_do_not_hang_on_the_files(how: str, folds: str) -> None:
    """The same table in other units: the same matrices, batches and shards, to the bit."""
    feeds = [feed_over(reader_over(table(), parts), how, folds) for parts in (None, PARTS, [70] * 28 + [40])]
    for view in ("train", "validation", "holdout"):
        wholes = [feed.matrix(view) for feed in feeds]
        assert all(same(whole, wholes[0]) for whole in wholes)
        for rank in range(2):
            parts = [together(list(feed.shard(rank, 2).batches(view))) for feed in feeds]
            assert all(same(part, parts[0]) for part in parts)


def test_a_view_is_every_row_that_its_fold_says() -> None:
    """Features, target and weight of a row number are those of the table."""
    rows = table()
    feed = feed_over(reader_over(rows, PARTS))
    X, y, weight, row = feed.matrix("train")
    assert np.array_equal(X[:, feed.names.index("a")], rows["a"].to_numpy()[row].astype(np.float32))
    assert [["maybe", "no", "yes"][int(code)] for code in y] == rows["y"].take(pa.array(row)).to_pylist()
    assert np.array_equal(weight, rows["w"].to_numpy()[row].astype(np.float32))
    assert sum(feed.count(view) for view in ("train", "validation", "holdout")) == N


class Counting:
    """How often a reader's rows were read."""

    def __init__(self, reader: Reader) -> None:
        self.read = 0
        batches = reader.batches

        def counted(columns: Any, **more: Any) -> Any:
            for first, batch in batches(columns, **more):
                self.read += batch.num_rows
                yield first, batch

        reader.batches = counted  # type: ignore[method-assign, assignment]


def test_one_pass_fills_all_views() -> None:
    """Scoring after a fit reads nothing again; a matrix that was released is read again when asked for."""
    reader = reader_over(table(), PARTS)
    feed = feed_over(reader)
    counting = Counting(reader)
    first = feed.matrix("train")
    feed.release("train")
    feed.matrix("holdout")
    list(feed.batches("validation"))
    assert counting.read == N
    assert same(feed.matrix("train"), first)
    assert counting.read == 2 * N


def test_counting_reads_no_more_than_the_folds_look_at() -> None:
    """Nothing for random folds."""
    reader = reader_over(table(), PARTS)
    feed = feed_over(reader)
    counting = Counting(reader)
    assert feed.count("train") + feed.count("holdout") + feed.count("validation") == N
    assert counting.read == 0


def test_a_start_skips_the_units_before_it() -> None:
    """Going on in mid-pass does not read what was done."""
    reader = reader_over(table(), [100] * 20)
    feed = feed_over(reader)
    counting = Counting(reader)
    last = list(feed.batches("train", 100, feed.count("train") - 50))
    assert sum(len(batch.row) for batch in last) == 50
    assert counting.read <= 200


def test_a_shard_skips_the_units_of_others() -> None:
    """Where units are smaller than batches, a shard decodes about its own share only."""
    reader = reader_over(table(), [20] * 100)
    feed = feed_over(reader, batch_rows=200).shard(1, 4)
    counting = Counting(reader)
    assert feed.count("train") == sum(len(batch.row) for batch in feed.batches("train"))
    assert counting.read < 0.5 * N


def test_batches_are_the_callers_own() -> None:
    """Held batches do not change when later ones are made."""
    feed = feed_over(reader_over(table(), PARTS))
    held = list(feed.batches("train", 64))
    copies = [bits(batch.X) for batch in feed.batches("train", 64)]
    assert [bits(batch.X) for batch in held] == copies


def test_reading_and_encoding_are_timed_apart() -> None:
    """The phase ledger sees both, in every form, and none is left open."""
    seen: list[str] = []
    open_: list[str] = []

    @contextmanager
    def phase(name: str) -> Any:
        seen.append(name)
        open_.append(name)
        yield
        open_.pop()

    feed = feed_over(reader_over(table(), PARTS), phase=phase)
    for batch in feed.batches("train"):
        assert len(batch.row)
        assert not open_
    assert set(seen) == {"read", "encode"}
    seen.clear()
    feed.matrix("train")
    assert set(seen) == {"read", "encode"}


def spoilt(column: str, values: Any) -> pa.Table:
    rows = table()
    return rows.set_column(rows.column_names.index(column), column, pa.array(values))


def with_value(column: str, at: list[int], value: Any) -> pa.Table:
    values = table()[column].to_pylist()
    for k in at:
        values[k] = value
    return spoilt(column, values)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (with_value("a", [41, 1_900], float("inf")), "column 'a' is infinite"),
        (with_value("w", [77], -0.5), r"data.weight: column 'w' is negative in 1 rows \(the first is row 77\)"),
        (with_value("w", [70, 71], None), "data.weight: column 'w' is missing"),
        (with_value("w", [70], float("inf")), "data.weight: column 'w' is infinite"),
    ],
)
@pytest.mark.parametrize("form", ["matrix", "stream"])
def test_rows_that_no_model_can_learn_from_are_named(rows: pa.Table, problem: str, form: str) -> None:
    """In every form, with the column and the first row, before a framework sees them."""
    feed = feed_over(reader_over(rows, PARTS))

    def read() -> None:
        for view in ("train", "validation", "holdout"):
            feed.matrix(view) if form == "matrix" else list(feed.batches(view))

    with pytest.raises(DataError, match=problem):
        read()


def test_a_regression_without_a_target_is_named() -> None:
    """Missing values of a regression's target are found when its rows are made."""
    rows = pa.table({"a": np.arange(10.0), "y": pa.array([1.0, None, 3, 4, None, 6, 7, 8, float("nan"), 10])})
    data = DataSpec(uri="x", target="y")
    encoding = learn(reader_over(rows), data, Folds(seed=0), HOW["codes"].but(target="regressor"))
    with pytest.raises(DataError, match=r"data.target: column 'y' is missing in 3 rows \(the first is row 1\).*where"):
        make_feed(reader_over(rows), data, encoding, Folds(seed=0)).matrix("train")


@pytest.mark.parametrize("how", list(HOW))
def test_a_view_may_be_empty(how: str) -> None:
    """No rows held out: a count of 0, a matrix and a frame of no rows, no batches."""
    reader = reader_over(table(), PARTS)
    encoding = learn(reader, DATA, Folds(seed=0), HOW[how])
    feed = make_feed(reader, DATA, encoding, Folds(seed=0))
    assert (feed.count("train"), feed.count("holdout")) == (N, 0)
    assert not list(feed.batches("holdout"))
    assert feed.matrix("holdout").X.shape[0] == 0
    assert feed.frame("holdout")[0].num_rows == 0
    assert len(feed.matrix("train").y) == N


def test_no_thread_is_started(tmp_path: Path) -> None:
    """Workers fork: learning, feeding, cutting and grouping leave the process with the threads that pyarrow began with."""
    pq.write_table(table(), tmp_path / "rows.parquet", row_group_size=500)
    code = f"""
import os, pathlib, pyarrow, pyarrow.parquet, pyarrow.compute
before = len(os.listdir('/proc/self/task'))
from fitscale.data.feed import make_feed
from fitscale.data.groups import make_groups
from fitscale.data.learning import learn
from fitscale.data.partition import kept_columns, partition
from fitscale.data.reader import open_reader
from fitscale.records.data import Folds
from fitscale.records.run import Traits
from fitscale.records.workload import DataSpec
data = DataSpec(uri={str(tmp_path / "rows.parquet")!r}, target="y", groups=("who",))
folds, reader = Folds(seed=0, holdout=0.2), open_reader(data)
traits = Traits(target="classifier", can={{}}, input="one-hot", missing="impute", progress="none")
encoding = learn(reader, data, folds, traits)
make_feed(reader, data, encoding, folds).matrix("train")
cut = partition(reader, data, kept_columns(reader, data, folds), pathlib.Path({str(tmp_path / "cut")!r}))
for _, group in make_groups(cut, data, encoding, folds, 0, len(cut)).groups():
    group.matrix("train")
print(len(os.listdir('/proc/self/task')) - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


def test_many_columns() -> None:
    """3,000 columns by batches and in one piece."""
    rng = np.random.default_rng(0)
    rows = pa.table([*rng.normal(size=(3_000, 50)), rng.integers(0, 2, 50)], names=[*map(str, range(3_000)), "y"])
    data = DataSpec(uri="x", target="y")
    folds = Folds(seed=0, holdout=0.2)
    reader = reader_over(rows, [20, 30])
    feed = make_feed(reader, data, learn(reader, data, folds, HOW["codes"]), folds)
    assert same(together(list(feed.batches("train", 7))), feed.matrix("train"))
    assert feed.matrix("train").X.shape[1] == 3_000
