"""Which fold a row is in: a hash of the seed and its number, the same for every strategy, partition and engine."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fitscale.data.cut import cuts_of, last_steps_of, moments_of, rolling_cuts_of
from fitscale.data.hashing import MASK, hashed, mixed, words_of
from fitscale.errors import WorkloadError, nearest
from fitscale.records.data import Folds

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.data.reader import Reader
    from fitscale.records.workload import DataSpec, Evaluation

TRAIN, VALIDATION, HOLDOUT, NONE = 0, 1, 2, -1
_SOME = 0.01  # the share of the last steps of a series is not known, and small
# So that one draw says nothing of the others
HOLDOUT_SALT, VALIDATION_SALT, TRIAL_SALT = 0x686F6C646F7574, 0x76616C6964, 0x747269616C


def folds_of(evaluate: Evaluation, seed: int, data: DataSpec, reader: Reader | None) -> tuple[Folds, ...]:
    """The folds that ``evaluate`` asks for: of a hold-out, or of each part of a cross-validation.

    By time the parts are origins, each later than the one before: rows before it train, those up to the next are held out.
    Reads the time column, once, for ``by: time``; nothing otherwise. Without a ``reader`` as many folds of the same shares, of
    which those by time have no moments.

    Raises
    ------
    WorkloadError
        At evaluate.by: no such column, or no data.time.
    DataError
        A time column that is missing in some rows, or that leaves no training rows.
    """
    cv = evaluate.cv or 0
    holdout = 0.0 if cv else evaluate.holdout or 0.0
    validation = evaluate.early_stopping.validation if evaluate.early_stopping else 0.0
    if evaluate.by == "time":
        return _by_time(evaluate, seed, data, reader, validation)
    drawn = Folds(seed=seed, holdout=holdout, validation=validation)
    if evaluate.by != "random":
        if reader is not None:
            _known(evaluate.by, reader, "evaluate.by")
        drawn = drawn.but(by="column", column=evaluate.by)
    return tuple(drawn.but(part=(k, cv)) for k in range(cv)) or (drawn,)


def _by_time(
    evaluate: Evaluation, seed: int, data: DataSpec, reader: Reader | None, validation: float
) -> tuple[Folds, ...]:
    column, cv = data.time, evaluate.cv or 0
    if column is None:
        raise WorkloadError("evaluate.by", "'time' needs data.time: the column that orders the rows")
    if reader is not None:
        _known(column, reader, "data.time")
    timed = Folds(seed=seed, by="time", column=column, validation=validation)
    if data.is_series and evaluate.holdout is None:
        unread: list[tuple[float | None, float | None]] = [(None, None)] * (cv or 1)
        steps = last_steps_of(reader, data, cv or 1) if reader is not None else unread
        return tuple(timed.but(holdout=_SOME, cut=cut, until=until) for cut, until in steps)
    if cv:
        unknown: list[tuple[float | None, float | None, float | None]] = [(None, None, None)] * cv
        origins = rolling_cuts_of(reader, column, validation, seed, cv) if reader is not None else unknown
        return tuple(
            timed.but(
                holdout=1 / (cv + 1), cut=cut, until=until, later=(cv - 1 - k) / (cv + 1), validation_cut=validation_cut
            )
            for k, (cut, until, validation_cut) in enumerate(origins)
        )
    holdout = evaluate.holdout or 0.0
    cut, validation_cut = cuts_of(reader, column, holdout, validation) if reader is not None else (None, None)
    return (timed.but(holdout=holdout, cut=cut, validation_cut=validation_cut),)


def refit_of(folds: Folds) -> Folds:
    """The folds of the final fit: every row trains; a column that was kept apart stays no feature."""
    return Folds(seed=folds.seed, by="column", column=folds.column) if folds.by == "column" else Folds(seed=folds.seed)


def trial_folds(judged: float, evaluate: Evaluation, seed: int, data: DataSpec, reader: Reader) -> Folds:
    """The folds of trials: rows that the result is judged by are in none, and of the others a share judges the trials.

    By time these are the latest. Of a cross-validation, which judges by all rows in turn, none are kept apart.

    Raises
    ------
    WorkloadError, DataError
        As `folds_of`.
    """
    apart = evaluate.but(cv=None, holdout=evaluate.holdout if not evaluate.cv else None)
    outer = folds_of(apart, seed, data, reader)[0]
    if outer.by == "time":
        held = outer.holdout + (1 - outer.holdout) * judged
        cut, validation_cut = cuts_of(reader, str(outer.column), held, outer.validation)
        return outer.but(
            holdout=held - outer.holdout, later=outer.holdout, cut=cut, until=outer.cut, validation_cut=validation_cut
        )
    own = outer.but(seed=seed ^ TRIAL_SALT, holdout=judged)
    return own.but(within=outer) if outer.holdout else own


def splits(folds: Folds) -> bool:
    """Whether any row is elsewhere than in training."""
    return bool(folds.part or folds.holdout or folds.validation)


def column_of(folds: Folds) -> str | None:
    """The column that must be read to know the folds; None where the row numbers say it all."""
    return folds.column if folds.by != "random" and splits(folds) else None


def assign(folds: Folds, rows: np.ndarray, column: pa.Array | np.ndarray | None = None) -> np.ndarray:
    """(n,) int8: 0 train, 1 validation, 2 hold-out, -1 in none (no time known, or after what is held out).

    Parameters
    ----------
    rows
        (n,) int64, the rows' numbers in the snapshot.
    column
        The values of `column_of(folds)` in these rows; of folds by time as (n,) int64 moments, too.
    """
    if not splits(folds):
        return np.zeros(len(rows), np.int8)
    if folds.within is not None:
        fold = assign(folds.but(within=None), rows, column)
        fold[assign(folds.within, rows, column) == HOLDOUT] = NONE
        return fold
    if folds.by == "random":
        return _drawn(folds, rows.astype(np.int64, copy=False).view(np.uint64))
    if column is None:
        raise ValueError(f"the folds are by column '{folds.column}': its values are needed")
    if folds.by == "column":
        return _drawn(folds, words_of(column))
    return _by_moment(folds, column) if isinstance(column, np.ndarray) else _timed(folds, column)


def _drawn(folds: Folds, words: np.ndarray) -> np.ndarray:
    fold = np.zeros(len(words), np.int8)
    if folds.validation:
        fold[_below(hashed(words, mixed(folds.seed & MASK ^ VALIDATION_SALT)), folds.validation)] = VALIDATION
    if folds.part:
        k, parts = folds.part
        drawn = hashed(words, mixed(folds.seed & MASK ^ HOLDOUT_SALT))
        fold[((drawn >> np.uint64(32)) * np.uint64(parts)) >> np.uint64(32) == k] = HOLDOUT
    elif folds.holdout:
        fold[_below(hashed(words, mixed(folds.seed & MASK ^ HOLDOUT_SALT)), folds.holdout)] = HOLDOUT
    return fold


def _below(words: np.ndarray, share: float) -> np.ndarray:
    return words < np.uint64(min(int(share * 2.0**64), MASK))


def _timed(folds: Folds, column: pa.Array) -> np.ndarray:
    import pyarrow as pa

    gone = None
    if column.null_count or pa.types.is_floating(column.type):
        gone = column.is_null(nan_is_null=True).to_numpy(zero_copy_only=False)
    fold = _by_moment(folds, moments_of(column if gone is None else column.filter(pa.array(~gone))))
    if gone is None:
        return fold
    every = np.full(len(column), NONE, np.int8)
    every[~gone] = fold
    return every


def _by_moment(folds: Folds, moments: np.ndarray) -> np.ndarray:
    fold = np.zeros(len(moments), np.int8)
    for cut, code in ((folds.validation_cut, VALIDATION), (folds.cut, HOLDOUT), (folds.until, NONE)):
        if cut is not None:
            # as whole numbers: floats do not tell neighbouring nanoseconds apart
            fold[moments >= (math.ceil(cut) if moments.dtype.kind == "i" else cut)] = code
    return fold


def counts_along(folds: Folds, begins: np.ndarray, step: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """(g, 4): how many rows of each group train, validate, are held out and are in no fold, of groups whose times are ``step``
    apart. They lie in that order.
    """
    until, held, checked = (_before(cut, begins, step, sizes) for cut in (folds.until, folds.cut, folds.validation_cut))
    held = np.minimum(held, until)
    checked = np.minimum(checked, held)
    return np.column_stack([checked, held - checked, until - held, sizes - until])


def _before(cut: float | None, begins: np.ndarray, step: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """(g,) how many rows of each group come before a moment."""
    return sizes if cut is None else np.clip(-((begins - math.ceil(cut)) // step), 0, sizes)


def _known(column: str, reader: Reader, place: str) -> None:
    names = [name for name, _ in reader.snapshot.columns]
    if column not in names:
        raise WorkloadError(place, f"no column '{column}'{nearest(column, names)}")
