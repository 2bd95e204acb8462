"""One fit: of the whole matrix or frame, of a stream in passes, or of some parts of a forest."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import numpy as np

from fitscale.contracts import Context, Feed, Fitted
from fitscale.errors import WorkloadError, nearest
from fitscale.frameworks.sklearn import boosting, epochs, forests
from fitscale.frameworks.sklearn.abilities import input_of, kept_by, leaves_of, nested, resolved, target_of, units_of
from fitscale.frameworks.sklearn.building import build
from fitscale.frameworks.sklearn.families import steps_by_row
from fitscale.frameworks.sklearn.forests import Rows
from fitscale.frameworks.sklearn.pickling import dumps
from fitscale.frameworks.sklearn.streams import passes_of, takes, weight_name
from fitscale.records.run import Recipe


def fit(feed: Feed, recipe: Recipe, state: bytes | None, context: Context) -> Fitted:
    """See `contracts.Framework.fit`. Class labels are the codes of the feed."""
    made, n_jobs = _made(recipe)
    with _threads(type(made), context.threads):
        if feed.form == "stream":
            passes = passes_of(type(made).__name__, resolved(made) | recipe.estimator.params)
            made, units = _stream(made, feed, state, context, passes)
        else:
            made, units = _whole(made, feed, state, context)
    with context.phase("save"):
        return _fitted(made, n_jobs, feed, units)


def grow(feed: Feed, recipe: Recipe, span: tuple[int, int]) -> bytes:
    """See `contracts.Framework`: some trees of a forest."""
    made, _ = _made(recipe)
    batch = feed.matrix("train")
    with forests.quiet():
        return dumps(forests.grow(made, _rows(made, batch.X, batch.y, batch.weight), span))


def merge(feed: Feed, recipe: Recipe, parts: Iterator[bytes]) -> Fitted:
    """See `contracts.Framework`."""
    made, n_jobs = _made(recipe)
    return _fitted(forests.merge(made, [pickle.loads(part) for part in parts]), n_jobs, feed, made.n_estimators)


def _made(recipe: Recipe) -> tuple[Any, dict[str, Any]]:
    """The estimator to be fitted, and what its n_jobs said: that gives way to the attempt's threads, the model keeps it."""
    made = build(recipe.estimator)
    set_seed(made, recipe.seed)
    n_jobs = _given(made, "n_jobs")
    return made.set_params(**dict.fromkeys(n_jobs)), n_jobs


def _fitted(made: Any, n_jobs: dict[str, Any], feed: Feed, units: int) -> Fitted:
    made.set_params(**n_jobs)
    if feed.classes:
        made.fitscale_classes_ = feed.classes  # for scoring: a fit that saw fewer classes still gives all columns
    return Fitted(dumps(made), units)


def set_seed(made: Any, seed: int) -> None:
    """Set every ``random_state`` that is left open, at any depth."""
    for name, value in made.get_params(deep=True).items():
        if value is None and name.split("__")[-1] == "random_state":
            made.set_params(**{name: seed % 2**32})


def _given(made: Any, word: str) -> dict[str, Any]:
    """The parameters of this name that are set, at any depth."""
    found = made.get_params(deep=True).items()
    return {name: value for name, value in found if value is not None and name.split("__")[-1] == word}


def rows_for(made: Any) -> Callable[[Any], Any]:
    """What turns rows of the feed into what the estimator takes: linear and other one-hot models in float64.

    They would compute in float32 otherwise, where a normal matrix of unscaled columns loses all digits. Gradient steps
    go from row to row: in float32 they are an eighth quicker, and the rows are not there twice.
    """
    input_ = input_of(made)
    if input_ == "raw":
        return lambda X: X.to_pandas() if hasattr(X, "to_pandas") else X
    if input_ == "codes" or all(steps_by_row(type(leaf).__name__) for leaf in leaves_of(made)):
        return lambda X: X
    return lambda X: X.astype(np.float64)


def _whole(made: Any, feed: Feed, state: bytes | None, context: Context) -> tuple[Any, int]:
    """The fitted estimator (another object, where it was gone on with) and how many units it has."""
    if input_of(made) == "raw":
        X, y, weight = feed.frame("train")
    else:
        X, y, weight, _ = feed.matrix("train")
        _categorical(made, feed)
    with context.phase("encode"):
        rows = _rows(made, rows_for(made)(X), y, weight)
    del X
    kept = kept_by(made)
    if kept is not None:
        made = (forests if kept == "parts" else boosting).fit(made, rows, state, context)
        units = units_of(made)
    elif epochs.tells(made):
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


def _rows(made: Any, X: Any, y: np.ndarray, weight: np.ndarray | None) -> Rows:
    given = {} if weight is None else {_weight_name(made): weight.astype(np.float64)}
    return Rows(X, _target(made, y), given)


def _stream(made: Any, feed: Feed, state: bytes | None, context: Context, passes: int) -> tuple[Any, int]:
    """Passes of `partial_fit`. A unit is a batch; the state is (batches done, estimator)."""
    per_pass = -(-feed.count("train") // feed.batch_rows)
    if per_pass == 0:
        raise ValueError("no training rows")
    as_taken, done = rows_for(made), 0
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
                        raise _no_weights(made)
                made.partial_fit(as_taken(batch.X), _target(made, batch.y), **given)
                done += 1
                taken = context.report(done, partial(dumps, (done, made)), of=passes * per_pass)
                if taken is not None:
                    made = pickle.loads(taken)[1]
    return made, done


def _target(made: Any, y: np.ndarray) -> np.ndarray:
    return y.astype(np.int64 if target_of(made) == "classifier" else np.float64)


def _weight_name(made: Any) -> str:
    name = weight_name(made)
    if name is None:
        raise _no_weights(made)
    return name


def _no_weights(made: Any) -> WorkloadError:
    return WorkloadError("data.weight", f"{type(made).__name__} takes none: leave it out, or use another estimator")


def _categorical(made: Any, feed: Feed) -> None:
    """Tell histogram boosting which columns are categories, where the user did not."""
    for part in (made, *nested(made)):
        if not type(part).__name__.startswith("HistGradientBoosting"):
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
