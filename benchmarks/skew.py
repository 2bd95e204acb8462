"""3,000 groups of which the largest has ten thousand times the rows of the smallest: the makespan, against the best there is.

That is half of the bare fits' CPU seconds, or the longest of them. BENCH_PAIRS=3 rounds, BENCH_SCALE=0.1 smaller groups.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
from common import SCALE, WORK, fitscale, job, journal_of, measured, python
from kept import Results, Row

GROUPS, LARGEST, SMALLEST, COLUMNS = 3_000, 400_000, 40, 10
ESTIMATOR = "xgboost.XGBRegressor"
PARAMS = {"n_estimators": 50, "max_depth": 4}
WORKERS = 2


def main() -> None:
    results = Results("skew", ("round",))
    for number in range(1, int(os.environ.get("BENCH_PAIRS", "3")) + 1):
        results.row({"round": number}, lambda: one(data()))
    results.done("groups of 40 to 400,000 rows")


def data() -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = WORK / "data" / f"skew-{SCALE:g}.parquet"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    sizes = np.maximum(SMALLEST, LARGEST * SCALE / np.arange(1, GROUPS + 1) ** 1.1).astype(np.int64)
    rng = np.random.default_rng(0)
    key = np.repeat(rng.permutation(GROUPS), sizes)[rng.permutation(int(sizes.sum()))]
    X = rng.standard_normal((len(key), COLUMNS), dtype=np.float32)
    y = X[:, 0] * np.sin(key) + X[:, 1] * X[:, 2] + rng.standard_normal(len(key))
    columns = {f"x{k}": X[:, k] for k in range(COLUMNS)}
    pq.write_table(pa.table({"key": key, **columns, "y": y}), path)
    return path


def one(path: Path) -> Row:
    env = {"OMP_NUM_THREADS": "1"}
    bare = subprocess.run(
        python("plain/each.py", path, ESTIMATOR, json.dumps(PARAMS)), env={**os.environ, **env}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    plain = json.loads(bare.stdout)
    document = {
        "data": {"uri": str(path), "target": "y", "groups": ["key"]},
        "model": {"estimator": ESTIMATOR, "params": PARAMS},
    }
    run = WORK / "runs" / "skew"
    shutil.rmtree(run, ignore_errors=True)
    measured(fitscale("train", job("skew", document), "--run", run, "--no-report", "--choose", "many-models"))
    events = journal_of(run)
    starts = {e["attempt"]: e["at"] for e in events if e["kind"] == "attempt-started" and e["order"] == "groups"}
    makespan = sum(
        e["at"] - starts[e["attempt"]] for e in events if e["kind"] == "attempt-ended" and e["attempt"] in starts
    )
    shutil.rmtree(run)
    best = max(plain["cpu_s"] / WORKERS, plain["longest_s"])
    return {
        "bare_fits_cpu_s": plain["cpu_s"], "longest_s": plain["longest_s"], "best_s": round(best, 2),
        "makespan_s": round(makespan, 2), "ratio": round(makespan / best, 3),
    }  # fmt: skip


if __name__ == "__main__":
    main()
