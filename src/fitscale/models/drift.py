"""Drift: whether new rows of each group still are what its model was fitted on, with false alarms kept to a rate.

Of series and rows by the errors, of rows by their columns, too (see `columns`).

Each new value is foretold by its group's model (see `judging`). As long as nothing changed, these errors have the mean and the
deviation that they had before. Two tests: of the mean (Student's t, with the doubt of both means, which is wider where errors
hang together), and of the variance (F, its degrees of freedom fewer as tails are heavier: Box, 1953). The smaller p counts
twice, and so does the smaller of that of the errors and that of the columns. Over all groups the rate of false alarms among alarms
is held by Benjamini and Hochberg's rule (1995). Of very many rows the least change is no accident: one that is small is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fitscale.errors import DataError
from fitscale.metrics.errors import NORMAL, Moments, moments
from fitscale.models.asked import Asked
from fitscale.models.columns import LEAST_ROWS, Columns, columns_of, reference_of
from fitscale.models.judging import TOO_FEW, Chunk, Told, judged
from fitscale.models.newrows import MOST_ROWS, NewRows, new_rows
from fitscale.models.opened import Run
from fitscale.records.base import Record
from fitscale.store import chunks, files

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.store.reference import Reference

TRAINED = "these are the rows that it was trained on"
LEAST = LEAST_ROWS  # new values of a group that are tested, and errors that they are held against
STRETCHES = 20  # of a group's new errors
LEFT_OUT = 2  # of them, the furthest off
ERRORS, COLUMNS, BOTH = "errors", "columns", "errors and columns"
OF_THE_REST = 0.623  # what the mean square of the others is, of normal means, where that of all is 1
FREE = 15.0  # degrees of freedom with which it tells the variance


class Found(Record):
    """What was looked at, and how many groups drifted."""

    format: int = 1
    version: int
    tested: int
    drifted: int
    by_errors: int = 0  # of them; some by both
    by_columns: int = 0
    rate: float  # of false alarms among alarms, at most
    least: float  # by how much mean or deviation of the errors must be off, in deviations of before
    psi: float = 0.1  # how far a column must have moved
    columns: int = 0  # that were looked at
    left_out: int = 0  # further ones
    alone: dict[str, int] = {}  # groups whose columns were tested and whose errors were not, by reason
    without: dict[str, int] = {}  # groups that were not tested, by reason
    out: str


def drift(
    run: Run,
    asked: Asked,
    out: Path | None = None,
    *,
    rate: float = 0.05,
    least: float = 0.1,
    psi: float = 0.1,
    told: Told = lambda done, total: None,
) -> tuple[Found, pa.Table]:
    """Test each group of new rows, and write the table, what drifted most first, into the run or to ``out``.

    Without a target in the new rows the columns alone are tested. Where no row is new, nothing is.

    Parameters
    ----------
    rate
        Of false alarms among alarms, at most.
    least, psi
        What is no drift: errors whose mean and deviation are off by less, in deviations of before; a column whose population
        stability index is less.

    Returns
    -------
    Found, pa.Table
        What was found, and the table: keys, ``rows`` tested, ``shift`` (mean of the errors) and ``spread`` (their deviation), both
        in deviations of before; ``column`` (the one that changed most), its ``psi`` (less what as many rows differ by without a
        change) and ``ks``; ``p``, ``q`` (what rate would be needed), ``drifted`` and ``by`` what: errors, columns, or errors and
        columns; ``why`` not tested, or not the errors.

    Raises
    ------
    UsageError, DataError
        If the data or its columns cannot be used.
    """
    import pyarrow as pa

    known = None if run.encoding.input == "series" else reference_of(run)
    bins = None if known is None else known.bins
    with new_rows(run, asked, need_target=known is None) as new:
        asks = _Asks(known, run.places() if known is not None else {}, psi)
        if new.reader.snapshot.content == run.recipe.data:  # a model's errors on them are smaller than on any others
            parts, keys = [], run.models().select(list(run.manifest.groups)).slice(0, 0)
        elif new.partition is None:  # a series is one with all of its steps, of rows some millions tell enough
            few = new if run.encoding.input == "series" else _drawn(new)
            parts, keys = [_of_one(list(judged(run, few, told, bins)), asks)], pa.table({})
        else:
            parts, keys = [_tested(chunk, asks) for chunk in judged(run, new, told, bins)], new.partition.keys
    table = _ranked(keys, parts, rate, least)
    out = out or run.path / "drift" / f"{run.version}.parquet"
    files.replace(out, chunks.parquet_bytes(table))
    why: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    for text, at in zip(table.column("why").to_pylist(), table.column("p").to_pylist(), strict=True):
        if text:
            (why if at is None else alone)[text] += 1
    by = Counter(table.column("by").to_pylist())
    missing = run.manifest.models - sum(part.models for part in parts)
    if missing > 0:
        why["no new rows" if parts else TRAINED] = missing
    drifted = int(np.count_nonzero(table.column("drifted").to_numpy(zero_copy_only=False)))
    tested = table.num_rows - table.column("p").null_count
    found = Found(
        version=run.version,
        tested=tested,
        drifted=drifted,
        by_errors=by[ERRORS] + by[BOTH],
        by_columns=by[COLUMNS] + by[BOTH],
        rate=rate,
        least=least,
        psi=psi,
        columns=0 if bins is None else len(bins.columns),
        left_out=0 if bins is None else bins.left_out,
        alone=dict(alone),
        without=dict(why),
        out=str(out),
    )
    return found, table


def _drawn(new: NewRows) -> NewRows:
    """Of very many rows of one model a part: more would tell nothing more."""
    return new._replace(reader=new.reader.sample(MOST_ROWS, 0)) if new.reader.rows > MOST_ROWS else new


class _Asks(NamedTuple):
    """What columns are held against: each key's row in it, and how far they must have moved."""

    known: Reference | None
    places: dict[tuple[Any, ...], int]
    psi: float

    def columns(self, chunk: Chunk) -> Columns:
        if self.known is None or chunk.lies is None:
            return Columns.none(len(chunk.n))
        place = np.array([self.places.get(key, -1) for key in chunk.keys], np.int64)
        return columns_of(self.known, np.where(chunk.has_model, place, -1), chunk.lies, self.psi)


class _Part(NamedTuple):
    """Of some groups, in key order."""

    rows: np.ndarray
    shift: np.ndarray
    spread: np.ndarray
    p: np.ndarray
    columns: Columns
    why: list[str]
    models: int


def _of_one(parts: list[Chunk], asks: _Asks) -> _Part:
    """The chunks of one model, as one."""
    if not parts:
        raise DataError("there are no new rows")
    whole: Any = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in ("row", "of", "expected", "error")
    }
    counts = [part.lies for part in parts if part.lies is not None]
    return _tested(parts[0]._replace(**whole, lies=np.sum(counts, axis=0) if counts else None), asks)


def _tested(chunk: Chunk, asks: _Asks) -> _Part:
    found = moments(chunk.error, chunk.of, len(chunk.n))
    error = chunk.error if chunk.order is None else chunk.error[chunk.order]
    new = found._replace(kurtosis=np.fmax(found.kurtosis, chunk.kurtosis))
    p = p_of(new, long_run(error, chunk.of, new), chunk.n)
    p[(found.mean == 0) & (found.variance == 0)] = 1.0  # all as foretold: a constant series stays one
    why = [
        text or (TOO_FEW if before < LEAST else "" if rows >= LEAST else "too few new rows")
        for text, before, rows in zip(chunk.why, chunk.n.tolist(), found.rows.tolist(), strict=True)
    ]
    p = np.where([bool(text) for text in why], np.nan, p)
    columns = asks.columns(chunk)
    known = found.rows > 0
    rows = np.where(known, found.rows, columns.rows)
    shift, spread = (np.where(known, figure, np.nan) for figure in (found.mean, np.sqrt(found.variance)))
    return _Part(rows, shift, spread, p, columns, why, int(chunk.has_model.sum()))


class LongRun(NamedTuple):
    """(g,) each: the variance of a mean of errors times their number, and the degrees of freedom that it is known with."""

    variance: np.ndarray
    free: np.ndarray


def long_run(error: np.ndarray, of: np.ndarray, found: Moments) -> LongRun:
    """Of (n,) errors in their order, group after group, by the means of twenty stretches of each; of few, by each error.

    Errors that hang together (a coefficient that is somewhat too small leaves a rest of the last one in the next, and a day has
    its weather) make a mean less sure than their number says. The two stretches that are furthest off are left out: a change
    begins with a day or two of large errors, until what came before has changed as well.
    """
    known = ~np.isnan(error)
    error, of = error[known], of[known]
    n = found.rows.astype(np.int64)
    variance, free = found.variance.copy(), np.maximum(found.rows - 1, 1)
    long = n >= 2 * STRETCHES
    if long.any():
        error, of = error[long[of]], (np.cumsum(long) - 1)[of[long[of]]]
        n = n[long]
        place = np.arange(len(of)) - (np.cumsum(n) - n)[of]
        stretch = of * STRETCHES + place * STRETCHES // n[of]
        size = np.bincount(stretch, minlength=STRETCHES * len(n)).reshape(-1, STRETCHES)
        means = np.bincount(stretch, error, size.size).reshape(-1, STRETCHES) / size
        away = np.sort(size * (means - np.median(means, axis=1, keepdims=True)) ** 2, axis=1)[:, :-LEFT_OUT]
        variance[long] = away.mean(axis=1) / OF_THE_REST
        free[long] = FREE
    return LongRun(variance, free)


def p_of(new: Moments, long: LongRun, before: np.ndarray) -> np.ndarray:
    """(g,) the probability of errors that are as far from those of before, if nothing changed.

    Parameters
    ----------
    new, long
        Of the new errors, in deviations of before; the kurtosis the larger of those of both.
    before
        (g,) how many there were of those.
    """
    from scipy.special import fdtr, fdtrc, stdtr

    n, before = np.maximum(new.rows, 2), np.maximum(np.nan_to_num(before), 2)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        t = np.nan_to_num(new.mean / np.sqrt(long.variance * (1 / n + 1 / before)), nan=0.0)
    of_mean = 2 * stdtr(long.free, -np.abs(t))
    weight = 2 / (np.fmax(new.kurtosis, NORMAL) - 1)  # 1 of normal errors
    free, free_before = weight * (n - 1), weight * (before - 1)
    of_variance = 2 * np.minimum(fdtr(free, free_before, new.variance), fdtrc(free, free_before, new.variance))
    p: np.ndarray = np.minimum(1.0, 2 * np.fmin(of_mean, of_variance))
    return p


def needed(p: np.ndarray) -> np.ndarray:
    """(g,) the least rate of false alarms at which each would be one (Benjamini and Hochberg); NaN where nothing was tested."""
    q = np.full(len(p), np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    found = p[order] * len(order) / np.arange(1, len(order) + 1)
    q[order] = np.minimum.accumulate(found[::-1])[::-1]
    return q


def _ranked(keys: pa.Table, parts: list[_Part], rate: float, least: float) -> pa.Table:
    import pyarrow as pa

    whole: dict[str, Any] = {name: _joined(parts, name) for name in ("rows", "shift", "spread")}
    of: dict[str, Any] = {name: _joined([part.columns for part in parts], name) for name in Columns._fields}
    errors, columns = _joined(parts, "p"), of["p"]
    twice = np.where(np.isnan(errors) | np.isnan(columns), 1, 2)  # where there are two, each alone is found as often
    whole |= {"column": of["column"], "psi": of["psi"], "ks": of["ks"]}
    whole["p"] = np.minimum(1.0, twice * np.fmin(errors, columns))
    whole["q"] = needed(whole["p"])
    found = whole["p"][whole["q"] <= rate]
    tested = int(np.count_nonzero(~np.isnan(whole["p"])))
    most = found.max(initial=rate * len(found) / max(1, tested))  # what p of either may be, by the same rule
    far = np.maximum(np.abs(whole["shift"]), np.abs(whole["spread"] - 1)) >= least
    by_errors = far & (np.minimum(1.0, twice * errors) <= most)
    by_columns = (of["p_far"] < 1) & (twice * of["p_far"] <= most)
    whole["drifted"] = by_errors | by_columns
    names = np.array([None, ERRORS, COLUMNS, BOTH], object)[by_errors + 2 * by_columns]
    why = [text or None for part in parts for text in part.why]
    size = np.nan_to_num(np.fmax(np.abs(whole["shift"]), whole["psi"]), nan=-1.0)
    order = np.lexsort((-size, np.nan_to_num(whole["q"], nan=2.0), ~whole["drifted"]))
    whole["rows"] = whole["rows"].astype(np.int64)
    whole["column"] = [name or None for name in whole["column"]]
    types = {"column": pa.string()}
    own = {name: pa.array(column, types.get(name), from_pandas=True) for name, column in whole.items()}
    named = {name: keys.column(name) for name in keys.column_names}
    behind = {"by": pa.array(names, pa.string()), "why": pa.array(why, pa.string())}
    return pa.table({**named, **own, **behind}).take(pa.array(order))


def _joined(parts: Sequence[Any], name: str) -> np.ndarray:
    """A column of all parts."""
    return np.concatenate([getattr(part, name) for part in parts]) if parts else np.empty(0)
