"""Series that lie evenly are known by two numbers, and are the same series as those that are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitscale.data.chunked import Chunked
from fitscale.data.encoding import Encoding
from fitscale.data.folds import assign, counts_along, folds_of, refit_of
from fitscale.data.learning import learn
from fitscale.data.partition import Partition, kept_columns, partition
from fitscale.data.rowfeed import untimed
from fitscale.data.steady import Watch, along
from fitscale.frameworks.series import Series
from fitscale.records.data import Folds
from fitscale.records.run import Estimator
from fitscale.records.workload import DataSpec, Evaluation
from fitscale.testing.tables import reader_over

DATA = DataSpec(uri="x", target="y", groups=("key",), time="at", step_s=60, horizon=3)


def _is_even(values: list[int]) -> bool:
    between = set(np.diff(values).tolist())
    return len(values) < 2 or (len(between) == 1 and min(between) > 0)


series = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2), st.integers(1, 9)), min_size=1, max_size=6)


@settings(max_examples=150, deadline=None)
@given(series, st.lists(st.integers(1, 7), min_size=1, max_size=8), st.integers(0, 2**32 - 1))
def test_what_is_found_is_what_each_group_shows(groups: list[tuple[int, int, int]], cuts: list[int], seed: int) -> None:
    """However the rows are cut into batches: of each group its first row and moment, its distances, whether they are even."""
    rng = np.random.default_rng(seed)
    moments, rows, of = [], [], []
    for k, (size, odd, step) in enumerate(groups):
        at = np.arange(size) * step + int(rng.integers(0, 100))
        number = np.arange(size) * int(rng.integers(1, 4)) + int(rng.integers(0, 50))
        for _ in range(odd if size else 0):
            (at if rng.random() < 0.5 else number)[int(rng.integers(size))] += int(rng.integers(-2, 3))
        moments += at.tolist()
        rows += number.tolist()
        of += [k] * size
    watch = Watch(len(groups), "at", "row", "group")
    table = pa.table(
        {"at": pa.array(moments, pa.int64()), "row": pa.array(rows, pa.int64()), "group": pa.array(of, pa.int64())}
    )
    start, k = 0, 0
    while start < table.num_rows:
        (batch,) = table.slice(start, cuts[k % len(cuts)]).combine_chunks().to_batches()
        watch.add(batch)
        start, k = start + batch.num_rows, k + 1
    sizes = np.array([size for size, _, _ in groups])
    found = watch.found(sizes)
    assert found is not None
    ends = np.cumsum(sizes)
    for k, (begin, end) in enumerate(zip(ends - sizes, ends, strict=True)):
        if begin == end:
            continue
        here, numbers = moments[begin:end], rows[begin:end]
        assert (found.step[k] > 0, found.stride[k] > 0) == (_is_even(here), _is_even(numbers))
        one = slice(k, k + 1)
        if found.step[k] > 0:
            assert along(found.begins[one], found.step[one], sizes[one]).tolist() == here
        if found.stride[k] > 0:
            assert along(found.first[one], found.stride[one], sizes[one]).tolist() == numbers


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(-50, 50), st.integers(1, 9)), min_size=1, max_size=6),
    st.tuples(*[st.none() | st.floats(-100, 200, allow_nan=False)] * 3),
)
def test_folds_along_time_are_those_of_the_rows(
    groups: list[tuple[int, int, int]], cuts: tuple[float | None, float | None, float | None]
) -> None:
    sizes, begins, step = (np.array(column) for column in zip(*groups, strict=True))
    folds = Folds(seed=0, by="time", column="at", holdout=0.1, cut=cuts[0], until=cuts[1], validation_cut=cuts[2])
    ordered = [cut for cut in (cuts[2], cuts[0], cuts[1]) if cut is not None]
    counts = counts_along(folds, begins, step, sizes)
    assert (counts.sum(axis=1) == sizes).all()
    if ordered == sorted(ordered):
        ends = np.cumsum(sizes)
        fold = assign(folds, np.arange(ends[-1]), along(begins, step, sizes))
        for k, (begin, end) in enumerate(zip(ends - sizes, ends, strict=True)):
            assert counts[k].tolist() == [(fold[begin:end] == code).sum() for code in (0, 1, 2, -1)]


def _table(order: str, gap: bool) -> pa.Table:
    rng = np.random.default_rng(5)
    key = np.repeat(np.arange(7), 50)
    step = np.tile(np.arange(50), 7)
    if gap:
        key, step = np.delete(key, 75), np.delete(step, 75)  # of the second series
    at = np.datetime64("2026-01-01", "us") + step * np.timedelta64(60_000_000, "us") + key * np.timedelta64(7, "us")
    table = pa.table({"key": key, "at": at, "y": rng.normal(size=len(key))})
    order_by = {"by series": None, "by time": [("at", "ascending")]}[order]
    return table if order_by is None else table.sort_by(order_by)


@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize(
    ("order", "gap"), [("by series", False), ("by time", False), ("by series", True), ("by time", True)]
)
def test_steady_series_are_those_that_are_read(tmp_path: Path, order: str, gap: bool, refit: bool) -> None:
    """The same rows in the same folds, with their numbers; what is not steady is read as ever."""
    reader = reader_over(_table(order, gap))
    (folds,) = folds_of(Evaluation(holdout=None, by="time"), 0, DATA, reader)
    cut = partition(reader, DATA, kept_columns(reader, DATA, folds), tmp_path / "cut", memory_bytes=1 << 12)
    assert cut.steady is not None
    assert (cut.steady.step > 0).sum() == (6 if gap else 7)
    assert (cut.steady.stride > 0).sum() == (0 if gap and order == "by time" else 7)
    folds = refit_of(folds) if refit else folds
    traits = Series().traits(Estimator(path="series.AR", params={"lags": 2}))
    encoding: Encoding = learn(reader, DATA, folds, traits)
    plain = Partition(tmp_path / "cut")
    plain.__dict__["steady"] = None
    for start, stop in ((0, 7), (2, 5)):
        own, read = (Chunked(each, DATA, encoding, folds, start, stop, untimed) for each in (cut, plain))
        assert (own._steady is None) == (gap and start == 0)
        assert own.bounds.tolist() == read.bounds.tolist()
        for mine, theirs in zip(own.rows, read.rows, strict=True):
            assert (mine is None) == (theirs is None)
            if mine is not None:
                np.testing.assert_array_equal(mine, theirs)
