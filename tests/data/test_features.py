"""Which columns are features, and what a target may be."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from fitscale.data.features import encodable, feature_columns, kind_of
from fitscale.data.labels import local_classes
from fitscale.data.learning import learn
from fitscale.errors import DataError, WorkloadError
from fitscale.records.data import Folds
from fitscale.records.run import Traits
from fitscale.records.workload import DataSpec, Features
from fitscale.testing.tables import reader_over

COLUMNS = tuple((name, "double") for name in ("income", "age", "city", "day", "w", "y", "id"))
CLASSIFIER = Traits(target="classifier", can={}, input="codes", missing="ok", progress="none")
REGRESSOR = CLASSIFIER.but(target="regressor")


@pytest.mark.parametrize(
    ("type", "kind"),
    [
        (pa.int8(), "number"), (pa.uint64(), "number"), (pa.float16(), "number"), (pa.decimal128(9, 2), "number"),
        (pa.time64("us"), "number"), (pa.duration("s"), "number"), (pa.bool_(), "boolean"), (pa.string(), "category"),
        (pa.large_string(), "category"), (pa.string_view(), "category"),
        (pa.dictionary(pa.int32(), pa.string()), "category"), (pa.date32(), "date"), (pa.timestamp("ns", "UTC"), "date"),
        (pa.list_(pa.int64()), "unsupported"), (pa.binary(), "unsupported"), (pa.struct([("a", pa.int8())]), "unsupported"),
    ],
)  # fmt: skip
def test_every_type_has_a_kind(type: pa.DataType, kind: str) -> None:
    """From the type's text, which is what a snapshot holds."""
    assert kind_of(str(type)) == kind


def test_columns_with_a_role_are_no_features() -> None:
    """Target, groups, weight, time, key, and what the folds keep apart; keep brings back those that can be known."""
    data = DataSpec(uri="x", target="y", weight="w", groups=("city",), time="day", key="id")
    assert [name for name, _ in feature_columns(data, COLUMNS)] == ["income", "age"]
    assert [name for name, _ in feature_columns(data, COLUMNS, apart="age")] == ["income"]
    kept = data.but(features=Features(keep=("age", "day"), drop=("age",)))
    assert [name for name, _ in feature_columns(kept, COLUMNS)] == ["day"]


@pytest.mark.parametrize(
    ("features", "place", "problem"),
    [
        (Features(drop=("incme",)), "data.features.drop", "no column 'incme'; did you mean 'income'"),
        (Features(keep=("zzz",)), "data.features.keep", "no column 'zzz'; columns: income, age"),
        (Features(categorical=("w",)), "data.features.categorical", "'w' is the weight"),
        (Features(keep=("y",)), "data.features.keep", "'y' is the target"),
    ],
)
def test_a_column_that_is_not_there_is_named(features: Features, place: str, problem: str) -> None:
    """With its place, and the nearest."""
    with pytest.raises(WorkloadError, match=problem) as error:
        feature_columns(DataSpec(uri="x", target="y", weight="w", features=features), COLUMNS)
    assert error.value.place == place


def test_what_cannot_be_a_feature_is_to_be_dropped() -> None:
    """Lists and the like are refused by name and type."""
    with pytest.raises(WorkloadError, match=r"column 'l' is of type list<.*add it to drop"):
        encodable((("l", str(pa.list_(pa.int8()))),), ())
    with pytest.raises(DataError, match="no column is left"):
        feature_columns(DataSpec(uri="x", target="y", features=Features(keep=("age",), drop=("age",))), COLUMNS)


def learnt(target: pa.Array, traits: Traits = CLASSIFIER, **data: object):  # type: ignore[no-untyped-def]
    table = pa.table({"a": np.arange(len(target), dtype=float), "y": target})
    parts = [1, len(target) - 1]
    return learn(reader_over(table, parts), DataSpec(uri="x", target="y", **data), Folds(seed=0, holdout=0.3), traits)


@pytest.mark.parametrize(
    ("target", "labels"),
    [
        (pa.array([True, False, True, False]), [False, True]),
        (pa.array([7, -3, 7, 2], pa.int16()), [-3, 2, 7]),
        (pa.array([1.0, 0.0, 1.0, 2.0]), [0.0, 1.0, 2.0]),
        (pa.array(["no", "yes", "Ã", "no"]), ["no", "yes", "Ã"]),
        (pa.array(["b", "a", "b", "a"]).dictionary_encode(), ["a", "b"]),
    ],
)
def test_labels_come_back_as_they_were(target: pa.Array, labels: list[object]) -> None:
    """Classes are sorted, y holds their codes, and decoding gives the labels in the target's own type."""
    encoding = learnt(target)
    y = encoding.target(pa.record_batch({"y": target}))
    assert y.dtype == np.float32
    assert encoding.labels() == sorted(labels)
    assert encoding.decode(y).to_pylist() == target.to_pylist()
    if not pa.types.is_dictionary(target.type):
        assert encoding.decode(y).type == target.type
    assert encoding.decode(np.array([np.nan, 1.0])).to_pylist() == [None, sorted(labels)[1]]


def test_classes_that_only_the_holdout_has_are_known() -> None:
    """Classes come from all rows: a rare one is a class wherever its rows fell."""
    values = ["common"] * 500
    values[417] = "rare"
    for holdout in (0.1, 0.9):
        table = pa.table({"a": range(500), "y": values})
        spec = DataSpec(uri="x", target="y")
        assert learn(reader_over(table), spec, Folds(seed=0, holdout=holdout), CLASSIFIER).labels() == [
            "common",
            "rare",
        ]


@pytest.mark.parametrize(
    ("target", "traits", "problem"),
    [
        (pa.array([0.5, 1.0, 2.0]), CLASSIFIER, r"data.target: column 'y' has values such as 0.5.*regressor"),
        (pa.array(np.arange(3_000)), CLASSIFIER, "more than 1,000 distinct values"),
        (pa.array([f"k{k}" for k in range(1_500)]), CLASSIFIER, "more than 1,000 distinct values"),
        (pa.array(["a", "b", "a"]), REGRESSOR, "is of type string; a regressor needs numbers"),
        (pa.array([1, 1, 1]), CLASSIFIER, "has the one value 1; a classifier needs two"),
        (pa.array([dt.date(2020, 1, 1)] * 3), CLASSIFIER, "has no classes"),
        (pa.array([Decimal("1.5")] * 3), CLASSIFIER, "has no classes"),
        (pa.nulls(3), REGRESSOR, "is of type null"),
        (pa.array(["a", "b", None, None, "a"]), CLASSIFIER, r"missing in 2 rows \(the first is row 2\).*data.where"),
        (pa.array([1.0, float("nan"), 0.0]), CLASSIFIER, r"missing in 1 rows \(the first is row 1\)"),
    ],
)  # fmt: skip
def test_a_target_of_the_wrong_kind_is_refused(target: pa.Array, traits: Traits, problem: str) -> None:
    """With the column, a value, and what to do."""
    with pytest.raises(DataError, match=problem):
        learnt(target, traits)


def test_a_group_may_miss_targets() -> None:
    """Where there is a model for each group, missing targets are that group's failure, not everybody's."""
    table = pa.table({"a": [1.0, 2, 3, 4], "g": [1, 1, 2, 2], "y": ["a", "b", None, "a"]})
    encoding = learn(reader_over(table), DataSpec(uri="x", target="y", groups=("g",)), Folds(seed=0), CLASSIFIER)
    assert np.isnan(encoding.target(table.to_batches()[0])[2])


def test_an_unknown_label_is_an_error() -> None:
    """New data with a label that no model knows: named, not taken for another."""
    encoding = learnt(pa.array(["a", "b", "a"]))
    with pytest.raises(DataError, match="label 'c', none of the 2"):
        encoding.target(pa.record_batch({"y": ["a", "c"]}))


def test_classes_without_gaps() -> None:
    """The codes that a group has, and its y as 0..k-1."""
    present, y = local_classes(np.array([4, 1, 4, 2], np.float32), 6)
    assert present.tolist() == [1, 2, 4]
    assert y.tolist() == [2, 0, 2, 1]
    same = np.array([0, 1], np.float32)
    assert local_classes(same, 2)[1] is same
