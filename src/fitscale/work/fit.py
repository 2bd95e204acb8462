"""One model: feed → fit → score the held-out rows → commit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from fitscale import metrics
from fitscale.contracts import Stopped
from fitscale.data.rowcheck import no_training_rows
from fitscale.errors import NoWeight, OneClass
from fitscale.records.run import Order, Task
from fitscale.registry import plugin
from fitscale.store import checkpoints, chunks, parts, reference
from fitscale.work.feeding import bins_of, encoding_of, feed_of, reader_of, source_bytes
from fitscale.work.live import recipe_to_fit
from fitscale.work.parts import fit_by_parts

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from fitscale.contracts import Batch, Feed, Framework, Scores, View
    from fitscale.data.groups import GroupedFeed
    from fitscale.work.context import WorkContext


def fit_one(run: Path, order: Order, task: Task, context: WorkContext) -> None:
    """Fit the task's model and commit it as its only chunk. Ranks other than 0 take part and commit nothing."""
    framework: Framework = plugin("frameworks", task.recipe.framework)()
    recipe = recipe_to_fit(run, task, order)
    state = None if order.parts else context.resume()
    feed = feed_of(run, order, task, context)
    check_metric(task, feed)
    lies = None if context.rank else _lies(run, task, context)
    try:
        if order.parts:
            fitted = fit_by_parts(run, order, task, recipe, feed, context)
        else:
            fitted = framework.fit(feed, recipe, state, context)
    except Stopped:
        raise
    except Exception as error:  # each library has words of its own for it
        if feed.count("train"):
            raise
        raise no_training_rows() from error
    if context.rank:
        return
    fitted = fitted.bare()
    with context.phase("score"):
        predictions = score_view(framework, framework.load(fitted.payload), feed, gaps=task.traits.input == "series")
    with context.phase("save"):
        row = {
            "status": "fitted",
            "kind": "",
            "why": "",
            "offset": 0,
            "length": len(fitted.payload),
            "n_train": feed.count("train"),
            "n_holdout": feed.count("holdout"),
            "units": fitted.units,
        }
        chunks.commit(
            run,
            order.task,
            0,
            result={"chunk": task.chunks[0], "scores": context.scores(), "units": fitted.units},
            table=table_of({name: [value] for name, value in row.items()}, counts=lies),
            models=fitted.payload,
            predictions=predictions,
            pickles=framework.pickles,
        )
        checkpoints.clear(run, order.task)
        parts.clear(run, order.task)


def _lies(run: Path, task: Task, context: WorkContext) -> np.ndarray | None:
    """(1, bins): how training rows lie, of very many some. Before the fit, which may need all memory that there is."""
    from fitscale.data.binning import counted
    from fitscale.data.rowfeed import release_unused

    with context.phase("encode"):
        reader = reader_of(run, task)
        encoding = encoding_of(run, task, reader, keep=True)
        bins = bins_of(run, task, reader, encoding)
        lies = None if bins is None else counted(reader, task.recipe.folds, bins)
        release_unused()
        return lies


def check_metric(task: Task, feed: Feed | GroupedFeed) -> None:
    """Refuse a metric that the target's number of classes rules out: before the fit, not after it.

    Raises
    ------
    WorkloadError
        At evaluate.metric.
    """
    if task.metric:
        metrics.check(task.metric, (metrics.task_of(feed.classes),), task.traits.gives)


def fit_samples(run: Path, order: Order, task: Task, context: WorkContext) -> None:
    """A probe: fit and score parts of the rows, in rising order, and say after each what it took. Commits nothing.

    A part that shows one class of several, or weighs nothing, tells nothing of the whole, and is passed over.
    """
    framework: Framework = plugin("frameworks", task.recipe.framework)()
    recipe = recipe_to_fit(run, task, order)
    for sample in order.samples:
        context.begin_sample()
        try:
            feed = feed_of(run, order, task, context, sample)
        except (OneClass, NoWeight):
            continue
        try:
            if order.parts:
                fitted = fit_by_parts(run, order, task, recipe, feed, context)
            else:
                fitted = framework.fit(feed, recipe, None, context)
        except Exception:
            if feed.classes and _trains_on_one_class(feed):
                continue
            raise
        fitted = fitted.bare()
        with context.phase("score"):
            score_view(framework, framework.load(fitted.payload), feed)
        context.end_sample(
            rows=feed.count("train"),
            holdout_rows=feed.count("holdout"),
            validation_rows=feed.count("validation"),
            units=context.units or fitted.units,  # early stopping does more than the model has
            source_bytes=source_bytes(run, task, sample),
            features=len(feed.names),
            categories=sum(feed.categories),
        )


def _trains_on_one_class(feed: Feed) -> bool:
    return len({code for batch in feed.batches("train") for code in set(batch.y.tolist())}) < 2


def table_of(columns: dict[str, list[Any]], keys: pa.Table | None = None, counts: np.ndarray | None = None) -> pa.Table:
    """The chunk's table (see `chunks.TABLE`), after the columns of the keys; behind it how training rows lie (models, bins)."""
    import pyarrow as pa

    types = {"string": pa.string(), "int64": pa.int64(), "int32": pa.int32()}
    own = {name: pa.array(columns[name], types[kind]) for name, kind in chunks.TABLE.items()}
    before = {name: keys.column(name) for name in keys.column_names} if keys is not None else {}
    behind = {} if counts is None else {reference.COLUMN: reference.packed(counts)}
    return pa.table({**before, **own, **behind})


class Judging(Protocol):
    """What scoring looks at of a feed."""

    @property
    def classes(self) -> int: ...

    def count(self, view: View) -> int: ...

    def batches(self, view: View) -> Iterator[Batch]: ...


def score_view(framework: Framework, native: Any, feed: Judging, *, gaps: bool = False) -> pa.Table | None:
    """Predictions for the held-out rows, batch by batch; None where nothing is held out. See `predictions_of`."""
    import pyarrow as pa

    found = predictions_of(framework, native, feed, gaps=gaps)
    return None if found is None else pa.table(found)


def predictions_of(
    framework: Framework, native: Any, feed: Judging, *, gaps: bool = False
) -> dict[str, np.ndarray] | None:
    """The columns of the predictions for the held-out rows; None where nothing is held out.

    ``gaps``: of a series, some of whose values are missing, and some of whose steps its model does not tell: they are left out.
    """
    import numpy as np

    if not feed.count("holdout"):
        return None
    found = _Predictions(feed.classes)
    for scores in framework.score(native, found.seen(feed.batches("holdout"))):
        found.add(scores)
    columns = found.columns()
    gone = np.isnan(columns["y"]) | np.isnan(columns["value"]) if gaps else np.zeros(0, bool)
    return {name: column[~gone] for name, column in columns.items()} if gone.any() else columns


class _Predictions:
    """Row number, truth, weight and prediction: for two classes the probability of the second, for more one column each.

    Columns as they come and nothing beside: some rows are held out of billions.
    """

    def __init__(self, classes: int) -> None:
        self.classes = classes
        self._columns: dict[str, list[np.ndarray]] = {"row": [], "y": [], "weight": [], "value": []}
        self._labels = False

    def seen(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The batches, of which the features are let go."""
        for batch in batches:
            self._put("row", batch.row)
            self._put("y", batch.y)
            if batch.weight is not None:
                self._put("weight", batch.weight)
            yield batch

    def add(self, scores: Scores) -> None:
        self._put("value", scores.value)
        if scores.proba is None:
            self._labels = True
        else:
            for k in (1,) if self.classes == 2 else range(scores.proba.shape[1]):
                self._put(f"p{k}", scores.proba[:, k].copy())  # and not a view, which would hold all of them

    def columns(self) -> dict[str, np.ndarray]:
        import numpy as np

        names = [name for name, parts in self._columns.items() if parts and not (self._labels and name[0] == "p")]
        return {name: np.concatenate(self._columns.pop(name)) for name in names}

    def _put(self, name: str, values: np.ndarray) -> None:
        self._columns.setdefault(name, []).append(values)
