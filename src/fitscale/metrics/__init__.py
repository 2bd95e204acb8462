"""One value, or a column of values by group, under scikit-learn's names. Importing this loads numpy alone."""

from __future__ import annotations

from collections.abc import Collection

from fitscale import registry
from fitscale.contracts import Metric
from fitscale.errors import WorkloadError, nearest
from fitscale.metrics import classification, foreign, ranking, regression
from fitscale.metrics.foreign import Foreign

__all__ = ["check", "default_metric", "greater", "known", "metric", "task_of"]

_OWN = {own.name: own for room in (ranking, classification, regression) for own in room.METRICS}

# what people write, where it is too far from scikit-learn's name to be guessed
_ALSO_CALLED = {
    "acc": "accuracy",
    "ap": "average_precision",
    "auc": "roc_auc",
    "aucpr": "average_precision",
    "brier": "neg_brier_score",
    "log_loss": "neg_log_loss",
    "logloss": "neg_log_loss",
    "mae": "neg_mean_absolute_error",
    "mape": "neg_mean_absolute_percentage_error",
    "mcc": "matthews_corrcoef",
    "mlogloss": "neg_log_loss",
    "mse": "neg_mean_squared_error",
    "pr_auc": "average_precision",
    "rmse": "neg_root_mean_squared_error",
}


# of the probabilities themselves; the others that take them look at their order alone
_OF_PROBABILITIES = ("neg_log_loss", "neg_brier_score", "d2_log_loss_score", "d2_brier_score")


def metric(name: str, n_classes: int | None = None, task: str | None = None) -> Metric:
    """The metric of that name, fit for a target of ``n_classes`` (0: regression) or a ``task`` where either is given.

    Raises
    ------
    WorkloadError
        At ``evaluate.metric``: no such metric, or not one for this task.
    MissingLibrary
        If it is one of scikit-learn's others, and scikit-learn is not installed.
    """
    if task is None and n_classes is not None:
        task = task_of(n_classes)
    found: Metric
    if name in _OWN:
        found = _OWN[name]
    elif name in foreign.KNOWN:
        takes, tasks = foreign.KNOWN[name]
        _check_task(name, tasks, task)  # before scikit-learn is imported
        return Foreign(name, takes, tasks, n_classes)
    elif name in registry.names("metrics"):
        found = registry.plugin("metrics", name)()
    else:
        raise WorkloadError("evaluate.metric", f"no metric '{name}'{_meant(name)}")
    _check_task(name, found.tasks, task)
    return found


def greater(name: str) -> bool:
    """Whether more is better: so it is of scikit-learn's scorers, whose losses are negative. A plug-in may say otherwise."""
    is_plugin = name not in _OWN and name not in foreign.KNOWN and name in registry.names("metrics")
    return bool(registry.plugin("metrics", name).greater) if is_plugin else True


def known() -> tuple[str, ...]:
    """All names: fitscale's own, scikit-learn's others, those of plug-ins. Does not import scikit-learn."""
    return tuple(dict.fromkeys([*_OWN, *foreign.KNOWN, *registry.names("metrics")]))


def check(name: str, tasks: Collection[str], gives: str = "probabilities") -> None:
    """Refuse a metric that judges none of these tasks, or needs more than a classifier gives. Imports no library.

    ``gives`` is probabilities, margins or labels.

    Raises
    ------
    WorkloadError
        At ``evaluate.metric``, with what would do.
    """
    takes, judged = _about(name)
    if not judged & set(tasks):
        _check_task(name, judged, next(iter(tasks)))
    if "regression" in tasks or takes != "proba":
        return
    if gives == "labels":
        raise WorkloadError(
            "evaluate.metric", f"'{name}' needs probabilities, and the estimator gives labels alone: take accuracy"
        )
    if gives == "margins" and name in _OF_PROBABILITIES:
        raise WorkloadError(
            "evaluate.metric",
            f"'{name}' needs probabilities, and the estimator gives margins alone: take one that looks at their order "
            "or at labels, such as roc_auc or accuracy, or let sklearn.calibration.CalibratedClassifierCV make them",
        )


def default_metric(task: str, n_classes: int = 2, gives: str = "probabilities") -> str:
    """The metric where the workload names none. ``gives``: probabilities, margins or labels."""
    if task == "regression":
        return "neg_root_mean_squared_error"
    if gives == "labels" or (gives == "margins" and n_classes > 2):
        return "accuracy"
    return "neg_log_loss" if task == "multiclass" or n_classes > 2 else "roc_auc"


def task_of(n_classes: int) -> str:
    """The task of a target with so many classes; 0 is regression."""
    return "regression" if n_classes == 0 else "binary" if n_classes <= 2 else "multiclass"


def _about(name: str) -> tuple[str, frozenset[str]]:
    """(what it takes, the tasks that it judges), from the tables."""
    if name in _OWN:
        return _OWN[name].takes, _OWN[name].tasks
    if name in foreign.KNOWN:
        return foreign.KNOWN[name]
    found = metric(name)  # a plug-in's, or none
    return found.takes, found.tasks


def _meant(name: str) -> str:
    plain = name.lower().removesuffix("_score")  # scikit-learn's functions are called so, its scorers are not
    if plain in _ALSO_CALLED or plain in known():
        return f"; did you mean '{_ALSO_CALLED.get(plain, plain)}'?"
    return nearest(name, known()) or f"; there are: {', '.join(_OWN)}, and scikit-learn's other scorers"


def _check_task(name: str, tasks: frozenset[str], task: str | None) -> None:
    if task is not None and task not in tasks:
        fitting = [own.name for own in _OWN.values() if task in own.tasks]
        theirs = [other for other, (_, judged) in foreign.KNOWN.items() if task in judged]
        longer = [other for other in theirs if other.startswith(f"{name}_")]  # f1: f1_macro
        close = f"; did you mean '{longer[0]}'?" if longer else nearest(name, [*fitting, *theirs])
        close = close or f"; for {task} there are: {', '.join(fitting)}"
        problem = f"'{name}' is for {' and '.join(sorted(tasks))} targets, this one is {task}{close}"
        raise WorkloadError("evaluate.metric", problem)
