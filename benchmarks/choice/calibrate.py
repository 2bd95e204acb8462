"""How long a run takes, to size the design before its first run: seconds alone, of seeds that are never used again.

Two short runs, with a tenth and a fifth of the trees, rounds or passes, give the line to the whole; what has no such number is run
as it is. No forecast is looked at. BENCH_ONLY, or names as arguments.
"""

from __future__ import annotations

import os
import shutil
import sys
from typing import Any

from common import Failed, committed_s, table

from choice.data import table_of
from choice.design import WORKLOADS, Workload
from choice.running import document_of, how, ran

SEED = 987_654_321  # thrown away
UNITS = ("n_estimators", "max_iter")
SHARES = (0.1, 0.2)
WANTED_S = 45.0


def main() -> None:
    names = [*sys.argv[2:], *(name for name in os.environ.get("BENCH_ONLY", "").split(",") if name)]
    rows = []
    for workload in WORKLOADS:
        if (not names and not workload.is_refusal) or workload.name in names:
            rows.append({"workload": workload.name, "thought_s": workload.seconds, **_told(workload)})
            print(rows[-1], file=sys.stderr, flush=True)
    if not rows:
        sys.exit(f"no workload of these names: {', '.join(names)}; `design` lists them")
    table("how long a run takes", rows)


def _told(workload: Workload) -> dict[str, Any]:
    try:
        return one(workload)
    except Failed as error:  # the others are sized all the same
        return {"failed": str(error)}


def one(workload: Workload) -> dict[str, Any]:
    """Seconds of the whole, and how many units would take `WANTED_S`."""
    unit = next((name for name in UNITS if name in workload.params), None)
    with table_of(workload, SEED) as data:
        if unit is None or workload.stopping or workload.ranged:
            return {"s": round(seconds(workload, data, workload.params), 1)}
        whole = workload.params[unit]
        counts = [max(1, round(share * whole)) for share in SHARES]
        if counts[0] == counts[1]:
            counts[1] += 1
        took = [seconds(workload, data, {**workload.params, unit: count}) for count in counts]
    each = (took[1] - took[0]) / (counts[1] - counts[0])
    if each <= 0:  # the two differ by less than runs do
        return {"s": None, "units": whole, "both_s": [round(s, 1) for s in took]}
    fixed = max(0.0, took[0] - counts[0] * each)
    return {"s": round(fixed + whole * each, 1), "units": whole, "for_45_s": max(1, round((WANTED_S - fixed) / each))}


def seconds(workload: Workload, data: dict[str, Any], params: Any) -> float:
    document = document_of(workload, data, seed=SEED, params=params)
    did = ran("train", f"{workload.name}-sized", document, "--no-report")
    if how(did) != "done":
        raise Failed(f"{workload.name}: {how(did)}")
    took = committed_s(did.run, did.took)
    shutil.rmtree(did.run)
    return took
