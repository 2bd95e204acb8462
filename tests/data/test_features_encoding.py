"""The encoding: the same bits in one piece and batch by batch, whatever the files were."""

from __future__ import annotations

import datetime as dt
import pickle
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitscale.data.encoding import Encoding
from fitscale.data.folds import assign
from fitscale.data.learning import block_rows, learn
from fitscale.errors import DataError
from fitscale.records.data import Folds
from fitscale.records.run import Traits
from fitscale.records.workload import DataSpec, Features
from fitscale.testing.feeds import bits
from fitscale.testing.tables import reader_over


def traits(input: str = "codes", missing: str = "ok", sparse: bool = False) -> Traits:
    return Traits(
        target="regressor", can={}, input=input, missing=missing, progress="none", sparse=sparse  # type: ignore[arg-type]
    )  # fmt: skip


def spec(**features: Any) -> DataSpec:
    return DataSpec(uri="x", target="y", features=Features(**features))


def taught(columns: dict[str, Any], how: Traits | None = None, folds: Folds | None = None, **features: Any) -> Encoding:
    n = len(next(iter(columns.values())))
    table = pa.table({**columns, "y": np.zeros(n)})
    return learn(reader_over(table), spec(**features), folds or Folds(seed=0), how or traits())


def batch_of(columns: dict[str, Any]) -> pa.RecordBatch:
    return pa.table(columns).combine_chunks().to_batches()[0]


COLUMN = st.one_of(
    st.tuples(st.just(pa.int64()), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just(pa.float64()), st.floats(-1e30, 1e30) | st.just(float("nan"))),
    st.tuples(st.just(pa.float32()), st.floats(width=32, allow_infinity=False)),
    st.tuples(st.just(pa.bool_()), st.booleans()),
    st.tuples(st.just(pa.string()), st.text(max_size=4)),
    st.tuples(st.just(pa.dictionary(pa.int32(), pa.string())), st.sampled_from(["", "a", "B", "ä", "a b"])),
    st.tuples(st.just(pa.timestamp("us", "UTC")), st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1))),
    st.tuples(st.just(pa.date32()), st.dates(dt.date(1800, 1, 1), dt.date(2200, 1, 1))),
    st.tuples(st.just(pa.decimal128(12, 3)), st.decimals(-(10**8), 10**8, places=3)),
    st.tuples(st.just(pa.int8()), st.integers(-3, 3)),
)


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    n = draw(st.integers(3, 40))
    columns: dict[str, Any] = {}
    for k in range(draw(st.integers(1, 5))):
        type, values = draw(COLUMN.map(lambda c: (c[0], c[1])) | COLUMN)  # one value; its type and strategy follow
        pool = [values, *draw(st.lists(st.just(values), max_size=1)), None]
        strategy = {
            pa.int64(): st.integers(-(2**63), 2**63 - 1), pa.float64(): st.floats(-1e30, 1e30) | st.just(float("nan")),
            pa.float32(): st.floats(width=32, allow_infinity=False), pa.bool_(): st.booleans(),
            pa.string(): st.text(max_size=4), pa.date32(): st.dates(dt.date(1800, 1, 1), dt.date(2200, 1, 1)),
            pa.decimal128(12, 3): st.decimals(-(10**8), 10**8, places=3), pa.int8(): st.integers(-3, 3),
            pa.timestamp("us", "UTC"): st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)),
        }.get(type, st.sampled_from(["", "a", "B", "ä", "a b"]))  # fmt: skip
        data = draw(st.lists(strategy | st.none() | st.sampled_from(pool), min_size=n, max_size=n))
        if pa.types.is_dictionary(type):
            columns[f"c{k}"] = pa.array(data, pa.string()).dictionary_encode()
        else:
            columns[f"c{k}"] = pa.array(data, type)
    columns["y"] = pa.array(np.arange(n, dtype=float))
    return pa.table(columns)


@settings(max_examples=150, deadline=None)
@given(
    tables(),
    st.sampled_from(["codes", "one-hot"]),
    st.sampled_from(["ok", "impute"]),
    st.booleans(),
    st.booleans(),
    st.integers(1, 9),
    st.data(),
)
def test_batch_by_batch_is_bit_equal(
    table: pa.Table, input: str, missing: str, sparse: bool, scale: bool, size: int, data: st.DataObject
) -> None:
    """Any table: learnt from any cut of the rows it is the same encoding, it survives JSON, and its matrix has the same
    bits in one piece as in batches of any size. Nothing is missing where missing values are filled in."""
    ints = [f.name for f in table.schema if pa.types.is_integer(f.type)]
    features = Features(
        scale=scale, max_categories=3, categorical=tuple(data.draw(st.sets(st.sampled_from(ints))) if ints else ())
    )
    spec = DataSpec(uri="x", target="y", features=features)
    cut = data.draw(st.integers(0, table.num_rows))
    folds, how = Folds(seed=0, holdout=0.3), traits(input, missing, sparse)
    try:
        encoding = learn(reader_over(table), spec, folds, how)
    except DataError as error:
        assert "no feature has a value" in str(error)  # noqa: PT017 - most draws do not raise
        return
    again = learn(reader_over(table, [cut, table.num_rows - cut]), spec, folds, how)
    assert again.digest == encoding.digest
    back = Encoding.from_json(encoding.to_json())
    assert back == encoding
    assert back.digest == encoding.digest
    try:
        X = encoding.apply(table.combine_chunks().to_batches()[0])
    except DataError as error:
        assert scale  # a value of 1e30 and a deviation of 1e-30 of the training rows
        assert "beyond 3.4e38" in str(error)  # noqa: PT017 - most draws do not raise
        return
    dense = X if isinstance(X, np.ndarray) else X.toarray()
    assert dense.shape == (table.num_rows, len(encoding.names))
    assert len(encoding.kinds) == len(encoding.categories) == len(encoding.names)
    for other in (back, pickle.loads(pickle.dumps(encoding))):
        parts = [other.apply(batch) for batch in table.combine_chunks().to_batches(max_chunksize=size)]
        assert b"".join(bits(part) for part in parts) == dense.tobytes()
    if missing == "impute":
        assert not np.isnan(dense).any()


def test_numbers_are_what_they_were() -> None:
    """float32 of the value, NaN where missing; whole numbers are rounded once."""
    big = 2**60 + 2**36 + 1  # rounding to float64 first would end one step lower
    columns = {
        "i": pa.array([big, None, -1]),
        "f": pa.array([0.1, float("nan"), None]),
        "d": pa.array([Decimal("1.25"), None, Decimal("-3")]),
        "b": pa.array([True, False, None]),
        "t": pa.array([dt.time(1, 0, 30), None, dt.time(0)]),
        "s": pa.array([dt.timedelta(minutes=2), None, dt.timedelta(0)]),
    }
    encoding = taught(columns)
    nan = np.nan
    wanted = [
        [np.float32(np.int64(big)), nan, -1],
        [0.1, nan, nan],
        [1.25, nan, -3],
        [1, 0, nan],
        [3630, nan, 0],
        [120, nan, 0],
    ]
    assert np.array_equal(encoding.apply(batch_of(columns)), np.array(wanted, np.float32).T, equal_nan=True)
    assert encoding.names == tuple(columns)


def test_dates_become_parts_that_float32_holds() -> None:
    """Year, month, day and weekday; the time of day where any training row has one, seconds with their fraction."""
    moments = [dt.datetime(1969, 12, 31, 23, 59, 30, 250_000), dt.datetime(2024, 2, 29), None]
    days = [dt.date(2023, 1, 1), None, dt.date(1600, 3, 1)]
    hours = [dt.datetime(2020, 1, 1, h) for h in (0, 5, 23)]
    columns = {"m": pa.array(moments), "d": pa.array(days), "h": pa.array(hours), "n": pa.array(days, pa.date64())}
    encoding = taught(columns)
    X = dict(zip(encoding.names, encoding.apply(batch_of(columns)).T.tolist(), strict=True))
    for name, values in (("m", moments), ("d", days), ("h", hours)):
        for part in ("year", "month", "day"):
            got = X[f"{name}.{part}"]
            assert all(np.isnan(g) if v is None else g == getattr(v, part) for g, v in zip(got, values, strict=True))
        weekdays = X[f"{name}.weekday"]
        assert all(np.isnan(g) if v is None else g == v.weekday() for g, v in zip(weekdays, values, strict=True))
    assert X["m.hour"][:2] == [23, 0]
    assert X["m.second"][:2] == [30.25, 0]
    assert X["h.hour"] == [0, 5, 23]
    assert not {"h.minute", "h.second", "d.hour"} & X.keys()


def test_categories_are_places_among_the_sorted_values() -> None:
    """Codes follow the order of the values; what was never seen is missing, or 'other' where others were left out."""
    encoding = taught({"c": ["b", "a", None, "ä", "b"]})
    assert (encoding.kinds, encoding.categories) == (("c",), (3,))
    X = encoding.apply(batch_of({"c": ["a", "b", "ä", "never", None]}))
    assert np.array_equal(X[:, 0], np.array([0, 1, 2, np.nan, np.nan]), equal_nan=True)
    rare = taught({"c": ["b"] * 3 + ["a"] * 2 + ["z", "y"]}, max_categories=2)
    assert rare.categories == (3,)
    X = rare.apply(batch_of({"c": ["a", "b", "z", "never", None]}))
    assert np.array_equal(X[:, 0], np.array([0, 1, 2, 2, np.nan]), equal_nan=True)


def test_one_column_for_each_category() -> None:
    """Exactly one is 1; none where it is missing or was never seen, 'other' where others were left out."""
    columns = {"c": ["b", "a", None, "b"], "n": [1.0, 2.0, 3.0, 4.0]}
    encoding = taught(columns, traits("one-hot"))
    assert encoding.names == ("c=a", "c=b", "n")
    assert encoding.kinds == ("q", "q", "q")
    assert encoding.apply(batch_of(columns)).tolist() == [[0, 1, 1], [1, 0, 2], [0, 0, 3], [0, 1, 4]]
    rare = taught({"c": ["b", "b", "a"]}, traits("one-hot"), max_categories=1)
    assert rare.names == ("c=b", "c=(other)")
    assert rare.apply(batch_of({"c": ["x", "b", None]})).tolist() == [[0, 1], [1, 0], [0, 0]]


def test_a_missing_category_is_one_where_nothing_may_be_missing() -> None:
    """Codes for a framework that takes no NaN: the last code says that the value is missing."""
    encoding = taught({"c": ["b", "a", None]}, traits("codes", "impute"))
    assert encoding.categories == (3,)
    assert encoding.apply(batch_of({"c": ["a", None, "never"]}))[:, 0].tolist() == [0, 2, 2]


def test_filling_in_and_scaling_learn_from_training_rows_only() -> None:
    """The mean and deviation of the rows that train; held-out values do not move them. Truth values stay 0 and 1."""
    rng = np.random.default_rng(0)
    folds = Folds(seed=0, holdout=0.5)
    held = assign(folds, np.arange(2_000)) == 2
    values = rng.normal(1e6, 2.0, 2_000)
    values[held] += 1_000
    gone = rng.random(2_000) < 0.2
    columns = {"v": pa.array(values, mask=gone), "b": pa.array(rng.random(2_000) < 0.5), "k": np.full(2_000, 3.0)}
    encoding = taught(columns, traits("one-hot", "impute"), folds, scale=True)
    v = encoding.columns[0]
    seen = values[~held & ~gone]
    assert v.mean[0] == pytest.approx(seen.mean(), rel=1e-12)
    assert v.deviation[0] == pytest.approx(seen.std(), rel=1e-9)
    X = encoding.apply(batch_of(columns))
    assert abs(X[~held, 0].mean()) < 1e-5
    assert (X[gone, 0] == 0).all()
    assert set(X[:, 1]) == {0, 1}
    assert (X[:, 2] == 0).all()  # a constant is kept: 0 is its mean
    filled = taught(columns, traits("one-hot", "impute"), folds).apply(batch_of(columns))
    assert (filled[gone, 0] == np.float32(v.mean[0])).all()


def test_what_is_learnt_does_not_hang_on_the_files() -> None:
    """Means, deviations and frequent categories over several blocks are the same to the last bit for any cut."""
    n = 2 * block_rows(4) + 1_234
    rng = np.random.default_rng(1)
    text = np.array([f"v{k}" for k in range(3_000)])[np.minimum(rng.geometric(0.001, n), 2_999)]
    columns = {"a": rng.lognormal(size=n), "b": pa.array(rng.normal(1e9, 1, n), mask=rng.random(n) < 0.1), "c": text}
    table = pa.table({**columns, "y": rng.random(n)})
    data = spec(scale=True, max_categories=50)
    cuts = [None, [1, 65_535, n - 65_536], [n // 3, n // 3, n - 2 * (n // 3)]]
    found = {
        learn(reader_over(table, cut), data, Folds(seed=0, holdout=0.2), traits("one-hot", "impute")).digest
        for cut in cuts
    }
    assert len(found) == 1


def test_counting_forgets_the_rarest_and_says_so() -> None:
    """A key-like column of very many values stays in bounded memory: the frequent ones are kept, others are 'other'."""
    n = 200_000
    rng = np.random.default_rng(2)
    values = np.where(rng.random(n) < 0.5, rng.integers(0, 5, n), np.arange(n) + 10).astype(str)
    encoding = taught({"c": values}, max_categories=5)
    assert encoding.columns[0].categories == ("0", "1", "2", "3", "4")
    assert encoding.columns[0].other


def test_a_column_without_values_is_left_out_and_noted() -> None:
    """By its type, or where it was read; one that is constant stays."""
    encoding = taught({"z": pa.nulls(3), "c": pa.array([None, None, None], pa.string()), "k": [1.0, 1.0, 1.0]})
    assert encoding.raw_columns == ("k",)
    assert dict(encoding.dropped) == {"z": "no value in any training row", "c": "no value in any training row"}
    with pytest.raises(DataError, match="no feature has a value"):
        taught({"z": pa.nulls(3)})


def test_plain_numbers_need_no_pass() -> None:
    """Nothing is read where there is nothing to learn."""
    table = pa.table({"a": [1.0, 2.0], "y": [0.0, 1.0]})
    reader = reader_over(table)
    reader.batches = None  # type: ignore[assignment, method-assign]
    assert learn(reader, spec(), Folds(seed=0, holdout=0.5), traits()).names == ("a",)


def test_many_categories_become_a_sparse_matrix() -> None:
    """CSR where the framework takes it and few cells are set; the cells are those of the dense one."""
    rng = np.random.default_rng(0)
    columns = {"c": rng.integers(0, 90, 500).astype(str), "n": rng.normal(size=500)}
    sparse = taught(columns, traits("one-hot", "impute", sparse=True))
    dense = taught(columns, traits("one-hot", "impute"))
    assert sparse.sparse
    assert not dense.sparse
    X = sparse.apply(batch_of(columns))
    assert X.nnz == 1_000
    assert np.array_equal(X.toarray(), dense.apply(batch_of(columns)))
    few = {"c": ["a", "b"] * 5, "n": np.arange(10.0)}
    assert not taught(few, traits("one-hot", "impute", sparse=True)).sparse


def test_raw_columns_stay_untouched() -> None:
    """For estimators that encode by themselves: the feature columns in order, even lists."""
    columns = {"l": [[1], [2]], "c": ["a", None], "n": [1, 2]}
    encoding = taught(columns, traits("raw"))
    out = encoding.apply(batch_of({"y": [0.0, 1.0], **columns}))
    assert out.schema.names == ["l", "c", "n"]
    assert out.to_pydict() == {"l": [[1], [2]], "c": ["a", None], "n": [1, 2]}


@pytest.mark.parametrize(
    ("learnt", "given"),
    [
        (pa.array([1.0, 2.0]), pa.array([1, 2], pa.int32())),
        (pa.array([1, 2]), pa.array([1.0, 2.0])),
        (pa.array([1, 2]), pa.array(["1", "2"])),
        (pa.array(["a", "b"]), pa.array(["a", "b"]).dictionary_encode()),
        (pa.array(["a", "b"]).dictionary_encode(), pa.array(["a", "b"], pa.large_string())),
        (pa.array(["1", "2"]), pa.array([1, 2])),
        (pa.array([True, False]), pa.array([1, 0])),
        (pa.array([1.5, 2.5]), pa.array([Decimal("1.5"), Decimal("2.5")])),
        (pa.array([dt.date(2020, 1, 2)] * 2), pa.array(["2020-01-02"] * 2)),
        (pa.array([dt.date(2020, 1, 2)] * 2), pa.array([dt.datetime(2020, 1, 2)] * 2)),
    ],
)
def test_other_types_are_taken_where_nothing_is_lost(learnt: pa.Array, given: pa.Array) -> None:
    """A model is served columns as another program stores them."""
    encoding = taught({"v": learnt})
    want = encoding.apply(batch_of({"v": learnt}))
    assert np.array_equal(encoding.apply(batch_of({"extra": ["x"] * 2, "v": given})), want)
    missing = encoding.apply(batch_of({"v": pa.nulls(2)}))
    assert np.isnan(missing).all()


@pytest.mark.parametrize(
    ("learnt", "given", "problem"),
    [
        (pa.array([1.0, 2.0]), pa.array(["x", "2"]), "column 'v' cannot be read as double"),
        (pa.array([1.0, 2.0]), pa.array([dt.date(2020, 1, 2)] * 2), "trained on numbers"),
        (pa.array([True, False]), pa.array([1, 7]), "column 'v' has the value 7"),
        (pa.array(["1", "2"]), pa.array([1.0, 2.0]), "trained on texts"),
        (pa.array([dt.date(2020, 1, 2)] * 2), pa.array([5, 6]), "trained on dates"),
        (pa.array([dt.date(2020, 1, 2)] * 2), pa.array(["soon"] * 2), "cannot be read as timestamp"),
    ],
)
def test_what_would_lose_something_is_refused(learnt: pa.Array, given: pa.Array, problem: str) -> None:
    """By the column's name and what is wrong with it."""
    with pytest.raises(DataError, match=problem):
        taught({"v": learnt}).apply(batch_of({"v": given}))


def test_a_missing_column_is_named_with_the_nearest() -> None:
    """Before anything is predicted."""
    encoding = taught({"income": [1.0, 2.0], "age": [3.0, 4.0]})
    with pytest.raises(DataError, match="no column 'income', which the model was trained on; did you mean 'incme'"):
        encoding.apply(batch_of({"age": [1.0], "incme": [2.0]}))


@pytest.mark.parametrize("value", [float("inf"), -float("inf"), 1e39])
@pytest.mark.parametrize("how", [traits(), traits("one-hot", "impute"), traits("one-hot", "impute", sparse=True)])
def test_infinite_values_are_named(value: float, how: Traits) -> None:
    """Frameworks would fail obscurely: the column, how many rows, the first. Scaling does not hide them."""
    columns = {"v": [1.0, 2.0, value, value], "c": ["a", "b", "c", "d"]}
    for scale in (False, True) if np.isinf(value) else (False,):  # scaled, a large number is no longer large
        encoding = taught(columns, how, scale=scale)
        with pytest.raises(DataError, match=r"column 'v' is infinite .* in 2 rows; make"):
            encoding.apply(batch_of(columns))


def test_repeated_names_are_told_apart() -> None:
    """Libraries refuse two columns of one name."""
    encoding = taught({"c": ["a", "b"], "c=a": [1.0, 2.0]}, traits("one-hot"))
    assert encoding.names == ("c=a", "c=b", "c=a~2")
