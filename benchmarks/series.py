"""A quarter of a million series, a model for each: how many a second, from rows that are cut by series to a committed version.

BENCH_SCALE=0.01 fewer series, BENCH_ONLY names of cases, BENCH_KEEP=1 keeps the tables. BENCH_PYTHON_SERIES is a Python that has
statsforecast: beside it a sample of the series is fitted by that, and the likelihoods are compared.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from common import SCALE, WORK, Failed, fitscale, job, measured, python
from kept import Results, Row

SAMPLE = 400  # series that peers fit
STEP = np.timedelta64(3_600_000_000, "us")


class Case(NamedTuple):
    estimator: str
    params: dict[str, Any]
    points: int
    models: int


CASES = {
    "AR(2)": Case("series.AR", {"lags": 2}, 200, 250_000),
    "ARIMA(2,0,1)": Case("series.ARIMA", {"order": [2, 0, 1]}, 720, 250_000),
}


def main() -> None:
    results = Results("series", ("case", "models", "points"))
    wanted = [name for name in os.environ.get("BENCH_ONLY", "").split(";") if name]
    for name, case in CASES.items():
        if wanted and name not in wanted:
            continue
        models = max(200, int(case.models * SCALE))
        known = {"case": name, "models": models, "points": case.points}
        results.row(known, lambda name=name, case=case, models=models: one(name, case, models))
    results.done("series, a model for each")


def one(name: str, case: Case, models: int) -> Row:
    data = table_of(models, case.points)
    document = {
        "data": {
            "uri": str(data), "target": "value", "groups": ["db", "metric"], "time": "at", "step": "1h", "horizon": 1,
        },
        "evaluate": {"refit": False},
        "model": {"estimator": case.estimator, "params": case.params},
    }  # fmt: skip
    path = job("series", document)
    run = WORK / "runs" / "series"
    shutil.rmtree(run, ignore_errors=True)
    took = measured(fitscale("train", path, "--run", run, "--no-report", "--choose", "batched-models"))
    cut_s, fit_s = phases_of(run)
    manifest = json.loads((run / "versions" / "1" / "manifest.json").read_text())
    stored = sum((run / "models" / payload).stat().st_size for payload in manifest["payloads"])
    row = {
        "cut_s": round(cut_s, 1),
        "fit_s": round(fit_s, 1),
        "models_per_s": round(models / fit_s),
        "whole_s": round(took.wall_s, 1),
        "bytes_a_model": round(stored / max(1, manifest["models"])),
        "peak_mb": round(took.peak_bytes / 1e6),
        **peers(name, case),
    }
    shutil.rmtree(run)
    if os.environ.get("BENCH_KEEP") != "1":
        data.unlink()
    return row


def phases_of(run: Path) -> tuple[float, float]:
    """Seconds to cut the rows by series, and from then to the committed version."""
    events = [json.loads(line) for path in run.glob("journal/*.jsonl") for line in path.read_text().splitlines()]
    starts = {event["order"]: event["at"] for event in events if event["kind"] == "attempt-started"}
    ends = {event["attempt"]: event["at"] for event in events if event["kind"] == "attempt-ended"}
    cut = next(e for e in events if e["kind"] == "attempt-started" and e["order"] == "partition")
    finished = max(event["at"] for event in events if event["kind"] == "version-finished")
    return ends[cut["attempt"]] - cut["at"], finished - starts["groups"]


def values_of(models: int, points: int, seed: int) -> np.ndarray:
    """(models, points): autoregressions, half of them with a moving average of 0.5 to 0.9."""
    rng = np.random.default_rng(seed)
    e = rng.standard_normal((models, points + 51))
    theta = np.where(np.arange(models) % 2, rng.uniform(0.5, 0.9, models), 0.0)[:, None]
    y = e[:, 1:] + theta * e[:, :-1]
    for t in range(2, points + 50):
        y[:, t] += 0.5 * y[:, t - 1] + 0.2 * y[:, t - 2]
    return np.ascontiguousarray(y[:, 50:])


def table_of(models: int, points: int) -> Path:
    """Fifty metrics for each database, as Parquet, by key and time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = WORK / "data" / f"series-{models}-{points}.parquet"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    at = np.datetime64("2026-01-01", "us") + np.arange(points) * STEP
    draft, writer = path.with_suffix(".part"), None
    each = max(1, (1 << 22) // points)
    for start in range(0, models, each):
        ids = np.arange(start, min(start + each, models))
        table = pa.table({
            "db": np.repeat(ids // 50, points).astype(np.int32),
            "metric": np.repeat(ids % 50, points).astype(np.int32),
            "at": np.tile(at, len(ids)),
            "value": values_of(len(ids), points, seed=start).reshape(-1),
        })  # fmt: skip
        writer = writer or pq.ParquetWriter(draft, table.schema, compression="lz4")
        writer.write_table(table, row_group_size=1 << 20)
    if writer is None:
        raise Failed("no series were asked for")
    writer.close()
    draft.rename(path)
    return path


def peers(name: str, case: Case) -> Row:
    """CPU seconds a model of a plain loop and of statsforecast; of the likelihoods how many are no worse than by a thousandth."""
    sample = values_of(SAMPLE, case.points, seed=7)
    found: Row = {}
    if name.startswith("AR("):
        began = time.process_time()
        for y in sample:
            X = np.stack([np.ones(len(y) - 2), y[1:-1], y[:-2]], axis=1)
            np.linalg.lstsq(X, y[2:], rcond=None)
        found["loop_ms_a_model"] = round((time.process_time() - began) / SAMPLE * 1e3, 4)
    interpreter = os.environ.get("BENCH_PYTHON_SERIES")
    if not interpreter or not name.startswith("ARIMA"):
        return found
    into = WORK / "series-sample.npy"
    np.save(into, sample)
    script, *arguments = python("plain/series.py", into)[1:]
    done = subprocess.run([interpreter, script, *arguments], capture_output=True, text=True, check=True)
    said = json.loads(done.stdout.splitlines()[-1])
    own = likelihoods(sample, case)
    worse = np.array(said["loglik"]) - own
    found["statsforecast_ms_a_model"] = round(said["cpu_s"] / SAMPLE * 1e3, 2)
    found["no_worse_%"] = round(float((worse <= 1e-3).mean()) * 100, 2)
    found["worst"] = round(float(worse.max()), 5)
    return found


def likelihoods(sample: np.ndarray, case: Case) -> np.ndarray:
    from fitscale.frameworks.series import arima

    settings = arima.Settings(*case.params["order"])
    numbers = arima.fit(sample, np.zeros(len(sample), np.int64), 1, settings)
    return arima.loglik_of(numbers)


if __name__ == "__main__":
    main()
