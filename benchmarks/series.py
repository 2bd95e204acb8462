"""A quarter of a million series, a model for each: how many a second, from rows that are cut by series to a committed version.

BENCH_SCALE=0.01 fewer series, BENCH_ONLY names of cases, BENCH_KEEP=1 keeps the tables. BENCH_PYTHON_SERIES is a Python that has
statsforecast: beside it a sample of the series is fitted by that, and the likelihoods are compared. AR is held against a plain
loop and joblib.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from common import SCALE, WORK, Failed, fitscale, job, measured, phases_of, python
from kept import Results, Row

SAMPLE, LOOPED = 400, 10_000  # series that statsforecast fits, that a loop and joblib fit
APART = (
    "Loop and joblib (2 processes) are wall milliseconds a model, over a sample. Measured apart, in November 2026 on a machine "
    "of 2 cores with Ray 2.60 and PySpark 4.3, CPU milliseconds a model for 10,000 groups × 200 points: Ray 0.047 to 0.062 in "
    "tasks of 500 models, about 1 in a task for each, 1.7 to 2 by `map_groups`; Spark's `applyInPandas` 4 to 5.3. statsforecast "
    "2.1 takes 24 for an ARIMA(2,0,1) of 720 points."
)
STEP = np.timedelta64(3_600_000_000, "us")


class Case(NamedTuple):
    estimator: str
    params: dict[str, Any]
    points: int
    models: int
    strategy: str = "batched-models"


CASES = {
    "AR(2)": Case("series.AR", {"lags": 2}, 200, 250_000),
    "AR(2), a million": Case("series.AR", {"lags": 2}, 200, 1_000_000),
    "AR(2), one by one": Case("series.AR", {"lags": 2}, 200, 50_000, "many-models"),
    "ARIMA(2,0,1)": Case("series.ARIMA", {"order": [2, 0, 1]}, 720, 250_000),
}


def main() -> None:
    results = Results("series", ("case", "models", "points"), note=APART)
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
    took = measured(fitscale("train", path, "--run", run, "--no-report", "--choose", case.strategy))
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
    """What others take for a sample: a plain loop and joblib for AR, in wall seconds; statsforecast for ARIMA, in CPU seconds.

    Of its likelihoods, how many are no worse than ours by a thousandth.
    """
    into, found = WORK / "series-sample.npy", Row()
    interpreter = os.environ.get("BENCH_PYTHON_SERIES")
    if name.startswith("AR("):
        np.save(into, values_of(LOOPED, case.points, seed=7))
        env = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        done = subprocess.run(python("plain/ar.py", into), env=env, capture_output=True, text=True, check=True)
        said = json.loads(done.stdout.splitlines()[-1])
        found["sample"] = LOOPED
        found["loop_ms_a_model"] = round(said["loop_s"] * 1e3, 4)
        found["joblib_ms_a_model"] = round(said["joblib_s"] * 1e3, 4)
    if not interpreter or not name.startswith("ARIMA"):
        return found
    sample = values_of(SAMPLE, case.points, seed=7)
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
