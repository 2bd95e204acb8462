"""Both scales at once: a thousand models of ten thousand columns within 2 GB, and a thousand of which one has nine of ten rows.

BENCH_ONLY=wide,uneven one of them, BENCH_SCALE=0.05 fewer groups, or rows; BENCH_KEEP=1 keeps the tables.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from common import SCALE, WORK, chunks_of, fitscale, job, measured, phases_of, python
from forecast import last_plan, peak_of
from kept import Results, Row

GROUPS = 1_000
WIDE_ROWS, WIDE_COLUMNS, CAP_MB = 100, 10_000, 2_000  # rows of each group
UNEVEN_ROWS, UNEVEN_COLUMNS, LARGEST = 4_000_000, 10, 0.9
FILE_CELLS = 1 << 24  # of each of the table's files, which are one row group each
ALPHA = 10.0
TREES = {"n_estimators": 50, "max_depth": 6}
WORKERS = 2


def main() -> None:
    results = Results("scales", ("case",))
    wanted = [name for name in os.environ.get("BENCH_ONLY", "").split(",") if name]
    cases: dict[str, Callable[[], Row]] = {"wide": wide, "uneven": uneven}
    for case, measure in cases.items():
        if not wanted or case in wanted:
            results.row({"case": case}, measure)
    results.done("both scales at once")


def wide() -> Row:
    """A linear model of ten thousand columns for each group, of a table of twice the memory that is allowed."""
    groups = max(20, int(GROUPS * SCALE))
    rng = np.random.default_rng(0)
    key = np.repeat(np.arange(groups), WIDE_ROWS)[rng.permutation(groups * WIDE_ROWS)]
    data = table_of("wide", key, WIDE_COLUMNS)
    where = [{"local": {"memory": f"{CAP_MB} MB", "cores": 1}}]  # two workers are refused: they might need 2.2 GB
    return trained("wide", data, "sklearn.linear_model.Ridge", {"alpha": ALPHA}, where)


def uneven() -> Row:
    """One group of nine tenths of the rows, which one worker fits while another does the rest."""
    rows = max(40_000, int(UNEVEN_ROWS * SCALE))
    sizes = np.full(GROUPS, max(1, int(rows * (1 - LARGEST) / (GROUPS - 1))))
    sizes[GROUPS // 2] = int(rows * LARGEST)
    key = np.repeat(np.arange(GROUPS), sizes)[np.random.default_rng(0).permutation(int(sizes.sum()))]
    data = table_of("uneven", key, UNEVEN_COLUMNS)
    estimator = "xgboost.XGBRegressor"
    bare = subprocess.run(
        python("plain/each.py", data, estimator, json.dumps(TREES)), env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    plain = json.loads(bare.stdout.splitlines()[-1])
    best = max(plain["cpu_s"] / WORKERS, plain["longest_s"])
    row = trained("uneven", data, estimator, TREES)
    return {**row, "bare_fits_cpu_s": plain["cpu_s"], "longest_s": plain["longest_s"], "best_s": round(best, 1),
            "ratio": round(row["fit_s"] / best, 3)}  # fmt: skip


def trained(
    case: str, data: Path, estimator: str, params: dict[str, Any], where: list[dict[str, Any]] | None = None
) -> Row:
    path = job(f"scales-{case}", {
        "data": {"uri": str(data), "target": "y", "groups": ["key"]},
        "evaluate": {"refit": False},
        "model": {"estimator": estimator, "params": params},
        **({"where": where} if where else {}),
    })  # fmt: skip
    run = WORK / "runs" / f"scales-{case}"
    shutil.rmtree(run, ignore_errors=True)
    took = measured(fitscale("train", path, "--run", run, "--no-report", "--choose", "many-models"))
    cut_s, fit_s = phases_of(run)
    models = json.loads((run / "versions" / "1" / "manifest.json").read_text())["models"]
    forecast = last_plan(run)["decision"]["chosen"]["forecast"]
    size = sum(file.stat().st_size for file in data.iterdir())
    row = {
        "models": models, "data_mb": round(size / 1e6), "cap_mb": CAP_MB if where else None,
        "forecast_mb": round(forecast["memory_bytes"]["value"] / 1e6), "actual_mb": round(peak_of(run) / 1e6),
        "peak_mb": round(took.peak_bytes / 1e6), "cut_s": round(cut_s, 1), "fit_s": round(fit_s, 1),
        "models_cpu_s": round(sum(chunk["cpu_s"] for chunk in chunks_of(run)), 1), "wall_s": round(took.wall_s, 1),
    }  # fmt: skip
    shutil.rmtree(run)
    if os.environ.get("BENCH_KEEP") != "1":
        shutil.rmtree(data)
    return row


def table_of(case: str, key: np.ndarray, columns: int) -> Path:
    """A folder of Parquet files of rows of these keys."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = WORK / "data" / f"scales-{case}-{SCALE:g}"
    if path.exists():
        return path
    draft, rows = path.with_suffix(".part"), FILE_CELLS // columns
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for number, start in enumerate(range(0, len(key), rows)):
        of = key[start : start + rows]
        rng = np.random.default_rng(number)
        X = rng.standard_normal((len(of), columns), dtype=np.float32)
        y = X[:, 0] * np.sin(of) + X[:, 1] * X[:, 2] + rng.standard_normal(len(of))
        table = pa.table({"key": of, **{f"x{k}": X[:, k] for k in range(columns)}, "y": y})
        pq.write_table(table, draft / f"{number:04d}.parquet", compression="none", use_dictionary=False)
    draft.rename(path)
    return path


if __name__ == "__main__":
    main()
