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
    import pyarrow as pa

    from fitscale.contracts import Batch
    from fitscale.data.bins import Bins

TOO_FEW = "too few rows were held out"
NO_TARGET = "the new rows have no target"

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
    keys
        (g,) of the groups.
    order
        (n,) the rows of each group in time, where they do not lie so.
    lies
        (g, bins) how the rows of each group lie, where that was asked for.
    """

    row: np.ndarray
    of: np.ndarray
    expected: np.ndarray
    error: np.ndarray
    n: np.ndarray
    kurtosis: np.ndarray
    why: list[str]
    has_model: np.ndarray
    keys: list[tuple[Any, ...]]
    order: np.ndarray | None = None
    lies: np.ndarray | None = None


def judged(run: Run, new: NewRows, told: Told = lambda done, total: None, bins: Bins | None = None) -> Iterator[Chunk]:
    """All of the new rows, some millions at a time; with ``bins`` it is counted meanwhile how they lie.

    Rows without a target are counted alone.

    Raises
    ------
    UsageError
        Where nothing was held out that new errors could be held against.
    """
    if new.partition is None:
        yield from _one(run, new, told, bins) if new.has_target else _one_counted(new, told, bins)
        return
    series = run.encoding.input == "series"
    known = _Known(run.payloads(), run.statuses())
    before = None if series or not new.has_target else _Before(run)
    for start, stop in new.spans(run.encoding.width):
        if not new.has_target:
            yield _counted(new, known, start, stop, bins)
        else:
            cut = _cut(run, new, known, start, stop, bins)
            yield _series(run, cut) if before is None else _rows(run, cut, before)
        told(new.partition.span(start, stop)[1], new.partition.rows)


class _Known(NamedTuple):
    """The version's models' bytes, and the status of each key."""

    models: dict[tuple[Any, ...], bytes]
    statuses: dict[tuple[Any, ...], str]

    def of(self, keys: list[tuple[Any, ...]]) -> tuple[list[bytes], list[str]]:
        """Each key's model; why there is none."""
        payloads = [self.models.get(key, b"") for key in keys]
        why = [
            "" if found else self.statuses.get(key, "unknown key") for key, found in zip(keys, payloads, strict=True)
        ]
        return payloads, why


class _Cut(NamedTuple):
    """Some groups: their rows, one after the other, how many each has, and its model's bytes; why there is none."""

    keys: list[tuple[Any, ...]]
    rows: Batch
    sizes: np.ndarray
    payloads: list[bytes]
    why: list[str]
    lies: np.ndarray | None = None

    @property
    def of(self) -> np.ndarray:
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    @property
    def there(self) -> np.ndarray:
        return np.array([bool(content) for content in self.payloads], bool)


def _cut(run: Run, new: NewRows, known: _Known, start: int, stop: int, bins: Bins | None) -> _Cut:
    from fitscale.data.chunked import Chunked
    from fitscale.data.rowfeed import untimed

    assert new.partition is not None
    keys = new.partition.key_tuples(start, stop)
    chunk = Chunked(new.partition, new.spec, run.encoding, Folds(seed=0), start, stop, untimed, bins)
    rows = chunk.rows
    lies = None if chunk.counted is None else chunk.counted.counts
    return _Cut(keys, rows, new.partition.sizes[start:stop], *known.of(keys), lies)


class _Before:
    """What the errors of each model were on held-out rows."""

    def __init__(self, run: Run) -> None:
        self._places, self._errors = run.places(), dict(run.errors())
        if run.encoding.n_classes:  # of n errors that were all the same the next may be another, as one of n + 2 is
            n, deviation = self._errors["error_rows"], self._errors["error_deviation"]
            self._errors["error_deviation"] = np.where(deviation == 0, np.sqrt(n + 1) / (n + 2), deviation)

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
    return Chunk(cut.rows.row, of, said.expected, error, said.n, said.kurtosis, why, cut.there, cut.keys, order)


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
    n, kurtosis = before["error_rows"], before["error_kurtosis"]
    return Chunk(cut.rows.row, of, expected, error, n, kurtosis, why, cut.there, cut.keys, lies=cut.lies)


def _counted(new: NewRows, known: _Known, start: int, stop: int, bins: Bins | None) -> Chunk:
    """Some groups without a target."""
    from fitscale.data.bins import Counted

    assert new.partition is not None
    assert bins is not None
    keys, sizes = new.partition.key_tuples(start, stop), new.partition.sizes[start:stop]
    counted, of = Counted(bins, stop - start, int(sizes.max(initial=0))), np.repeat(np.arange(stop - start), sizes)
    begin, end = new.partition.span(start, stop)
    for at, batch in new.partition.batches(bins.names, start=begin, stop=end):
        counted.add(batch, of[at - begin : at - begin + batch.num_rows])
    payloads, why = known.of(keys)
    there = np.array([bool(content) for content in payloads], bool)
    return _without_errors(keys, [text or NO_TARGET for text in why], there, counted.counts)


def _one_counted(new: NewRows, told: Told, bins: Bins | None) -> Iterator[Chunk]:
    """All rows without a target, as one group."""
    from fitscale.data.bins import Counted

    assert bins is not None
    counted, done = Counted(bins), 0
    for _, batch in new.reader.batches(bins.names):
        counted.add(batch, np.zeros(batch.num_rows, np.int64))
        done += batch.num_rows
        told(done, new.reader.rows)
    yield _without_errors([()], [NO_TARGET], np.ones(1, bool), counted.counts)


def _without_errors(keys: list[tuple[Any, ...]], why: list[str], has_model: np.ndarray, lies: np.ndarray) -> Chunk:
    none, each = np.empty(0), np.zeros(len(keys))
    return Chunk(none.astype(np.int64), none.astype(np.int64), none, none, each, each, why, has_model, keys, lies=lies)


def _one(run: Run, new: NewRows, told: Told, bins: Bins | None) -> Iterator[Chunk]:
    """The one model of all: a series as a whole, rows batch by batch."""
    from fitscale.data.bins import Counted
    from fitscale.data.feed import make_feed

    counted = Counted(bins) if bins is not None else None

    def seen(batch: pa.RecordBatch) -> None:
        if counted is not None:
            counted.add(batch, np.zeros(batch.num_rows, np.int64))

    feed = make_feed(new.reader, new.spec, run.encoding, Folds(seed=0), form="stream", seen=seen)
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
        why, lies = ["" if n[0] > 1 else TOO_FEW], None
        if counted is not None:  # what was counted since the last batch
            lies, counted.counts = counted.counts, np.zeros_like(counted.counts)
        yield Chunk(batch.row, of, expected, error, n, kurtosis, why, np.ones(1, bool), [()], lies=lies)
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
