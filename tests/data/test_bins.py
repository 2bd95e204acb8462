"""How rows lie in the bins of their columns: counted by group while they go by, the same however they come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitscale.data import binning
from fitscale.data.binning import counted, laid
from fitscale.data.bins import Binned, Bins, Counted, edges_of
from fitscale.data.chunked import Chunked
from fitscale.data.folds import TRAIN, assign
from fitscale.data.learning import learn
from fitscale.data.partition import ROW, kept_columns, partition
from fitscale.data.rowfeed import untimed
from fitscale.errors import DataError
from fitscale.records.data import Folds
from fitscale.records.run import Traits
from fitscale.records.workload import DataSpec
from fitscale.testing.tables import reader_over

N = 2_000
DATA = DataSpec(uri="x", target="y", groups=("shop",), time="at")
FOLDS = Folds(seed=0, holdout=0.25)
HOW = {
    "codes": Traits(target="regressor", can={}, input="codes", missing="ok", progress="none"),
    "one-hot": Traits(target="regressor", can={}, input="one-hot", missing="impute", progress="none"),
    "raw": Traits(target="regressor", can={}, input="raw", missing="ok", progress="none"),
}


def table(n: int = N) -> pa.Table:
    rng = np.random.default_rng(0)
    return pa.table(
        {
            "shop": rng.choice(["a", "b", "c", "d"], n, p=[0.5, 0.3, 0.19, 0.01]),
            "price": pa.array(rng.lognormal(size=n), mask=rng.random(n) < 0.1),
            "town": pa.array(rng.choice(list("abcdefghijklm"), n), mask=rng.random(n) < 0.1).dictionary_encode(),
            "open": rng.random(n) < 0.3,
            "on": pa.array(rng.integers(0, 999, n).astype(np.int32)).cast(pa.date32()),
            "at": np.arange(n),
            "y": rng.normal(size=n),
        }
    )


def test_the_same_in_any_cut_of_the_groups(tmp_path: Path) -> None:
    """Of training rows alone, as each group's own rows say; whatever the model takes, however many groups are read at once."""
    rows = table()
    reader = reader_over(rows, [700, 1, 1_299])
    whole = partition(reader, DATA, kept_columns(reader, DATA, FOLDS), tmp_path / "cut")
    (_, lies), *_ = [*whole.batches([ROW], batch_rows=N)]
    trains = assign(FOLDS, lies.column(0).to_numpy()) == TRAIN
    found = []
    for traits in HOW.values():
        encoding = learn(reader, DATA, FOLDS, traits)
        bins = laid(reader, DATA, FOLDS, encoding)
        assert bins.names == ["price", "town", "open"]  # neither the date, nor what orders the rows
        for size in (1, 3, 4):
            parts = []
            for start in range(0, len(whole), size):
                chunk = Chunked(whole, DATA, encoding, FOLDS, start, min(start + size, len(whole)), untimed, bins)
                assert len(chunk.rows.y) == whole.sizes[start : start + size].sum()
                assert chunk.counted is not None
                parts.append(chunk.counted.counts)
            found.append(np.concatenate(parts))
    assert all(np.array_equal(one, found[0]) for one in found)
    columns = pa.Table.from_batches([batch for _, batch in whole.batches(bins.names)])
    of = np.repeat(np.arange(4), whole.sizes)
    for column, where in zip(bins.columns, bins.slices, strict=True):
        code = column.codes(columns.column(column.name).combine_chunks())
        for group in range(4):
            alone = np.bincount(code[trains & (of == group)], minlength=column.bins)
            assert np.array_equal(found[0][group, where], alone)


@given(st.data())
def test_counts_are_those_of_each_group_alone(data: Any) -> None:
    """Numbers, missing and infinite ones, in batches of any length; rows that do not count are left out."""
    sizes = data.draw(st.lists(st.integers(0, 6), min_size=1, max_size=5))
    n = sum(sizes)
    value = st.floats(width=32) | st.none()
    values = data.draw(st.lists(value, min_size=n, max_size=n))
    wanted = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), bool)
    edges = tuple(sorted(data.draw(st.sets(st.floats(-9, 9, width=32), max_size=9))))
    bins = Bins(columns=(Binned(name="x", type="", edges=edges),))
    column, of = pa.array(values, pa.float32()), np.repeat(np.arange(len(sizes)), sizes)
    found = Counted(bins, len(sizes))
    step = data.draw(st.integers(1, 7))
    for at in range(0, n, step):
        batch = pa.record_batch({"x": column.slice(at, step)})
        found.add(batch, of[at : at + step], wanted[at : at + step])
    x = np.array([np.nan if value is None else value for value in values])
    for group in range(len(sizes)):
        own = x[(of == group) & wanted]
        known = own[~np.isnan(own)]
        expected = [len(own) - len(known)]
        expected += [int((~(known <= low) & (known <= high)).sum()) for low, high in _between(edges)]
        assert found.counts[group].tolist() == expected


def _between(edges: tuple[float, ...]) -> list[tuple[float, float]]:
    low, high = (-np.inf, *edges), (*edges, np.inf)
    pairs = list(zip(low, high, strict=True))
    return [(np.nan, b) if a == -np.inf else (a, b) for a, b in pairs]


def test_few_values_have_a_bin_each_and_many_a_tenth() -> None:
    """What is below all that was seen is apart where values are few; of very many each bin has as many."""
    below = float(np.nextafter(np.float32(0), np.float32(-1)))
    assert edges_of(np.array([2.0, 0.0, 1.0, 1.0], np.float32)) == (below, 0.0, 1.0, 2.0)
    one = Binned(name="x", type="", edges=edges_of(np.array([3.0], np.float32)))
    assert one.codes(pa.array([2.9, 3.0, 3.1, None, np.nan])).tolist() == [1, 2, 3, 0, 0]
    x = np.random.default_rng(0).normal(size=10_000).astype(np.float32)
    edges = edges_of(x.copy())
    assert len(edges) == 9
    shares = np.bincount(Binned(name="x", type="", edges=edges).codes(pa.array(x)), minlength=11) / len(x)
    assert shares[0] == 0
    np.testing.assert_allclose(shares[1:], 0.1, atol=0.001)
    assert edges_of(np.array([np.nan, np.inf], np.float32)) == ()


def test_a_double_and_a_float_are_in_the_same_bin() -> None:
    """As they are the same to a model; and so are whole numbers, decimals and texts of numbers."""
    values = [0.1, 0.7, 1.3]
    column = Binned(name="x", type="", edges=edges_of(np.array(values, np.float32)))
    for type in (pa.float32(), pa.float64(), pa.decimal128(3, 1), pa.string()):
        typed = (
            pa.array([str(value) for value in values]).cast(type)
            if type != pa.string()
            else pa.array(["0.1", "0.7", "1.3"])
        )
        assert column.codes(typed).tolist() == [2, 3, 4]
    with pytest.raises(DataError, match="column 'x' is of type date32"):
        column.codes(pa.array([1], pa.date32()))


def test_categories_are_the_most_frequent_and_all_others() -> None:
    """Missing ones are apart; a value that was never seen is another."""
    column = Binned(name="town", type="string", categories=("a", "b"))
    values = pa.array(["b", "a", None, "z"])
    assert column.codes(values).tolist() == [2, 1, 0, 3]
    assert column.codes(values.dictionary_encode()).tolist() == [2, 1, 0, 3]
    assert column.bins == 4


def test_of_many_columns_the_first_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """And it is known how many are not."""
    monkeypatch.setattr(binning, "COLUMNS", 2)
    reader = reader_over(table(), [N])
    bins = laid(reader, DATA, FOLDS, learn(reader, DATA, FOLDS, HOW["codes"]))
    assert (bins.names, bins.left_out) == (["price", "town"], 1)
    assert Bins.from_json(bins.to_json()) == bins


def test_of_very_many_rows_some_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """From many places; of one model they are what is counted, and of training rows alone."""
    monkeypatch.setattr(binning, "ONE", (400, 20))
    one = DATA.but(groups=())
    reader = reader_over(table(), [1_000, 1_000])
    bins = laid(reader, one, FOLDS, learn(reader, one, FOLDS, HOW["codes"]))
    counts = counted(reader, FOLDS, bins)
    assert counts.shape[0] == 1
    each = [int(counts[0, where].sum()) for where in bins.slices]
    assert len(set(each)) == 1
    assert 250 < each[0] < 350
