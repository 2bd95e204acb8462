"""Metrics are found by scikit-learn's names, and a wrong name is told with the right one."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from fitscale import metrics
from fitscale.errors import MissingLibrary, WorkloadError


@pytest.mark.parametrize(
    ("wrote", "meant"),
    [
        ("auc", "roc_auc"),
        ("AUC", "roc_auc"),
        ("rmse", "neg_root_mean_squared_error"),
        ("mean_squared_error", "neg_mean_squared_error"),
        ("acuracy", "accuracy"),
        ("f1_score", "f1"),
        ("roc_auc_score", "roc_auc"),
        ("logloss", "neg_log_loss"),
        ("f1_makro", "f1_macro"),
    ],
)
def test_a_wrong_name_is_told_the_right_one(wrote: str, meant: str) -> None:
    """The error stands at evaluate.metric and names the nearest."""
    with pytest.raises(WorkloadError, match=rf"^evaluate\.metric: no metric '{wrote}'; did you mean '{meant}'\?$"):
        metrics.metric(wrote)


def test_a_name_like_no_other_gets_the_list() -> None:
    """Where nothing is near, the names are listed."""
    with pytest.raises(WorkloadError, match="no metric 'zzz'; there are: roc_auc, average_precision, accuracy"):
        metrics.metric("zzz")


@pytest.mark.parametrize(
    ("name", "n_classes", "hint"),
    [
        ("roc_auc", 5, "roc_auc_"),
        ("f1", 5, "f1_m"),
        ("r2", 2, "for binary there are: "),
        ("accuracy", 0, "for regression there are"),
    ],
)
def test_a_metric_for_another_task_is_refused(name: str, n_classes: int, hint: str) -> None:
    """A metric that cannot judge the target is refused, with one that can."""
    with pytest.raises(WorkloadError, match=rf"'{name}' is for .* targets, this one is .*; .*{hint}"):
        metrics.metric(name, n_classes)
    assert metrics.metric(name).name == name  # by itself the name is known


def test_the_default_is_of_the_task() -> None:
    """Without a metric in the workload the task decides, and the default fits it."""
    for k, name in {2: "roc_auc", 3: "neg_log_loss", 0: "neg_root_mean_squared_error"}.items():
        task = metrics.task_of(k)
        assert metrics.default_metric(task, k) == name
        assert metrics.metric(name, k, task).name == name


def test_own_metrics_do_without_scikit_learn() -> None:
    """Scoring with fitscale's own metrics, listing names or misspelling one loads neither scikit-learn nor pandas."""
    program = """
import sys
import numpy as np
from fitscale import metrics
from fitscale.errors import WorkloadError
own = metrics.metric("roc_auc")
own.one(np.array([0, 1]), np.array([.1, .9]), None)
own.many(np.array([0, 0]), 1, np.array([0, 1]), np.array([.1, .9]), None)
assert "f1_macro" in metrics.known()
for name, k in [("f1_macr", 2), ("f1_macro", 0)]:
    try:
        metrics.metric(name, k)
    except WorkloadError:
        continue
    raise AssertionError(name)
print([m for m in ("sklearn", "scipy", "pandas") if m in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_table_of_names_is_scikit_learns() -> None:
    """Every scorer of the installed scikit-learn has its place: a new release that adds one fails here."""
    from sklearn.metrics import get_scorer_names

    assert {n for n in get_scorer_names() if not n.endswith("_samples")} == set(metrics.known())


def test_every_name_gives_a_value() -> None:
    """Each metric scores a target of a task that it says it is for."""
    rng = np.random.default_rng(0)
    sizes = {"binary": 2, "multiclass": 3, "regression": 0}
    for name in metrics.known():
        for task in metrics.metric(name).tasks:
            k = sizes[task]
            found = metrics.metric(name, k)
            y = rng.integers(0, k, 50).astype(np.float64) if k else rng.random(50)
            proba = rng.dirichlet(np.ones(k), 50) if k else None
            predicted = {"label": y[::-1], "value": y[::-1], "proba": proba[:, 1] if k == 2 else proba}[found.takes]
            assert found.one(y, predicted, None) is not None, (name, task)


def test_a_group_may_lack_a_class_in_scikit_learns_others() -> None:
    """Where scikit-learn has no value for a group, that group has none and the others keep theirs."""
    found = metrics.metric("roc_auc_ovr", 3)
    y = np.array([0, 1, 2, 0, 1, 1, 1])
    proba = np.random.default_rng(0).dirichlet(np.ones(3), 7)
    values = found.many(np.array([0, 0, 0, 0, 1, 1, 1]), 2, y, proba, None)
    assert not np.isnan(values[0])
    assert np.isnan(values[1])


def test_scikit_learn_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of scikit-learn's others without scikit-learn names what to install; fitscale's own go on."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *_: None)
    with pytest.raises(MissingLibrary, match=r"metric 'f1_macro' needs sklearn: pip install 'fitscale\[sklearn\]'"):
        metrics.metric("f1_macro")
    assert metrics.metric("f1").one(np.array([0, 1]), np.array([0, 1]), None) == 1.0
