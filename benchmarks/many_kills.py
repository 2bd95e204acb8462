"""Two hundred kills at random moments of a run of many models: the command, one of its workers, or both.

What the run comes to is compared byte by byte with the one that nothing interrupted. A row is of twenty kills, in run after run
until they are done. BENCH_SCALE=0.1 one row, BENCH_SCALE=0.02 a row of four kills.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from common import ROOT, SCALE, WORK, Failed, chunks_of, fitscale, job, journal_of, last_log
from kept import Results, Row

sys.path.insert(0, str(ROOT / "tests" / "running"))
from killing import bytes_of, processes_of, wait_until_quiet

KILLS, EACH = 200, 20  # in all, in a row
GROUPS, ROWS = 1_500, 120_000
WHOM = ("command", "worker", "both")
FIRST_S = 0.3  # before which a command has begun nothing
STARTS = 7  # of which the median says what imports take
IMPORTS = """
from fitscale.registry import plugin
from fitscale.work import waiting
from fitscale.work.hiding import hide
hide(getattr(plugin("frameworks", "xgboost"), "hides", ()))
waiting._import()
import xgboost
"""


class Kill(NamedTuple):
    whom: str
    at: float  # seconds since 1970


def main() -> None:
    results = Results("many_kills", ("kills",), groups=GROUPS, summary=summary)
    numbers = range(1, max(1, round(KILLS * min(1.0, SCALE) / EACH)) + 1)
    each = max(1, min(EACH, round(KILLS * SCALE)))
    names = [{"kills": f"{(n - 1) * EACH + 1}-{(n - 1) * EACH + each}"} for n in numbers]
    if any(results.kept(name) is None for name in names):
        folder = WORK / "runs" / "many-kills"
        shutil.rmtree(folder, ignore_errors=True)
        path, whole_s = uninterrupted(folder)
        imports_s = imported_s()
        for n, name in zip(numbers, names, strict=True):
            results.row(name, lambda n=n: twenty(path, folder, whole_s, imports_s, each, seed=n))
        shutil.rmtree(folder)
    results.done("kills at random moments of many models")


def uninterrupted(folder: Path) -> tuple[Path, float]:
    """The workload, and what its run takes where nothing ends it."""
    path = job("many-kills", {
        "data": {"uri": f"synthetic://?rows={ROWS}&columns=6&groups={GROUPS}&classes=0&seed=3", "target": "y", "groups": ["group"]},
        "model": {"estimator": "xgboost.XGBRegressor", "params": {"n_estimators": 10, "max_depth": 3, "subsample": 0.8}},
    })  # fmt: skip
    began = time.monotonic()
    child = started(path, folder / "whole")
    if child.wait():
        raise Failed(f"the run that nothing interrupts ended with {child.returncode}: {last_log()[-500:]}")
    return path, time.monotonic() - began


def started(path: Path, run: Path) -> subprocess.Popen[bytes]:
    argv = fitscale("train", path, "--run", run, "--no-report", "--choose", "many-models")
    with open(WORK / "last.log", "wb") as log:
        return subprocess.Popen(argv, stdout=log, stderr=log)


def imported_s() -> float:
    """Seconds in which a process that is to fit starts and imports what it needs. The command's own imports come before."""
    took = []
    for _ in range(STARTS):
        began = time.monotonic()
        subprocess.run([sys.executable, "-P", "-c", IMPORTS], check=True)
        took.append(time.monotonic() - began)
    return float(np.median(took))


def twenty(path: Path, folder: Path, whole_s: float, imports_s: float, each: int, *, seed: int) -> Row:
    """So many kills, in runs that go on until they are done; the last one is let go on to its end."""
    draws = random.Random(seed)
    killed: dict[str, int] = dict.fromkeys(WHOM, 0)
    found: list[Row] = []
    while sum(killed.values()) < each:
        run = folder / f"killed-{seed}"
        kills, restarts = one_run(path, run, whole_s, draws, each - sum(killed.values()))
        found.append(judged(folder / "whole", run, kills, restarts))
        for kill in kills:
            killed[kill.whom] += 1
        shutil.rmtree(run)
    redone = [s for row in found for s in row["redone_s"]]
    first = [s for row in found for s in row["first_s"]]
    return {
        "runs": len(found), **killed,
        "lost": sum(row["lost"] for row in found), "twice": sum(row["twice"] for row in found),
        "equal": all(row["equal"] for row in found),
        "redone_median_s": round(float(np.median(redone)), 2), "redone_worst_s": round(max(redone), 2),
        "restarts": len(first), "imports_s": round(imports_s, 2),
        "first_fit_median_s": round(float(np.median(first)), 2) if first else None,
        "first_fit_worst_s": round(max(first), 2) if first else None,
        "beyond_imports_worst_s": round(max(first) - imports_s, 2) if first else None,
    }  # fmt: skip


def one_run(
    path: Path, run: Path, whole_s: float, draws: random.Random, most: int
) -> tuple[list[Kill], list[tuple[float, bool]]]:
    """A run until it is done: its kills, and (when, whether its rows were cut by group already) of each restart."""
    kills: list[Kill] = []
    restarts: list[tuple[float, bool]] = []
    child, killed = started(path, run), False
    while True:
        if killed:
            restarts.append((time.time(), any(run.glob("data/by-group-*/partition.json"))))
            child, killed = started(path, run), False
        seconds = draws.uniform(FIRST_S, whole_s) if len(kills) < most else None
        try:
            code = child.wait(seconds)
        except subprocess.TimeoutExpired:
            if (kill := ended(run, child, draws.choice(WHOM))) is not None:
                kills.append(kill)
                killed = kill.whom != "worker"  # which its command starts anew
            continue
        if code:
            raise Failed(f"a command that nothing ended ended with {code}: {last_log()[-500:]}")
        return kills, restarts


def ended(run: Path, child: subprocess.Popen[bytes], whom: str) -> Kill | None:
    """End the command, a worker, or both by SIGKILL; None where there is no worker now."""
    workers = [pid for pid in processes_of(run) if _parent_of(pid) == child.pid] if whom != "command" else []
    if whom != "command" and not workers:
        return None
    now = time.time()
    victims = [*workers[:1], *([child.pid] if whom != "worker" else [])]
    for pid in victims:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:  # it has ended meanwhile
            return None
    if whom != "worker":
        child.wait()
        wait_until_quiet(run)
    return Kill(whom, now)


def _parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def judged(whole: Path, run: Path, kills: list[Kill], restarts: list[tuple[float, bool]]) -> Row:
    """What a run that was killed came to, and what each kill cost it."""
    import pyarrow.parquet as pq

    keys, wanted = (
        pq.read_table(of / "versions" / "1" / "index.parquet").column("group").to_pylist() for of in (run, whole)
    )
    told = [chunk["k"] for chunk in chunks_of(run)]
    attempts, moments = attempts_of(run), [kill.at for kill in kills]
    begun = [at for attempt in attempts for at in attempt["claims"].values()]
    return {
        "lost": len(set(wanted) - set(keys)),
        # More rows than keys; or a chunk that two workers said to have committed.
        "twice": len(keys) - len(set(keys)) + len(told) - len(set(told)),
        "equal": bytes_of(run) == bytes_of(whole),
        "redone_s": [redone_s(run, attempts, before, at) for before, at in zip([0.0, *moments], moments, strict=False)],
        "first_s": [
            min(later) - at for at, is_cut in restarts if is_cut and (later := [claim for claim in begun if claim > at])
        ],
    }  # fmt: skip


def attempts_of(run: Path) -> list[dict[str, Any]]:
    """When each began and ended (where that was written down), and when it claimed which chunk."""
    events = journal_of(run)
    ends = {event["attempt"]: event["at"] for event in events if event["kind"] == "attempt-ended"}
    return [
        {
            "order": event["order"], "began": event["at"], "ended": ends.get(event["attempt"]),
            "claims": {
                int(path.name): path.stat().st_mtime for path in run.glob(f"attempts/{event['attempt']}/claims/*")
            },
        }
        for event in events if event["kind"] == "attempt-started"
    ]  # fmt: skip


def redone_s(run: Path, attempts: list[dict[str, Any]], before: float, at: float) -> float:
    """Of what was at work when it was killed, since when the longest was that had to be done again.

    A chunk that was claimed after the kill ``before``, and committed by a later attempt alone; for what has no chunks, its
    whole time.
    """
    chunks = {int(path.name): path.stat().st_mtime for path in run.glob("tasks/*/chunks/*") if path.name.isdigit()}
    since = [at]
    for attempt in attempts:
        end = attempt["ended"] or _next(attempts, attempt)
        if not attempt["began"] <= at <= end:
            continue
        if attempt["order"] == "groups":
            since += [claim for k, claim in attempt["claims"].items() if before < claim <= at and chunks[k] > end]
        elif attempt["ended"] is None or any(o["order"] == attempt["order"] for o in attempts if o["began"] >= end):
            since.append(attempt["began"])
    return at - min(since)


def _next(attempts: list[dict[str, Any]], attempt: dict[str, Any]) -> float:
    """When the attempt after it began, for one whose end nobody wrote down."""
    return min((other["began"] for other in attempts if other["began"] > attempt["began"]), default=float("inf"))


def summary(rows: list[Row]) -> Row:
    if not rows:
        return {}
    return {
        "kills": sum(sum(row[whom] for whom in WHOM) for row in rows),
        "lost": sum(row["lost"] for row in rows), "twice": sum(row["twice"] for row in rows),
        "equal": all(row["equal"] for row in rows), "redone_worst_s": max(row["redone_worst_s"] for row in rows),
        "beyond_imports_worst_s": max((s for row in rows if (s := row["beyond_imports_worst_s"]) is not None), default=None),
    }  # fmt: skip


if __name__ == "__main__":
    main()
