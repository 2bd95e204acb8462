"""One group in a hundred has drifted: how long until there is a version in which these are trained anew, against that of all.

Twenty thousand groups are trained; newer rows take their place, of which some groups have shifted; `drift` looks, and `train
--only drifted` follows. BENCH_SCALE=0.05 fewer groups.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
from common import SCALE, WORK, Failed, Measured, chunks_of, fitscale, job, measured, phases_of
from kept import Results, Row

GROUPS, ROWS, COLUMNS = 20_000, 150, 10
SHARE, SHIFT = 0.01, 3.0  # of the groups; by so many deviations of the noise
PARAMS = {"n_estimators": 55, "max_depth": 4}  # ten milliseconds and more
DRIFTED = 5  # exit code
LIMIT = 16 << 30  # under one, the exit code is ours to read


def main() -> None:
    groups = max(200, int(GROUPS * SCALE))
    results = Results("retrain", ("models",))
    results.row({"models": groups}, lambda: one(groups))
    results.done("a hundredth of the models again")


def one(groups: int) -> Row:
    data, run = WORK / "data" / "retrain.parquet", WORK / "runs" / "retrain"
    shutil.rmtree(run, ignore_errors=True)
    shifted = np.random.default_rng(5).permutation(groups)[: max(1, round(SHARE * groups))]
    path = job("retrain", {
        "data": {"uri": str(data), "target": "y", "groups": ["key"]},
        "evaluate": {"refit": False},
        "model": {"estimator": "xgboost.XGBRegressor", "params": PARAMS},
    })  # fmt: skip
    write_rows(data, groups, seed=0)
    whole = trained(path, run)
    whole_cut_s, whole_fit_s = phases_of(run)
    fits_s = sum(chunk["cpu_s"] for chunk in chunks_of(run))
    write_rows(data, groups, seed=1, shifted=shifted)
    looked = measured(fitscale("drift", run), memory_bytes=LIMIT)
    if looked.code != DRIFTED:
        raise Failed(f"drift ended with {looked.code}")
    again = trained(path, run, "--only", "drifted")
    cut_s, fit_s = phases_of(run, again.began)
    retrained = sum(chunk["groups"] for chunk in chunks_of(run, again.began))
    shutil.rmtree(run)
    if os.environ.get("BENCH_KEEP") != "1":
        data.unlink()
    return {
        "ms_a_fit": round(fits_s / groups * 1e3, 1), "all_cut_s": round(whole_cut_s, 1),
        "all_fit_s": round(whole_fit_s, 1), "all_s": round(whole.wall_s, 1), "drift_s": round(looked.wall_s, 1),
        "shifted": len(shifted), "retrained": retrained, "cut_s": round(cut_s, 2), "fit_s": round(fit_s, 2),
        "wall_s": round(again.wall_s, 1), "fit_of_all_%": round(100 * fit_s / whole_fit_s, 2),
    }  # fmt: skip


def trained(path: Path, run: Path, *flags: str) -> Measured:
    return measured(fitscale("train", path, "--run", run, "--no-report", "--choose", "many-models", *flags))


def write_rows(path: Path, groups: int, seed: int, shifted: np.ndarray | None = None) -> None:
    """Rows as they come: at each moment one of each group."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    key = np.tile(np.arange(groups), ROWS)
    X = rng.standard_normal((len(key), COLUMNS), dtype=np.float32)
    y = X[:, 0] * np.sin(key) + X[:, 1] * X[:, 2] + rng.standard_normal(len(key))
    if shifted is not None:
        y[np.isin(key, shifted)] += SHIFT
    pq.write_table(pa.table({"key": key, **{f"x{k}": X[:, k] for k in range(COLUMNS)}, "y": y}), path)


if __name__ == "__main__":
    main()
