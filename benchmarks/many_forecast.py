"""What `plan` forecasts of ten thousand models and more, of which it fits a few, against what `train` then takes.

CPU seconds are those of the groups: decoded, fitted, scored. BENCH_ONLY=ridge,forest some workloads, BENCH_SCALE=0.05 fewer groups.
`large` has 20 GB (40 on the disk, once they are cut), of which a plan reads less than one.
"""

from __future__ import annotations

import os
import shutil
import statistics
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from common import SCALE, WORK, chunks_of, committed_s, fitscale, job, measured, phases_of
from forecast import compared, last_plan
from kept import Results, Row

PAIRS = int(os.environ.get("BENCH_PAIRS", "3"))  # a plan, and the run that it is of
LEAST = 40  # rows of a group
LARGE_NAME, FILE_CELLS, UNIT_ROWS = "large", 1 << 26, 200_000  # of its files, which are of some row groups
SMALL, LARGE, SHARE = 60, 1_200, 0.1  # rows of the two populations, and how many groups are of the large one


class Workload(NamedTuple):
    estimator: str
    params: dict[str, Any]
    groups: int
    columns: int
    sizes: str  # equal, zipf, or two populations
    mean: int = 150  # rows of a group
    classes: int = 0


WORKLOADS = {
    "ridge": Workload("sklearn.linear_model.Ridge", {"alpha": 0.1}, 20_000, 80, "equal", mean=120),
    "logistic": Workload(
        "sklearn.linear_model.LogisticRegression", {"max_iter": 200}, 15_000, 30, "two populations", classes=5
    ),
    "forest": Workload(
        "sklearn.ensemble.RandomForestRegressor", {"n_estimators": 5, "max_depth": 6}, 10_000, 12, "zipf"
    ),
    "xgboost": Workload("xgboost.XGBRegressor", {"n_estimators": 20, "max_depth": 4}, 12_000, 20, "two populations"),
    "lightgbm": Workload("lightgbm.LGBMRegressor", {"n_estimators": 20, "verbosity": -1}, 15_000, 10, "zipf"),
    "tree": Workload("sklearn.tree.DecisionTreeRegressor", {"max_depth": 8}, 12_000, 40, "zipf"),
    LARGE_NAME: Workload(
        "lightgbm.LGBMRegressor", {"n_estimators": 10, "verbosity": -1}, 20_000, 24, "drawn", mean=10_000
    ),
}  # fmt: skip


def main() -> None:
    results = Results("many_forecast", ("workload",), order=[{"workload": n} for n in WORKLOADS], summary=summary)
    wanted = [name for name in os.environ.get("BENCH_ONLY", "").split(",") if name]
    for name, workload in WORKLOADS.items():
        if not wanted or name in wanted:
            results.row({"workload": name}, lambda name=name, workload=workload: one(name, workload))
    results.done("many models: forecast against actual", leave=("source", "chosen_by_plan"))


def summary(rows: list[Row]) -> Row:
    rows = [row for row in rows if row["workload"] != LARGE_NAME]
    if not rows:
        return {}
    cpu = [abs(error) for row in rows for error in row["cpu_errors_%"]]
    return {
        "cpu_median_%": round(statistics.median(cpu), 1), "cpu_worst_%": max(cpu),
        "time_median_%": round(statistics.median(abs(row["time_error_%"]) for row in rows), 1),
        "memory_median_%": round(statistics.median(abs(row["memory_error_%"]) for row in rows), 1),
        "most_timed_%": max(row["timed_%"] for row in rows),
    }  # fmt: skip


def one(name: str, workload: Workload) -> Row:
    """Planned and trained as often as asked: the round whose CPU error is the median one, and that error of all."""
    data = table_of(name, workload)
    rounds = sorted((once(name, workload, data) for _ in range(PAIRS)), key=lambda row: row["cpu_error_%"])
    if os.environ.get("BENCH_KEEP") != "1":
        shutil.rmtree(data) if data.is_dir() else data.unlink()
    return {**rounds[len(rounds) // 2], "cpu_errors_%": [row["cpu_error_%"] for row in rounds]}


def once(name: str, workload: Workload, data: Path) -> Row:
    path = job(f"many-forecast-{name}", {
        "data": {"uri": str(data), "target": "y", "groups": ["key"]},
        "evaluate": {"refit": False},
        "model": {"estimator": workload.estimator, "params": workload.params},
    })  # fmt: skip
    run = WORK / "runs" / f"many-forecast-{name}"
    shutil.rmtree(run, ignore_errors=True)
    measured(fitscale("plan", path, "--run", run, "--choose", "many-models"))
    plan = last_plan(run)
    shutil.rmtree(run)  # what probing kept must not shorten the run that it is compared with
    took = measured(fitscale("train", path, "--run", run, "--no-report", "--choose", "many-models"))
    done = chunks_of(run)
    cpu_s = sum(chunk["cpu_s"] for chunk in done)
    forecast_s = _cpu_s(plan)
    row = {
        "groups": sum(chunk["groups"] for chunk in done), "columns": workload.columns, "sizes": workload.sizes,
        "timed_%": round(100 * sum(len(m["timed"]) for m in plan["measurements"]) / groups_of(workload), 2),
        "forecast_cpu_s": round(forecast_s, 1), "cpu_s": round(cpu_s, 1),
        "cpu_error_%": round(100 * (forecast_s / cpu_s - 1), 1),
        "read_mb": round(plan["profile"]["read_bytes"] / 1e6), "of_mb": round(plan["profile"]["bytes"] / 1e6),
        "forecast_cut_s": round(plan["cut"]["seconds"]["value"], 1), "cut_s": round(phases_of(run)[0], 1),
        **compared(plan, run, committed_s(run, took)),
    }  # fmt: skip
    shutil.rmtree(run)
    return row


def _cpu_s(plan: dict[str, Any]) -> float:
    """CPU seconds of all groups, as the plan forecasts them: no workload here has a group that is longer than half of all."""
    chosen = plan["decision"]["chosen"]
    return float(chosen["forecast"]["phases"]["iterations"]) * int(chosen["candidate"]["workers"])


def groups_of(workload: Workload) -> int:
    return max(200, int(workload.groups * SCALE))


def sizes_of(workload: Workload) -> np.ndarray:
    """Rows of each group."""
    n = groups_of(workload)
    if workload.sizes == "equal":
        return np.full(n, workload.mean)
    if workload.sizes == "zipf":
        falling = np.arange(1, n + 1) ** -0.7
        return np.maximum(LEAST, workload.mean * n * falling / falling.sum()).astype(np.int64)
    return np.where(np.random.default_rng(1).random(n) < SHARE, LARGE, SMALL)


def table_of(name: str, workload: Workload) -> Path:
    """Rows of all groups in disorder, as Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = WORK / "data" / f"many-forecast-{name}-{SCALE:g}.parquet"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    if workload.sizes == "drawn":
        return _in_files(path, workload)
    rng = np.random.default_rng(0)
    sizes = sizes_of(workload)
    key = np.repeat(rng.permutation(len(sizes)), sizes)[rng.permutation(int(sizes.sum()))]
    X = rng.standard_normal((len(key), workload.columns), dtype=np.float32)
    y = X[:, 0] * np.sin(key) + X[:, 1] * X[:, 2] + rng.standard_normal(len(key))
    if workload.classes:
        y = np.digitize(y, np.linspace(-1, 1, workload.classes - 1))
    pq.write_table(pa.table({"key": key, **{f"x{k}": X[:, k] for k in range(workload.columns)}, "y": y}), path)
    return path


def _in_files(path: Path, workload: Workload) -> Path:
    """A folder of files with some rows of every group in each."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    groups, columns = groups_of(workload), workload.columns
    draft, rows, each = path.with_suffix(".part"), groups * workload.mean, FILE_CELLS // columns
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    for number, start in enumerate(range(0, rows, each)):
        rng, n = np.random.default_rng(number), min(each, rows - start)
        key = rng.integers(0, groups, n, dtype=np.int32)
        X = rng.standard_normal((columns, n), dtype=np.float32)
        y = X[0] * np.sin(key) + X[1] * X[2] + rng.standard_normal(n, dtype=np.float32)
        table = pa.table({"key": key, **{f"x{k}": x for k, x in enumerate(X)}, "y": y})
        pq.write_table(table, draft / f"{number:04d}.parquet", UNIT_ROWS, compression="none", use_dictionary=False)
    draft.rename(path)
    return path


if __name__ == "__main__":
    main()
