"""Predictions of a fitted estimator, batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from fitscale.contracts import Batch, Scores
from fitscale.frameworks.sklearn.looks import look_again
from fitscale.frameworks.sklearn.threads import hold

# Whose `predict` takes the class with the largest share.
BY_SHARE = (
    "ForestClassifier",
    "DecisionTreeClassifier",
    "GradientBoostingClassifier",
    "HistGradientBoostingClassifier",
)


def score(native: Any, batches: Iterable[Batch]) -> Iterator[Scores]:
    """See `contracts.Framework.score`. For pipelines ``X`` is an Arrow table or a pandas frame.

    ``proba`` has a column for each class of the feed; classes that the fit did not see have 0. Where there are only
    margins (LinearSVC, hinge losses), they are squashed to shares in the same order: for ranking, not probabilities.
    """
    from joblib import parallel_config

    about = look_again(native)
    # One thread: forests add up their trees in the order in which threads end, which changes last bits.
    n_jobs = hold(native, 1) if about.starts_threads else {}
    try:
        for batch in batches:
            X = about.rows(_named(native, batch.X) if about.input == "raw" else batch.X)
            with parallel_config(backend="sequential"):
                if not about.classifier:
                    value = np.asarray(native.predict(X), dtype=np.float64).reshape(len(batch.row))
                    yield Scores(value, None, batch.row)
                    continue
                shares = _shares(native, X)
                value = np.asarray(native.predict(X)) if shares is None else _labels(native, X, shares)
            yield Scores(value.astype(np.float64), None if shares is None else _expand(native, shares), batch.row)
    finally:
        if n_jobs:
            native.set_params(**n_jobs)


def _named(native: Any, X: Any) -> Any:
    """Bare rows of numbers under the column names of the fit: the library warns where they are missing."""
    names = getattr(native, "feature_names_in_", None)
    if names is None or not isinstance(X, np.ndarray):
        return X
    import pandas as pd

    return pd.DataFrame(X, columns=names)


def _labels(native: Any, X: Any, shares: np.ndarray) -> np.ndarray:
    """As `predict` gives them. Trees need not be asked twice: the class with the largest share, where there is only one."""
    method = type(native).predict  # a class of the user's may inherit the library's, or have one of its own
    if not (method.__module__.startswith("sklearn.") and method.__qualname__.partition(".")[0] in BY_SHARE):
        return np.asarray(native.predict(X))
    labels: np.ndarray = np.asarray(native.classes_)[shares.argmax(axis=1)]
    tied = (shares == shares.max(axis=1, keepdims=True)).sum(axis=1) > 1
    if tied.any():  # by rounding: which one it is, only the raw scores tell
        labels[tied] = native.predict(X[tied])
    return labels


def _shares(native: Any, X: Any) -> np.ndarray | None:
    if hasattr(native, "predict_proba"):
        return np.asarray(native.predict_proba(X), dtype=np.float64)
    if not hasattr(native, "decision_function"):
        return None
    margin = np.asarray(native.decision_function(X), dtype=np.float64)
    # m / (1 + |m|) keeps the order of margins where a logistic curve would round them to 1.
    squashed = 0.5 + 0.5 * margin / (1 + np.abs(margin))
    if margin.ndim == 1:
        return np.column_stack([1 - squashed, squashed])
    if squashed.shape[1] != len(native.classes_):
        return None  # one column for each pair of classes
    return np.asarray(squashed / squashed.sum(axis=1, keepdims=True))


def _expand(native: Any, shares: np.ndarray) -> np.ndarray:
    codes = np.asarray(native.classes_).astype(np.int64)
    classes = getattr(native, "fitscale_classes_", len(codes))
    if len(codes) == classes:
        return shares
    full = np.zeros((len(shares), classes))
    full[:, codes] = shares
    return full
