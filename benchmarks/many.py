"""1,141 models: `fitscale train` against the sum of the bare fits' CPU seconds, partition and store included."""

from __future__ import annotations

import os
import shutil
import sys

from common import ROOT, WORK, fitscale, flights, job, measured, median, table, write

PARAMS = {"n_estimators": 100, "max_depth": 4, "learning_rate": 0.05}


def main() -> None:
    pairs = int(os.environ.get("BENCH_PAIRS", "3"))
    data = flights("joined", "flights.parquet")
    path = job("many", {
        "data": {"uri": str(data), "target": "late", "groups": ["dest", "hour"], "features": {"drop": ["tailnum"]}},
        "evaluate": {"holdout": "20%", "metric": "roc_auc"},
        "model": {"estimator": "xgboost.XGBClassifier", "params": PARAMS},
    })  # fmt: skip
    plain, ours = [], []
    script = [sys.executable, str(ROOT / "examples" / "plain" / "thousand.py"), str(data)]
    for _ in range(pairs):
        plain.append(measured(script, env={"OMP_NUM_THREADS": "1", "BENCH_OUT": str(WORK / "plain-many")}))
        run = WORK / "runs" / "many"
        shutil.rmtree(run, ignore_errors=True)
        ours.append(measured(fitscale("train", path, "--run", run, "--choose", "many-models")))
    rows = [
        {
            "pair": i,
            "plain_cpu_s": round(a.cpu_s, 2),
            "floor_s": round(a.cpu_s / 2, 2),
            "allowed_s": round(1.10 * a.cpu_s / 2 + 3, 2),
            "fitscale_s": round(b.wall_s, 2),
            "fitscale_cpu_s": round(b.cpu_s, 2),
        }
        for i, (a, b) in enumerate(zip(plain, ours, strict=True), 1)
    ]
    table("many: 1,141 groups, one thread for each worker", rows)
    write("many", pairs=pairs, rows=rows, over_floor=median([r["fitscale_s"] / r["floor_s"] for r in rows]),
          within=all(r["fitscale_s"] <= r["allowed_s"] for r in rows))  # fmt: skip


if __name__ == "__main__":
    main()
