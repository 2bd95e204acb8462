"""The same recipe gives the same model everywhere: each framework × engine × form is held to the inline run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from doing import held_out, orders_of, said_of, trained
from killing import bytes_of

from fitscale.running.state import state_of
from fitscale.store import folder, versions

ROWS = "synthetic://?rows=4000&columns=5&categorical=1&missing=0.05"
BATCHES = "synthetic://?rows=140000&columns=5&categorical=1&missing=0.05"  # three batches of a stream
GROUPED = "synthetic://?rows={rows}&columns=3&categorical=1&groups={groups}"
EQUIVALENT = 1e-6  # of what a framework declares equivalent, unless its job says otherwise


def _job(
    name: str, estimator: str, params: dict[str, Any] | None = None, rows: str = ROWS, **more: Any
) -> dict[str, Any]:
    return {
        "name": name,
        "seed": 3,
        "data": {"uri": rows, "target": "y"},
        "model": {"estimator": estimator, "params": params or {}},
        **more,
    }


PIPELINE = {
    "steps": [
        [
            "columns",
            {
                "sklearn.compose.ColumnTransformer": {
                    "transformers": [
                        ["words", {"sklearn.preprocessing.OneHotEncoder": {"handle_unknown": "ignore"}}, ["c0"]],
                        ["numbers", {"sklearn.impute.SimpleImputer": {}}, ["x0", "x1", "x2", "x3", "x4"]],
                    ]
                }
            },
        ],
        ["trees", {"sklearn.ensemble.RandomForestClassifier": {"n_estimators": 10, "max_depth": 5}}],
    ]
}
SAMPLED = {"n_estimators": 15, "max_depth": 4, "subsample": 0.7, "colsample_bytree": 0.6}
DRAWN = {"n_estimators": 25, "num_leaves": 15, "subsample": 0.7, "subsample_freq": 1, "colsample_bytree": 0.6}
STOPPED = {"holdout": "20%", "early_stopping": {"rounds": 4, "validation": "15%"}}
JOBS = {
    "baseline": _job("baseline", "baseline.Classifier", rows=BATCHES),
    "hgb": _job("hgb", "sklearn.ensemble.HistGradientBoostingClassifier", {"max_iter": 15}),
    "pipeline": _job("pipeline", "sklearn.pipeline.Pipeline", PIPELINE),
    "logistic": _job("logistic", "sklearn.linear_model.LogisticRegression", {"max_iter": 300}),
    "bayes": _job("bayes", "sklearn.naive_bayes.GaussianNB", rows=BATCHES),
    "xgboost": _job("xgboost", "xgboost.XGBClassifier", {"n_estimators": 15, "max_depth": 4}),
    "sampled": _job(
        "sampled",
        "xgboost.XGBClassifier",
        SAMPLED,
        BATCHES,
        evaluate=STOPPED,
    ),
    "trees": _job(
        "trees",
        "sklearn.ensemble.ExtraTreesClassifier",
        {"n_estimators": 160, "max_depth": 3, "class_weight": "balanced"},
    ),
    "lightgbm": _job("lightgbm", "lightgbm.LGBMClassifier", DRAWN, BATCHES, evaluate=STOPPED),
}
FORMS = {
    "baseline": ("in-memory", "out-of-core"),
    "hgb": ("in-memory",),
    "pipeline": ("in-memory",),
    "logistic": ("in-memory",),
    "bayes": ("in-memory", "out-of-core"),
    "xgboost": ("in-memory", "quantised", "out-of-core"),
    "sampled": ("in-memory", "quantised", "out-of-core"),
    "trees": ("in-memory", "parts-and-merge"),
    "lightgbm": ("in-memory", "quantised"),
}
PAIRS = [
    (job, form + at)
    for job, forms in FORMS.items()
    for form in forms
    for at in ("@inline", "")
    if form + at != "in-memory@inline"  # the reference
]
MANY = {  # so much work that the groups are cut into several chunks, for two workers to share
    "baseline": _job("baseline", "baseline.Classifier", {"passes": 300}, GROUPED.format(rows=40_000, groups=40)),
    "forest": _job(
        "forest",
        "sklearn.ensemble.RandomForestClassifier",
        {"n_estimators": 40, "max_depth": 6},
        GROUPED.format(rows=6_000, groups=24),
    ),
    "leafwise": _job(
        "leafwise", "lightgbm.LGBMClassifier", DRAWN | {"n_estimators": 100}, GROUPED.format(rows=12_000, groups=24)
    ),
    "boosted": _job(
        "boosted", "xgboost.XGBClassifier", SAMPLED | {"n_estimators": 60}, GROUPED.format(rows=12_000, groups=24)
    ),
}

Reference = Callable[[str, dict[str, Any], str], Path]


@pytest.fixture(scope="module")
def inline(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """The run of a job in this process, made once."""
    known: dict[str, Path] = {}

    def of(name: str, job: dict[str, Any], choose: str) -> Path:
        if name not in known:
            known[name] = tmp_path_factory.mktemp("inline") / "run"
            trained(job, known[name], choose)
        return known[name]

    return of


@pytest.mark.parametrize(("name", "choose"), PAIRS, ids=[f"{job}-{way}" for job, way in PAIRS])
def test_a_pair_gives_the_model_of_the_inline_run(tmp_path: Path, inline: Reference, name: str, choose: str) -> None:
    """The same bytes where the result is declared *same*, else the same predictions within the tolerance."""
    reference = inline(name, JOBS[name], "in-memory@inline")
    run = tmp_path / "run"
    trained(JOBS[name], run, choose)
    begun = state_of(run).finished[1]
    assert begun.candidate.name == choose
    (recipe,), (other,) = (versions.manifest(at, 1).recipes.values() for at in (run, reference))
    assert recipe.threads == other.threads
    if begun.candidate.result == "same":
        assert bytes_of(run) == bytes_of(reference)
        return
    assert begun.candidate.result == "equivalent"
    assert recipe.but(form=None, batch_rows=None) == other
    ours, theirs = held_out(run), held_out(reference)
    assert ours.column("row").equals(theirs.column("row"))
    np.testing.assert_allclose(said_of(ours), said_of(theirs), rtol=EQUIVALENT, atol=EQUIVALENT)


@pytest.mark.parametrize("name", FORMS)
def test_all_forms_of_a_framework_are_tried(inline: Reference, name: str) -> None:
    """What the plan of a job lists as possible in one process is what the pairs go through."""
    decision = folder.read_plan(inline(name, JOBS[name], "in-memory@inline")).decision
    assert decision.chosen is not None
    possible = {a.candidate.strategy for a in (decision.chosen, *decision.alternatives)}
    assert possible == set(FORMS[name])


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("name", MANY)
def test_many_models_are_the_same_in_processes(tmp_path: Path, inline: Reference, name: str, workers: int) -> None:
    """Models, hold-out predictions and failures of groups: the same bytes, by one worker or by two that share them."""
    job = {**MANY[name], "data": {**MANY[name]["data"], "groups": ["group"]}}
    reference = inline(f"many {name}", job, "many-models@inline")
    run = tmp_path / "run"
    trained(job, run, "many-models", cores=workers)
    (order,) = [order for order in orders_of(run) if order.kind == "groups"]
    assert order.workers == workers
    assert len(order.chunks) > 1
    assert bytes_of(run) == bytes_of(reference)
    assert versions.manifest(run, 1).models > 20
