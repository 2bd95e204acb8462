"""One fit: of the whole matrix or frame, of a stream in passes, or of some parts of a forest."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from fitscale.contracts import Context, Feed, Fitted
from fitscale.errors import WorkloadError, nearest
from fitscale.frameworks.sklearn import boosting, epochs, forests
from fitscale.frameworks.sklearn.abilities import nested, resolved, units_of
from fitscale.frameworks.sklearn.building import build
from fitscale.frameworks.sklearn.forests import Rows
from fitscale.frameworks.sklearn.looks import Look, is_binned, no_weights, remember
from fitscale.frameworks.sklearn.pickling import dumps
from fitscale.frameworks.sklearn.streams import passes_of, takes
from fitscale.frameworks.sklearn.threads import hold
from fitscale.records.run import Recipe


def fit(feed: Feed, recipe: Recipe, state: bytes | None, context: Context) -> Fitted:
    """See `contracts.Framework.fit`. Class labels are the codes of the feed."""
    start = _started(recipe, context.threads)
    made = start.fresh()
    with _threads(type(made), context.threads):
        if feed.form == "stream":
            passes = passes_of(type(made).__name__, resolved(made) | recipe.estimator.params)
            made, units = _stream(made, start.about, feed, state, context, passes)
        else:
            made, units = _whole(made, start.about, feed, state, context)
    with context.phase("save"):
        return _fitted(made, start, feed, units)


def grow(feed: Feed, recipe: Recipe, span: tuple[int, int]) -> bytes:
    """See `contracts.Framework`: some trees of a forest."""
    start = _started(recipe)
    batch = feed.matrix("train")
    with forests.quiet():
        return dumps(forests.grow(start.fresh(), _rows(start.about, batch.X, batch.y, batch.weight), span))


def merge(feed: Feed, recipe: Recipe, parts: Iterator[bytes]) -> Fitted:
    """See `contracts.Framework`."""
    start = _started(recipe)
    made = start.fresh()
    return _fitted(forests.merge(made, [pickle.loads(part) for part in parts]), start, feed, made.n_estimators)


class _Start(NamedTuple):
    """What each fit of a recipe begins with.

    Attributes
    ----------
    made
        The estimator, which no fit touches.
    n_jobs
        What its n_jobs said: that gives way to the attempt's threads, the model keeps it.
    """

    recipe: Recipe
    threads: int
    made: Any
    n_jobs: dict[str, Any]
    about: Look

    def fresh(self) -> Any:
        """An estimator to be fitted."""
        return copy.deepcopy(self.made)


_last: _Start | None = None


def _started(recipe: Recipe, threads: int = 1) -> _Start:
    """Of many fits of one recipe the same: to build a small estimator takes as long as to fit it."""
    global _last
    if _last is None or _last.recipe is not recipe or _last.threads != threads:
        made = build(recipe.estimator)
        set_seed(made, recipe.seed)
        about = Look(made)
        _ = about.starts_threads  # as the user said
        _last = _Start(recipe, threads, made, hold(made, threads), about)
    return _last


def _fitted(made: Any, start: _Start, feed: Feed, units: int) -> Fitted:
    if start.n_jobs:
        made.set_params(**start.n_jobs)
    if feed.classes:
        made.fitscale_classes_ = feed.classes  # for scoring: a fit that saw fewer classes still gives all columns
    remember(made, start.about)
    return Fitted(dumps(made), units, made)


def set_seed(made: Any, seed: int) -> None:
    """Set every ``random_state`` that is left open, at any depth."""
    for name, value in made.get_params(deep=True).items():
        if value is None and name.split("__")[-1] == "random_state":
            made.set_params(**{name: seed % 2**32})


def _whole(made: Any, about: Look, feed: Feed, state: bytes | None, context: Context) -> tuple[Any, int]:
    """The fitted estimator (another object, where it was gone on with) and how many units it has."""
    if about.input == "raw":
        X, y, weight = feed.frame("train")
    else:
        X, y, weight, _ = feed.matrix("train")
        if about.categorical:
            _categorical(made, feed)
    with context.phase("encode"):
        rows = _rows(about, about.rows(X), y, weight)
    del X
    if about.kept is not None:
        made = (forests if about.kept == "parts" else boosting).fit(made, rows, state, context)
        units = units_of(made)
    elif about.epochs:
        units = epochs.fit(made, rows, feed.classes if feed.classes > 2 else 1, context)
    else:
        with context.phase("iterations"):
            made.fit(rows.X, rows.y, **rows.weight)
        units = units_of(made)
        context.report(units)
    del rows
    if release := getattr(feed, "release", None):
        release("train")  # before the model is written, and read again for scoring
    return made, units


def _rows(about: Look, X: Any, y: np.ndarray, weight: np.ndarray | None) -> Rows:
    given = {} if weight is None else {about.weight_name: weight.astype(np.float64)}
    return Rows(X, about.target(y), given)


def _stream(made: Any, about: Look, feed: Feed, state: bytes | None, context: Context, passes: int) -> tuple[Any, int]:
    """Passes of `partial_fit`. A unit is a batch; the state is (batches done, estimator)."""
    per_pass = -(-feed.count("train") // feed.batch_rows)
    if per_pass == 0:
        raise ValueError("no training rows")
    done = 0
    if state is not None:
        done, made = pickle.loads(state)
    given: dict[str, Any] = {}
    if feed.classes and takes(made.partial_fit, "classes"):
        given["classes"] = np.arange(feed.classes)
    with context.phase("iterations"):
        while done < passes * per_pass:
            for batch in feed.batches("train", start=done % per_pass * feed.batch_rows):
                if batch.weight is not None:
                    given["sample_weight"] = batch.weight.astype(np.float64)
                    if not takes(made.partial_fit, "sample_weight"):
                        raise no_weights(about.name)
                made.partial_fit(about.rows(batch.X), about.target(batch.y), **given)
                done += 1
                taken = context.report(done, partial(dumps, (done, made)), of=passes * per_pass)
                if taken is not None:
                    made = pickle.loads(taken)[1]
    return made, done


def _categorical(made: Any, feed: Feed) -> None:
    """Tell histogram boosting which columns are categories, where the user did not."""
    for part in (made, *nested(made)):
        if not is_binned(part):
            continue
        said = part.categorical_features
        most = min(part.max_bins, 255)
        if said is None or (isinstance(said, str) and said == "from_dtype"):
            # Columns with more categories than bins stay codes in an order without meaning, as for other trees.
            pairs = zip(feed.kinds, feed.categories, strict=True)
            mask = [kind == "c" and 0 < n <= most for kind, n in pairs]
            part.set_params(categorical_features=mask if any(mask) else None)
        elif all(isinstance(name, str) for name in said):
            for name in said:
                if name not in feed.names:
                    near = nearest(name, feed.names)
                    raise WorkloadError("model.params", f"categorical_features: no column '{name}'{near}")
            part.set_params(categorical_features=[feed.names.index(name) for name in said])


@contextmanager
def _threads(of: type, threads: int) -> Iterator[None]:
    """Hold BLAS, OpenMP and joblib to the attempt's threads.

    joblib's threads, not its processes: these would outlive the fit, and would hold the rows once more.
    """
    from joblib import parallel_config

    with parallel_config(backend="threading", n_jobs=threads), _pools(of).limit(limits=threads):
        yield


@cache
def _pools(of: type) -> Any:
    """The thread pools of the libraries that a class has loaded. Looking for them takes longer than a small fit."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
