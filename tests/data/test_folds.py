"""Folds: what a row's number and the seed say, and nothing else."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitscale.data.folds import HOLDOUT, NONE, assign, column_of, folds_of, refit_of, trial_folds
from fitscale.data.hashing import hashed, mixed, words_of
from fitscale.errors import DataError, WorkloadError
from fitscale.records.data import Folds
from fitscale.records.workload import DataSpec, EarlyStopping, Evaluation
from fitscale.testing.tables import reader_over

ROWS = np.arange(100_000)


def test_the_hashes_never_change() -> None:
    """Golden values: a change would move rows between the folds of runs that exist."""
    assert mixed(0) == 0xE220A8397B1DCDAF  # the first output of splitmix64 with seed 0, as published
    assert hashed(np.array([0, 1, 2**63], np.uint64), 42).tolist() == [
        mixed(42), mixed(43), mixed((2**63 + 42) % 2**64),
    ]  # fmt: skip
    words = words_of(pa.array(["", "a", "ab", "ba", "Ærø", None])).tolist()
    assert words == [
        16294208416658607535, 10451253762596207175, 10811139249597393327, 10814649990225120037,
        17237690389105704017, 7883959562216040192,
    ]  # fmt: skip
    for text, word in zip(["", "a", "ab", "ba", "Ærø"], words, strict=False):
        data = text.encode()
        spelt = sum((byte + 1) * 0x100000001B3 ** (k + 1) for k, byte in enumerate(data)) % 2**64
        assert word == spelt ^ mixed(len(data))


def test_the_folds_never_change() -> None:
    """Golden folds of the first rows, of values, and of a part of a cross-validation."""
    folds = Folds(seed=7, holdout=0.3, validation=0.2)
    assert "".join(map(str, assign(folds, np.arange(60)))) == (
        "000002222100020101220022021020022002210002012000210222021102"
    )
    by = Folds(seed=7, by="column", column="c", holdout=0.5)
    assert assign(by, np.arange(8), pa.array(["a", "b", "c", "d", None, "e", "f", "ä"])).tolist() == [
        0, 2, 2, 0, 0, 0, 2, 0,
    ]  # fmt: skip
    part = Folds(seed=7, part=(1, 3))
    assert "".join(map(str, assign(part, np.arange(40)))) == "0200200000002000200020002002002000000022"


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**40), st.lists(st.integers(1, 50), min_size=1, max_size=6), st.integers(-(2**63), 2**63 - 1))
def test_a_fold_does_not_hang_on_how_rows_are_cut(first: int, sizes: list[int], seed: int) -> None:
    """Row by row, in batches or all at once: the same."""
    folds = Folds(seed=seed, holdout=0.3, validation=0.3)
    rows = np.arange(first, first + sum(sizes))
    parts = [assign(folds, part) for part in np.split(rows, np.cumsum(sizes)[:-1])]
    assert np.array_equal(np.concatenate(parts), assign(folds, rows))


@pytest.mark.parametrize("holdout", [0.0, 0.01, 0.2, 0.5])
@pytest.mark.parametrize("validation", [0.0, 0.1])
def test_the_shares_are_those_asked_for(holdout: float, validation: float) -> None:
    """Within the noise of 100,000 draws; validation is a share of what is not held out."""
    shares = np.bincount(assign(Folds(seed=3, holdout=holdout, validation=validation), ROWS), minlength=3) / len(ROWS)
    assert abs(shares[2] - holdout) < 0.006
    assert abs(shares[1] - (1 - holdout) * validation) < 0.006


def test_the_parts_of_a_cross_validation_hold_out_every_row_once() -> None:
    """K parts, each row in one, of about equal size, whichever rows validate."""
    held = [assign(Folds(seed=1, part=(k, 5), validation=0.1), ROWS) == 2 for k in range(5)]
    assert (np.sum(held, axis=0) == 1).all()
    assert all(abs(part.mean() - 0.2) < 0.006 for part in held)


def test_validation_says_nothing_of_the_holdout() -> None:
    """The two are drawn by different salts: with equal shares they do not fall together."""
    held = assign(Folds(seed=1, holdout=0.5), ROWS) == 2
    checked = assign(Folds(seed=1, validation=0.5), ROWS) == 1
    assert abs((held & checked).mean() - 0.25) < 0.006


def test_seeds_give_different_folds() -> None:
    """Half of the rows change sides from one seed to the next, at a share of one half."""
    a, b = (assign(Folds(seed=seed, holdout=0.5), ROWS) for seed in (0, 1))
    assert abs((a == b).mean() - 0.5) < 0.006


def test_no_value_is_in_two_parts() -> None:
    """By a column: all rows of a value are together, in whatever type and chunk it is stored."""
    values = [f"customer {k % 997}" for k in range(20_000)]
    folds = Folds(seed=0, by="column", column="c", holdout=0.3, validation=0.2)
    rows = np.arange(len(values))
    whole = assign(folds, rows, pa.array(values))
    for column in (
        pa.array(values).dictionary_encode(),
        pa.array(values, pa.large_string()),
        pa.array(values, pa.string_view()),
        pa.concat_arrays([pa.array(["other"]), pa.array(values)]).slice(1),
    ):
        assert np.array_equal(assign(folds, rows, column), whole), column.type
    parts = {value: set() for value in values}
    for value, fold in zip(values, whole.tolist(), strict=True):
        parts[value].add(fold)
    assert all(len(found) == 1 for found in parts.values())
    assert {0, 1, 2} == set(whole.tolist())


@pytest.mark.parametrize(
    "columns",
    [
        [pa.array([3, -1, None, 3], pa.int8()), pa.array([3, -1, None, 3], pa.int64())],
        [pa.array([0.0, 1.5, None, -0.0], pa.float32()), pa.array([-0.0, 1.5, float("nan"), 0.0], pa.float64())],
        [pa.array([1, None, 2], pa.timestamp("s")), pa.array([10**9, None, 2 * 10**9], pa.timestamp("ns"))],
        [pa.array([True, None, False]), pa.array([True, None, False]).dictionary_encode()],
        [pa.array([dt.date(2020, 1, 1), None]), pa.array([dt.date(2020, 1, 1), None]).cast(pa.date64())],
    ],
)
def test_equal_values_are_equal_words(columns: list[pa.Array]) -> None:
    """Whatever the width, unit or dictionary."""
    first, second = (words_of(column) for column in columns)
    assert np.array_equal(first, second)
    assert len(np.unique(first)) == len(set(columns[0].cast(pa.string()).to_pylist()) - {"-0"})


def moments(days: int, **more: int) -> pa.Table:
    start = dt.datetime(2020, 1, 1)
    return pa.table({"t": [start + dt.timedelta(days=k % days, **more) for k in range(1_000)]})


SPEC = DataSpec(uri="x", target="y", time="t")


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(-50, 50), min_size=4, max_size=60),
    st.sampled_from(["int64", "timestamp", "double", "date"]),
    st.sampled_from([0.2, 0.5]),
    st.sampled_from([0.0, 0.25]),
)
def test_by_time_the_future_is_held_out(values: list[int], kind: str, holdout: float, validation: float) -> None:
    """Every held-out row is later than every row that trains or validates, those later than the rest; as many as asked,
    and the rows that share their moment with the first of them."""
    column = {
        "int64": pa.array(values),
        "timestamp": pa.array([v * 7_777_777 + 10**15 for v in values], pa.timestamp("us")),
        "double": pa.array([v / 3 for v in values]),
        "date": pa.array([dt.date(2020, 6, 1) + dt.timedelta(days=v) for v in values]),
    }[kind]
    table = pa.table({"t": column, "y": values})
    evaluate = Evaluation(holdout=holdout, by="time", early_stopping=_stopping(validation))
    try:
        (folds,) = folds_of(evaluate, 0, SPEC, reader_over(table, [2, len(values) - 2]))
    except DataError as error:
        assert "share their moment" in str(error)  # noqa: PT017 - most draws do not raise
        return
    fold = assign(folds, np.arange(len(values)), column)
    order = np.argsort(values, kind="stable")
    ranks = np.array([0, 1, 2])[fold[order]]
    assert (np.diff(ranks) >= 0).all()
    asked = round(len(values) * holdout)
    cut = sorted(values)[-asked]
    assert (fold == 2).sum() == sum(v >= cut for v in values)
    assert (fold == 0).any()


def _stopping(validation: float) -> EarlyStopping | None:
    return EarlyStopping(rounds=5, validation=validation) if validation else None


def test_a_microsecond_is_told_from_its_neighbour() -> None:
    """The cut is a float of nanoseconds, which do not all have one; rows a microsecond apart are still parted."""
    base = 1_700_000_000_000_001
    column = pa.array([base + k for k in range(10)], pa.timestamp("us"))
    (folds,) = folds_of(
        Evaluation(holdout=0.3, by="time"), 0, SPEC, reader_over(pa.table({"t": column, "y": range(10)}))
    )
    assert assign(folds, np.arange(10), column).tolist() == [0] * 7 + [2] * 3


def test_a_row_without_time_is_an_error() -> None:
    """It is neither before nor after: the error says how many, which is the first, and what to do."""
    table = pa.table({"t": pa.array([1, 2, None, 4, None]), "y": range(5)})
    with pytest.raises(DataError, match=r"'t' is missing in 2 rows \(the first is row 2\).*data.where"):
        folds_of(Evaluation(by="time"), 0, SPEC, reader_over(table, [1, 4]))
    folds = Folds(seed=0, by="time", column="t", holdout=0.5, cut=3.0)
    assert assign(folds, np.arange(5), table["t"].combine_chunks()).tolist() == [0, 0, -1, 2, -1]


def test_a_split_that_cannot_be_is_refused() -> None:
    """At its place: no such column, no time, one moment only."""
    reader = reader_over(pa.table({"t": [5] * 20, "city": ["a"] * 20, "y": range(20)}))
    with pytest.raises(WorkloadError, match="did you mean 'city'"):
        folds_of(Evaluation(by="ctiy"), 0, SPEC, reader)
    with pytest.raises(WorkloadError, match=r"needs data.time"):
        folds_of(Evaluation(by="time"), 0, SPEC.but(time=None), reader)
    with pytest.raises(DataError, match="share their moment"):
        folds_of(Evaluation(by="time"), 0, SPEC, reader)
    with pytest.raises(DataError, match="too few moments for 3 origins"):
        folds_of(Evaluation(by="time", cv=3, holdout=None), 0, SPEC, reader)


@given(st.integers(2, 6), st.integers(30, 200), st.integers(0, 3), st.sampled_from([0.0, 0.2]))
def test_origins_roll_forward(parts: int, n: int, seed: int, validation: float) -> None:
    """By time each part trains on all that is before it, and no row is held out twice, or trained on after it was known."""
    t = np.random.default_rng(seed).permutation(n)
    table = pa.table({"t": t, "y": range(n)})
    stopping = _stopping(validation) if validation else None
    evaluate = Evaluation(by="time", cv=parts, holdout=None, early_stopping=stopping)
    held = np.zeros(n, int)
    found = folds_of(evaluate, 0, SPEC, reader_over(table))
    assert len(found) == parts
    for folds in found:
        fold = assign(folds, np.arange(n), table["t"].combine_chunks())
        held += fold == 2
        assert t[(fold == 0) | (fold == 1)].max() < t[fold == 2].min()
        assert (fold == -1).sum() == (t > t[fold == 2].max()).sum()
        assert abs((fold == 2).mean() - folds.holdout) <= 2 / n
        assert abs((fold == -1).mean() - folds.later) <= 2 / n
        assert bool((fold == 1).sum()) == bool(validation)
    assert held.max() == 1
    assert (held == 0).sum() == t[held == 1].min()  # what is before the first origin


def test_many_rows_of_one_moment_stay_together() -> None:
    """Where most rows share the moment of the cut, those before it still train and validate."""
    table = pa.table({"t": list(range(10)) + [10] * 90, "y": range(100)})
    evaluate = Evaluation(holdout=0.2, by="time", early_stopping=_stopping(0.1))
    (folds,) = folds_of(evaluate, 0, SPEC, reader_over(table))
    fold = assign(folds, np.arange(100), table["t"].combine_chunks())
    assert (fold == 2).sum() == 90
    assert (fold[:10] == 0).any()
    assert (fold[:10] == 1).any()


def test_what_folds_look_at() -> None:
    """A column is read only where it decides; nothing is left out of the final fit."""
    by = Folds(seed=0, by="column", column="c", holdout=0.2)
    assert column_of(by) == "c"
    assert column_of(Folds(seed=0, holdout=0.2)) is None
    final = refit_of(by)
    assert column_of(final) is None
    assert not assign(final, ROWS).any()
    assert final.column == "c"  # so that it is no feature of the final model either


@settings(max_examples=40, deadline=None)
@given(
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from(["random", "column", "time", "cv"]),
    st.floats(0.05, 0.5),
    st.floats(0.0, 0.4),
)
def test_trials_see_nothing_of_what_the_result_is_judged_by(seed: int, by: str, held: float, stops: float) -> None:
    """Held-out rows are in no fold of theirs, the others train, validate or judge, about as many as was asked."""
    column = pa.array(np.random.default_rng(1).permutation(4_000))
    reader = reader_over(pa.table({"at": column, "x": column}))
    stopping = EarlyStopping(rounds=5, validation=stops) if stops > 0.01 else None
    evaluate = Evaluation(holdout=held, by="at" if by == "column" else by, early_stopping=stopping)
    if by == "cv":
        evaluate = evaluate.but(holdout=None, cv=3, by="random")
    data = DataSpec(uri="x", target="x", time="at")
    outer = folds_of(evaluate, seed, data, reader)[0]
    inner = trial_folds(0.25, evaluate, seed, data, reader)
    rows = np.arange(4_000)
    result = assign(outer, rows, column) if by != "cv" else np.zeros(4_000, np.int8)
    trial = assign(inner, rows, column)
    assert (trial[result == HOLDOUT] == NONE).all()
    assert (trial[result != HOLDOUT] != NONE).all()
    judged = np.mean(trial[result != HOLDOUT] == HOLDOUT)
    assert judged == pytest.approx(0.25, abs=0.04)
