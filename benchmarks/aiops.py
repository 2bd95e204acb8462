"""The scenario of examples/aiops at full scale: from a PostgreSQL table of 250,000 series to packages, phase by phase.

And the plan of 500 GB of it, as `--what-if` makes it from what was measured here: modelled, with what physics allows no less than.
BENCH_SCALE=0.01 fewer databases.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from common import ROOT, SCALE, WORK, Failed, fitscale, measured
from kept import Results, Row

sys.path.insert(0, str(ROOT / "tests" / "servers"))
from postgres_server import Server, started

EXAMPLE = ROOT / "examples" / "aiops"
METRICS, HOURS, DATABASES = 50, 100, 5_000
PLANNED = "forecast of 500 GB of it"
PLANNED_BYTES = 500e9  # of the table


def main() -> None:
    results = Results("aiops", ("phase",), hours=HOURS)
    databases = max(4, int(DATABASES * SCALE))
    if all(results.kept({"phase": phase}) for phase in ("train", "packages", PLANNED)):
        results.done("aiops")
        return
    with started() as server:
        scenario(results, server, databases)
    results.done(f"{databases * METRICS:,} series × {HOURS} points, from PostgreSQL to packages")


def scenario(results: Results, server: Server, databases: int) -> None:
    env = {"PGPASSWORD": server.password, "PGPORT": str(server.port)}
    folder = WORK / "aiops"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(EXAMPLE, folder)
    make = [sys.executable, str(folder / "metrics.py"), server.uri(), "--databases", str(databases)]
    measured([*make, "--metrics", str(METRICS), "--hours", str(HOURS)], env=env)
    told(results, "train", *timed(fitscale("train", folder / "metrics.yaml", "--no-report"), env), databases)
    run = folder / "runs" / "metrics"
    for phase, row in phases_of(run).items():
        results.put({"phase": phase, **row})
    supposed(results, server, folder / "metrics.yaml", env, databases)
    to = folder / "packages"
    told(results, "packages", *timed(fitscale("models", "package", run, "--by", "db", "--to", to), env), databases)
    if len(list(to.glob("*.zip"))) != databases:
        raise Failed("not one archive for each database")


def supposed(results: Results, server: Server, workload: Path, env: dict[str, str], databases: int) -> None:
    """What is forecast of so many times the rows that the table has 500 GB."""
    [(size,)] = server.sql("select pg_total_relation_size('metrics')")
    times = round(PLANNED_BYTES / size)
    command = fitscale("plan", workload, "--what-if", f"rows={times}x", "--json")
    said = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, check=True)
    plan = json.loads(said.stdout)
    forecast = plan["decision"]["chosen"]["forecast"]
    hours = {name: seconds / 3600 for name, seconds in forecast["phases"].items() if seconds >= 36}
    results.put({
        "phase": PLANNED, "series": databases * METRICS, "wall_s": round(forecast["time_s"]["value"]),
        "peak_mb": round(forecast["memory_bytes"]["value"] / 1e6), "rows": round(plan["profile"]["rows"]["value"]),
        "hours_by_phase": " · ".join(f"{name} {value:.2f}" for name, value in hours.items()),
        "floor_s": round(forecast["floor_s"]), "storage_gb": round(forecast["storage_bytes"]["value"] / 1e9),
    })  # fmt: skip


def timed(command: list[str], env: dict[str, str]) -> tuple[float, int]:
    took = measured(command, env=env)
    return took.wall_s, took.peak_bytes


def told(results: Results, phase: str, wall_s: float, peak: int, databases: int) -> None:
    results.put({
        "phase": phase, "series": databases * METRICS, "wall_s": round(wall_s, 1), "peak_mb": round(peak / 1e6),
    })  # fmt: skip


def phases_of(run: Path) -> dict[str, Row]:
    """Wall seconds and peak of reading from the server, cutting, fitting and putting together."""
    events = [
        json.loads(line) for path in sorted(run.glob("journal/*.jsonl")) for line in path.read_text().splitlines()
    ]
    found: dict[str, Row] = {}
    for event in events:
        if event["kind"] == "staged":
            found["of it: read and staged"] = {"wall_s": round(event["seconds"], 1)}
    ends = {event["attempt"]: event for event in events if event["kind"] == "attempt-ended"}
    named = {"partition": "of it: cut by series", "groups": "of it: fitted", "finish": "of it: put together"}
    for event in events:
        if event["kind"] == "attempt-started" and (phase := named.get(event["order"])):
            end = ends[event["attempt"]]
            before = found.get(phase, {"wall_s": 0.0, "peak_mb": 0})
            found[phase] = {
                "wall_s": round(before["wall_s"] + end["at"] - event["at"], 1),
                "peak_mb": max(before["peak_mb"], round((end.get("peak") or 0) / 1e6)),
            }
    return found


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    main()
