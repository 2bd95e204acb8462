"""Twelve workloads, fixed before the first measurement: what `plan` forecasts against what `train` then takes.

`train` begins in a folder of its own, and plans again: what it measures without going on from it is not refunded.
"""

from __future__ import annotations

import json
import math
import shutil
import statistics
import sys
from typing import Any

from common import WORK, committed_s, fitscale, flights, job, measured, table, write

SHAPES: dict[str, dict[str, Any]] = {
    "flights 1.5M x 29": {"kind": "flights", "rows": 1_500_000},
    "wide 300k x 200": {"uri": "synthetic://?rows=300000&columns=200&missing=0.05", "target": "y"},
    "long 4M x 20": {"uri": "synthetic://?rows=4000000&columns=20", "target": "y"},
}
# For each shape: parameters such that the run takes at least 30 s on two cores.
ESTIMATORS: dict[str, dict[str, Any]] = {
    "xgboost.XGBClassifier": {
        "flights 1.5M x 29": {"n_estimators": 200, "max_depth": 8},
        "wide 300k x 200": {"n_estimators": 150, "max_depth": 7},
        "long 4M x 20": {"n_estimators": 80, "max_depth": 8},
    },
    "sklearn.ensemble.HistGradientBoostingClassifier": {
        "flights 1.5M x 29": {"max_iter": 200, "early_stopping": False},
        "wide 300k x 200": {"max_iter": 80, "early_stopping": False},
        "long 4M x 20": {"max_iter": 60, "early_stopping": False},
    },
    "sklearn.ensemble.RandomForestClassifier": {
        "flights 1.5M x 29": {"n_estimators": 12, "max_depth": 16},
        "wide 300k x 200": {"n_estimators": 16, "max_depth": 14},
        "long 4M x 20": {"n_estimators": 8, "max_depth": 14},
    },
    "sklearn.linear_model.SGDClassifier": {
        "flights 1.5M x 29": {"loss": "log_loss", "max_iter": 30, "tol": None},
        "wide 300k x 200": {"loss": "log_loss", "max_iter": 60, "tol": None},
        "long 4M x 20": {"loss": "log_loss", "max_iter": 30, "tol": None},
    },
}


def main() -> None:
    rows = []
    for estimator, by_shape in ESTIMATORS.items():
        for shape, params in by_shape.items():
            rows.append(one(shape, estimator, params))
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    table("forecast before the run's own start against actual", rows)
    errors = sorted(abs(r["time_error_%"]) for r in rows)
    memory = sorted(abs(r["memory_error_%"]) for r in rows)
    summary = {
        "time_median_%": statistics.median(errors),
        "time_p90_%": errors[math.ceil(0.9 * len(errors)) - 1],
        "memory_median_%": statistics.median(memory),
        "not_refunded_within": all(r["not_refunded_s"] <= max(5.0, 0.05 * r["actual_s"]) for r in rows),
        "within_time_interval": sum(r["in_interval"] for r in rows),
        "workloads": len(rows),
    }
    print(summary)
    write("forecast", rows=rows, summary=summary, aim={"time_median_%": 15, "time_p90_%": 50, "memory_median_%": 12})


def one(shape: str, estimator: str, params: dict[str, Any]) -> dict[str, Any]:
    about = dict(SHAPES[shape])
    if about.pop("kind", "") == "flights":
        data = flights("tiled", "flights-1.5m", "--rows", about.pop("rows"))
        about = {"uri": str(data), "target": "late", "features": {"drop": ["tailnum", "source_row"]}}
    name = f"forecast-{estimator.rsplit('.', 1)[1]}-{shape.split()[0]}"
    path = job(name, {"data": about, "model": {"estimator": estimator, "params": params}})
    run = WORK / "runs" / name
    shutil.rmtree(run, ignore_errors=True)
    measured(fitscale("plan", path, "--run", run))
    plan = json.loads(sorted((run / "plans").glob("*.json"))[-1].read_text())
    shutil.rmtree(run)  # what probing kept must not shorten the run that it is compared with
    actual = measured(fitscale("train", path, "--run", run))
    own = json.loads(sorted((run / "plans").glob("*.json"))[-1].read_text())
    choice = own["decision"]["chosen"]["candidate"]["name"]
    decision = plan["decision"]
    forecasts = {a["candidate"]["name"]: a["forecast"] for a in (decision["chosen"], *decision["alternatives"])}
    forecast = forecasts[choice]  # where two are as good as each other, each command may take another
    lost_s = own["probing_s"]  # what `train` measured without going on from it
    # What is forecast ends with the committed version, and begins with the run's own start.
    actual = actual._replace(wall_s=committed_s(run, actual) - lost_s)
    events = [
        json.loads(line) for p in sorted(run.glob("attempts/*/memory.jsonl")) for line in p.read_text().splitlines()
    ]
    peak = max(event["data"]["peak"] for event in events)
    time_s, memory = forecast["time_s"], forecast["memory_bytes"]
    return {
        "workload": name.removeprefix("forecast-"),
        "choice": choice,
        "forecast_s": round(time_s["value"], 1),
        "interval_s": f"{time_s['low']:.0f}-{time_s['high']:.0f}",
        "actual_s": round(actual.wall_s, 1),
        "time_error_%": round(100 * (time_s["value"] / actual.wall_s - 1), 1),
        "in_interval": time_s["low"] <= actual.wall_s <= time_s["high"],
        "forecast_mb": round(memory["value"] / 1e6),
        "actual_mb": round(peak / 1e6),
        "memory_error_%": round(100 * (memory["value"] / peak - 1), 1),
        "chosen_by_plan": decision["chosen"]["candidate"]["name"],
        "not_refunded_s": lost_s,
        "plan_probing_s": plan["probing_s"],
        "source": forecast["source"],
    }


if __name__ == "__main__":
    main()
