"""Runs the design, row by row, in a fixed order; what was interrupted goes on. No row begins after BENCH_MINUTES (80).

A row is a step of a workload in a round:

``plan``
    `fitscale plan`, cold: what it says of each candidate, and decides. In the first round alone.
``force C``
    `train --choose C` of what that refused for memory, where the design marks it. ``--choose`` never overrides memory: the cap is
    raised to the machine's, which admits C, while the whole command is ended 500 MB above the original cap. C would have fitted
    where its workers' peak stayed within what they might have held under that.
``train``
    `fitscale train`, cold, which plans by itself: what it decided after its beginning at full size, and what that took, probing and
    failed attempts included.
``choose C``
    `train --choose C` of every other candidate that `plan` found feasible.
``parts C``
    The same on 1/64, 1/32 and 1/16 of the rows, for baselines that extrapolate. In the first round, where three may be feasible.

BENCH_ONLY names of workloads, BENCH_HALF=tuning or test, BENCH_SCALE=0.01 fewer rows, BENCH_KEEP=1 keeps tables and runs.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any, get_args

from common import SCALE, Failed, table
from kept import Results, Row

from choice import judge
from choice.data import table_of
from choice.design import PARTS, ROUNDS, WORKLOADS, Workload, blocks, is_test, share_of
from choice.running import GUARD, Ran, document_of, forced, how, planned, ran, trained
from fitscale.records.run import Strategy

KEY = ("workload", "asked", "round", "step")
MINUTES = "80"  # of a piece: with the longest of runs (see `running`) it ends within 90
SLACK = 500_000_000  # of a forced command beside its workers
NAMES: tuple[str, ...] = get_args(Strategy)
STEPS = (
    "plan",
    *(f"force {n}" for n in NAMES),
    "train",
    *(f"choose {n}" for n in NAMES),
    *(f"parts {n}" for n in NAMES),
)


def main() -> None:
    until = time.monotonic() + 60 * float(os.environ.get("BENCH_MINUTES", MINUTES))
    results, left = opened(), 0
    for number, workload in blocks():
        if is_wanted(workload):
            left += not block(results, workload, number, until)
    print_tables(results)
    if left:
        print(f"{left} of {len(blocks())} blocks are not whole: the same command goes on", file=sys.stderr)
    results.failed()


def show() -> None:
    """The tables of what is there."""
    print_tables(opened())


def opened() -> Results:
    order = [known(w, k, step) for w in WORKLOADS for k in range(ROUNDS) for step in STEPS]
    return Results("choice", KEY, order=order, summary=judge.tables)


def print_tables(results: Results) -> None:
    for title, rows in judge.tables(results.rows).items():
        table(title, rows)


def is_wanted(workload: Workload) -> bool:
    names, half = os.environ.get("BENCH_ONLY", ""), os.environ.get("BENCH_HALF")
    return (
        workload.name in names.split(",") if names else half in (None, "test" if is_test(workload.name) else "tuning")
    )


def known(workload: Workload, number: int, step: str) -> Row:
    """What names a row: a workload whose parameters are others is another one."""
    asked: dict[str, Any] = {"estimator": workload.estimator, "params": workload.params}
    asked |= {"stopping": workload.stopping} if workload.stopping else {}
    asked |= {"table": workload.more} if workload.more else {}
    asked |= {"scale": SCALE} if SCALE != 1 else {}
    return {"workload": workload.name, "asked": asked, "round": number, "step": step}


def block(results: Results, workload: Workload, number: int, until: float) -> bool:
    """All steps of a workload in a round; False where time ended before they were all there."""
    failed: set[str] = set()
    with ExitStack() as stack:
        data: dict[str, Any] | None = None
        for step in steps(results, workload, number):
            row = known(workload, number, step)
            if results.kept(row) is not None:
                continue
            if time.monotonic() > until:
                return False
            if data is None:
                try:
                    data = stack.enter_context(table_of(workload))
                except (OSError, Failed) as error:
                    results.tried(workload.name, partial(_raise, error))
                    return False
            if results.row(row, partial(measure, results, workload, step, data)) is None:
                failed.add(step)
    return not failed


def steps(results: Results, workload: Workload, number: int) -> Iterator[str]:
    """The steps of a block. Each is asked for when those before it were tried: they say which there are."""
    if number == 0:
        yield "plan"
    plan = results.kept(known(workload, 0, "plan"))
    if plan is None:
        return
    if number == 0:
        yield from (f"force {name}" for name in workload.force if plan["refused"].get(name) == "memory")
    feasible = sorted(plan["feasible"], key=lambda name: share_of("step", workload.name, number, name))
    if not feasible:
        return
    yield "train"
    train = results.kept(known(workload, number, "train")) or {}
    yield from (f"choose {name}" for name in feasible if name != train.get("choice"))
    if number == 0 and workload.three and is_test(workload.name):
        yield from (f"parts {name}" for name in feasible)


def measure(results: Results, workload: Workload, step: str, data: dict[str, Any]) -> Row:
    """The figures of a step."""
    what, _, name = step.partition(" ")
    about = {"half": "test" if is_test(workload.name) else "tuning", "ranged": workload.ranged}
    if what == "parts":
        return about | parts(workload, name, data)
    document = document_of(workload, data, capped=what != "force")
    command = "plan" if what == "plan" else "train"
    flags = [*(["--choose", name] if name else []), *(["--no-report"] if command == "train" else [])]
    guard = min(GUARD, workload.memory_gb * 10**9 + SLACK) if what == "force" else GUARD
    did = ran(command, workload.name, document, *flags, guard=guard)
    about |= {"ended": how(did), "wall_s": round(did.took.wall_s, 3), "contention": did.contention}
    try:
        return about | figures(results, workload, what, name, did)
    finally:
        if os.environ.get("BENCH_KEEP") != "1":
            shutil.rmtree(did.run, ignore_errors=True)


def figures(results: Results, workload: Workload, what: str, name: str, did: Ran) -> Row:
    """What the run folder of a step tells.

    Raises
    ------
    Failed
        If there is not even a plan in it.
    """
    if what == "force":
        plan = results.kept(known(workload, 0, "plan")) or {}
        return forced(did, plan["forecasts"][name]["usable_bytes"])
    if not list(did.run.glob("plans/*.json")):
        raise Failed(f"{what} {name}: {how(did)}")
    return planned(did) if what == "plan" else trained(did)


def parts(workload: Workload, name: str, data: dict[str, Any]) -> Row:
    """Seconds to the committed version from parts of the rows."""
    rows, seconds = [], []
    for share in PARTS:
        document = document_of(workload, data, use=share)
        did = ran("train", f"{workload.name}-part", document, "--choose", name, "--no-report")
        if how(did) != "done":
            raise Failed(f"{share:.3g} of the rows: {how(did)}")
        found = trained(did)
        rows.append(share)
        seconds.append(found["actual_s"])
        shutil.rmtree(did.run)
    return {"shares": rows, "seconds": seconds}


def _raise(error: Exception) -> None:
    raise Failed(str(error)) from error
