"""What one estimator can do: asked of the object, its tags and its parameters, never of data."""

from __future__ import annotations

import json
from typing import Any, Literal

from fitscale.errors import WorkloadError
from fitscale.frameworks.sklearn import boosting, epochs, forests
from fitscale.frameworks.sklearn.building import build
from fitscale.frameworks.sklearn.families import epochs_said, rounds_param, rounds_said, trees_together
from fitscale.frameworks.sklearn.streams import SEGMENT, passes_of, sameness, weight_name
from fitscale.records.run import Estimator, Traits

Input = Literal["raw", "codes", "one-hot"]
ABOUT = (1e6, 30)  # rows and columns of nothing in particular
TREES = ("sklearn.tree", "sklearn.ensemble._forest", "sklearn.ensemble._gb", "sklearn.ensemble._hist_gradient_boosting")


def traits(estimator: Estimator) -> Traits:
    """See `contracts.Framework.traits`."""
    import sklearn

    made = build(estimator)
    target = target_of(made)
    check_values(made)
    input_ = input_of(made)
    tags = getattr(_tags(made), "input_tags", None)
    params = resolved(made) | estimator.params
    can: dict[str, Literal["same", "equivalent", "other"]] = {"whole": "same"}
    stream = None if input_ == "raw" else sameness(made, params)
    if stream is not None:
        can["stream"] = stream
    own = f"{type(made).__module__}.{type(made).__name__}"
    kept = kept_by(made)
    cannot = _cannot(made)
    if kept == "parts" and not cannot:
        can["parts"] = "same"
    return Traits(
        target=target,
        can=can,
        cannot=cannot,
        input=input_,
        missing="ok" if input_ == "raw" or getattr(tags, "allow_nan", False) else "impute",
        progress="passes" if stream is not None or epochs.tells(made) else kept or "none",
        units=_units(made, own, params, stream is not None),
        units_param=rounds_param(own),
        together=trees_together(type(made).__name__, params, *ABOUT) if kept == "parts" else 1,
        segment=SEGMENT if stream is not None else 1,
        reload=stream is not None,
        sparse=input_ != "raw" and bool(getattr(tags, "sparse", False)),
        weights=weight_name(made) is not None,
        gives=_gives(made),
        versions={"sklearn": sklearn.__version__},
        params=params,
    )


def _units(made: Any, path: str, params: dict[str, Any], streams: bool) -> int:
    if streams:
        return passes_of(type(made).__name__, params)
    return epochs_said(type(made).__name__, params) if epochs.tells(made) else rounds_said(path, params)


def target_of(made: Any) -> Literal["classifier", "regressor"]:
    """Whether it predicts classes or values.

    Raises
    ------
    WorkloadError
        At ``model.estimator``, if it does neither.
    """
    name = type(made).__name__
    for method in ("fit", "predict", "get_params"):
        if not hasattr(made, method):
            raise WorkloadError("model.estimator", f"{name} has no method '{method}'; it is no classifier or regressor")
    kind = getattr(_tags(made), "estimator_type", None) or getattr(made, "_estimator_type", None)
    if kind == "classifier":
        return "classifier"
    if kind == "regressor":
        return "regressor"
    what = f"is a '{kind}'" if kind else "does not say that it is a classifier or a regressor"
    raise WorkloadError(
        "model.estimator",
        f"{name} {what}; fitscale trains classifiers and regressors "
        "(a class of your own inherits sklearn.base.ClassifierMixin or RegressorMixin, before BaseEstimator)",
    )


def kept_by(made: Any) -> Literal["parts", "rounds"] | None:
    """How a fit of all rows keeps progress: by trees of a forest, by rounds of boosting, or not at all."""
    if forests.is_forest(made):
        return None if forests.why_whole(made) else "parts"
    if boosting.is_boosting(made):
        return None if boosting.why_whole(made) else "rounds"
    return None


def units_of(made: Any) -> int:
    """How many units a fitted estimator has: trees of a forest, rounds of boosting; else one."""
    if boosting.is_boosting(made):
        return boosting.rounds_of(made)
    return int(made.n_estimators) if forests.is_forest(made) else 1


def _cannot(made: Any) -> dict[str, str]:
    """Why a forest is not grown by several processes."""
    if not forests.is_forest(made):
        return {}
    if why := forests.why_whole(made):
        return {"parts": why}
    scored = (
        "scores each tree on the rows that it left out (oob_score), which takes all trees and all rows in one process"
    )
    return {"parts": scored} if made.oob_score else {}


def _gives(made: Any) -> Literal["probabilities", "margins", "labels"]:
    if hasattr(made, "predict_proba"):
        return "probabilities"
    if hasattr(made, "decision_function"):
        return "margins"
    # Methods that are there only once it is fitted, such as those of a stack, may be either.
    later = hasattr(type(made), "predict_proba") or hasattr(type(made), "decision_function")
    return "probabilities" if later else "labels"


def check_values(made: Any) -> None:
    """Refuse values that the library would refuse when it fits."""
    for part in (made, *nested(made)):
        if hasattr(part, "_validate_params") and hasattr(part, "_parameter_constraints"):  # a user's class has none
            try:
                part._validate_params()
            except (ValueError, TypeError) as error:
                raise WorkloadError("model.params", str(error)) from error


def input_of(made: Any) -> Input:
    """How it takes its rows: raw columns, category codes (trees), or one-hot."""
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import FeatureUnion, Pipeline

    parts = nested(made)
    if any(isinstance(part, (Pipeline, ColumnTransformer, FeatureUnion)) for part in (made, *parts)):
        return "raw"
    if getattr(getattr(_tags(made), "input_tags", None), "string", False):
        return "raw"  # a class of the user's that says it takes strings
    return "codes" if all(_on_codes(leaf) for leaf in leaves_of(made)) else "one-hot"


def leaves_of(made: Any) -> list[Any]:
    """The estimators inside that predict, or the estimator itself."""
    return [part for part in nested(made) if hasattr(part, "predict")] or [made]


def nested(made: Any) -> list[Any]:
    """The estimators among its parameters, at any depth."""
    values = made.get_params(deep=True).values() if hasattr(made, "get_params") else ()
    return [value for value in values if hasattr(value, "get_params") and not isinstance(value, type)]


def resolved(made: Any) -> dict[str, Any]:
    """Its own parameters that are plain values other than the defaults."""
    from sklearn.base import BaseEstimator

    try:
        plain = type(made)().get_params(deep=False) if isinstance(made, BaseEstimator) else {}
    except TypeError:  # it needs parameters
        plain = {}
    found = {}
    for name, value in made.get_params(deep=False).items():
        try:
            text = json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            continue
        if name not in plain or repr(plain[name]) != repr(value):
            found[name] = json.loads(text)
    return found


def _on_codes(made: Any) -> bool:
    modules = [cls.__module__ for cls in type(made).__mro__]
    if any(module.startswith(TREES) for module in modules) or type(made).__name__ == "CategoricalNB":
        return True
    # AdaBoost and Bagging are made of trees where nothing else is said.
    return "sklearn.ensemble._base" in modules and getattr(made, "estimator", made) is None


def _tags(made: Any) -> Any:
    from sklearn.utils import get_tags

    try:
        return get_tags(made)
    except Exception:  # not made by inheriting from BaseEstimator, or an inner estimator is left out
        return None
