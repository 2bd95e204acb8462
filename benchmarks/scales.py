"""Both scales at once: a thousand models of ten thousand columns within 2 GB, and a thousand of which one has nine of ten rows.

BENCH_ONLY=wide,uneven one of them, BENCH_SCALE=0.05 fewer groups, or rows; BENCH_KEEP=1 keeps the tables.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from common import SCALE, WORK, chunks_of, fitscale, job, measured, phases_of, python
from forecast import last_plan, peak_of
from kept import Results, Row

GROUPS = 1_000
WIDE_ROWS, WIDE_COLUMNS, CAP_MB = 100, 10_000, 2_000  # rows of each group
UNEVEN_ROWS, UNEVEN_COLUMNS, LARGEST = 4_000_000, 10, 0.9
UNIT_CELLS = 1 << 25  # of a row group
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
    where = [{"local": {"memory": f"{CAP_MB} MB"}}]
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
    row = {
        "models": models, "data_mb": round(data.stat().st_size / 1e6), "cap_mb": CAP_MB if where else None,
        "forecast_mb": round(forecast["memory_bytes"]["value"] / 1e6), "actual_mb": round(peak_of(run) / 1e6),
        "peak_mb": round(took.peak_bytes / 1e6), "cut_s": round(cut_s, 1), "fit_s": round(fit_s, 1),
        "models_cpu_s": round(sum(chunk["cpu_s"] for chunk in chunks_of(run)), 1), "wall_s": round(took.wall_s, 1),
    }  # fmt: skip
    shutil.rmtree(run)
    if os.environ.get("BENCH_KEEP") != "1":
        data.unlink()
    return row


def table_of(case: str, key: np.ndarray, columns: int) -> Path:
    """Rows of these keys, made part by part, as Parquet."""
    import pyarrow.parquet as pq

    path = WORK / "data" / f"scales-{case}-{SCALE:g}.parquet"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    draft, parts = path.with_suffix(".part"), parts_of(key, columns)
    first = next(parts)
    with pq.ParquetWriter(draft, first.schema, compression="none", use_dictionary=False) as writer:
        writer.write_table(first)
        for part in parts:
            writer.write_table(part)
    draft.rename(path)
    return path


def parts_of(key: np.ndarray, columns: int) -> Iterator[Any]:
    import pyarrow as pa

    rows = UNIT_CELLS // columns
    for start in range(0, len(key), rows):
        of = key[start : start + rows]
        rng = np.random.default_rng(start)
        X = rng.standard_normal((len(of), columns), dtype=np.float32)
        y = X[:, 0] * np.sin(of) + X[:, 1] * X[:, 2] + rng.standard_normal(len(of))
        yield pa.table({"key": of, **{f"x{k}": X[:, k] for k in range(columns)}, "y": y})


if __name__ == "__main__":
    main()
