"""New rows against what their own models foretell of them, error by error: what drift and anomalies are seen by.

A series is foretold one step ahead by its own past, and its errors are held against those while it was fitted. Of rows each
is predicted, and the errors are held against those on held-out rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fitscale.errors import FitscaleError
from fitscale.metrics.errors import errors_of
from fitscale.models.newrows import NewRows
from fitscale.models.opened import Run
from fitscale.records.data import Folds
from fitscale.registry import plugin
from fitscale.store.chunks import ERRORS
from fitscale.work.model import Model

if TYPE_CHECKING:
    from fitscale.contracts import Batch

TOO_FEW = "too few rows were held out"

Told = Callable[[int, int], None]  # (rows that are done, all of them)


class Chunk(NamedTuple):
    """Some groups of the new rows, in key order, and what their models say.

    Attributes
    ----------
    row, of
        (n,) the rows' numbers, one group after the other, and which group each is of.
    expected
        (n,) what was foretold; of two classes the probability of the second.
    error
        (n,) how far the truth is from it, in deviations of the errors before; NaN where it is not known.
    n, kurtosis
        (g,) of those errors before.
    why
        (g,) why a group is not judged; empty where it is.
    has_model
        (g,) bool.
    order
        (n,) the rows of each group in time, where they do not lie so.
    """

    row: np.ndarray
    of: np.ndarray
    expected: np.ndarray
    error: np.ndarray
    n: np.ndarray
    kurtosis: np.ndarray
    why: list[str]
    has_model: np.ndarray
    order: np.ndarray | None = None


def judged(run: Run, new: NewRows, told: Told = lambda done, total: None) -> Iterator[Chunk]:
    """All of the new rows, some millions at a time.

    Raises
    ------
    UsageError
        Where nothing was held out that new errors could be held against.
    """
    if new.partition is None:
        yield from _one(run, new, told)
        return
    series = run.encoding.input == "series"
    known = _Known(run.payloads(), run.statuses())
    before = None if series else _Before(run)
    for start, stop in new.spans(run.encoding.width):
        cut = _cut(run, new, known, start, stop)
        yield _series(run, cut) if before is None else _rows(run, cut, before)
        told(new.partition.span(start, stop)[1], new.partition.rows)


class _Known(NamedTuple):
    """The version's models' bytes, and the status of each key."""

    models: dict[tuple[Any, ...], bytes]
    statuses: dict[tuple[Any, ...], str]


class _Cut(NamedTuple):
    """Some groups: their rows, one after the other, how many each has, and its model's bytes; why there is none."""

    keys: list[tuple[Any, ...]]
    rows: Batch
    sizes: np.ndarray
    payloads: list[bytes]
    why: list[str]

    @property
    def of(self) -> np.ndarray:
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    @property
    def there(self) -> np.ndarray:
        return np.array([bool(content) for content in self.payloads], bool)


def _cut(run: Run, new: NewRows, known: _Known, start: int, stop: int) -> _Cut:
    from fitscale.data.chunked import Chunked
    from fitscale.data.rowfeed import untimed

    assert new.partition is not None
    keys = new.partition.key_tuples(start, stop)
    rows = Chunked(new.partition, new.spec, run.encoding, Folds(seed=0), start, stop, untimed).rows
    payloads = [known.models.get(key, b"") for key in keys]
    why = ["" if found else known.statuses.get(key, "unknown key") for key, found in zip(keys, payloads, strict=True)]
    return _Cut(keys, rows, new.partition.sizes[start:stop], payloads, why)


class _Before:
    """What the errors of each model were on held-out rows."""

    def __init__(self, run: Run) -> None:
        self._places, self._errors = run.places(), run.errors()

    def of(self, keys: list[tuple[Any, ...]]) -> dict[str, np.ndarray]:
        """(keys,) by name of `chunks.ERRORS`; 0 of a key that is not known."""
        rows = np.array([self._places.get(key, -1) for key in keys])
        return {name: np.where(rows >= 0, self._errors[name][rows], 0) for name in ERRORS}


def _series(run: Run, cut: _Cut) -> Chunk:
    framework = plugin("frameworks", run.recipe.framework)()
    said, of, y = framework.together(cut.payloads).judge(cut.rows, cut.sizes), cut.of, cut.rows.y
    error = _in_deviations(y - said.expected, said.deviation[of])
    why = [text or said.why.get(k, "") for k, text in enumerate(cut.why)]
    at = cut.rows.X[:, 0]
    in_time = bool(((at[1:] >= at[:-1]) | (of[1:] > of[:-1])).all())
    order = None if in_time else np.lexsort((at, of))
    return Chunk(cut.rows.row, of, said.expected, error, said.n, said.kurtosis, why, cut.there, order)


def _rows(run: Run, cut: _Cut, errors: _Before) -> Chunk:
    from fitscale.data.stacking import rows_of

    before, of, why = errors.of(cut.keys), cut.of, list(cut.why)
    expected, error = np.full(len(of), np.nan), np.full(len(of), np.nan)
    ends = np.cumsum(cut.sizes)
    for k, (end, size) in enumerate(zip(ends.tolist(), cut.sizes.tolist(), strict=True)):
        if why[k]:
            continue
        if before["error_rows"][k] < 2:
            why[k] = TOO_FEW
            continue
        try:
            model = Model(cut.payloads[k], run.encoding, run.recipe, run.manifest.gives)
            expected[end - size : end], error[end - size : end] = _foretold(model, rows_of(cut.rows, end - size, end))
        except FitscaleError:
            raise
        except Exception as caught:  # the user's own code, or values that a library refuses
            why[k] = f"{type(caught).__name__}: {caught}"
    error = _in_deviations(error - before["error_mean"][of], before["error_deviation"][of])
    return Chunk(cut.rows.row, of, expected, error, before["error_rows"], before["error_kurtosis"], why, cut.there)


def _one(run: Run, new: NewRows, told: Told) -> Iterator[Chunk]:
    """The one model of all: a series as a whole, rows batch by batch."""
    from fitscale.data.feed import make_feed

    feed = make_feed(new.reader, new.spec, run.encoding, Folds(seed=0), form="stream")
    if run.encoding.input == "series":
        rows = feed.matrix("train")
        yield _series(run, _Cut([()], rows, np.array([len(rows.y)]), [run.payloads()[()]], [""]))
        told(new.reader.rows, new.reader.rows)
        return
    before, model = _Before(run).of([()]), run.model()
    n, kurtosis = before["error_rows"], before["error_kurtosis"]
    done = 0
    for batch in feed.batches("train"):
        expected, error = _foretold(model, batch)
        error = _in_deviations(error - before["error_mean"], before["error_deviation"])
        of = np.zeros(len(batch.y), np.int64)
        yield Chunk(batch.row, of, expected, error, n, kurtosis, ["" if n[0] > 1 else TOO_FEW], np.ones(1, bool))
        done += len(batch.y)
        told(done, new.reader.rows)


def _foretold(model: Model, rows: Batch) -> tuple[np.ndarray, np.ndarray]:
    """(n,) what is expected of encoded rows, and how far the truth is from it."""
    classes = model.encoding.n_classes
    value, proba = model.scored_encoded([rows.X])
    expected = proba[:, 1] if classes == 2 and proba is not None else value
    # Of an infinite feature a linear model says what no truth can be held against.
    error = np.where(np.isfinite(expected), errors_of(rows.y, value, proba, classes), np.nan)
    return expected, error


def _in_deviations(error: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Where nothing ever erred, any error is beyond all measure."""
    with np.errstate(over="ignore"):
        return np.clip(error / np.where(deviation == 0, np.finfo(np.float64).tiny, deviation), -1e70, 1e70)
