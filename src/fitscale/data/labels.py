"""The target: its classes, the y of a batch, and the labels of a prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from fitscale.data.categories import CategoryCounts, codes_of, value_type
from fitscale.data.columns import missing_of, numbers_of
from fitscale.data.features import kind_of
from fitscale.data.sources.where import without_missing
from fitscale.errors import DataError, OneClass
from fitscale.records.base import Record

if TYPE_CHECKING:
    import pyarrow as pa

MOST_CLASSES = 1_000


class Labels(Record):
    """What the target's values mean. ``classes`` are sorted; empty for a regression."""

    name: str
    type: str  # Arrow type
    classes: tuple[str | int | float, ...] = ()

    @property
    def kind(self) -> Literal["binary", "multiclass", "regression"]:
        return "regression" if not self.classes else "binary" if len(self.classes) == 2 else "multiclass"

    def y(self, column: pa.Array) -> np.ndarray:
        """(n,) float32: class codes or values, NaN where missing.

        Raises
        ------
        DataError
            For a label that is none of the classes.
        """
        if not self.classes:
            values, nulls = numbers_of(column, self.name)
            with np.errstate(over="ignore"):
                y = values.astype(np.float32)
            if nulls is not None:
                y[nulls] = np.nan
            return y
        codes = codes_of(column, self._values(), len(self.classes), self.name).astype(np.float32)
        if codes.max(initial=0) == len(self.classes):
            label = column[int(codes.argmax())].as_py()
            raise DataError(f"column '{self.name}' has the label {label!r}, none of the {len(self.classes)} trained on")
        codes[codes < 0] = np.nan
        return codes

    def values(self, column: pa.Array) -> np.ndarray:
        """(n,) float64 of a regression, NaN where missing."""
        found, nulls = numbers_of(column, self.name)
        values = found.astype(np.float64)
        if nulls is not None:
            values[nulls] = np.nan
        return values

    def decode(self, codes: np.ndarray) -> pa.Array:
        """The labels of class codes in the target's own type, or a regression's values; null where NaN."""
        import pyarrow as pa

        if not self.classes:
            return pa.array(codes, pa.float64(), from_pandas=True)
        values = self._values()
        if self.type == "bool":
            values = values.cast(pa.bool_())
        elif kind_of(self.type) == "number":
            values = values.cast(pa.type_for_alias(self.type))
        return values.take(pa.array(codes, from_pandas=True).cast(pa.int64()))

    def _values(self) -> pa.Array:
        import pyarrow as pa

        return pa.array(self.classes, pa.type_for_alias(value_type(self.type)))


class LabelLearner:
    """Finds the classes, from all rows."""

    def __init__(self, name: str, type: str, grouped: bool) -> None:
        self.name = name
        self.type = type
        self.grouped = grouped
        self.counts = CategoryCounts(name, type, MOST_CLASSES)
        self.missing, self.first_missing = 0, -1

    def add(self, first: int, column: pa.Array) -> None:
        if kind_of(self.type) == "number":
            values, nulls = numbers_of(column, self.name)
            gone = missing_of(values, nulls)
            if values.dtype.kind == "f":
                self._whole(values if gone is None else np.delete(values, gone))
        else:
            gone = np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))
        if gone is not None and len(gone):
            self.first_missing = first + int(gone[0]) if not self.missing else self.first_missing
            self.missing += len(gone)
        self.counts.add(column)
        if self.counts.distinct > MOST_CLASSES:
            self._too_many()

    def result(self) -> Labels:
        classes, others = self.counts.result()
        if others:
            self._too_many()
        if self.missing and not self.grouped:
            raise missing_target(self.name, self.type, self.missing, self.first_missing)
        if len(classes) < 2:
            what = f"the one value {classes[0]!r}" if classes else "no value"
            raise OneClass(f"data.target: column '{self.name}' has {what}; a classifier needs two classes or more")
        return Labels(name=self.name, type=self.type, classes=classes)

    def _whole(self, values: np.ndarray) -> None:
        part = values[values != np.floor(values)]
        if len(part):
            raise DataError(
                f"data.target: column '{self.name}' has values such as {part[0]:g}, which are no classes; take a"
                " regressor, or a target with classes"
            )

    def _too_many(self) -> None:
        raise DataError(
            f"data.target: column '{self.name}' has more than {MOST_CLASSES:,} distinct values, too many for classes;"
            " take a regressor, or a target with fewer classes"
        )


def labels_for(
    name: str, type: str, target: Literal["classifier", "regressor"], grouped: bool
) -> Labels | LabelLearner:
    """The labels of a regression, or what learns those of a classification.

    Raises
    ------
    DataError
        Where the column's type cannot be such a target.
    """
    kind = kind_of(type)
    if target == "regressor":
        if kind not in ("number", "boolean") or type == "null":
            raise DataError(
                f"data.target: column '{name}' is of type {type}; a regressor needs numbers: take a classifier, or"
                " another target"
            )
        return Labels(name=name, type=type)
    if kind not in ("number", "boolean", "category") or type.startswith(("null", "decimal", "time", "duration")):
        raise DataError(
            f"data.target: column '{name}' is of type {type}, which has no classes; take whole numbers, texts or"
            " truth values"
        )
    return LabelLearner(name, type, grouped)


def missing_target(name: str, type: str, count: int, first: int) -> DataError:
    return DataError(
        f"data.target: column '{name}' is missing in {count:,} rows (the first is row {first:,}); leave them out with "
        + without_missing(name, type)
    )


def local_classes(y: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """The class codes that occur, ascending, and y as codes of those: for libraries that want 0..k-1 without gaps."""
    codes = y.astype(np.int64)
    present = np.flatnonzero(np.bincount(codes, minlength=classes))
    if len(present) == classes:
        return present, y
    place = np.zeros(classes, np.float32)
    place[present] = np.arange(len(present))
    return present, place[codes]
