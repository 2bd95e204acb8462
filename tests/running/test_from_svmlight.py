"""An svmlight file from beginning to end: planned, trained sparse by several libraries, killed, predicted, exported."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.sparse import csr_matrix
from sklearn.datasets import dump_svmlight_file

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
from commands import fitscale
from doing import interrupted, trained
from killing import bytes_of

from fitscale.store import folder, versions

N, WIDE = 3_000, 5_000


def write(path: Path, seed: int = 0, n: int = N) -> None:
    """Words drawn from a few thousand, of which the first say what it is."""
    random = np.random.default_rng(seed)
    words = (WIDE * random.random((n, 25)) ** 3).astype(int)
    rows = np.repeat(np.arange(n), 25)
    X = csr_matrix((random.integers(1, 4, n * 25).astype(float), (rows, words.ravel())), (n, WIDE))
    y = np.where(X[:, :20].sum(axis=1).A1 - X[:, 20:60].sum(axis=1).A1 + random.normal(0, 1, n) > 0, 1, -1)
    dump_svmlight_file(X, y, str(path), zero_based=False)


def document(estimator: str, **params: Any) -> dict[str, Any]:
    data = {"uri": "words.svm", "target": "label"}
    return {"name": "words", "data": data, "model": {"estimator": estimator, "params": params}}


ESTIMATORS = {
    "xgboost.XGBClassifier": {"n_estimators": 15, "max_depth": 3},
    "lightgbm.LGBMClassifier": {"n_estimators": 15, "num_leaves": 7},
    "sklearn.linear_model.LogisticRegression": {},
    "sklearn.ensemble.RandomForestClassifier": {"n_estimators": 10},
}


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_it_is_trained_and_predicts(tmp_path: Path, estimator: str) -> None:
    """From the commands of a user; new rows may have words that no training row had."""
    write(tmp_path / "words.svm")
    write(tmp_path / "new.svm", 1, 200)
    job = tmp_path / "job.yaml"
    job.write_text(json.dumps(document(estimator, **ESTIMATORS[estimator])))
    said = fitscale("train", job)
    assert said.code == 0, said.err
    assert "Read with indices as they are written: no row has index 0" in " ".join(said.out.split())
    run = tmp_path / "runs" / "words"
    score = versions.manifest(run, 1).scores["roc_auc"]
    assert score is not None
    assert score > 0.65
    said = fitscale("predict", job, "--data", tmp_path / "new.svm", "--out", tmp_path / "p.parquet", "--proba")
    assert said.code == 0, said.err
    found = pq.read_table(tmp_path / "p.parquet")
    assert found.num_rows == 200
    assert set(found.column("prediction").to_pylist()) == {-1, 1}
    plan = folder.read_plan(run)
    assert plan.shape.density < 0.02
    assert plan.decision.chosen is not None
    assert plan.decision.chosen.forecast.phases["stage"] == plan.staging.seconds  # type: ignore[union-attr]


def test_forms_agree_and_a_kill_changes_nothing(tmp_path: Path) -> None:
    """In memory, quantised and out of core hold the same predictions; interrupted, it ends with the same bytes."""
    write(tmp_path / "words.svm")
    trees = document("xgboost.XGBClassifier", n_estimators=20, max_depth=3, subsample=0.8)
    for choose in ("in-memory", "quantised", "out-of-core"):
        trained(trees, tmp_path / choose, choose)
    payloads = {
        versions.manifest(tmp_path / choose, 1).payloads for choose in ("in-memory", "quantised", "out-of-core")
    }
    assert len(payloads) == 1
    interrupted(trees, tmp_path / "run", "in-memory", at=10)
    trained(trees, tmp_path / "run")
    assert bytes_of(tmp_path / "run") == bytes_of(tmp_path / "in-memory")


def test_what_cannot_take_sparse_rows_says_so(tmp_path: Path) -> None:
    """ONNX at plan; a Pipeline, which takes raw columns, before anything is staged."""
    write(tmp_path / "words.svm", n=600)
    job = tmp_path / "job.yaml"
    wanted = document("xgboost.XGBClassifier", n_estimators=5) | {"needs": {"export": ["onnx"]}}
    job.write_text(json.dumps(wanted))
    said = fitscale("plan", job)
    assert said.code == 3
    assert "cannot be exported to onnx: column 'x' holds sparse vectors" in " ".join((said.out + said.err).split())
    steps = {"steps": [["m", {"sklearn.linear_model.LogisticRegression": {}}]]}
    job.write_text(json.dumps(document("sklearn.pipeline.Pipeline", **steps) | {"name": "other"}))
    said = fitscale("train", job)
    assert said.code == 2
    assert "model.estimator: it takes raw columns, and 'x' holds sparse vectors" in said.err
    assert not (tmp_path / "runs" / "other").exists()
