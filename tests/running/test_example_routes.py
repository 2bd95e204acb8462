"""The example of flight routes, on few flights that are made up: each route has a model, its own or that of its origin."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent))
from killing import train

from fitscale.models.opened import Run

EXAMPLE = Path(__file__).parents[2] / "examples" / "routes"
AIRPORTS = ["ATL", "LAS", "MCI", "PHL", "SAV"]


def flights() -> pa.Table:
    """As the fetched ones are: types and names; from the last airport there are few."""
    rng = np.random.default_rng(0)
    pairs = [(a, b) for a in range(5) for b in range(5) if a != b]
    sizes = [1 if b == 4 or a == 4 else 120 for a, b in pairs]
    origin, destination = (np.repeat([pair[k] for pair in pairs], sizes) for k in (0, 1))
    n = len(origin)
    minutes = rng.integers(0, 60 * 24 * 90, n)
    at = np.datetime64("2001-01-01", "us") + minutes * np.timedelta64(60, "s")
    names = pa.array(AIRPORTS, pa.large_string())
    return pa.table({
        "date": at, "delay": (10 * origin + minutes % 1_440 / 60 + rng.normal(0, 5, n)).astype(np.int64),
        "distance": 100 * (origin + destination), "origin": names.take(pa.array(origin)),
        "destination": names.take(pa.array(destination)),
    }).take(pa.array(rng.permutation(n)))  # fmt: skip


def test_each_route_has_a_model(tmp_path: Path) -> None:
    for name in ("routes.yaml", "routes.py"):
        shutil.copy(EXAMPLE / name, tmp_path / name)
    pq.write_table(flights(), tmp_path / "flights.parquet")
    code, said = train(tmp_path / "routes.yaml", tmp_path / "run")
    assert code == 0, said
    run = Run(tmp_path / "run")
    assert (run.manifest.models, run.manifest.failed, run.manifest.unfit) == (20, 0, 0)
    small = run.models("kind = 'parent'")
    assert small.num_rows == run.manifest.fallback == 8
    said_of = {(row["origin"], row["destination"]): row["why"] for row in small.to_pylist()}
    assert said_of["ATL", "SAV"].endswith("has the model of origin=ATL")
    assert said_of["SAV", "ATL"].endswith("has the model of all groups") or "origin=SAV" in said_of["SAV", "ATL"]
