"""Regressions of many groups: at once or one by one, the same; what is wrong with a group costs that group."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from doing import trained

from fitscale.models.opened import Run


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty groups of 1 to 200 rows; with a category, missing values, weights, and groups that cannot be fitted."""
    rng = np.random.default_rng(0)
    n = 4_000
    shop = np.minimum((rng.random(n) ** 2 * 60).astype(int), 58)
    price = rng.lognormal(2, 0.5, n)
    town = rng.choice(["a", "b", "c"], n)
    sold = 3 * price + (town == "b") * 5 + shop + rng.normal(size=n)
    weight = rng.exponential(size=n)
    price[shop == 12] = np.inf
    sold[np.flatnonzero(shop == 13)[:1]] = np.nan
    weight[shop == 14] = 0.0
    weight[np.flatnonzero(shop == 15)[:1]] = -1.0
    gone = rng.random(n) < 0.05
    columns = {
        "shop": np.append(shop, 59),
        "price": pa.array(np.append(price, 1.0), mask=np.append(gone, False)),
        "town": np.append(town, "a"),
        "sold": pa.array(np.append(sold, 1.0), from_pandas=True),
        "w": np.append(weight, 1.0),
    }
    path = tmp_path_factory.mktemp("shops") / "shops.parquet"
    pq.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize(
    ("estimator", "params"), [("batched.Ridge", {"alpha": 2.0}), ("batched.Linear", {}), ("batched.Mean", {})]
)
def test_at_once_or_one_by_one_it_is_the_same(
    shops: Path, tmp_path: Path, estimator: str, params: dict[str, Any]
) -> None:
    """Models, predictions, scores and reasons, byte by byte."""
    document = {
        "name": "shops",
        "data": {"uri": str(shops), "target": "sold", "groups": ["shop"], "weight": "w"},
        "evaluate": {"holdout": "25%"},
        "model": {"estimator": estimator, "params": params},
        "needs": {"max_failed": 10},
    }
    runs = {}
    for choose in ("batched-models", "many-models"):
        runs[choose] = tmp_path / choose
        trained(document, runs[choose], choose)
    one, other = (pq.read_table(run / "versions" / "1" / "index.parquet") for run in runs.values())
    assert one.drop_columns(["file", "offset"]).equals(other.drop_columns(["file", "offset"]))
    assert Run(runs["batched-models"]).fitted()[1] == Run(runs["many-models"]).fitted()[1]
    why = {row["shop"]: (row["status"], row["why"]) for row in one.to_pylist() if row["why"]}
    assert set(why) == {12, 13, 14, 15, 59}
    assert why[12][0] == "failed"
    assert "'price' is infinite" in why[12][1]
    assert "missing in 1 rows" in why[13][1]
    assert why[14] == ("unfit", f"data.weight is 0 in all {one.to_pylist()[14]['n_train']} training rows")
    assert "negative" in why[15][1]
    assert why[59][0] == "unfit"


def test_a_model_predicts_raw_rows(shops: Path, tmp_path: Path) -> None:
    """By key, with the encoding of the run."""
    document = {
        "name": "shops",
        "data": {"uri": str(shops), "target": "sold", "groups": ["shop"], "features": {"drop": ["w"]}},
        "model": {"estimator": "batched.Ridge", "params": {"alpha": 0.1}},
        "needs": {"max_failed": 10},
    }
    trained(document, tmp_path / "run")
    run = Run(tmp_path / "run")
    assert run.plan.decision.chosen is not None
    told = run.model(3).predict({"price": [10.0, 20.0], "town": ["a", "b"]})
    assert told[0] == pytest.approx(33, abs=2)
    assert told[1] == pytest.approx(68, abs=2)
