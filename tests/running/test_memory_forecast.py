"""Memory that grows with the number of rounds: what the forecast says of it, and what a run really holds."""

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

from fitscale.running.actual import actual_of

ROWS, COLUMNS = 20_000, 12
MODELS = {
    "xgboost": ("xgboost.XGBRegressor", "n_estimators", {"max_depth": 8}),
    "lightgbm": ("lightgbm.LGBMRegressor", "n_estimators", {"num_leaves": 255}),
    "sklearn": ("sklearn.ensemble.HistGradientBoostingRegressor", "max_iter", {"max_leaf_nodes": 255}),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rounds")
    X = np.random.default_rng(0).standard_normal((COLUMNS, ROWS), dtype=np.float32)
    noise = np.random.default_rng(1).standard_normal(ROWS)
    pq.write_table(
        pa.table({f"x{i}": X[i] for i in range(COLUMNS)} | {"y": X[0] * X[1] + noise}), folder / "rows.parquet"
    )
    return folder


@pytest.mark.parametrize("rounds", [40, 200])
@pytest.mark.parametrize("of", MODELS)
def test_the_forecast_knows_what_the_rounds_add(
    folder: Path, monkeypatch: pytest.MonkeyPatch, of: str, rounds: int
) -> None:
    """With many checkpoints, each of which holds the model a second time: within a quarter of the forecast."""
    monkeypatch.setenv("FITSCALE_CHECKPOINT_S", "0.1")
    estimator, units, params = MODELS[of]
    document: dict[str, Any] = {
        "name": of,
        "data": {"uri": "rows.parquet", "target": "y"},
        "evaluate": {"holdout": "10%"},
        "model": {"estimator": estimator, "params": {units: rounds, **params}},
    }
    run = folder / f"{of}-{rounds}"
    plan = trained(document, run, "in-memory", cores=1).plan
    actual = actual_of(run, 1)
    assert plan is not None
    assert plan.decision.chosen is not None
    assert actual is not None
    forecast = plan.decision.chosen.forecast.memory_bytes
    assert actual.peak_bytes / forecast.value == pytest.approx(1, abs=0.25), f"{actual.peak_bytes:,} of {forecast}"
