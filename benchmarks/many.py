"""1,141 models: `fitscale train`, to its committed version, against the CPU seconds of the bare fits; all cores for both."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from common import WORK, committed_s, fitscale, flights, job, median, python, table, timed, write

PARAMS = {"n_estimators": 100, "max_depth": 4, "learning_rate": 0.05}


def main() -> None:
    pairs = int(os.environ.get("BENCH_PAIRS", "3"))
    data = flights("joined", "flights.parquet")
    path = job("many", {
        "data": {"uri": str(data), "target": "late", "groups": ["dest", "hour"], "features": {"drop": ["tailnum"]}},
        "evaluate": {"holdout": "20%", "metric": "roc_auc"},
        "model": {"estimator": "xgboost.XGBClassifier", "params": PARAMS},
    })  # fmt: skip
    rows = []
    for pair in range(1, pairs + 1):
        bare = bare_fits(data)
        run = WORK / "runs" / "many"
        shutil.rmtree(run, ignore_errors=True)
        ours = timed(fitscale("train", path, "--run", run, "--choose", "many-models"))
        rows.append({
            "pair": pair,
            "bare_fits_cpu_s": round(bare, 2),
            "floor_s": round(bare / 2, 2),
            "allowed_s": round(1.10 * bare / 2 + 3, 2),
            "fitscale_s": round(committed_s(run, ours), 2),
            "with_report_s": round(ours.wall_s, 2),
            "fitscale_cpu_s": round(ours.cpu_s, 2),
        })  # fmt: skip
    table("many: 1,141 groups, one thread for each worker", rows)
    write("many", pairs=pairs, rows=rows, over_floor=median([r["fitscale_s"] / r["floor_s"] for r in rows]),
          within=all(r["fitscale_s"] <= r["allowed_s"] for r in rows))  # fmt: skip


def bare_fits(data: Path) -> float:
    """CPU seconds of the same fits by the bare library, in a loop."""
    argv = python("plain/groups.py", data)
    done = subprocess.run(argv, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)["cpu_s"])


if __name__ == "__main__":
    main()
