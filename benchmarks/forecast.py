"""Workloads fixed before the first measurement: what `plan` forecasts against what `train` then takes.

`train` begins in a folder of its own, and plans again: what it measures without going on from it is not refunded.
BENCH_ONLY=main or names, BENCH_SCALE=0.01 for smaller rows, BENCH_KEEP=1 keeps the runs.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import statistics
from pathlib import Path
from typing import Any

from common import SCALE, WORK, committed_s, fitscale, job, measured
from kept import Results, Row
from workloads import WORKLOADS, Workload, data_of

MAIN = {workload.name for workload in WORKLOADS if workload.main}


def main() -> None:
    results = Results("forecast", ("workload", "asked"), order=[known(w) for w in WORKLOADS], summary=summaries)
    wanted = os.environ.get("BENCH_ONLY", "").split(",")
    for workload in WORKLOADS:
        if wanted == [""] or workload.name in wanted or (workload.main and "main" in wanted):
            results.row(known(workload), lambda workload=workload: one(workload))
    results.done("forecast before the run's own start against actual", leave=("asked", "source", "chosen_by_plan"))


def known(workload: Workload) -> Row:
    """A row is of one workload with the parameters that it has here."""
    asked = {"estimator": workload.estimator, "params": workload.params, "data": workload.data}
    return {"workload": workload.name, "asked": asked | ({"scale": SCALE} if SCALE != 1 else {})}


def summaries(rows: list[Row]) -> Row:
    of = {"main": [row for row in rows if row["workload"] in MAIN], "all": rows}
    return {name: _summary(some, {"main": 0.05, "all": 0.03}[name]) for name, some in of.items() if some}


def _summary(rows: list[Row], share: float) -> Row:
    """`share` of the time may be lost to what is measured without going on from it, or 5 s."""
    errors = sorted(abs(r["time_error_%"]) for r in rows)
    lost = [r["not_refunded_s"] for r in rows if r["not_refunded_s"] > max(5.0, share * r["actual_s"])]
    return {
        "workloads": len(rows),
        "time_median_%": round(statistics.median(errors), 1),
        "time_p90_%": errors[math.ceil(0.9 * len(errors)) - 1],
        "memory_median_%": round(statistics.median(abs(r["memory_error_%"]) for r in rows), 1),
        "more_not_refunded": len(lost),
        "within_time_interval_%": round(100 * statistics.mean(r["in_interval"] for r in rows)),
        "within_memory_interval_%": round(100 * statistics.mean(r["memory_in_interval"] for r in rows)),
    }


def one(workload: Workload) -> Row:
    with data_of(workload.data) as data:
        name = f"forecast-{workload.name}"
        about = {**data, **workload.columns}
        path = job(name, {"data": about, "model": {"estimator": workload.estimator, "params": workload.params}})
        run = WORK / "runs" / name
        shutil.rmtree(run, ignore_errors=True)
        chosen = ("--choose", workload.choose) if workload.choose else ()
        measured(fitscale("plan", path, "--run", run, *chosen))
        plan = last_plan(run)
        shutil.rmtree(run)  # what probing kept must not shorten the run that it is compared with
        actual = measured(fitscale("train", path, "--run", run, "--no-report", *chosen))
    try:
        return compared(plan, run, committed_s(run, actual))
    finally:
        if os.environ.get("BENCH_KEEP") != "1":
            shutil.rmtree(run, ignore_errors=True)


def compared(plan: dict[str, Any], run: Path, seconds: float) -> Row:
    """A plan's forecast of what a run then did, against what it took."""
    own = last_plan(run)
    choice = own["decision"]["chosen"]["candidate"]["name"]
    forecast = forecast_of(plan, choice)  # where two are as good as each other, each command may take another
    lost_s = own["probing_s"]  # what `train` measured without going on from it
    actual_s = seconds - lost_s  # what is forecast ends with the committed version, and begins with the run's own start
    peak = peak_of(run)
    memory = forecast["memory_bytes"]
    return {
        "choice": choice,
        **against(forecast, actual_s),
        "actual_mb": round(peak / 1e6),
        "memory_error_%": round(100 * (memory["value"] / peak - 1), 1),
        "memory_in_interval": memory["low"] <= peak <= memory["high"],
        "chosen_by_plan": plan["decision"]["chosen"]["candidate"]["name"],
        "not_refunded_s": lost_s,
        "plan_probing_s": plan["probing_s"],
        "source": forecast["source"],
    }


def against(forecast: dict[str, Any], actual_s: float) -> Row:
    """The time that was forecast against what it took, and the memory that was forecast."""
    time_s = forecast["time_s"]
    return {
        "forecast_s": round(time_s["value"], 1),
        "interval_s": f"{time_s['low']:.0f}-{time_s['high']:.0f}",
        "actual_s": round(actual_s, 1),
        "time_error_%": round(100 * (time_s["value"] / actual_s - 1), 1),
        "in_interval": time_s["low"] <= actual_s <= time_s["high"],
        "forecast_mb": round(forecast["memory_bytes"]["value"] / 1e6),
    }


def last_plan(run: Path) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads(sorted((run / "plans").glob("*.json"))[-1].read_text())
    return plan


def forecast_of(plan: dict[str, Any], candidate: str) -> dict[str, Any]:
    decision = plan["decision"]
    found = [decision["chosen"], *decision["alternatives"], *(r for r in decision["refused"] if r["forecast"])]
    forecasts = {assessed["candidate"]["name"]: assessed["forecast"] for assessed in found}
    forecast: dict[str, Any] = forecasts[candidate]
    return forecast


def peak_of(run: Path) -> int:
    """The highest anonymous memory of the run's workers together, as their supervisor saw it."""
    lines = (line for path in run.glob("attempts/*/memory.jsonl") for line in path.read_text().splitlines())
    return max(int(json.loads(line)["data"]["peak"]) for line in lines)


if __name__ == "__main__":
    main()
