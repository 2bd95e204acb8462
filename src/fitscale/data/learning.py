"""Learning an encoding: one pass over the columns that need it, and none where nothing does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from fitscale.data.ahead import ahead
from fitscale.data.categories import CategoryCounts
from fitscale.data.columns import (
    DATE_PARTS,
    PER_SECOND,
    TIME_PARTS,
    booleans_of,
    buffer_of,
    date_parts_of,
    numbers_of,
)
from fitscale.data.encoding import Column, Encoding
from fitscale.data.features import encodable, feature_columns, kind_of
from fitscale.data.folds import TRAIN, assign, column_of
from fitscale.data.labels import LabelLearner, Labels, labels_for
from fitscale.data.moments import Moments
from fitscale.data.rowcheck import no_training_rows
from fitscale.data.texts import USUAL_WORDS, columns_of
from fitscale.data.vectors import Vectors
from fitscale.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.data.reader import Reader
    from fitscale.records.data import Folds, Kind
    from fitscale.records.run import Traits
    from fitscale.records.workload import DataSpec

SPARSE_BELOW = 0.3  # share of cells that are not 0, below which a CSR matrix is smaller and faster
BLOCK_CELLS = 1 << 21
VECTOR_CELLS = 511.0  # that a vector of unknown length is taken to have: 4,096 rows of it are read at once


def learn(reader: Reader, data: DataSpec, folds: Folds, traits: Traits, *, reads_ahead: bool = False) -> Encoding:
    """The encoding for a framework that takes its input as ``traits`` say.

    What concerns features is learnt from training rows only, the classes from all rows. Whatever the files and batches
    are, the same rows give the same encoding, to the bit. ``reads_ahead``: as for `feed.make_feed`.

    Raises
    ------
    WorkloadError
        At data.features: columns that are not there, or cannot be features.
    DataError
        A target that is missing in rows, has one class, or is not of the estimator's kind; no feature with values.
    """
    chosen = feature_columns(data, reader.snapshot.columns, apart=folds.column if folds.by == "column" else None)
    types = dict(reader.snapshot.columns)
    target = labels_for(data.target, types[data.target], traits.target, bool(data.groups))
    if traits.input == "series":
        assert isinstance(target, Labels)
        ((name, type),) = chosen
        time = Column(name=name, type=type, kind=kind_of(type))  # nothing is learnt: a series is forecast from itself
        return Encoding(input="series", missing=traits.missing, columns=(time,), outcome=target)
    raw = traits.input == "raw"
    features = (
        [_Feature(name, type, kind_of(type), None, False) for name, type in chosen]
        if raw
        else [_Feature(name, type, kind, data, _needs_moments(kind, data, traits)) for name, type, kind in
              encodable(chosen, data.features.categorical, data.features.text)]
    )  # fmt: skip
    learning = [feature for feature in features if feature.learns]
    wanted = [feature.name for feature in learning]
    if isinstance(target, LabelLearner):
        wanted.append(target.name)
    by = column_of(folds)
    seen = 0  # training rows, where features are learnt
    if wanted:
        read = blocks(reader, [*wanted, *([by] if by and by not in wanted else [])])
        for first, batch in ahead(read) if reads_ahead else read:
            rows = np.arange(first, first + batch.num_rows)
            if isinstance(target, LabelLearner):
                target.add(first, batch.column(target.name))
            if learning:
                fold = assign(folds, rows, batch.column(by) if by else None)
                picked = np.flatnonzero(fold == TRAIN)
                seen += len(picked)
                for feature in learning:
                    feature.add(batch.column(feature.name), None if len(picked) == len(fold) else picked)
    outcome = target.result() if isinstance(target, LabelLearner) else target
    dropped = tuple((feature.name, why) for feature in features if (why := feature.why_not()))
    out = {name for name, _ in dropped}
    columns = tuple(feature.column(traits, data) for feature in features if feature.name not in out)
    if not columns:
        raise (
            no_training_rows()
            if learning and not seen
            else DataError(
                "data.features: no feature has a value in any training row; give others with data.features.keep"
            )
        )
    encoding = Encoding(input=traits.input, missing=traits.missing, columns=columns, outcome=outcome, dropped=dropped)
    sparse = traits.sparse and (any(column.width for column in columns) or _density(encoding) < SPARSE_BELOW)
    return encoding.but(sparse=True) if sparse else encoding


def block_rows(columns: float) -> int:
    """Rows of a block of so many columns: 16 MB of eight-byte values, but never fewer than 1,024 rows."""
    return int(min(65_536, max(1_024, BLOCK_CELLS // max(1.0, columns))))


def blocks(reader: Reader, columns: list[str]) -> Iterator[tuple[int, pa.RecordBatch]]:
    """The rows cut at multiples of a fixed number of rows (and at gaps between the reader's ranges) only.

    What is summed up block by block then does not depend on how files and row groups were cut.
    """
    import pyarrow as pa

    vectors = sum(kind_of(type) == "vector" for name, type in reader.snapshot.columns if name in columns)
    size = block_rows(len(columns) + VECTOR_CELLS * vectors)
    held: list[pa.RecordBatch] = []
    begin = end = 0

    def joined() -> tuple[int, pa.RecordBatch]:
        return begin, held[0] if len(held) == 1 else pa.concat_batches(held)

    for first, batch in reader.batches(columns, batch_rows=size):
        taken = 0
        while taken < batch.num_rows:
            row = first + taken
            if held and (row != end or row % size == 0):
                yield joined()
                held = []
            if not held:
                begin = row
            n = min(batch.num_rows - taken, size - row % size)
            held.append(batch.slice(taken, n))
            taken += n
            end = row + n
    if held:
        yield joined()


class _Feature:
    """What is being learnt of one column."""

    def __init__(self, name: str, type: str, kind: Kind, data: DataSpec | None, moments: bool) -> None:
        self.name, self.type, self.kind = name, type, kind
        self.seen = False  # a value, in a training row
        self.counts = CategoryCounts(name, type, data.features.max_categories) if data and kind == "category" else None
        self.clock = [False, False, False]  # hours, minutes, seconds other than 0
        self.timed = bool(data) and kind == "date" and not type.startswith("date32")
        self.width = 0  # of vectors, in training rows
        self.pairs = self.rows = 0  # of vectors, in all rows
        self.moments: dict[str, Moments] | None = None
        if moments and kind not in ("category", "vector", "text"):
            parts = (*DATE_PARTS, *(TIME_PARTS if self.timed else ())) if kind == "date" else ("",)
            self.moments = {part: Moments() for part in parts}

    @property
    def learns(self) -> bool:
        learnt = self.counts is not None or self.timed or self.moments is not None or self.kind == "vector"
        return self.type != "null" and learnt

    def add(self, column: pa.Array, picked: np.ndarray | None) -> None:
        if self.counts is not None:
            self.counts.add(column, picked)
            return
        if self.kind == "vector":
            self._look_at_vectors(column, picked)
            return
        if self.timed:
            self._look_at_clock(column, picked)
        if self.moments is None:
            return
        if self.kind == "date":
            quantities, nulls = date_parts_of(column, tuple(self.moments), self.name)
        else:
            one, nulls = (booleans_of if self.kind == "boolean" else numbers_of)(column, self.name)
            quantities = [one]
        for values, moments in zip(quantities, self.moments.values(), strict=True):
            values = values.astype(np.float64)
            if nulls is not None:
                values[nulls] = np.nan
            if picked is not None:
                values = values[picked]
            known = np.isfinite(values)
            moments.add(values if known.all() else values[known])

    def why_not(self) -> str | None:
        """Why the column is left out, or None. Seen only where it was read."""
        unseen = (self.counts is not None and not self.counts.result()[0]) or (
            self.moments is not None and not any(moments.n for moments in self.moments.values())
        )
        unseen |= self.kind == "vector" and not self.width
        return "no value in any training row" if self.type == "null" or unseen else None

    def column(self, traits: Traits, data: DataSpec) -> Column:
        categories, other = self.counts.result() if self.counts is not None else ((), False)
        parts: tuple[str, ...] = ()
        if self.kind == "date" and traits.input != "raw":
            parts = (*DATE_PARTS, *(part for part, there in zip(TIME_PARTS, self.clock, strict=True) if there))
        used = [self.moments[part] for part in parts or ("",)] if self.moments is not None else []
        scaled = data.features.scale and self.kind != "boolean"
        return Column(
            name=self.name,
            type=self.type,
            kind=self.kind,
            parts=parts,
            categories=categories,
            other=other,
            gap=self.kind == "category" and traits.input == "codes" and traits.missing == "impute",
            mean=tuple(moments.mean for moments in used),
            deviation=tuple(moments.deviation for moments in used) if scaled else (),
            width=columns_of(data.features, traits.sparse) if self.kind == "text" else self.width,
            filled=USUAL_WORDS if self.kind == "text" else round(self.pairs / max(1, self.rows), 3),
            ngrams=data.features.ngrams if self.kind == "text" else 0,
        )

    def _look_at_vectors(self, column: pa.Array, picked: np.ndarray | None) -> None:
        starts, index, _ = Vectors.of(column, self.name)
        self.pairs += len(index)
        self.rows += len(column)
        if picked is not None:
            trains = np.zeros(len(column), bool)
            trains[picked] = True
            index = index[np.repeat(trains, np.diff(starts))]
        if len(index):
            self.width = max(self.width, int(index.max()) + 1)

    def _look_at_clock(self, column: pa.Array, picked: np.ndarray | None) -> None:
        unit = 1_000 if self.type.startswith("date64") else PER_SECOND[column.type.unit]
        values = buffer_of(column, "i8")
        gone = column.is_null().to_numpy(zero_copy_only=False) if column.null_count else None
        if gone is not None:
            values = np.where(gone, 0, values)
        if picked is not None:
            values = values[picked]
        within = values % (86_400 * unit)
        self.clock[0] |= bool((within >= 3_600 * unit).any())
        within = within % (3_600 * unit)
        self.clock[1] |= bool((within >= 60 * unit).any())
        self.clock[2] |= bool((within % (60 * unit)).any())


def _needs_moments(kind: Kind, data: DataSpec, traits: Traits) -> bool:
    return traits.missing == "impute" or (data.features.scale and kind in ("number", "date"))


def _density(encoding: Encoding) -> float:
    """The largest share of cells that a row can have set."""
    return encoding.most_set / encoding.width if encoding.input == "one-hot" else 1.0
