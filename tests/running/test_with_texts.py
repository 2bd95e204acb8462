"""A column of text from beginning to end: in one model and in many, by libraries that take sparse rows and one that does not."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
from commands import fitscale

import fitscale as library
from fitscale.store import folder, versions

N = 1_500
WORDS = [f"w{k}" for k in range(400)]


def table(seed: int = 0) -> pa.Table:
    random = np.random.default_rng(seed)
    drawn = random.integers(0, 400, (N, 12))
    notes = [" ".join(WORDS[k] for k in row) for row in drawn]
    y = (drawn < 60).sum(axis=1) + random.normal(0, 0.5, N) > 1.8
    return pa.table(
        {"shop": random.integers(0, 3, N), "price": random.normal(size=N), "note": notes, "sold": y.astype(int)}
    )


def write(where: Path, estimator: str, params: dict[str, Any], name: str = "notes", **more: Any) -> Path:
    pq.write_table(table(), where / "d.parquet")
    data = {"uri": "d.parquet", "target": "sold", "features": {"text": ["note"]}, **more.pop("data", {})}
    path = where / "job.yaml"
    path.write_text(
        json.dumps({"name": name, "data": data, "model": {"estimator": estimator, "params": params}, **more})
    )
    return path


@pytest.mark.parametrize(
    ("estimator", "params", "least"),
    [
        ("sklearn.linear_model.LogisticRegression", {}, 0.85),
        ("xgboost.XGBClassifier", {"n_estimators": 40, "max_depth": 4}, 0.65),
        ("sklearn.ensemble.HistGradientBoostingClassifier", {"max_iter": 15}, 0.6),
    ],
)
def test_texts_tell_what_numbers_do_not(tmp_path: Path, estimator: str, params: dict[str, Any], least: float) -> None:
    """The score comes from the words; predictions on frames and files agree, with missing and unseen texts."""
    job = write(tmp_path, estimator, params)
    said = fitscale("train", job)
    assert said.code == 0, said.err
    run = tmp_path / "runs" / "notes"
    score = versions.manifest(run, 1).scores["roc_auc"]
    assert score is not None
    assert score > least
    new = table(1)
    new = new.set_column(2, "note", pa.array([None, "", "never seen before", *new.column("note").to_pylist()[3:]]))
    pq.write_table(new, tmp_path / "new.parquet")
    said = fitscale("predict", job, "--data", tmp_path / "new.parquet", "--out", tmp_path / "p.parquet", "--proba")
    assert said.code == 0, said.err
    found = pq.read_table(tmp_path / "p.parquet")
    model = library.open_run(run).model()
    np.testing.assert_array_equal(found.column("prediction").to_numpy(), model.predict(new.to_pandas()))
    assert folder.read_plan(run).shape.features > 256


def test_many_models_have_texts_too(tmp_path: Path) -> None:
    """One for each shop."""
    job = write(tmp_path, "sklearn.linear_model.LogisticRegression", {}, data={"groups": ["shop"]})
    said = fitscale("train", job)
    assert said.code == 0, said.err
    about = versions.manifest(tmp_path / "runs" / "notes", 1)
    assert about.models == 3
    assert (about.scores["roc_auc"] or 0) > 0.75


def test_what_cannot_have_hashed_texts_says_so(tmp_path: Path) -> None:
    """ONNX at plan; a Pipeline, whose steps do it themselves."""
    job = write(tmp_path, "xgboost.XGBClassifier", {"n_estimators": 3}, needs={"export": ["onnx"]})
    said = fitscale("plan", job)
    assert said.code == 3
    assert "cannot be exported to onnx: column 'note' is hashed text" in " ".join((said.out + said.err).split())
    steps = {"steps": [["m", {"sklearn.linear_model.LogisticRegression": {}}]]}
    said = fitscale("train", write(tmp_path, "sklearn.pipeline.Pipeline", steps, name="other"))
    assert said.code == 2
    assert "data.features.text: a Pipeline takes raw columns" in said.err
