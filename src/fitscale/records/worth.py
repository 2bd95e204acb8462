"""What a model is worth: what the held-out rows say of it beyond one score. Lies in worth/V.json of a run.

Rows are counted as rows; sums and means go by the weight of a row where the workload names one.
"""

from __future__ import annotations

from fitscale.records.base import Record

WORTH_FORMAT = 1


class Shuffled(Record):
    """By how much the score falls when one raw column is shuffled: mean and deviation over the repeats."""

    column: str
    drop: float
    spread: float | None  # None: one repeat


class Importance(Record):
    """Permutation importance on held-out rows."""

    metric: str
    score: float  # of these rows as they are
    rows: int
    repeats: int
    columns: tuple[Shuffled, ...]  # the largest drop first
    untried: int = 0  # columns that the time did not reach
    seconds: float
    limit_s: float


class Confusion(Record):
    """``counts[i][j]``: rows of class i that were called j. Empty where there are too many classes to be read."""

    rows: int
    classes: int
    labels: tuple[str, ...] = ()
    counts: tuple[tuple[int, ...], ...] = ()
    mistaken: tuple[tuple[str, str, int], ...] = ()  # (class, called, rows), the most frequent first


class Bin(Record):
    """Rows whose predicted probability lies in [low, high]: its mean, and the share that it came true for."""

    rows: int
    low: float
    high: float
    predicted: float
    observed: float


class Calibration(Record):
    """Bins of equally many rows. Of two classes the probability of ``label``, else that of the class that is called."""

    label: str | None
    rows: int
    bins: tuple[Bin, ...]
    brier: float  # mean squared distance: of two classes 0 to 1, of more 0 to 2
    ece: float  # mean distance between predicted and observed over the bins, by rows


class Reach(Record):
    """Rows with predictions about ``predicted``: their mean actual value, and where nine tenths of them lie."""

    rows: int
    predicted: float
    actual: float
    low: float
    high: float


class Residuals(Record):
    """Actual less predicted. ``shares``: of ``shown_rows`` evenly drawn rows, (share, residual that it lies below)."""

    rows: int
    mean: float
    mean_absolute: float
    root_mean_square: float
    shown_rows: int
    shares: tuple[tuple[float, float], ...]
    edges: tuple[float, ...]
    counts: tuple[int, ...]  # between the edges; the outer hundredth on either side lies in the outer ones
    reach: tuple[Reach, ...]


class Segment(Record):
    """The rows with one value of one column. ``share`` of the weight, ``loss_share`` of the loss."""

    column: str
    value: str
    rows: int
    share: float
    loss: float  # mean
    error: float  # standard error of that mean
    loss_share: float
    score: float | None
    predicted: float | None  # means; of two classes those of the second one's probability and share
    actual: float | None


class Segments(Record):
    """Where the loss lies: segments with more of it than of the rows, the largest excess first."""

    of: str  # log loss, share of wrong labels, squared error
    rows: int
    loss: float
    columns: int  # that have few enough values
    least: int  # rows of a segment that is looked at
    found: tuple[Segment, ...]


class Worth(Record):
    """Of one version with one model. ``missing``: section → why it is not there."""

    format: int = WORTH_FORMAT
    version: int
    basis: str  # digest of the version's manifest
    metric: str
    judged: tuple[str, ...] = ()  # the fits that held rows out; the first one's model is looked into
    held_out: int = 0  # rows with a prediction
    kept: bool = True  # predictions are those of the training; else a sample was scored now
    weighted: bool = False
    sampled: int = 0  # rows whose columns were read
    seed: int = 0
    confusion: Confusion | None = None
    calibration: Calibration | None = None
    residuals: Residuals | None = None
    segments: Segments | None = None
    importance: Importance | None = None
    missing: dict[str, str] = {}
    again: bool = False  # what is missing may be found out another time: the data or the model could not be read
    seconds: float = 0.0
