"""A billion rows × 25 columns, made as they are read: one pass of a linear model under 2 GB, killed once, and gone on.

The command is ended by SIGKILL when half of the batches are done, and given again. What it took is the time of both,
what had to be done again included; the forecast is of a run that nobody kills. BENCH_ROWS=1000000000, BENCH_HOLDOUT=1%.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from common import ROOT, WORK, Failed, fitscale, job, last_log, measured
from forecast import against, forecast_of, last_plan, peak_of
from kept import Results, Row
from tables import UNIT

sys.path.insert(0, str(ROOT / "tests" / "running"))

COLUMNS, LIMIT_MB = 25, 2_000


def main() -> None:
    rows = int(float(os.environ.get("BENCH_ROWS", "1e9")))
    holdout = os.environ.get("BENCH_HOLDOUT", "1%")
    results = Results("billion", ("rows", "holdout"), columns=COLUMNS)
    results.row({"rows": rows, "holdout": holdout}, lambda: one(rows, holdout))
    results.done(f"{rows:,} rows x {COLUMNS}")


def one(rows: int, holdout: str) -> Row:
    params = {"loss": "log_loss", "shuffle": False, "tol": None, "max_iter": 1}
    path = job("billion", {
        "data": {"uri": f"synthetic://?rows={rows}&columns={COLUMNS}&categorical=0", "target": "y"},
        "evaluate": {"holdout": holdout, "metric": "roc_auc"},
        "model": {"estimator": "sklearn.linear_model.SGDClassifier", "params": params},
        "where": [{"local": {"memory": f"{LIMIT_MB} MB"}}],
    })  # fmt: skip
    run = WORK / "runs" / "billion"
    shutil.rmtree(run, ignore_errors=True)
    choose = ("--choose", "out-of-core")
    asked = measured(fitscale("plan", path, "--run", run, *choose))
    plan = last_plan(run)
    shutil.rmtree(run)
    command = fitscale("train", path, "--run", run, "--no-report", *choose)
    training = rows * (1 - float(holdout.rstrip("%")) / 100)
    first_s, killed_at = killed(command, run, int(training / UNIT / 2))
    took = measured(command)
    resumed_at = max((event["data"]["units"] for event in events_of(run, "resumed")), default=0)
    actual_s = first_s + took.wall_s - last_plan(run)["probing_s"]
    peak = peak_of(run)
    scores = json.loads((run / "versions" / "1" / "metrics.json").read_text())["scores"]
    row = {
        "plan_s": round(asked.wall_s, 1),
        **against(forecast_of(plan, "out-of-core"), actual_s),
        "peak_mb": round(peak / 1e6),
        "limit_mb": LIMIT_MB,
        "killed_at_batch": killed_at,
        "resumed_at_batch": resumed_at,
        "roc_auc": round(scores["roc_auc"], 4),
    }
    shutil.rmtree(run)
    return row


def killed(command: list[str], run: Path, half: int) -> tuple[float, int]:
    """Start the command and end it, by its number alone, at half of the batches: the seconds, and the batches by then."""
    from killing import wait_until_quiet

    began = time.monotonic()
    with open(WORK / "last.log", "wb") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log)
    done = 0
    while child.poll() is None and done < half:
        time.sleep(0.2)
        done = max((event["data"]["units"] for event in events_of(run, "units")), default=0)
    if child.poll() is not None:
        raise Failed(f"ended with {child.returncode} before it was killed: {last_log()[-2000:]}")
    child.send_signal(signal.SIGKILL)
    child.wait()
    seconds = time.monotonic() - began
    wait_until_quiet(run)
    return seconds, done


def events_of(run: Path, kind: str) -> list[dict[str, Any]]:
    """The last event of this kind of each attempt; from the end of the file, which has one for each batch."""
    found = []
    for path in run.glob("attempts/*/events.0.jsonl"):
        for line in reversed(path.read_bytes().splitlines()):
            try:
                event = json.loads(line)
            except ValueError:  # half written
                continue
            if event["kind"] == kind:
                found.append(event)
                break
    return found


if __name__ == "__main__":
    main()
