"""`fitscale train` from its start to the committed model, against the plain script to its saved model."""

from __future__ import annotations

import os
import shutil
from typing import Any

from common import WORK, fitscale, flights, job, measured, median, python, table, write

ROWS = 3_000_000
JOBS: dict[str, dict[str, Any]] = {
    # Rounds such that the script takes 60 to 120 s on two cores.
    "xgboost": {
        "rounds": 110,
        "model": {
            "estimator": "xgboost.XGBClassifier",
            "params": {"n_estimators": 110, "max_depth": 8, "learning_rate": 0.1},
        },
    },
    "hgb": {
        "rounds": 60,
        "model": {
            "estimator": "sklearn.ensemble.HistGradientBoostingClassifier",
            "params": {"max_iter": 60, "early_stopping": False},
        },
    },
}


def main() -> None:
    pairs = int(os.environ.get("BENCH_PAIRS", "5"))
    data = flights("tiled", f"flights-{ROWS // 1_000_000}m", "--rows", ROWS)
    rows = []
    for name, about in JOBS.items():
        path = job(f"overhead-{name}", {
            "data": {"uri": str(data), "target": "late", "features": {"drop": ["tailnum", "source_row"]}},
            "evaluate": {"holdout": "20%", "metric": "roc_auc"},
            "model": about["model"],
        })  # fmt: skip
        ours, plain = [], []
        for _ in range(pairs):
            plain.append(measured(python("plain/boost.py", name, data, about["rounds"], WORK / f"plain-{name}")))
            run = WORK / "runs" / f"overhead-{name}"
            shutil.rmtree(run, ignore_errors=True)
            ours.append(measured(fitscale("train", path, "--run", run, "--choose", "in-memory")))
        rows.append({
            "job": name,
            "plain_s": median([m.wall_s for m in plain]),
            "fitscale_s": median([m.wall_s for m in ours]),
            "wall_ratio": median([a.wall_s / b.wall_s for a, b in zip(ours, plain, strict=True)]),
            "cpu_ratio": median([a.cpu_s / b.cpu_s for a, b in zip(ours, plain, strict=True)]),
            "plain_mb": median([m.peak_bytes / 1e6 for m in plain]),
            "fitscale_mb": median([m.peak_bytes / 1e6 for m in ours]),
            "memory_ratio": median([a.peak_bytes / b.peak_bytes for a, b in zip(ours, plain, strict=True)]),
        })  # fmt: skip
    table(f"overhead, {ROWS:,} rows, median of {pairs} pairs", rows)
    write("overhead", rows_of_data=ROWS, pairs=pairs, rows=rows, aim={"wall_ratio": 1.05, "memory_ratio": 1.0})


if __name__ == "__main__":
    main()
