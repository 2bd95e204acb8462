"""Trials: fit models that are to be compared, one after the other, and judge each on the same rows. Nothing is committed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fitscale.contracts import Stopped
from fitscale.data.feed import make_feed
from fitscale.data.hashing import hashed, mixed
from fitscale.errors import FitscaleError, OneClass, WorkloadError
from fitscale.metrics import default_metric, metric, task_of
from fitscale.records.base import digest_of
from fitscale.records.run import Order, Sample, Task
from fitscale.records.trials import BLOCKS, Trial, Tried, in_place
from fitscale.registry import plugin
from fitscale.work.feeding import batch_rows, encoding_of, reader_of
from fitscale.work.fit import check_metric, score_view
from fitscale.work.judged import taken
from fitscale.work.live import recipe_to_fit

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.contracts import Batch, Feed, Framework, View
    from fitscale.data.encoding import Encoding
    from fitscale.data.reader import Reader
    from fitscale.work.context import WorkContext
    from fitscale.work.events import EventLog

JUDGED_ROWS = 200_000  # at most: of so many rows a share is known to a thousandth
LEAST_JUDGED = 2_000
JUDGED_CELLS = 1 << 25  # 128 MB of float32
_BLOCK_SALT = 0x626C6F636B


def fit_trials(run: Path, order: Order, task: Task, context: WorkContext, log: EventLog) -> None:
    """Do the order's trials, and say after each what it showed."""
    bench = Bench(run, order, task, context)
    for trial in order.trials:
        context.pause_point()
        log.write("tried", **bench.tried(trial).model_dump(mode="json"))


class Bench:
    """Where the trials of one task are fitted and judged. All of them are judged on the same rows, which train none of them."""

    def __init__(self, run: Path, order: Order, task: Task, context: WorkContext) -> None:
        self._run = run
        self._order = order
        self._task = task
        self._context = context
        self._framework: Framework = plugin("frameworks", task.recipe.framework)()
        self._reader: Reader = reader_of(run, task)
        self._encodings: dict[Sample | None, Encoding] = {}  # of a part of the rows each its own, learnt once
        self._judges: dict[str, _Judges] = {}  # by the encoding that they are encoded with

    def warm(self) -> None:
        """Import what the fits need."""
        self._framework.traits(self._task.recipe.estimator)

    def tried(self, trial: Trial) -> Tried:
        """Fit and judge one. What a library refuses is a trial without a score, with its words.

        Raises
        ------
        Stopped
            If the attempt is told to.
        WorkloadError
            What is wrong with every trial, such as a metric that the target rules out.
        """
        began, cpu = time.perf_counter(), time.process_time()
        self._context.begin_sample()
        try:
            found = self._fitted(trial)
        except (Stopped, WorkloadError, MemoryError):
            raise
        except OneClass as error:
            found = Tried(trial=trial, why=str(error))
        except Exception as error:  # each library has words of its own for parameters that it does not take
            said = str(error) if isinstance(error, FitscaleError) else f"{type(error).__name__}: {error}"
            found = Tried(trial=trial, why=said[:500])
        return found.but(
            seconds=round(time.perf_counter() - began, 4), cpu_s=round(time.process_time() - cpu, 4)
        )  # fmt: skip

    def _fitted(self, trial: Trial) -> Tried:
        task, order = self._task, self._order
        recipe = recipe_to_fit(self._run, task, order)
        estimator = recipe.estimator
        params = in_place(estimator.params, trial.params, getattr(self._framework, "names", {}))
        recipe = recipe.but(estimator=estimator.but(params=params))
        encoding, feed = self._feed(trial)
        fitted = self._framework.fit(feed, recipe, None, self._context).bare()
        scores = self._scores(encoding, fitted.payload)
        return Tried(
            trial=trial, rows=feed.count("train"), units=self._context.units or fitted.units, **scores
        )  # fmt: skip

    def _feed(self, trial: Trial) -> tuple[Encoding, Feed]:
        """All rows, or those drawn: with them come some of those that judge, which are not looked at."""
        sample = None
        if trial.rows is not None:
            share = self._task.recipe.folds.trains
            if trial.rows < self._reader.rows * share:
                sample = Sample(rows=max(1, round(trial.rows / share)), seed=trial.seed)
        task, order = self._task, self._order
        reader = self._reader if sample is None else self._reader.sample(sample.rows, sample.seed)
        if sample not in self._encodings:
            with self._context.phase("encode"):
                learnt = encoding_of(self._run, task, reader, keep=sample is None, threads=order.threads)
            self._encodings[sample] = learnt
        encoding = self._encodings[sample]
        feed = make_feed(
            reader, task.data, encoding, task.recipe.folds, form=order.form,
            batch_rows=batch_rows(order, task, sample, encoding), scratch=self._context.scratch,
            phase=self._context.phase, reads_ahead=order.threads > 1,
        )  # fmt: skip
        check_metric(task, feed)
        return encoding, feed

    def _scores(self, encoding: Encoding, payload: bytes) -> dict[str, Any]:
        task, classes = self._task, encoding.n_classes
        judges = self._judged_by(encoding)
        with self._context.phase("score"):
            table = score_view(self._framework, self._framework.load(payload), judges)
        if table is None or not table.num_rows:
            return {"why": "no rows to judge by"}
        name = task.metric or default_metric(task_of(classes), classes, _given(table, task))
        measure = metric(name, classes, task_of(classes))
        predicted = taken(table, measure.takes, classes, name)
        y = table.column("y").to_numpy()
        weight = table.column("weight").to_numpy() if "weight" in table.column_names else None
        score = measure.one(y, predicted, weight)
        values = measure.many(_blocks(table.column("row").to_numpy()), BLOCKS, y, predicted, weight)
        return {
            "metric": name,
            "score": score,
            "blocks": tuple(float(value) if np.isfinite(value) else None for value in values),
            "judged": table.num_rows,
            "why": "" if score is not None else f"{name} is not defined on the rows that judge",
        }

    def _judged_by(self, encoding: Encoding) -> _Judges:
        """The rows that judge, as this encoding has them: the same rows for every trial."""
        key = digest_of(encoding.to_json())
        if key not in self._judges:
            task, share = self._task, self._task.recipe.folds.held
            most = max(LEAST_JUDGED, min(JUDGED_ROWS, JUDGED_CELLS // max(1, encoding.width)))
            reader = self._reader
            if reader.rows * share > most:
                reader = reader.sample(round(most / share), task.recipe.seed)
            feed = make_feed(reader, task.data, encoding, task.recipe.folds, form="stream", phase=self._context.phase)
            while self._judges and (len(self._judges) + 1) * most * encoding.width > JUDGED_CELLS:
                self._judges.pop(next(iter(self._judges)))  # let go before the next ones come
            self._judges[key] = _Judges(encoding.n_classes, tuple(feed.batches("holdout")))
        return self._judges[key]


class _Judges(NamedTuple):
    """The part of a feed that scoring looks at, held encoded."""

    classes: int
    held: tuple[Batch, ...]

    def count(self, view: View) -> int:
        return sum(len(batch.y) for batch in self.held)

    def batches(self, view: View) -> Iterator[Batch]:
        return iter(self.held)


def _given(table: pa.Table, task: Task) -> str:
    return task.traits.gives if "p1" in table.column_names or task.traits.target == "regressor" else "labels"


def _blocks(rows: np.ndarray) -> np.ndarray:
    """(n,) which block each row is in, by its number."""
    words = hashed(rows.astype(np.int64, copy=False).view(np.uint64), mixed(_BLOCK_SALT))
    return ((words >> np.uint64(32)) * np.uint64(BLOCKS) >> np.uint64(32)).astype(np.int32)
