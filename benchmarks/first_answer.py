"""How soon does `fitscale plan` answer, and how wide: a folder of 10 GB of Parquet with 20 columns, in no page cache.

BENCH_GB=10 the folder's size, BENCH_TRAIN=1 trains too and says whether the actual lay within the interval (long),
BENCH_ONLY=xgboost,sgd, BENCH_DATA where the table goes, BENCH_KEEP=1 keeps it.
"""

from __future__ import annotations

import os
import shutil

import tables
from common import WORK, committed_s, fitscale, job, measured
from forecast import last_plan, peak_of
from kept import Results, Row

COLUMNS = 20
MODELS = {
    "xgboost": {"estimator": "xgboost.XGBClassifier", "params": {"n_estimators": 30, "max_depth": 6}},
    "sgd": {
        "estimator": "sklearn.linear_model.SGDClassifier",
        "params": {"loss": "log_loss", "shuffle": False, "tol": None, "max_iter": 2},
    },
}


def main() -> None:
    gigabytes = float(os.environ.get("BENCH_GB", "10"))
    train = os.environ.get("BENCH_TRAIN") == "1"
    rows = int(gigabytes * 1e9 / (4 * COLUMNS))
    wanted = [name for name in os.environ.get("BENCH_ONLY", "").split(",") if name]
    results = Results("first_answer", ("model", "gb"))
    for name in MODELS:
        known = {"model": name, "gb": gigabytes}
        if wanted and name not in wanted:
            continue
        there = results.kept(known)
        if there is None or (train and "actual_s" not in there):
            results.tried(name, lambda known=known: results.put({**known, **one(known["model"], rows, train=train)}))
    tables.remove(tables.path_of(rows, COLUMNS))
    results.done("first answer")


def one(name: str, rows: int, *, train: bool) -> Row:
    data = tables.synthetic(rows, COLUMNS)
    path = job(f"first-{name}", {"data": {"uri": str(data), "target": "y"}, "model": MODELS[name]})
    run = WORK / "runs" / f"first-{name}"
    shutil.rmtree(run, ignore_errors=True)
    tables.forget(data)
    asked = measured(fitscale("plan", path, "--run", run))
    plan = last_plan(run)
    chosen = plan["decision"]["chosen"]
    time_s, choice = chosen["forecast"]["time_s"], chosen["candidate"]["name"]
    row = {
        "rows": rows,
        "plan_s": round(asked.wall_s, 1),
        "plan_mb": round(asked.peak_bytes / 1e6),
        "choice": choice,
        "forecast_s": round(time_s["value"], 1),
        "interval_s": f"{time_s['low']:.0f}-{time_s['high']:.0f}",
        "upper_by_lower": round(time_s["high"] / time_s["low"], 2),
        "source": chosen["forecast"]["source"],
    }
    shutil.rmtree(run)
    if train:
        took = measured(fitscale("train", path, "--run", run, "--no-report", "--choose", choice))
        actual_s = committed_s(run, took) - last_plan(run)["probing_s"]
        row |= {
            "actual_s": round(actual_s, 1),
            "in_interval": time_s["low"] <= actual_s <= time_s["high"],
            "actual_mb": round(peak_of(run) / 1e6),
        }
        shutil.rmtree(run)
    return row


if __name__ == "__main__":
    main()
