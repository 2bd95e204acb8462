"""Anonymous memory of each strategy for one job, against the plain script, with the wall time beside it."""

from __future__ import annotations

import os
import shutil

from common import WORK, fitscale, flights, job, measured, median, python, table, write
from overhead import JOBS, ROWS

ROUNDS = 30
AIMS = {"in-memory": 1.0, "quantised": 0.65, "out-of-core": 0.25}


def main() -> None:
    pairs = int(os.environ.get("BENCH_PAIRS", "3"))
    data = flights("tiled", f"flights-{ROWS // 1_000_000}m", "--rows", ROWS)
    model = JOBS["xgboost"]["model"]
    path = job("memory", {
        "data": {"uri": str(data), "target": "late", "features": {"drop": ["tailnum", "source_row"]}},
        "evaluate": {"holdout": "20%", "metric": "roc_auc"},
        "model": {**model, "params": {**model["params"], "n_estimators": ROUNDS}},
    })  # fmt: skip
    plain, ours = [], {name: [] for name in AIMS}
    for _ in range(pairs):
        plain.append(measured(python("plain/boost.py", "xgboost", data, ROUNDS, WORK / "plain-memory")))
        for name in AIMS:
            run = WORK / "runs" / f"memory-{name}"
            shutil.rmtree(run, ignore_errors=True)
            ours[name].append(measured(fitscale("train", path, "--run", run, "--choose", name)))
    rows = [
        {
            "strategy": name,
            "mb": median([m.peak_bytes / 1e6 for m in runs]),
            "memory_ratio": median([a.peak_bytes / b.peak_bytes for a, b in zip(runs, plain, strict=True)]),
            "aim": AIMS.get(name, 1.0),
            "s": median([m.wall_s for m in runs]),
            "wall_ratio": median([a.wall_s / b.wall_s for a, b in zip(runs, plain, strict=True)]),
        }
        for name, runs in {"plain script": plain, **ours}.items()
    ]
    table(f"memory, {ROWS:,} rows, {ROUNDS} rounds, median of {pairs}", rows)
    write("memory", rows_of_data=ROWS, rounds=ROUNDS, pairs=pairs, rows=rows)


if __name__ == "__main__":
    main()
