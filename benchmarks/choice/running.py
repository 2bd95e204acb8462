"""One command on one workload, in a run folder of its own, and what is read from that folder afterwards.

Every command runs under a guard, the memory of the machine less 1 GB: what passes it is ended as a whole, so that a forecast that
was far too low ends this command and not the machine. That is counted, as are children that were ended at the limit of their own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from common import WORK, Measured, committed_s, fitscale, job, journal_of, last_log, measured
from forecast import last_plan, peak_of
from kept import Row

from choice.design import Workload
from choice.stored import Stored
from fitscale.machines.contention import Contention
from fitscale.planning.decision.gates import p99_bytes, usable_bytes
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Plan
from fitscale.report import actual_of

GUARD = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") - 1_000_000_000
FITTING = ("fit", "groups", "finish")  # attempts whose CPU seconds are forecast
LONGEST_S = 600.0  # of a run: what takes longer is ended, and is no candidate that anybody would wait for here


class Ran(NamedTuple):
    """A command that has ended, and its run folder."""

    took: Measured
    run: Path
    contention: float  # the share of the machine that others used meanwhile
    storage_bytes: int  # the most that was in the run folder
    machine_ended: int  # processes that the kernel ended for want of memory


def document_of(workload: Workload, data: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """The workload file. ``changes``: of ``use``, ``capped`` (whether its memory is), ``seed`` and ``params``."""
    stopping = {"early_stopping": {"rounds": workload.stopping, "validation": "10%"}} if workload.stopping else {}
    memory = {"memory": f"{workload.memory_gb} GB"} if changes.get("capped", True) else {}
    use = {"use": changes["use"]} if "use" in changes else {}
    return {
        "seed": changes.get("seed", 0),
        "data": {**data, **use},
        "evaluate": {"holdout": "20%", "refit": False, **stopping},
        "model": {"estimator": workload.estimator, "params": changes.get("params", workload.params)},
        "where": [{"local": {"cores": workload.cores, **memory}}],
    }


def ran(command: str, name: str, document: dict[str, Any], *flags: str, guard: int = GUARD) -> Ran:
    """Run it to its end, however that is."""
    path, run = job(f"choice-{name}", document), WORK / "runs" / f"choice-{name}"
    shutil.rmtree(run, ignore_errors=True)
    before, others = _ended_by_kernel(), Contention().start()
    with Stored(run) as stored:
        took = measured(fitscale(command, path, "--run", run, *flags), memory_bytes=guard, within_s=LONGEST_S)
        share = others.share()
    return Ran(took, run, round(share, 3), stored.most, _ended_by_kernel() - before)


def how(did: Ran) -> str:
    """``done``; ``memory`` or ``time``, where the guard ended the command; else what it said last."""
    if did.took.code == 0:
        return "done"
    if did.took.code == -9:
        return "time" if did.took.wall_s >= LONGEST_S else "memory"
    said = last_log().strip().splitlines()
    return f"{did.took.code}: {said[-1][:200] if said else ''}"


def planned(did: Ran) -> Row:
    """What `plan` said of each candidate, and of the table: what baselines know of it."""
    plan, text = _plan(did.run), last_plan(did.run)
    decision, shape = plan.decision, plan.shape
    passing = [assessed for assessed in (decision.chosen, *decision.alternatives) if assessed is not None]
    refused = {r.candidate.name: r.gate for r in decision.refused}
    known = [*passing, *(Assessed(candidate=r.candidate, forecast=r.forecast) for r in decision.refused if r.forecast)]
    return {
        "chosen": decision.chosen.candidate.name if decision.chosen else None,
        "feasible": sorted({assessed.candidate.name for assessed in passing}),
        "refused": refused,
        "forecasts": {one.candidate.name: said(one, plan.machine, _forecast_in(text, one)) for one in known},
        "probing_s": plan.probing_s,
        "shape": {
            "rows": shape.rows, "holdout_rows": shape.holdout_rows, "features": shape.features, "classes": shape.classes,
            "density": _short(shape.density),
        },
        "cores": plan.machine.cores,
        "memory_bytes": plan.machine.memory_bytes,
    }  # fmt: skip


def trained(did: Ran) -> Row:
    """What `train` decided on, what it said of that by then, and what came."""
    plan, text = _plan(did.run), last_plan(did.run)
    actual = actual_of(did.run, 1)
    chosen = plan.decision.chosen
    if chosen is None or actual is None or not actual.finished:
        return {"choice": chosen.candidate.name if chosen else None, **_ends(did), "peak_bytes": _peak(did.run)}
    committed = committed_s(did.run, did.took)
    candidate = chosen.candidate
    begun = any(m.path == candidate.path and (m.full_size or candidate.is_grouped) for m in plan.measurements)
    return {
        "choice": candidate.name,
        "begun": begun,  # whether its own beginning at full size, or its first chunks, were seen when that was said
        "forecast": said(chosen, plan.machine, _forecast_in(text, chosen)),
        "committed_s": round(committed, 3),
        "probing_s": plan.probing_s,  # of that, what was measured and not gone on from
        "actual_s": round(committed - plan.probing_s, 3),
        "cpu_s": round(sum(p.cpu_s for a in actual.attempts if a.kind in FITTING for p in a.phases.values()), 2),
        "command_cpu_s": round(did.took.cpu_s, 2),
        "peak_bytes": actual.peak_bytes,
        "storage_bytes": did.storage_bytes,
        **_ends(did),
    }


def forced(did: Ran, usable: float) -> Row:
    """Whether a candidate that was refused would have fitted in what it was refused for."""
    ended, peak = how(did), _peak(did.run)
    row: Row = {"peak_bytes": peak, "usable_bytes": round(usable)}
    if ended == "done":
        return {**row, "fits": peak <= usable}
    return {
        **row,
        "fits": False if ended == "memory" else None,
    }  # None: it failed by something else, and does not count


def said(one: Assessed, machine: Machine, raw: Mapping[str, Any]) -> Row:
    """A forecast as [low, value, high], the bound by which its memory is admitted, and what it may hold."""
    forecast = one.forecast
    figures = {name: raw.get(name) for name in ("time_s", "cpu_s", "memory_bytes", "storage_bytes")}
    return {
        **{
            name: [_short(figure[end]) for end in ("low", "value", "high")]
            for name, figure in figures.items()
            if figure
        },
        "admitted_bytes": round(p99_bytes(forecast)),
        "usable_bytes": round(usable_bytes(one.candidate, machine)),
        "probed": _short(forecast.probed),
        "source": forecast.source,
    }


def _plan(run: Path) -> Plan:
    return Plan.from_json(sorted((run / "plans").glob("*.json"))[-1].read_bytes())


def _forecast_in(plan: Mapping[str, Any], one: Assessed) -> Mapping[str, Any]:
    """The forecast as it stands in the file: what a later version says of it besides is taken too."""
    decision = plan["decision"]
    found = [decision["chosen"], *decision["alternatives"], *decision["refused"]]
    wanted = one.candidate.model_dump(mode="json")
    return next(f["forecast"] for f in found if f and f["candidate"] == wanted and f["forecast"])


def _ends(did: Ran) -> Row:
    causes = [event["cause"] for event in journal_of(did.run) if event["kind"] == "attempt-ended"]
    return {
        "children_ended": causes.count("memory"),  # at a limit of their own
        "machine_ended": did.machine_ended + (how(did) == "memory"),
    }


def _peak(run: Path) -> int:
    """The most that workers held; 0 where none said anything."""
    try:
        return peak_of(run)
    except ValueError:
        return 0


def _ended_by_kernel() -> int:
    with open("/proc/vmstat") as file:
        return next((int(line.split()[1]) for line in file if line.startswith("oom_kill ")), 0)


def _short(value: float) -> float:
    """Four digits: a file of a thousand rows is read by people too."""
    return float(f"{value:.4g}")
