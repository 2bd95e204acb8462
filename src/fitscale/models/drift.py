"""Drift: whether new rows of each group still are what its model was fitted on, with false alarms kept to a rate.

Each new value is foretold by its group's model (see `judging`). As long as nothing changed, these errors have the mean and the
deviation that they had before. Two tests: of the mean (Student's t, with the doubt of both means, which is wider where errors
hang together), and of the variance (F, its degrees of freedom fewer as tails are heavier: Box, 1953). The smaller p counts
twice; over all groups the rate of false alarms among alarms is held by Benjamini and Hochberg's rule (1995). Of very many rows
the least change is no accident: one that is small is none.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fitscale.errors import DataError
from fitscale.metrics.errors import NORMAL, Moments, moments
from fitscale.models.asked import Asked
from fitscale.models.judging import Chunk, Told, judged
from fitscale.models.newrows import MOST_ROWS, NewRows, new_rows
from fitscale.models.opened import Run
from fitscale.records.base import Record
from fitscale.store import chunks, files

if TYPE_CHECKING:
    import pyarrow as pa

LEAST = 8  # new values of a group that are tested
STRETCHES = 20  # of a group's new errors
LEFT_OUT = 2  # of them, the furthest off
OF_THE_REST = 0.623  # what the mean square of the others is, of normal means, where that of all is 1
FREE = 15.0  # degrees of freedom with which it tells the variance


class Found(Record):
    """What was looked at, and how many groups drifted."""

    format: int = 1
    version: int
    tested: int
    drifted: int
    rate: float  # of false alarms among alarms, at most
    least: float  # by how much mean or deviation of the errors must be off, in deviations of before
    without: dict[str, int] = {}  # groups that were not tested, by reason
    out: str


def drift(
    run: Run,
    asked: Asked,
    out: Path | None = None,
    *,
    rate: float = 0.05,
    least: float = 0.1,
    told: Told = lambda done, total: None,
) -> tuple[Found, pa.Table]:
    """Test each group of new rows, and write the table, what drifted most first, into the run or to ``out``.

    Returns what was found, and the table: keys, ``rows`` tested, ``shift`` (mean of the errors) and ``spread`` (their deviation),
    both in deviations of before; ``p``, ``q`` (what rate would be needed), ``drifted``, ``why`` where it was not tested.

    Raises
    ------
    UsageError, DataError
        If the data or its columns cannot be used.
    """
    import pyarrow as pa

    with new_rows(run, asked) as new:
        if new.partition is None:  # a series is one with all of its steps, of rows some millions tell enough
            few = new if run.encoding.input == "series" else _drawn(new)
            parts, keys = [_of_one(list(judged(run, few, told)))], pa.table({})
        else:
            parts, keys = [_tested(chunk) for chunk in judged(run, new, told)], new.partition.keys
    table = _ranked(keys, parts, rate, least)
    out = out or run.path / "drift" / f"{run.version}.parquet"
    files.replace(out, chunks.parquet_bytes(table))
    why = Counter(text for text in table.column("why").to_pylist() if text)
    missing = run.manifest.models - sum(part.models for part in parts)
    if missing > 0:
        why["no new rows"] = missing
    drifted = int(np.count_nonzero(table.column("drifted").to_numpy(zero_copy_only=False)))
    tested = table.num_rows - table.column("p").null_count
    found = Found(
        version=run.version, tested=tested, drifted=drifted, rate=rate, least=least, without=dict(why), out=str(out)
    )
    return found, table


def _drawn(new: NewRows) -> NewRows:
    """Of very many rows of one model a part: more would tell nothing more."""
    return new._replace(reader=new.reader.sample(MOST_ROWS, 0)) if new.reader.rows > MOST_ROWS else new


class _Part(NamedTuple):
    """Of some groups, in key order."""

    rows: np.ndarray
    shift: np.ndarray
    spread: np.ndarray
    p: np.ndarray
    why: list[str]
    models: int


def _of_one(parts: list[Chunk]) -> _Part:
    """The chunks of one model, as one."""
    if not parts:
        raise DataError("there are no new rows")
    whole: Any = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in ("row", "of", "expected", "error")
    }
    return _tested(parts[0]._replace(**whole))


def _tested(chunk: Chunk) -> _Part:
    found = moments(chunk.error, chunk.of, len(chunk.n))
    error = chunk.error if chunk.order is None else chunk.error[chunk.order]
    new = found._replace(kurtosis=np.fmax(found.kurtosis, chunk.kurtosis))
    p = p_of(new, long_run(error, chunk.of, new), chunk.n)
    why = [text or ("" if found.rows[k] >= LEAST else "too few new rows") for k, text in enumerate(chunk.why)]
    p = np.where([bool(text) for text in why], np.nan, p)
    return _Part(found.rows, found.mean, np.sqrt(found.variance), p, why, int(chunk.has_model.sum()))


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

    whole: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts]) if parts else np.empty(0)
        for name in ("rows", "shift", "spread", "p")
    }
    whole["q"] = needed(whole["p"])
    far = np.maximum(np.abs(whole["shift"]), np.abs(whole["spread"] - 1)) >= least
    whole["drifted"] = (whole["q"] <= rate) & far
    why = [text or None for part in parts for text in part.why]
    order = np.lexsort((-np.abs(whole["shift"]), np.nan_to_num(whole["q"], nan=2.0)))
    columns = {**whole, "rows": whole["rows"].astype(np.int64)}
    own = {name: pa.array(column, from_pandas=True) for name, column in columns.items()}
    named = {name: keys.column(name) for name in keys.column_names}
    return pa.table({**named, **own, "why": pa.array(why, pa.string())}).take(pa.array(order))
