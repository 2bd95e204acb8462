"""The ledger that ships: what was forecast of the benchmark's runs and what came, as lines of a ledger.

`python benchmarks/choice seed` writes it from results/choice.json. It is of another machine than any user's: it counts for nothing
in their forecasts, and shows what a ledger holds. Nothing is written where there are no results.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from common import ROOT, result_path
from kept import Row

from fitscale.planning.wording import PRIORS
from fitscale.records.ledger import Entry, Quantity
from fitscale.registry import framework_of
from fitscale.store.ledger import SEED, is_absurd

FILE = ROOT / "src" / "fitscale" / "machines" / "tables" / SEED
MACHINE = "benchmark"
NAMES: dict[str, Quantity] = {"time_s": "time", "cpu_s": "cpu", "memory_bytes": "memory", "storage_bytes": "storage"}
FORMS = {
    "in-memory": "matrix",
    "quantised": "bins",
    "out-of-core": "cache",
    "data-parallel": "shard",
    "many-models": "matrix",
}


def main() -> None:
    path = result_path("choice")
    if not path.exists():
        sys.exit(f"{path}: is not there: nothing was measured yet")
    found = sorted(entry.to_json() for entry in entries(json.loads(path.read_text())["rows"]))
    FILE.write_text("".join(f"{line}\n" for line in found))
    print(f"{FILE}: {len(found)} runs")


def entries(rows: list[Row]) -> Iterator[Entry]:
    """One for each run that ended well: what `plan` said of its candidate, what it said itself once it had begun, what came."""
    planned = {row["workload"]: row for row in rows if row["step"] == "plan" and "forecasts" in row}
    for row in rows:
        entry = entry_of(row, planned.get(row["workload"], {}))
        if entry is not None:
            yield entry


def entry_of(row: Row, plan: Row) -> Entry | None:
    """That of one run and the plan before it; None where it did not end well, or cannot be."""
    if row.get("ended") != "done" or "forecast" not in row or "actual_s" not in row:
        return None
    name = row["choice"]
    before = plan.get("forecasts", {}).get(name)
    said = [*([_said(before, "plan")] if before else []), _said(row["forecast"], "train")]
    shape = plan.get("shape", {})
    n, columns = int(shape.get("rows", 0)), int(shape.get("features", 0))
    actual = {
        "time": row["actual_s"], "cpu": row["cpu_s"], "memory": row["peak_bytes"], "storage": row["storage_bytes"],
    }  # fmt: skip
    entry = Entry.model_validate({
        "at": 0.0, "machine": MACHINE, "framework": framework_of(row["asked"]["estimator"]).name, "strategy": name,
        "form": FORMS.get(name, ""), "rows": n, "features": columns, "cells": float(n * columns), "said": said,
        "actual": {quantity: float(value) for quantity, value in actual.items() if value},
        "contention": row.get("contention", 0.0),
    })  # fmt: skip
    return None if is_absurd(entry) else entry


def _said(forecast: Row, by: str) -> dict[str, Any]:
    figures = {short: forecast[name] for name, short in NAMES.items() if name in forecast}
    return {"by": by, "kind": kind_of(forecast["source"]), "figures": figures}


def kind_of(source: str) -> str:
    """By the words of the forecast: see `planning.forecasts.forecasting`."""
    if source == PRIORS:
        return "priors"
    if "at full size" in source:
        return "beginning"
    if "groups" in source or "chunks" in source:
        return "groups"
    return "kin" if "the beginning of" in source else "parts"
