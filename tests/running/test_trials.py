"""Trials: models that are compared on rows which neither train them nor judge the result."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import Ridge

sys.path.insert(0, str(Path(__file__).parent))
from doing import workload_of

from fitscale.data.folds import HOLDOUT, TRAIN, assign
from fitscale.errors import NotOffered, WorkloadError
from fitscale.planning.candidates import candidates
from fitscale.planning.preparing import prepare
from fitscale.records.data import Folds
from fitscale.records.trials import BLOCKS, Trial, Tried
from fitscale.running.attempts import Attempts
from fitscale.running.command import machine_for
from fitscale.running.engines import Engines
from fitscale.running.trials import for_trials, tried
from fitscale.store import chunks, folder
from fitscale.store.journal import Journal
from fitscale.store.lock import RunLock

ROWS = 6_000
RIDGE = {
    "name": "tried",
    "data": {"uri": "rows.parquet", "target": "y"},
    "evaluate": {"holdout": 0.25, "metric": "r2"},
    "model": {"estimator": "sklearn.linear_model.Ridge", "params": {"alpha": 1.0}},
}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(ROWS, 4))
    y = X @ [1.0, -2.0, 0.5, 0.0] + rng.normal(size=ROWS)
    path = tmp_path_factory.mktemp("trials") / "rows.parquet"
    pq.write_table(pa.table({f"x{k}": X[:, k] for k in range(4)} | {"y": y}), path, row_group_size=1_000)
    return path


@contextlib.contextmanager
def bench(document: dict[str, Any], run: Path) -> Iterator[Any]:
    """A function that tries trials of the document's model, and the folds that they have."""
    workload = workload_of(document, run.parent)
    folder.create(run, workload.name)
    with RunLock(run) as lock, Engines(run) as engines:
        attempts = Attempts(run, lock.epoch, Journal(run, lock.epoch), engines)
        prepared = for_trials(prepare(workload, run))
        machine = machine_for(workload, run)
        candidate = next(c for c in candidates(prepared, machine)[0] if c.strategy == "in-memory")

        def do(*trials: Trial, **about: Any) -> list[Tried]:
            return tried(run, prepared, candidate, attempts, machine, trials, **about)

        try:
            yield do, prepared.fits[0].folds
        finally:
            attempts.kill_all()


def test_a_trial_is_the_librarys_own_fit_on_its_rows(table: Path, tmp_path: Path) -> None:
    """Its score is what scikit-learn gives on the same rows, and nothing is committed."""
    document = {**RIDGE, "data": {**RIDGE["data"], "uri": str(table)}}
    with bench(document, tmp_path / "run") as (do, folds):
        weak, strong = do(Trial(), Trial(params={"alpha": 1e4}))
    data = pq.read_table(table)
    X, y = np.column_stack([data.column(f"x{k}") for k in range(4)]), data.column("y").to_numpy()
    fold = assign(folds, np.arange(ROWS))
    for one, alpha in ((weak, 1.0), (strong, 1e4)):
        model = Ridge(alpha=alpha).fit(X[fold == TRAIN], y[fold == TRAIN])
        assert one.score == pytest.approx(model.score(X[fold == HOLDOUT], y[fold == HOLDOUT]), abs=1e-9)
        assert (one.rows, one.judged) == ((fold == TRAIN).sum(), (fold == HOLDOUT).sum())
        assert len(one.blocks) == BLOCKS
        assert np.mean([b for b in one.blocks if b is not None]) == pytest.approx(one.score, abs=0.05)
    result = assign(Folds(seed=0, holdout=0.25), np.arange(ROWS))
    assert (fold[result == HOLDOUT] == -1).all()
    assert not [
        k for task in (tmp_path / "run" / "tasks").iterdir() for k in chunks.committed(tmp_path / "run", task.name)
    ]


def test_fewer_rows_are_judged_by_the_same_rows(table: Path, tmp_path: Path) -> None:
    document = {**RIDGE, "data": {**RIDGE["data"], "uri": str(table)}}
    with bench(document, tmp_path / "run") as (do, _):
        few, other, every = do(Trial(rows=300), Trial(rows=300, seed=1), Trial())
    assert few.judged == other.judged == every.judged
    assert few.rows == pytest.approx(300, rel=0.2)
    assert few.score != other.score
    assert few.score < every.score


def test_what_a_library_refuses_is_a_trial_without_a_score(table: Path, tmp_path: Path) -> None:
    """The next one is done all the same."""
    document = {**RIDGE, "data": {**RIDGE["data"], "uri": str(table)}}
    with bench(document, tmp_path / "run") as (do, _):
        bad, good = do(Trial(params={"alpha": -1.0}), Trial())
    assert bad.score is None
    assert "alpha" in bad.why
    assert good.score > 0.5


def test_trials_end_when_their_time_is_over(table: Path, tmp_path: Path) -> None:
    document = {**RIDGE, "data": {**RIDGE["data"], "uri": str(table)}}
    with bench(document, tmp_path / "run") as (do, _):
        assert do(*[Trial()] * 1_000, within_s=0.0) == []


def test_a_metric_that_the_target_rules_out_is_an_error(table: Path, tmp_path: Path) -> None:
    document = {**RIDGE, "data": {**RIDGE["data"], "uri": str(table)}, "evaluate": {"metric": "roc_auc"}}
    with pytest.raises(WorkloadError, match=r"evaluate\.metric"), bench(document, tmp_path / "run") as (do, _):
        do(Trial())


def test_many_models_have_no_trials(tmp_path: Path) -> None:
    document = {
        **RIDGE,
        "data": {"uri": "synthetic://?rows=2000&columns=3&groups=5", "target": "y", "groups": ["group"]},
    }
    with pytest.raises(NotOffered, match="many models"), bench(document, tmp_path / "run"):
        pass


@pytest.mark.parametrize(
    "estimator", ["xgboost.XGBClassifier", "lightgbm.LGBMClassifier", "sklearn.linear_model.SGDClassifier"]
)
def test_each_framework_tries_its_own(estimator: str, tmp_path: Path) -> None:
    """With early stopping where it has that, and probabilities or margins as it gives them."""
    document = {
        "name": "tried",
        "data": {"uri": "synthetic://?rows=4000&columns=5&categorical=1", "target": "y"},
        "evaluate": {"early_stopping": {"rounds": 3, "validation": 0.2}} if "SGD" not in estimator else {},
        "model": {"estimator": estimator},
    }
    tree = {"n_estimators": 5} if "SGD" not in estimator else {"max_iter": 3}
    with bench(document, tmp_path / "run") as (do, _):
        first, second = do(Trial(params=tree), Trial(params=tree, rows=500))
    assert first.metric == "roc_auc"
    assert first.score is not None
    assert first.score > 0.6
    assert second.judged == first.judged
    assert all(block is not None for block in first.blocks)
