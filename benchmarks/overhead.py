"""`fitscale train` from its start to the committed model, against the plain script to its saved model: time and memory.

Each strategy takes its turn beside the script, round by round; the architecture is given by --choose, so nothing is probed.
Once, the same model is fitted by the bare library on the same rows in the same order: its predictions must be the same.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from common import WORK, Measured, committed_s, fitscale, flights, job, measured, median, python, table, write

ROWS = 3_000_000
JOBS: dict[str, dict[str, Any]] = {
    # Rounds such that the script takes 60 to 120 s on two cores.
    "xgboost": {
        "rounds": 160,
        "strategies": ("in-memory", "quantised", "out-of-core"),
        "model": {
            "estimator": "xgboost.XGBClassifier",
            "params": {"n_estimators": 160, "max_depth": 8, "learning_rate": 0.1},
        },
    },
    "hgb": {
        "rounds": 300,
        "strategies": ("in-memory",),
        "model": {
            "estimator": "sklearn.ensemble.HistGradientBoostingClassifier",
            "params": {"max_iter": 300, "early_stopping": False},
        },
    },
}
BESIDE = 2  # rounds of the strategies whose time is only shown beside
AIM = {"wall_ratio in-memory": 1.05, "memory_ratio": {"in-memory": 1.0, "quantised": 0.65, "out-of-core": 0.25}}


def main() -> None:
    pairs = int(os.environ.get("BENCH_PAIRS", "5"))
    wanted = os.environ.get("BENCH_JOBS", ",".join(JOBS)).split(",")
    data = flights("tiled", f"flights-{ROWS // 1_000_000}m", "--rows", ROWS)
    rows = [row for name in wanted for row in _job(name, JOBS[name], data, pairs)]
    table(f"overhead, {ROWS:,} rows, median of {pairs} rounds", rows)
    write("overhead", rows_of_data=ROWS, pairs=pairs, rows=rows, aim=AIM)


def _job(name: str, about: dict[str, Any], data: Path, pairs: int) -> list[dict[str, Any]]:
    path = job(f"overhead-{name}", {
        "data": {"uri": str(data), "target": "late", "features": {"drop": ["tailnum", "source_row"]}},
        "evaluate": {"holdout": "20%", "metric": "roc_auc"},
        "model": about["model"],
    })  # fmt: skip
    plain: list[Measured] = []
    ours: dict[str, list[Measured]] = {strategy: [] for strategy in about["strategies"]}
    for number in range(pairs):
        plain.append(measured(python("plain/boost.py", name, data, about["rounds"], WORK / f"plain-{name}")))
        for strategy in ours:
            if strategy != "in-memory" and number >= BESIDE:
                continue
            run = WORK / "runs" / f"overhead-{name}-{strategy}"
            shutil.rmtree(run, ignore_errors=True)
            whole = measured(fitscale("train", path, "--run", run, "--choose", strategy))
            ours[strategy].append(whole._replace(wall_s=committed_s(run, whole)))
    return [
        {
            "job": name,
            "strategy": strategy,
            "pairs": len(runs),
            "plain_s": median([m.wall_s for m in plain]),
            "fitscale_s": median([m.wall_s for m in runs]),
            "wall_ratio": median([a.wall_s / b.wall_s for a, b in zip(runs, plain, strict=False)]),
            "cpu_ratio": median([a.cpu_s / b.cpu_s for a, b in zip(runs, plain, strict=False)]),
            "plain_mb": median([m.peak_bytes / 1e6 for m in plain]),
            "fitscale_mb": median([m.peak_bytes / 1e6 for m in runs]),
            "memory_ratio": median([a.peak_bytes / b.peak_bytes for a, b in zip(runs, plain, strict=False)]),
            "largest_difference": _difference(WORK / "runs" / f"overhead-{name}-{strategy}"),
        }
        for strategy, runs in ours.items()
    ]


def _difference(run: Path) -> float:
    """Between the held-out probabilities of the run and those of the bare library on the run's own rows."""
    done = subprocess.run(python("plain/same.py", run), capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)["largest"])


if __name__ == "__main__":
    main()
