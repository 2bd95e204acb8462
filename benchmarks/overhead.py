"""`fitscale train` from its start to the committed model, against the plain script to its saved model: time and memory.

Each strategy takes its turn beside the script, round by round; the architecture is given by --choose, so nothing is probed.
No report is written: the script writes none either. Once, the same model is fitted by the bare library on the same rows in
the same order: its predictions must be the same.

BENCH_JOBS=xgboost,forest some of the jobs, BENCH_PAIRS=5 rounds, BENCH_SCALE=0.01 smaller rows, BENCH_KEEP=1 keeps the data.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from common import DATA, SCALE, WORK, Failed, Measured, committed_s, fitscale, flights, job, measured, median, python
from kept import Results, Row

XGB = ("xgboost.XGBClassifier", ("in-memory", "quantised", "out-of-core"))
LGBM = ("lightgbm.LGBMClassifier", ("in-memory", "quantised"))
HGB = ("sklearn.ensemble.HistGradientBoostingClassifier", ("in-memory",))
FOREST = ("sklearn.ensemble.RandomForestClassifier", ("in-memory", "parts-and-merge"))
LOGISTIC = ("sklearn.linear_model.LogisticRegression", ("in-memory",))
SGD = ("sklearn.linear_model.SGDClassifier", ("in-memory",))


class Job(NamedTuple):
    """Parameters such that the script takes 60 to 120 s on two cores, and 10 s with 0.3M rows."""

    kind: str
    rows: int
    model: tuple[str, tuple[str, ...]]  # estimator, strategies
    params: dict[str, Any]

    @property
    def name(self) -> str:
        return self.kind if self.rows == 3_000_000 else f"{self.kind}-{self.rows / 1e6:g}m"


DEEP = {"max_depth": 8, "learning_rate": 0.1}
JOBS = (
    Job("xgboost", 3_000_000, XGB, {"n_estimators": 160, **DEEP}),
    Job("lightgbm", 3_000_000, LGBM, {"n_estimators": 500, "num_leaves": 63}),
    Job("hgb", 3_000_000, HGB, {"max_iter": 300, "early_stopping": False}),
    Job("forest", 3_000_000, FOREST, {"n_estimators": 18, "max_depth": 16}),
    # saga makes as many passes as are asked for; with scaled columns lbfgs is done after a few seconds
    Job("logistic", 3_000_000, LOGISTIC, {"solver": "saga", "max_iter": 50, "tol": 1e-12}),
    Job("sgd", 3_000_000, SGD, {"loss": "log_loss", "max_iter": 110, "tol": None}),
    Job("xgboost", 300_000, XGB, {"n_estimators": 160, **DEEP}),
    Job("lightgbm", 300_000, LGBM, {"n_estimators": 160, "num_leaves": 63}),
    Job("xgboost", 10_000_000, (XGB[0], XGB[1][:2]), {"n_estimators": 28, **DEEP}),
    Job("lightgbm", 10_000_000, LGBM, {"n_estimators": 130, "num_leaves": 63}),
)
LATE = {"drop": ["tailnum", "source_row"]}
TEXTS = ["carrier", "origin", "dest", "type", "manufacturer", "model", "engine"]  # left out of linear models
KEY = ("job", "rows", "strategy")


def main() -> None:
    pairs = int(os.environ.get("BENCH_PAIRS", "5"))
    wanted = [name for name in os.environ.get("BENCH_JOBS", "").split(",") if name]
    results = Results("overhead", KEY)
    for one in JOBS:
        if not wanted or one.name in wanted:
            results.tried(one.name, lambda one=one: _job(results, one, pairs))
    results.done("overhead, medians of the pairs", leave=("runs",))


def _job(results: Results, one: Job, pairs: int) -> None:
    rows = max(3_000, int(one.rows * SCALE))
    estimator, strategies = one.model
    known = {strategy: {"job": one.kind, "rows": rows, "strategy": strategy} for strategy in strategies}
    runs = {strategy: _pairs_of(results.kept(known[strategy])) for strategy in strategies}
    if all(pairs <= len(runs[strategy]) for strategy in strategies):
        return
    linear = one.kind in ("logistic", "sgd")
    data = flights("tiled", f"flights-{rows / 1e6:g}m", "--rows", rows)
    features = {"drop": LATE["drop"] + TEXTS, "scale": True} if linear else LATE
    path = job(f"overhead-{one.name}", {
        "data": {"uri": str(data), "target": "late", "features": features},
        "evaluate": {"holdout": "20%", "metric": "roc_auc"},
        "model": {"estimator": estimator, "params": one.params},
    })  # fmt: skip
    for number in range(pairs):
        left = [strategy for strategy in strategies if len(runs[strategy]) <= number]
        if not left:
            continue
        plain = measured(python("plain/fit.py", one.kind, data, json.dumps(one.params), WORK / f"plain-{one.name}"))
        for strategy in left:
            run = WORK / "runs" / f"overhead-{one.name}-{strategy}"
            shutil.rmtree(run, ignore_errors=True)
            whole = measured(fitscale("train", path, "--run", run, "--no-report", "--choose", strategy))
            runs[strategy].append((whole._replace(wall_s=committed_s(run, whole)), plain))
            before = results.kept(known[strategy]) or {}
            different = before["largest_difference"] if "largest_difference" in before else _difference(run)
            results.put({**known[strategy], **_figures(runs[strategy]), "largest_difference": different})
            shutil.rmtree(run)
    if rows > 5_000_000 and os.environ.get("BENCH_KEEP") != "1" and data.parent == DATA:
        shutil.rmtree(data)


def _pairs_of(row: Row | None) -> list[tuple[Measured, Measured]]:
    """(fitscale's, the script's) measurements that a row was made of."""
    return [(Measured(*ours, 0, 0.0), Measured(*plain, 0, 0.0)) for ours, plain in (row or {}).get("runs", [])]


def _figures(runs: list[tuple[Measured, Measured]]) -> Row:
    return {
        "pairs": len(runs),
        "plain_s": median([plain.wall_s for _, plain in runs]),
        "fitscale_s": median([ours.wall_s for ours, _ in runs]),
        "wall_ratio": median([ours.wall_s / plain.wall_s for ours, plain in runs]),
        "more_s": median([ours.wall_s - plain.wall_s for ours, plain in runs]),
        "cpu_ratio": median([ours.cpu_s / plain.cpu_s for ours, plain in runs]),
        "plain_mb": median([plain.peak_bytes / 1e6 for _, plain in runs]),
        "fitscale_mb": median([ours.peak_bytes / 1e6 for ours, _ in runs]),
        "memory_ratio": median([ours.peak_bytes / plain.peak_bytes for ours, plain in runs]),
        "runs": [[[round(m.wall_s, 3), round(m.cpu_s, 3), m.peak_bytes] for m in pair] for pair in runs],
    }


def _difference(run: Path) -> float:
    """Between the held-out probabilities of the run and those of the bare library on the run's own rows."""
    done = subprocess.run(python("plain/same.py", run), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(done.stderr[-2000:])
    return float(json.loads(done.stdout)["largest"])


if __name__ == "__main__":
    main()
