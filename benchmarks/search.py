"""Tuning within a budget, beside a plain default of the same budget: the score of each on the same held-out rows.

Three ways on each table: the library's defaults; the defaults with as many rounds as the budget pays for by the pace of the first
(early stopping would end them: what more of the same is worth); `search` within the budget. BENCH_SCALE=0.02 in seconds.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

from common import SCALE, WORK, fitscale, flights, job, measured
from kept import Results, Row

BUDGET_S = 300.0
LEAST_S = 5.0
LIGHT = {"estimator": "lightgbm.LGBMClassifier"}
CASES: dict[str, dict[str, Any]] = {
    "flights": {"data": {"target": "late"}, "model": LIGHT},
    "classes": {
        "data": {"uri": "synthetic://?rows={rows}&columns=30&categorical=4&missing=0.1&signal=0.3", "target": "y"},
        "model": LIGHT,
    },
    "numbers": {
        "data": {"uri": "synthetic://?rows={rows}&columns=20&classes=0&signal=0.3", "target": "y"},
        "model": {"estimator": "lightgbm.LGBMRegressor"},
    },
}
ROWS = 200_000
DEFAULT_ROUNDS = 100


def main() -> None:
    results = Results("search", ("data",))
    for name, case in CASES.items():
        results.row({"data": name}, partial(one, name, case))
    results.done("tuned against a plain default of the same budget")


def one(name: str, case: dict[str, Any]) -> Row:
    budget_s = max(LEAST_S, BUDGET_S * SCALE)
    document = located(name, case)
    plain, seconds = trained(f"{name}-plain", document, {})
    # What starting, reading and scoring take is taken for no more than half of the first run.
    rounds = max(DEFAULT_ROUNDS, round(DEFAULT_ROUNDS * budget_s / max(0.5, seconds / 2)))
    more, more_s = trained(f"{name}-more", document, {"params": {"n_estimators": rounds}})
    tuned, tuned_s = trained(f"{name}-tuned", document, {"search": {"budget": budget_s}})
    found = tuned["searched"]["found"][0]
    return {
        "metric": plain["metric"], "budget_s": budget_s, "plain": plain["score"], "rounds": rounds, "more": more["score"],
        "tuned": tuned["score"], "trials": found["trials"], "on_all_rows": found["done"], "better": found["better"],
        "thought": found["better_by"]["value"] if found["better_by"] else None,
        "plain_s": round(seconds, 1), "more_s": round(more_s, 1), "tuned_s": round(tuned_s, 1),
    }  # fmt: skip


def located(name: str, case: dict[str, Any]) -> dict[str, Any]:
    rows = max(5_000, int(ROWS * SCALE))
    if name == "flights":
        path = flights("joined", "flights.parquet")
        data = {"uri": str(path), **case["data"], **({"use": max(0.01, SCALE)} if SCALE < 1 else {})}
        return {**case, "data": data}
    return {**case, "data": {**case["data"], "uri": case["data"]["uri"].format(rows=rows)}}


def trained(name: str, document: dict[str, Any], changes: dict[str, Any]) -> tuple[dict[str, Any], float]:
    """(what the command says as a record, its wall seconds)."""
    run = WORK / "runs" / name
    shutil.rmtree(run, ignore_errors=True)
    path = job(name, {**document, "model": {**document["model"], **changes}})
    took = measured(fitscale("train", path, "--run", run, "--no-report", "--quiet"))
    said = summary(path, run)
    shutil.rmtree(run)
    return said, took.wall_s


def summary(path: Path, run: Path) -> dict[str, Any]:
    """Of the finished version: there is nothing to do any more."""
    done = subprocess.run(
        fitscale("train", path, "--run", run, "--no-report", "--json"), capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
