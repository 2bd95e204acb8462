"""Runs with a plan whose better place is a rented machine: planned for real, the better place as the modelling gives it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
from commands import fitscale, write_job

from fitscale.deploying.target import machines_of
from fitscale.planning.portfolio.moving import on_machine
from fitscale.records.data import Snapshot
from fitscale.records.plan import Plan
from fitscale.store import folder

MACHINE = "r7i.2xlarge"
SMALL: dict[str, Any] = {
    "data": {"uri": "synthetic://?rows=3000&columns=4", "target": "y"},
    "model": {"estimator": "baseline.Classifier", "params": {"passes": 2}},
}


class Planned(NamedTuple):
    job: Path
    run: Path
    plan: Plan
    snapshot: Snapshot


def planned(at: Path, name: str = "late", *, better: bool = True, **sections: Any) -> Planned:
    """A workload file and the run folder of its plan. ``better``: the plan would rather have MACHINE."""
    job = write_job(at, name, **{**SMALL, **sections})
    said = fitscale("plan", job)
    assert said.code == 0, said.err
    run = at / "runs" / name
    plan = folder.read_plan(run)
    snapshot = folder.read_snapshot(run, plan.snapshot)
    if better:
        # A job for which renting is worth it takes minutes: the same modelling, without its threshold.
        there, _ = on_machine(plan, snapshot, machines_of(plan.workload)[MACHINE])
        plan = plan.but(number=plan.number + 1, decision=plan.decision.but(better=there[0]))
        folder.write_plan(run, plan)
    return Planned(job, run, plan, snapshot)


def planned_on_a_file(at: Path, **sections: Any) -> Planned:
    """As `planned`, on a Parquet file in the folder."""
    rows = {name: [float((n * step) % 97) for n in range(3000)] for name, step in (("a", 7), ("b", 31))}
    pq.write_table(pa.table({**rows, "y": [n % 97 * 7 % 97 > 48 for n in range(3000)]}), at / "rows.parquet")
    return planned(at, data={"uri": "rows.parquet", "target": "y"}, **sections)


def document(text: str) -> Any:
    """YAML as a workload file is read."""
    from fitscale.workload.document import read_document

    return read_document(text)[0]
