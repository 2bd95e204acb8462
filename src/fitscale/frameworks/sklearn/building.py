"""Import paths and parameters → estimators.

In parameters, a mapping whose one key is a dotted import path stands for an object:

    {sklearn.svm.SVC: {C: 2}}      an instance of the class with these parameters
    {sklearn.svm.SVC: }            an instance with the defaults
    {numpy.log1p: }                what is not a class: the object itself
    {sklearn.metrics.make_scorer: {score_func: {sklearn.metrics.f1_score: }}}     … or what it returns, when called so

A list becomes a tuple where the class accepts only a tuple; keys such as ``clf__C`` reach into a pipeline. Keys of
other mappings that are whole numbers become ints, as in ``class_weight: {0: 1, 1: 5}`` (class codes).
"""

from __future__ import annotations

import importlib
import inspect
import json
import pickle
import pkgutil
import re
from pathlib import Path
from typing import Any

from fitscale.errors import WorkloadError, nearest
from fitscale.records.run import Estimator

PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
WHOLE = re.compile(r"-?\d+")


def build(estimator: Estimator) -> Any:
    """The unfitted object of an estimator record; ``estimator.live`` is an absolute path whose digest was checked.

    Raises
    ------
    WorkloadError
        At ``model.estimator`` or ``model.params``.
    """
    # Through JSON: strings that are one object here and two elsewhere would make other pickles of equal models.
    params = json.loads(json.dumps(estimator.params))
    if estimator.live is not None:
        from sklearn.base import clone

        try:
            loaded = pickle.loads(Path(estimator.live).read_bytes())
        except (ImportError, AttributeError) as error:  # its class is not there
            raise WorkloadError("model.estimator", f"the pickled estimator does not load: {error}") from error
        params.pop("passes", None)
        made = clone(loaded) if hasattr(loaded, "get_params") else loaded
        return _set(made, {name: _value(value) for name, value in params.items()})
    found = find(estimator.path, "model.estimator")
    if not inspect.isclass(found):
        raise WorkloadError("model.estimator", f"'{estimator.path}' is a {type(found).__name__}, not a class")
    known = _parameters(found)
    if hasattr(found, "partial_fit") and known is not None and "passes" not in known:
        params.pop("passes", None)  # ours: how often a stream is read
    return _instance(found, estimator.path, params)


def find(path: str, place: str) -> Any:
    """What an import path names.

    Raises
    ------
    WorkloadError
        At ``place``: does not import, with the nearest name.
    """
    head, _, name = path.rpartition(".")
    if not head:
        raise WorkloadError(place, f"'{path}' is no import path, such as sklearn.svm.SVC{_of_sklearn(path)}")
    try:
        module = importlib.import_module(head)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if not (head == missing or head.startswith(missing + ".")):
            raise WorkloadError(
                place, f"'{path}' does not import: {missing}, which it needs, is missing: install it"
            ) from error
        hint = _sibling(missing) or ": install it, or put it beside the workload file"
        raise WorkloadError(place, f"'{path}' does not import: no module '{missing}'{hint}") from error
    except Exception as error:  # a user's module may raise anything while it is imported
        raise WorkloadError(place, f"'{path}' does not import: {type(error).__name__}: {error}") from error
    if not hasattr(module, name):
        public = [n for n in dir(module) if not n.startswith("_")]
        raise WorkloadError(place, f"'{path}' does not import: {head} has no '{name}'{nearest(name, public)}")
    return getattr(module, name)


def _sibling(missing: str) -> str:
    parent = missing.rpartition(".")[0]
    paths = importlib.import_module(parent).__path__ if parent else None
    return nearest(missing, [f"{parent}.{m.name}" if parent else m.name for m in pkgutil.iter_modules(paths)])


def _of_sklearn(word: str) -> str:
    from sklearn.utils import all_estimators

    public = {name: re.sub(r"\._.*", "", cls.__module__) for name, cls in all_estimators()}
    if word in public:
        return f"; did you mean '{public[word]}.{word}'?"
    return re.sub(r"'(\w+)'", lambda m: f"'{public[m[1]]}.{m[1]}'", nearest(word, public))


def _parameters(cls: type) -> tuple[str, ...] | None:
    """Names that the class takes; None where it takes any."""
    found = [p for p in inspect.signature(cls.__init__).parameters.values() if p.name != "self"]  # type: ignore[misc]
    if any(p.kind is p.VAR_KEYWORD for p in found):
        return None
    return tuple(p.name for p in found if p.kind is not p.VAR_POSITIONAL)


def _instance(cls: type, path: str, params: dict[str, Any]) -> Any:
    known = _parameters(cls)
    inner = {name: _value(value) for name, value in params.items() if "__" in name}
    for name in params:
        if known is not None and name not in known and name not in inner:
            raise WorkloadError(
                "model.params", f"{path} has no parameter '{name}'{nearest(name, known)}; it takes: {', '.join(known)}"
            )
    constraints = getattr(cls, "_parameter_constraints", {})
    own = {
        name: _as_tuple(_value(value), constraints.get(name, [])) for name, value in params.items() if name not in inner
    }
    try:
        made = cls(**own)
    except WorkloadError:
        raise
    except Exception as error:  # a user's class may raise anything
        raise WorkloadError("model.params", f"{path}: {error}") from error
    return _set(made, inner)


def _set(made: Any, params: dict[str, Any]) -> Any:
    for name, value in params.items():
        known = made.get_params() if hasattr(made, "get_params") else {}
        if name not in known:
            raise WorkloadError(
                "model.params", f"{type(made).__name__} has no parameter '{name}'{nearest(name, known)}"
            )
        made.set_params(**{name: value})
    return made


def _as_tuple(value: Any, constraints: Any) -> Any:
    if isinstance(value, list) and tuple in constraints and list not in constraints and "array-like" not in constraints:
        return tuple(value)
    return value


def _value(value: Any) -> Any:
    """A parameter's value, with the objects that it names."""
    if isinstance(value, list):
        return [_value(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        [(path, params)] = value.items()
        if PATH.fullmatch(path) and (params is None or isinstance(params, dict)):
            return _object(path, params)
    return {int(key) if WHOLE.fullmatch(key) else key: _value(item) for key, item in value.items()}


def _object(path: str, params: dict[str, Any] | None) -> Any:
    found = find(path, "model.params")
    if inspect.isclass(found):
        return _instance(found, path, params or {})
    if params is None:
        return found
    try:
        return found(**{name: _value(item) for name, item in params.items()})
    except WorkloadError:
        raise
    except Exception as error:
        raise WorkloadError("model.params", f"{path}: {error}") from error
