"""Many columns: 20,000 rows of 10,000 and of 20,000 columns, dense, and 1,000,000 rows of 100,000, sparse.

Boosting and a linear model, a few rounds each: what `plan` forecasts of memory and time against what `train` then takes.
BENCH_ONLY names of cases, BENCH_SCALE=0.01 smaller rows, BENCH_KEEP=1 keeps the sparse file.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from common import SCALE, WORK, committed_s, fitscale, job, measured
from forecast import compared, last_plan
from kept import Results, Row
from workloads import scaled, words

MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "xgboost": ("xgboost.XGBClassifier", {"n_estimators": 6, "max_depth": 4}),
    "sgd": ("sklearn.linear_model.SGDClassifier", {"loss": "log_loss", "max_iter": 5, "tol": None}),
}
DENSE = {"20k x 10k": (20_000, 10_000), "20k x 20k": (20_000, 20_000)}
SPARSE = {"1M x 100k sparse": (1_000_000, 100_000)}


def main() -> None:
    results = Results("wide", ("case", "model"))
    wanted = [name for name in os.environ.get("BENCH_ONLY", "").split(",") if name]
    for case, (rows, columns) in {**DENSE, **SPARSE}.items():
        known = [{"case": case + (f" × {SCALE:g}" if SCALE != 1 else ""), "model": model} for model in MODELS]
        if (wanted and case not in wanted) or all(results.kept(row) for row in known):
            continue
        path = None
        if case in SPARSE:
            path = words(WORK / "wide.svm", scaled(rows), max(1_000, int(columns * min(1.0, 10 * SCALE))))
            data = {"uri": str(path), "target": "label"}
        else:
            columns = max(50, int(columns * min(1.0, 10 * SCALE)))
            data = {"uri": f"synthetic://?rows={scaled(rows)}&columns={columns}&categorical=0", "target": "y"}
        for row in known:
            results.row(row, lambda row=row, data=data: one(data, row["model"]))
        _remove(path)
    results.done("wide: forecast against actual", leave=("source", "chosen_by_plan"))


def one(data: dict[str, Any], model: str) -> Row:
    estimator, params = MODELS[model]
    path = job(f"wide-{model}", {"data": data, "model": {"estimator": estimator, "params": params}})
    run = WORK / "runs" / f"wide-{model}"
    shutil.rmtree(run, ignore_errors=True)
    measured(fitscale("plan", path, "--run", run))
    plan = last_plan(run)
    shutil.rmtree(run)
    took = measured(fitscale("train", path, "--run", run, "--no-report"))
    row = compared(plan, run, committed_s(run, took)) | {"command_mb": round(took.peak_bytes / 1e6)}
    shutil.rmtree(run)
    return row


def _remove(path: Path | None) -> None:
    if path is not None and os.environ.get("BENCH_KEEP") != "1":
        path.unlink()


if __name__ == "__main__":
    main()
