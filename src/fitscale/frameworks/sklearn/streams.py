"""Which estimators learn from a stream by `partial_fit`, in how many passes, and how the result compares to `fit`.

* Naive Bayes: sums over the rows. One pass is the same model but for the order of adding: *equivalent* (1e-6).
* SGDClassifier, SGDRegressor, Perceptron with ``shuffle: false, tol: null``: `fit` makes the same steps in the same
  order (``max_iter`` passes): *equivalent* (1e-6). By default `fit` shuffles and stops by ``tol``: *other*.
* All others (MLP, passive-aggressive, a user's class): *other*.

Passes are ``passes`` of the parameters (ours, not the estimator's), else ``max_iter`` where it is given, else 5.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Literal

BAYES = ("GaussianNB", "MultinomialNB", "ComplementNB", "BernoulliNB", "CategoricalNB")
STEPS = ("SGDClassifier", "SGDRegressor", "Perceptron")
SEGMENT = 64  # batches between checkpoints: 4.2M rows
PASSES = 5


def sameness(made: Any, params: Mapping[str, Any]) -> Literal["equivalent", "other"] | None:
    """How a streamed fit compares to the whole one; None where it cannot be streamed."""
    if not hasattr(made, "partial_fit"):
        return None
    own = made.get_params(deep=False)
    if own.get("early_stopping") is True or own.get("class_weight") == "balanced":
        return None  # partial_fit refuses both: it never sees all rows
    name = type(made).__name__
    if name in BAYES and params.get("passes", 1) == 1:
        return "equivalent"
    return "equivalent" if _in_order(name, own) and "passes" not in params else "other"


def passes_of(name: str, params: Mapping[str, Any]) -> int:
    """How often a stream is read. Pure: laws use it too."""
    if "passes" in params:
        return int(params["passes"])
    if name in BAYES:
        return 1
    if _in_order(name, params):
        return int(params.get("max_iter", 1000))
    return int(params.get("max_iter", PASSES))


def takes(method: Any, name: str) -> bool:
    """Whether a method has a parameter of this name."""
    return name in inspect.signature(method).parameters


def weight_name(made: Any) -> str | None:
    """The name of fit's parameter for weights (in a pipeline, its last step's); None where it takes none."""
    from sklearn.pipeline import Pipeline

    if isinstance(made, Pipeline):
        name, last = made.steps[-1]
        inner = weight_name(last)
        return f"{name}__{inner}" if inner else None
    return "sample_weight" if takes(made.fit, "sample_weight") else None


def _in_order(name: str, params: Mapping[str, Any]) -> bool:
    return (
        name in STEPS
        and params.get("shuffle", True) is False
        and params.get("tol", 0) is None
        and not params.get("average", False)
        and params.get("learning_rate", "optimal") in ("optimal", "constant", "invscaling")
    )
