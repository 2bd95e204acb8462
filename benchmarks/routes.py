"""A model for each of 3,167 flight routes: from the first worker's start to the committed version, against the bare fits.

Rows are cut by group before that. BENCH_PAIRS=3 rounds, BENCH_SCALE=0.1 fewer routes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from common import WORK, fitscale, job, measured, phases_of, python
from flightroutes import flights, minutes_of
from kept import Results, Row

ESTIMATOR = "lightgbm.LGBMRegressor"
PARAMS = {"n_estimators": 100, "max_depth": 6, "verbosity": -1}
WORKERS = 2


def main() -> None:
    results = Results("routes", ("round",))
    for number in range(1, int(os.environ.get("BENCH_PAIRS", "3")) + 1):
        results.row({"round": number}, lambda: one(data()))
    results.done("a model for each flight route")


def data() -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = flights()
    path = WORK / "data" / "routes.parquet"
    columns = [table.column("route"), pa.array(minutes_of(table)), table.column("distance"), table.column("delay")]
    pq.write_table(pa.table(columns, names=["key", "minutes", "distance", "y"]), path)
    return path


def one(path: Path) -> Row:
    bare = subprocess.run(
        python("plain/each.py", path, ESTIMATOR, json.dumps(PARAMS)), env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    plain = json.loads(bare.stdout.splitlines()[-1])
    document = {
        "data": {"uri": str(path), "target": "y", "groups": ["key"]},
        "evaluate": {"refit": False},
        "model": {"estimator": ESTIMATOR, "params": PARAMS},
    }
    run = WORK / "runs" / "routes"
    shutil.rmtree(run, ignore_errors=True)
    took = measured(fitscale("train", job("routes", document), "--run", run, "--no-report", "--choose", "many-models"))
    cut_s, fit_s = phases_of(run)
    shutil.rmtree(run)
    best = max(plain["cpu_s"] / WORKERS, plain["longest_s"])
    return {
        "routes": plain["fits"], "bare_fits_cpu_s": plain["cpu_s"], "longest_s": plain["longest_s"],
        "best_s": round(best, 2), "cut_s": round(cut_s, 2), "fit_s": round(fit_s, 2), "ratio": round(fit_s / best, 3),
        "wall_s": round(took.wall_s, 1), "peak_mb": round(took.peak_bytes / 1e6),
    }  # fmt: skip


if __name__ == "__main__":
    main()
