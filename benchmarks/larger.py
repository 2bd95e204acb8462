"""More rows than memory holds: boosting out of core under a cap, and a linear model streamed at twenty times its cap.

XGBoost's cap is 60 B a row + 4 MB a column + 400 MB. A round's best time is that in memory (of a quarter of the rows, times
four) or that of reading the disk cache once for each level of a tree, cold, whichever is longer. A stream's best rate is
that of decoding the same batches, or of the estimator on batches that are held, whichever is slower. Beside them, scripts
under the same cap. BENCH_PYTHON_DASK names a Python with dask-ml; without one it is left out.

BENCH_ONLY=xgboost,sgd, BENCH_SCALE=0.01 smaller rows, BENCH_DATA where the tables go, BENCH_KEEP=1 keeps them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

import tables
from common import HERE, SCALE, WORK, Failed, Measured, fitscale, job, last_log, measured, python
from forecast import peak_of
from kept import Results, Row

BOOSTED = ((32_000_000, 50), (16_000_000, 200))
STREAMED = (206_000_000, 50)  # files of 41 GB, which no page cache holds here
ROUNDS, DEPTH = 8, 6
TIMES, LEAST = 20, 400_000_000  # a stream's cap: a twentieth of its table, and what a worker needs
HELD_OUT = 0.01  # of a stream's rows: each that is scored takes memory, of which the scripts need none
FIRST = 2  # rounds that are not steady


def main() -> None:
    wanted = [name for name in os.environ.get("BENCH_ONLY", "").split(",") if name]
    results = Results("larger", ("case", "way"), rounds=ROUNDS, depth=DEPTH)
    cases = [("xgboost", boosted, size) for size in BOOSTED] + [("sgd", streamed, STREAMED)]
    for model, measure, (whole, columns) in cases:
        if wanted and model not in wanted:
            continue
        rows = max(8 * tables.UNIT, int(whole * SCALE))
        case = f"{model} {rows / 1e6:.3g}M x {columns}"
        results.tried(case, partial(measure, results, case, rows, columns))
        tables.remove(tables.path_of(rows, columns))
    results.done("larger than memory")


def boosted(results: Results, case: str, rows: int, columns: int) -> None:
    ways = {
        way: {"case": case, "way": way} for way in ("fitscale out-of-core", "script, one matrix", "LightGBM, files")
    }
    if all(results.kept(known) for known in ways.values()):
        return
    data = tables.synthetic(rows, columns)
    cap = 60 * rows + 4_000_000 * columns + 400_000_000
    ours, script, leaves = ways.values()
    results.row(ours, lambda: out_of_core(data, cap))
    results.row(script, lambda: ended("plain/larger.py", "xgboost", data, cap))
    results.row(leaves, lambda: ended("plain/larger.py", "lightgbm", data, cap))


def out_of_core(data: Path, cap: int) -> Row:
    params = {"n_estimators": ROUNDS, "max_depth": DEPTH}
    model = {"estimator": "xgboost.XGBClassifier", "params": params}
    cold = tables.cold_read_bytes_per_s(data)
    run, took, cache = trained("larger-out-of-core", data, model, "out-of-core", cap)
    round_s, peak = steady_s(run), peak_of(run)
    shutil.rmtree(run)
    run, _, _ = trained("larger-in-memory", data / "quarter-*.parquet", model, "in-memory", None)
    share = rows_of(data, "quarter-*") / rows_of(data, "*")
    memory_s = steady_s(run) / share
    shutil.rmtree(run)
    disk_s = cache * DEPTH / cold
    return {
        "ended": "done", "cap_mb": round(cap / 1e6), "peak_mb": round(peak / 1e6), "wall_s": round(took.wall_s, 1),
        "round_s": round(round_s, 2), "in_memory_round_s": round(memory_s, 2), "of_rows": round(share, 3),
        "cache_mb": round(cache / 1e6), "cold_mb_s": round(cold / 1e6), "disk_round_s": round(disk_s, 2),
        "ratio": round(max(memory_s, disk_s) / round_s, 3), "of_in_memory": round(memory_s / round_s, 3),
    }  # fmt: skip


def streamed(results: Results, case: str, rows: int, columns: int) -> None:
    ours, loop, dask = ({"case": case, "way": way} for way in ("fitscale out-of-core", "script, a loop", "dask-ml"))
    other = os.environ.get("BENCH_PYTHON_DASK", "")
    if results.kept(ours) and results.kept(loop) and (results.kept(dask) or not other):
        return
    data = tables.synthetic(rows, columns)
    cap = max(tables.size_of(data) // TIMES, LEAST)
    results.row(ours, lambda: stream(data, cap))
    results.row(loop, lambda: ended("plain/stream.py", "loop", data, cap))
    if other:
        results.row(dask, lambda: ended("plain/stream.py", "dask", data, cap, other))


def stream(data: Path, cap: int) -> Row:
    params = {"loss": "log_loss", "shuffle": False, "tol": None, "max_iter": 1}
    model = {"estimator": "sklearn.linear_model.SGDClassifier", "params": params}
    decode, resident = (rate_of(what, data) for what in ("decode", "resident"))
    tables.forget(data)
    run, took, _ = trained("larger-stream", data, model, "out-of-core", cap, holdout=HELD_OUT)
    # Each unit is a batch of training rows; what is held out is read too, and not given to the estimator.
    rate, peak = tables.UNIT / steady_s(run) / (1 - HELD_OUT), peak_of(run)
    shutil.rmtree(run)
    best = min(decode, resident / (1 - HELD_OUT))
    return {
        "ended": "done", "cap_mb": round(cap / 1e6), "peak_mb": round(peak / 1e6), "wall_s": round(took.wall_s, 1),
        "times_the_cap": round(tables.size_of(data) / cap, 1), "mrows_s": round(rate / 1e6, 3),
        "decode_mrows_s": round(decode / 1e6, 3), "resident_mrows_s": round(resident / 1e6, 3),
        "ratio": round(rate / best, 3),
    }  # fmt: skip


def trained(
    name: str, data: Path, model: dict[str, Any], strategy: str, cap: int | None, *, holdout: float = 0.2
) -> tuple[Path, Measured, int]:
    """The run folder, what it took, and the most bytes that were in the folder meanwhile."""
    where = {} if cap is None else {"where": [{"local": {"memory": f"{cap // 1_000_000} MB"}}]}
    about = {"data": {"uri": str(data), "target": "y"}, "evaluate": {"holdout": f"{holdout:.0%}"}}
    path = job(name, {**about, "model": model, **where})
    run = WORK / "runs" / name
    shutil.rmtree(run, ignore_errors=True)
    most, done = [0], threading.Event()

    def look() -> None:
        while not done.wait(1.0):
            most[0] = max(most[0], tables.size_of(run) if run.exists() else 0)

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        took = measured(fitscale("train", path, "--run", run, "--no-report", "--choose", strategy))
    finally:
        done.set()
        looking.join()
    return run, took, most[0]


def steady_s(run: Path) -> float:
    """Seconds of a unit of the fit (a round, a batch), the first left out: the mean, in which checkpoints are too."""
    best: list[tuple[int, float]] = []
    for path in run.glob("attempts/*/events.0.jsonl"):
        events = [json.loads(line) for line in path.read_text().splitlines()]
        units = [(event["data"]["units"], event["at"]) for event in events if event["kind"] == "units"]
        best = max(best, units, key=len)
    steady = best[FIRST:] if len(best) > FIRST + 1 else best
    (first, began), (last, ended_) = steady[0], steady[-1]
    return (ended_ - began) / (last - first)


def ended(script: str, what: str, data: Path, cap: int, with_python: str = sys.executable) -> Row:
    """A script under the same cap: how it ended, and after how long."""
    more = () if script.endswith("stream.py") else (str(ROUNDS), str(DEPTH))
    tables.forget(data)
    took = measured([with_python, str(HERE / script), what, str(data), *more], memory_bytes=cap)
    said = last_log().strip().splitlines()
    row = {"ended": how(took, said), "cap_mb": round(cap / 1e6), "peak_mb": round(took.peak_bytes / 1e6)}
    row["wall_s"] = round(took.wall_s, 1)
    if took.code == 0 and more == ():
        row["mrows_s"] = round(json.loads(said[-1])["rows_per_s"] / 1e6, 3)
    return row


def how(took: Measured, said: list[str]) -> str:
    if took.code == 0:
        return "done"
    return "by its cap" if took.code == -9 else said[-1][:100] if said else f"with {took.code}"


def rate_of(what: str, data: Path) -> float:
    """Rows a second of one half of the loop, without a cap and from files that the page cache has not."""
    tables.forget(data)
    done = subprocess.run(python("plain/stream.py", what, data), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(done.stderr[-2000:])
    return float(json.loads(done.stdout)["rows_per_s"])


def rows_of(data: Path, pattern: str) -> int:
    import pyarrow.parquet as pq

    return sum(pq.ParquetFile(file).metadata.num_rows for file in data.glob(f"{pattern}.parquet"))


if __name__ == "__main__":
    main()
