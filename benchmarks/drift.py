"""Drift and anomalies of many series and models: how long a pass takes, how often it alarms without cause, what it finds.

The series are autoregressions of which nothing changed, and some of which the level has shifted by one deviation of the errors.
Rows have eight columns, of which one has shifted by half a deviation in some groups, while the target follows its rule.
BENCH_SCALE=0.01 fewer series and passes, BENCH_ONLY=pass,lookup some of the questions.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from common import SCALE, WORK, Failed, fitscale, flights, job, measured
from kept import Results, Row

POINTS = 200
SERIES = 250_000
SHIFTED = 0.01  # share of the series that have shifted
RUNS, RUN_SERIES = 100, 2_500  # passes without drift
SPIKES, SPIKE = 0.001, 6.0  # share of the values, deviations
LAST = 24  # values that the rolling rule looks back
LOOKUPS = 2_000
GROUPS, ROWS, COLUMNS = 20_000, 300, 8  # models of rows
MOVED = 0.5  # deviations of a column, in SHIFTED of the groups
ROWS_RUNS = 20  # passes over a tenth of the groups without drift
HOUR = np.timedelta64(3_600_000_000, "us")
START = np.datetime64("2026-01-01", "us")
DRIFTED = 5  # exit code
LIMIT = 16 << 30  # under one, the exit code is ours to read


def main() -> None:
    results = Results("drift", ("case",))
    wanted = [name for name in os.environ.get("BENCH_ONLY", "").split(",") if name]
    cases = {
        "pass": one_pass, "false alarms": without_drift, "anomalies": spikes, "lookup": lookup, "flights": months,
        "columns": columns_moved,
    }  # fmt: skip
    for case, measure in cases.items():
        if not wanted or case in wanted:
            results.row({"case": case}, lambda measure=measure: measure())
    results.done("drift and anomalies")


def one_pass() -> Row:
    """All series, a hundredth of which has shifted."""
    series = max(500, int(SERIES * SCALE))
    run = trained(series)
    shifted = np.random.default_rng(5).random(series) < SHIFTED
    new = table_of(series, seed=1, first=POINTS, level=shifted.astype(float))
    took = measured(drift_of(run, new), memory_bytes=LIMIT)
    if took.code != DRIFTED:
        raise Failed(f"drift ended with {took.code}")
    found = drifted_in(run)
    hits = int(found[shifted].sum())
    return {
        "series": series,
        "wall_s": round(took.wall_s, 1),
        "peak_mb": round(took.peak_bytes / 1e6),
        "found_%": round(100 * hits / max(1, shifted.sum()), 2),
        "false_among_alarms_%": round(100 * (1 - hits / max(1, found.sum())), 2),
    }


def without_drift() -> Row:
    """Passes over series of which none has: any alarm is a false one."""
    series, runs = RUN_SERIES, max(5, int(RUNS * SCALE))
    run = trained(series)
    alarms = 0
    for k in range(runs):
        took = measured(drift_of(run, table_of(series, seed=100 + k, first=POINTS)), memory_bytes=LIMIT)
        if took.code not in (0, DRIFTED):
            raise Failed(f"drift ended with {took.code}")
        alarms += took.code == DRIFTED
    return {"series": series, "runs": runs, "runs_with_an_alarm_%": round(100 * alarms / runs, 1)}


def spikes() -> Row:
    """Average precision of the scores, and of a rule of the deviations of the last day."""
    from sklearn.metrics import average_precision_score

    series = max(200, int(5_000 * SCALE))
    run = trained(series)
    planted = np.random.default_rng(9).random((series, POINTS)) < SPIKES
    values = _part(series, 0, 3, POINTS) + SPIKE * planted
    new, out = table_of(series, first=POINTS, values=values), WORK / "anomalies.parquet"
    measured(fitscale("predict", run, "--data", new, "--anomalies", "--out", out))
    import pyarrow.parquet as pq

    score = pq.read_table(out).column("score").to_numpy()
    return {
        "series": series,
        "average_precision": round(float(average_precision_score(planted.reshape(-1), np.nan_to_num(score))), 3),
        "three_sigma_average_precision": round(
            float(average_precision_score(planted.reshape(-1), rolled(values).reshape(-1))), 3
        ),
    }


def months() -> Row:
    """Flights of the first half of 2013, without month and day, against each month of the second: what the errors are off by."""
    data = flights("joined", "flights.parquet")
    document = {
        "data": {
            "uri": str(data), "target": "late", "where": "month <= 6", "features": {"drop": ["month", "day", "tailnum"]},
        },
        "model": {"estimator": "lightgbm.LGBMClassifier", "params": {"n_estimators": 200}},
    }  # fmt: skip
    run = WORK / "runs" / "drift-flights"
    shutil.rmtree(run, ignore_errors=True)
    measured(fitscale("train", job("drift-flights", document), "--run", run, "--no-report", "--choose", "in-memory"))
    import pyarrow.parquet as pq

    found = {}
    for month in range(7, 13):
        measured(fitscale("drift", run, "--where", f"month = {month}"), memory_bytes=LIMIT)
        (row,) = pq.read_table(run / "drift" / "1.parquet").to_pylist()
        found[f"month_{month}"] = f"{row['shift']:+.2f} {'drifted' if 'errors' in (row['by'] or '') else 'as before'}"
    return found


def columns_moved() -> Row:
    """Rows whose target still follows its rule: what is found by the columns alone, and passes without drift."""
    groups = max(200, int(GROUPS * SCALE))
    run = trained_on_rows(groups)
    moved = np.random.default_rng(5).random(groups) < SHIFTED
    took = measured(drift_of(run, rows_of(groups, seed=1, moved=moved)), memory_bytes=LIMIT)
    if took.code != DRIFTED:
        raise Failed(f"drift ended with {took.code}")
    import pyarrow.parquet as pq

    table = pq.read_table(run / "drift" / "1.parquet").sort_by("shop")
    found = table.column("drifted").to_numpy(zero_copy_only=False)
    hits = found & moved
    named = table.column("column").to_numpy(zero_copy_only=False)[hits] == "c0"
    few, runs, alarms = groups // 10, max(3, int(ROWS_RUNS * SCALE)), 0
    small = trained_on_rows(few)
    for k in range(runs):
        alarms += measured(drift_of(small, rows_of(few, seed=100 + k)), memory_bytes=LIMIT).code == DRIFTED
    return {
        "groups": groups,
        "rows_each": ROWS,
        "columns": COLUMNS,
        "wall_s": round(took.wall_s, 1),
        "peak_mb": round(took.peak_bytes / 1e6),
        "reference_bytes_a_group": round((run / "versions" / "1" / "reference.parquet").stat().st_size / groups),
        "found_%": round(100 * hits.sum() / max(1, moved.sum()), 2),
        "column_named_%": round(100 * float(named.mean()), 2),
        "false_among_alarms_%": round(100 * (1 - hits.sum() / max(1, found.sum())), 2),
        "runs": runs,
        "runs_with_an_alarm_%": round(100 * alarms / runs, 1),
    }


def trained_on_rows(groups: int) -> Path:
    """A run of so many regressions, as it is there, or trained now."""
    run = WORK / "runs" / f"drift-rows-{groups}"
    if not (run / "CURRENT").exists():
        shutil.rmtree(run, ignore_errors=True)
        document = {
            "data": {"uri": str(rows_of(groups, seed=0)), "target": "y", "groups": ["shop"]},
            "model": {"estimator": "batched.Ridge"},
        }
        measured(fitscale("train", job("drift-rows", document), "--run", run, "--no-report"))
    return run


def rows_of(groups: int, seed: int, moved: np.ndarray | None = None) -> Path:
    """Parquet of groups one after the other: normal columns, of which the first has ``moved``, and a target of all of them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = WORK / "data" / f"drift-rows-{groups}-{'new' if seed else 'before'}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    names = [f"c{k}" for k in range(COLUMNS)]
    schema = pa.schema([("shop", pa.int32()), *((name, pa.float32()) for name in [*names, "y"])])
    with pq.ParquetWriter(path, schema, compression="lz4") as writer:
        for start in range(0, groups, 2_000):
            ids = np.arange(start, min(start + 2_000, groups))
            rng, shop = np.random.default_rng([seed, start]), np.repeat(ids, ROWS)
            X = rng.standard_normal((len(shop), COLUMNS), np.float32)
            if moved is not None:
                X[:, 0] += MOVED * moved[shop]
            y = X.sum(axis=1) + rng.standard_normal(len(shop), np.float32)
            writer.write_table(pa.table([shop.astype(np.int32), *X.T, y], schema=schema))
    return path


def lookup() -> Row:
    """A process that has just begun opens the run, and asks for models by key."""
    series = max(500, int(SERIES * SCALE))
    run = trained(series)
    said = subprocess.run(
        [sys.executable, __file__, str(run), str(series)], capture_output=True, text=True, check=True
    )  # fmt: skip
    return {"series": series, **json.loads(said.stdout)}


def ask(run: str, series: int) -> None:
    """In a process of its own."""
    import time

    from fitscale import open_run

    began = time.perf_counter()
    opened = open_run(run)
    took = [time.perf_counter() - began]
    for key in np.random.default_rng(0).integers(0, series, LOOKUPS).tolist():
        began = time.perf_counter()
        opened.model(key // 50, key % 50)
        took.append(time.perf_counter() - began)
    each = np.array(took[1:]) * 1e3
    print(json.dumps({
        "open_ms": round(took[0] * 1e3, 1), "first_ms": round(float(each[0]), 2),
        "p50_ms": round(float(np.median(each)), 3), "p99_ms": round(float(np.quantile(each, 0.99)), 3),
    }))  # fmt: skip


def trained(series: int) -> Path:
    """A run of so many series, as it is there, or trained now."""
    run = WORK / "runs" / f"drift-{series}"
    if (run / "CURRENT").exists():
        return run
    shutil.rmtree(run, ignore_errors=True)
    document: dict[str, Any] = {
        "data": {
            "uri": str(table_of(series, seed=0, first=0)), "target": "value", "groups": ["db", "metric"], "time": "at",
            "step": "1h", "horizon": 1,
        },
        "evaluate": {"refit": True},
        "model": {"estimator": "series.AR", "params": {"lags": 2}},
    }  # fmt: skip
    measured(fitscale("train", job("drift", document), "--run", run, "--no-report", "--choose", "batched-models"))
    return run


def values_of(series: int, seed: int, last: np.ndarray | None = None) -> np.ndarray:
    """(series, POINTS): autoregressions of the same two lags; going on after (series, 2) values, where those are given."""
    e = np.random.default_rng(seed).standard_normal((series, POINTS + 50))
    if last is not None:
        e[:, 48:50] = last
    for t in range(2 if last is None else 50, POINTS + 50):
        e[:, t] += 0.5 * e[:, t - 1] + 0.2 * e[:, t - 2]
    return e[:, 50:]


def table_of(
    series: int, seed: int = 0, first: int = 0, *, level: np.ndarray | None = None, values: np.ndarray | None = None
) -> Path:
    """Parquet by key and time. A ``level`` shifts the values so that the errors have shifted by it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = WORK / "data" / f"drift-{series}-{'new' if first else 'before'}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    at = START + (first + np.arange(POINTS)) * HOUR
    with pq.ParquetWriter(path, schema(), compression="lz4") as writer:
        each = max(1, (1 << 22) // POINTS)
        for start in range(0, series, each):
            ids = np.arange(start, min(start + each, series))
            part = _part(len(ids), start, seed, first) if values is None else values[ids]
            if level is not None:
                part = part + level[ids, None] / (1 - 0.5 - 0.2)
            columns = [
                np.repeat(ids // 50, POINTS).astype(np.int32), np.repeat(ids % 50, POINTS).astype(np.int32),
                np.tile(at, len(ids)), part.reshape(-1),
            ]  # fmt: skip
            writer.write_table(pa.table(columns, schema=schema()), row_group_size=1 << 20)
    return path


def _part(series: int, start: int, seed: int, first: int) -> np.ndarray:
    """Some of the series, which begin with the ``start``-th; new ones go on where those of before end."""
    before = values_of(series, start)
    return values_of(series, seed * 1_000_003 + start, before[:, -2:]) if first else before


def schema() -> Any:
    import pyarrow as pa

    return pa.schema([("db", pa.int32()), ("metric", pa.int32()), ("at", pa.timestamp("us")), ("value", pa.float64())])


def drift_of(run: Path, new: Path) -> list[str]:
    return fitscale("drift", run, "--data", new)


def drifted_in(run: Path) -> np.ndarray:
    """(series,) bool, by key."""
    import pyarrow.parquet as pq

    table = pq.read_table(run / "drift" / "1.parquet")
    key = table.column("db").to_numpy() * 50 + table.column("metric").to_numpy()
    found = np.zeros(int(key.max()) + 1, bool)
    found[key] = table.column("drifted").to_numpy(zero_copy_only=False)
    return found


def rolled(y: np.ndarray) -> np.ndarray:
    """(g, t) distances from the mean of the last values, in their deviations."""
    score = np.zeros(y.shape)
    for t in range(2, y.shape[1]):
        before = y[:, max(0, t - LAST) : t]
        score[:, t] = np.abs(y[:, t] - before.mean(axis=1)) / np.maximum(before.std(axis=1), 1e-9)
    return score


if __name__ == "__main__":
    ask(sys.argv[1], int(sys.argv[2])) if sys.argv[1:] else main()
