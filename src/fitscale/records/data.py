"""Data: the exact rows of a run, what is known of them, and which row is in which fold."""

from __future__ import annotations

from typing import Literal

from fitscale.records.base import Figure, Grown, Record, digest_of

Kind = Literal["number", "boolean", "category", "date", "vector", "text", "unsupported"]
TargetKind = Literal["binary", "multiclass", "regression"]


class Piece(Record):
    """One file (or the like) of a source. ``parts``: (rows, bytes) of each natural unit of reading (row group)."""

    path: str  # relative to the source's root
    bytes: int
    pin: str  # digest of what pins the contents: a Parquet footer, or the whole
    parts: tuple[tuple[int, int], ...]
    modified: float = 0.0  # only a hint that something changed; not part of `content`
    values: dict[str, str] = {}  # partition columns of its path; of a table: the range that it is, from and to

    @property
    def rows(self) -> int:
        return sum(rows for rows, _ in self.parts)


class Snapshot(Record):
    """The exact data of a run. A row's number is its position in the order of pieces and parts."""

    source: str  # name in the registry
    root: str  # what the pieces' paths are relative to
    columns: tuple[tuple[str, str], ...]  # (name, Arrow type)
    pieces: tuple[Piece, ...]
    where: str | None = None
    origin: Snapshot | None = None  # of what it was staged from

    @property
    def rows(self) -> int:
        return sum(piece.rows for piece in self.pieces)

    @property
    def bytes(self) -> int:
        return sum(piece.bytes for piece in self.pieces)

    @property
    def content(self) -> str:
        """The digest of what the rows are: not of where they lie, nor of times."""
        pinned = [f"{p.path}\0{p.bytes}\0{p.pin}\0{p.parts}" for p in self.pieces]
        return digest_of(self.where or "", repr(self.columns), *pinned)


class Staging(Record):
    """What was read once and written as Parquet into the run, because reading it again would cost as much, or differ."""

    origin: Snapshot  # as it was pinned before
    asked: str  # digest of how it was to be read
    content: str  # of the snapshot that it became
    rows: int
    bytes: int  # of the Parquet files
    seconds: float  # wall, measured
    at: float  # when it was read: seconds since 1970
    assumed: tuple[str, ...] = ()
    digests: dict[str, str] = {}  # of all bytes of each piece, where the source gives them


class Stage(Record):
    """What reading all rows once takes, and is part of a forecast: told from a part of them, or measured since.

    ``sampled`` are the rows of the part that stands for all of them, 0 where they were read.
    """

    seconds: Figure
    bytes: Figure  # of the Parquet files
    rows: Figure
    sampled: int = 0
    sample_s: float = 0.0


# Of what cutting takes, where it was seen on other rows: the disk may have more to do than it can put off.
SCALED_ERROR = 0.25


class Cutting(Record):
    """Putting the rows apart by group, before many models are fitted: what it takes, or took."""

    seconds: Figure
    held_bytes: float = 0.0  # anonymous memory; 0 where nothing of it was measured
    kept_bytes: float = 0.0  # in the run folder, from then on
    most_bytes: float = 0.0  # there meanwhile, what is kept included
    done: bool = False

    def times(self, factor: float) -> Cutting:
        """Of so many times the rows: memory is bounded, and stays."""
        return self.but(
            seconds=Figure.around(self.seconds.value * factor, SCALED_ERROR, "forecast"),
            kept_bytes=self.kept_bytes * factor, most_bytes=self.most_bytes * factor, done=False,
        )  # fmt: skip


class ColumnProfile(Record):
    name: str
    kind: Kind
    type: str
    missing: Figure  # share of rows
    distinct: Figure | None = None
    width: int = 0  # columns of the matrix that a sparse vector or a text becomes, as far as is known
    filled: float = 0.0  # of them that a row has, on average
    note: str = ""


class GroupSizes(Record):
    """How many rows the groups have, over all rows of the snapshot (``exact``) or estimated from a sample."""

    n: int
    rows_min: int
    rows_median: int
    rows_max: int
    exact: bool


class Profile(Record):
    """What is known of the data before training, and how much was read to know it."""

    rows: Figure
    bytes: int
    columns: tuple[ColumnProfile, ...]
    groups: GroupSizes | None = None
    read_rows: int
    read_bytes: int
    read_s: float
    warnings: tuple[str, ...] = ()


class Folds(Grown):
    """Which rows train, validate and are held out. The fold of a row is a hash of the seed and its number, or value.

    ``cut`` is, for ``by: time``, the first moment that is held out (nanoseconds or the column's number), ``until`` the first
    that is not any more, and ``later`` about the share of the rows from there on, which are in no fold.
    ``part`` is (k, K) of a cross-validation. ``validation`` is a share of the training rows. Rows that ``within`` holds out are
    in no fold: what is tried must not see what the result is judged by.
    """

    LATER = frozenset({"until", "later", "within"})

    seed: int
    by: Literal["random", "time", "column"] = "random"
    column: str | None = None
    holdout: float = 0.0
    validation: float = 0.0
    part: tuple[int, int] | None = None
    cut: float | None = None
    until: float | None = None
    later: float = 0.0
    validation_cut: float | None = None
    within: Folds | None = None

    @property
    def held(self) -> float:
        """About which share of all rows is held out."""
        apart = self.within.holdout if self.within else 0.0
        return (1 / self.part[1] if self.part else self.holdout) * (1 - apart)

    @property
    def trains(self) -> float:
        """About which share of all rows trains."""
        apart = self.within.holdout if self.within else 0.0
        return (1 - apart - self.later - self.held) * (1 - self.validation)


class Shape(Record):
    """The size of one fit, as a law needs it. ``features`` counts the columns of the encoded matrix."""

    rows: int  # training rows
    features: int
    holdout_rows: int = 0
    validation_rows: int = 0
    classes: int = 2  # 0: regression
    missing: float = 0.0  # share of cells
    missing_most: float = 0.0  # share of the rows, of the emptiest column
    density: float = 1.0  # share of cells that are not zero, of a sparse matrix
    categories: int = 0  # over all categorical columns
    source_bytes: int = 0  # to be read for it
    piece_bytes: int = 0  # held while they are read, beside the matrix that they go into
    groups: int = 1
    largest_group: int = 0
    threads: int = 1
    ranks: int = 1
    parts: int = 0  # processes that grow parts of the model side by side; 0: it is fitted as a whole

    @property
    def cells(self) -> int:
        return self.rows * self.features

    def times(self, factor: float) -> Shape:
        """The same fit on so many times the rows: more of them, or a part."""
        return self.but(
            rows=max(1, round(self.rows * factor)),
            holdout_rows=round(self.holdout_rows * factor),
            validation_rows=round(self.validation_rows * factor),
            source_bytes=round(self.source_bytes * factor),
        )
