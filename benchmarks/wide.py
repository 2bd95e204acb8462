"""Wide tables, dense and sparse: what `plan` forecasts for each strategy against what `train --choose` then takes.

    python benchmarks/wide.py [--share 4] [--strategy STRATEGY] [NAME ...]

``--share 4`` takes a quarter of the columns (dense) or rows and columns (sparse); a NAME takes the cases whose name holds it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from common import WORK, fitscale, job, measured, table, write

from fitscale.report.actual import actual_of

ROWS_OF_A_GROUP = 5_000
XGBOOST = ("in-memory", "quantised", "out-of-core")


class Case(NamedTuple):
    name: str
    rows: int
    columns: int
    filled: int  # cells of a row, of a sparse table; 0: dense
    estimator: str
    params: dict[str, Any]
    strategies: tuple[str, ...]


def cases(share: int) -> Iterator[Case]:
    dense = {
        "xgboost.XGBClassifier": ({"n_estimators": 10, "max_depth": 4}, XGBOOST),
        "lightgbm.LGBMClassifier": ({"n_estimators": 10}, ("in-memory", "quantised")),
        "sklearn.linear_model.SGDClassifier": ({"max_iter": 5, "tol": None}, ("in-memory", "out-of-core")),
        "sklearn.linear_model.LogisticRegression": ({"max_iter": 30}, ("in-memory",)),
        "sklearn.ensemble.HistGradientBoostingClassifier": (
            {"max_iter": 5, "early_stopping": False},
            ("in-memory",),
        ),
    }
    for columns in (10_000, 20_000):
        for estimator, (params, strategies) in dense.items():
            name = f"dense-{columns // 1000}k-{estimator.rsplit('.', 1)[1]}"
            yield Case(name, 20_000, columns // share, 0, estimator, params, strategies)
    sparse = {
        "xgboost.XGBClassifier": ({"n_estimators": 10, "max_depth": 4}, ("in-memory", "quantised")),
        "lightgbm.LGBMClassifier": ({"n_estimators": 10, "num_leaves": 15}, ("in-memory",)),
        "sklearn.linear_model.SGDClassifier": ({"max_iter": 5, "tol": None}, ("in-memory", "out-of-core")),
    }
    for estimator, (params, strategies) in sparse.items():
        name = f"sparse-{estimator.rsplit('.', 1)[1]}"
        yield Case(name, 1_000_000 // share, 100_000 // share, 20, estimator, params, strategies)


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--share", type=int, default=1)
    parser.add_argument("--strategy", help="this one alone")
    parser.add_argument("names", nargs="*")
    asked = parser.parse_args(arguments)
    rows: list[dict[str, Any]] = []
    for case in cases(asked.share):
        if asked.names and not any(name in case.name for name in asked.names):
            continue
        if asked.strategy:
            case = case._replace(strategies=tuple({asked.strategy} & {*case.strategies}))
        for row in forecast_and_actual(case):
            rows.append(row)
            print(json.dumps(row), file=sys.stderr, flush=True)
    table("wide tables: forecast against actual", [{k: v for k, v in row.items() if "phases" not in k} for row in rows])
    if asked.share == 1 and not (asked.names or asked.strategy):
        write("wide", rows=rows, aim={"memory_error_%": 15})


def forecast_and_actual(case: Case) -> Iterator[dict[str, Any]]:
    data = sparse_file(case) if case.filled else dense_file(case)
    target = "label" if case.filled else "y"
    path = job(
        case.name,
        {
            "data": {"uri": str(data), "target": target},
            "model": {"estimator": case.estimator, "params": case.params},
            "where": [{"local": {"memory": "6 GB"}}],
        },
    )
    run = WORK / "runs" / case.name
    shutil.rmtree(run, ignore_errors=True)
    planned = measured(fitscale("plan", path, "--run", run))
    plan = json.loads(sorted((run / "plans").glob("*.json"))[-1].read_text())
    decision = plan["decision"]
    assessed = [decision["chosen"], *decision["alternatives"], *decision["refused"]]
    forecasts = {a["candidate"]["strategy"]: a["forecast"] for a in assessed if a and a.get("forecast")}
    for strategy in case.strategies:
        shutil.rmtree(run, ignore_errors=True)
        row = {"case": case.name, "shape": f"{case.rows:,} x {case.columns:,}", "strategy": strategy}
        row |= {"plan_s": round(planned.wall_s, 1), "plan_cpu_s": round(planned.cpu_s, 1)}
        if (forecast := forecasts.get(strategy)) is None:
            yield {**row, "source": "no forecast"}
            continue
        measured(fitscale("train", path, "--run", run, "--choose", strategy, "--no-report"))
        actual = actual_of(run, 1)
        assert actual is not None
        told, held, peak = forecast["time_s"], forecast["memory_bytes"], actual.peak_bytes
        yield row | {
            "forecast_s": round(told["value"], 1),
            "interval_s": f"{told['low']:.0f}-{told['high']:.0f}",
            "actual_s": round(actual.work_s, 1),
            "forecast_mb": round(held["value"] / 1e6),
            "actual_mb": round(peak / 1e6),
            "memory_error_%": round(100 * (held["value"] / peak - 1), 1),
            "source": forecast["source"],
            "phases_s": {name: round(seconds, 1) for name, seconds in forecast["phases"].items()},
            "actual_phases_s": {n: f"{phase.wall_s:.1f} ({phase.cpu_s:.1f} CPU)" for n, phase in actual.phases.items()},
        }
    shutil.rmtree(run, ignore_errors=True)


def dense_file(case: Case) -> Path:
    """Normal numbers, of which twenty columns say what the target is."""
    path = WORK / "wide" / f"dense-{case.rows}-{case.columns}.parquet"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    slopes = random.normal(size=20)
    names = [f"x{i}" for i in range(case.columns)]
    schema = pa.schema([*((name, pa.float32()) for name in names), ("y", pa.int64())])
    half = path.with_suffix(".part")
    with pq.ParquetWriter(half, schema, use_dictionary=False, compression="NONE") as out:
        for start in range(0, case.rows, ROWS_OF_A_GROUP):
            n = min(ROWS_OF_A_GROUP, case.rows - start)
            X = random.standard_normal((case.columns, n), dtype=np.float32)
            y = (slopes @ X[:20] > random.normal(size=n)).astype(np.int64)
            out.write_table(pa.table([*map(pa.array, X), pa.array(y)], schema=schema))
    half.rename(path)
    return path


def sparse_file(case: Case) -> Path:
    """svmlight: so many of the columns in a row, all as likely; the first tenth say what the target is."""
    path = WORK / "wide" / f"sparse-{case.rows}-{case.columns}-{case.filled}.svm"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(2)
    half = path.with_suffix(".part")
    with open(half, "wb") as out:
        for start in range(0, case.rows, 50_000):
            n = min(50_000, case.rows - start)
            places = np.sort(random.integers(1, case.columns + 1, size=(n, case.filled)), axis=1)
            kept = np.ones(places.shape, bool)
            kept[:, 1:] = places[:, 1:] > places[:, :-1]
            y = (np.sum(places <= case.columns // 10, axis=1) > case.filled // 10).astype(np.int64)
            values = random.random(places.size, dtype=np.float32)
            cells = pc.binary_join_element_wise(text(places.ravel()), text(values), ":")
            ends = np.concatenate([[0], np.cumsum(kept.sum(axis=1))]).astype(np.int32)
            rows = pa.ListArray.from_arrays(pa.array(ends), cells.filter(pa.array(kept.ravel())))
            lines = pc.binary_join_element_wise(text(y), pc.binary_join(rows, " "), " ")
            out.write(("\n".join(lines.to_pylist()) + "\n").encode())
    half.rename(path)
    return path


def text(values: np.ndarray) -> pa.Array:
    return pc.cast(pa.array(values), pa.string())


if __name__ == "__main__":
    main(sys.argv[1:])
