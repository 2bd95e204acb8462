"""3,167 flight routes of which eight hundredths are bad, against the same routes without: what is delivered, and what it costs.

Of each kind one in a hundred: the fit raises, ends its process, crashes, never ends, takes 30 GB; the rows have a target that is
missing, an infinite value, or are one. BENCH_SCALE=0.1 fewer routes.
"""

from __future__ import annotations

import json
import os
import shutil
from typing import Any

import numpy as np
from common import HERE, WORK, Failed, Measured, fitscale, job, measured
from flightroutes import flights, minutes_of
from kept import Results, Row

SHARE = 0.01
GROUP_S = 2  # CPU seconds of a fit, after which it is ended
IN_FIT = 5  # kinds of poison that are in the estimator
MISSING, INFINITE, SHORT = 6, 7, 8
FATAL, LOOP = (2, 3, 4, 5), 4


def main() -> None:
    results = Results("poison", ("run",))
    if all(results.kept({"run": run}) for run in ("clean", "poisoned")):
        results.done("routes, eight of a hundred of them bad")
        return
    routes, kinds = data()
    clean = run_on("clean", routes, kinds * 0)
    results.put({"run": "clean", **said(clean, kinds * 0)})
    poisoned = run_on("poisoned", routes, kinds)
    fatal, loops = int(np.isin(kinds, FATAL).sum()), int((kinds == LOOP).sum())
    allowed = 1.05 * clean.wall_s + 0.05 * fatal + GROUP_S * loops / 2  # two workers wait side by side
    results.put({"run": "poisoned", **said(poisoned, kinds), "fatal": fatal, "allowed_s": round(allowed, 1)})
    results.done("routes, eight of a hundred of them bad")


def data() -> tuple[Any, np.ndarray]:
    """(flights with the number of their route, the poison of each route)."""
    table = flights()
    n = int(table.column("route").to_numpy().max()) + 1
    kinds = np.zeros(n, np.int64)
    bad = np.random.default_rng(0).permutation(n)
    each = max(1, round(SHARE * n))
    for kind in range(1, SHORT + 1):
        kinds[bad[(kind - 1) * each : kind * each]] = kind
    return table, kinds


def run_on(name: str, table: Any, kinds: np.ndarray) -> Measured:
    import pyarrow as pa
    import pyarrow.parquet as pq

    route = table.column("route").to_numpy()
    kind = kinds[route]
    minutes = minutes_of(table)
    minutes[kind == INFINITE] = np.inf
    delay = pa.array(table.column("delay").to_numpy().astype(float), mask=kind == MISSING)
    first = np.zeros(len(route), bool)
    first[np.unique(route, return_index=True)[1]] = True
    columns = {
        "route": route, "minutes": minutes, "distance": table.column("distance").to_numpy(), "delay": delay,
        "poison": np.where(kind <= IN_FIT, kind, 0).astype(float),
    }  # fmt: skip
    rows = pa.table(columns).filter(pa.array((kind != SHORT) | first))
    pq.write_table(rows, WORK / "data" / "poison.parquet")
    document = {
        "data": {"uri": str(WORK / "data" / "poison.parquet"), "target": "delay", "groups": ["route"]},
        "model": {"estimator": "poisoned.Regressor", "params": {"n_estimators": 100, "max_depth": 6, "verbosity": -1}},
        "needs": {"max_failed": "50%"},
    }
    path = job("poison", document)
    shutil.copy(HERE / "plain" / "poisoned.py", path.parent / "poisoned.py")
    run = WORK / "runs" / f"poison-{name}"
    shutil.rmtree(run, ignore_errors=True)
    return measured(
        fitscale("train", path, "--run", run, "--no-report", "--choose", "many-models"),
        env={"FITSCALE_GROUP_S": f"{GROUP_S}s", "OMP_NUM_THREADS": "1"},
    )


def said(took: Measured, kinds: np.ndarray) -> Row:
    name = "poisoned" if kinds.any() else "clean"
    manifest = json.loads((WORK / "runs" / f"poison-{name}" / "versions" / "1" / "manifest.json").read_text())
    failures = (WORK / "runs" / f"poison-{name}" / "versions" / "1" / "failures.jsonl").read_text().splitlines()
    named = {json.loads(line)["key"]["route"] for line in failures}
    bad = set(np.flatnonzero(kinds).tolist())
    if named != bad or manifest["models"] != len(kinds) - len(bad):
        raise Failed(f"{len(bad ^ named)} routes are not what they should be, such as {sorted(bad ^ named)[:3]}")
    return {
        "routes": len(kinds), "bad": len(bad), "delivered": manifest["models"], "named": len(named),
        "wall_s": round(took.wall_s, 1), "cpu_s": round(took.cpu_s, 1), "peak_mb": round(took.peak_bytes / 1e6),
    }  # fmt: skip


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    main()
