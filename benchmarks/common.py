"""What all benchmarks share: run a program and measure its tree, tables, results with their machine."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from about import BENCHMARKS

from fitscale.engines import supervisor
from fitscale.machines.here import detect

HERE = Path(__file__).parent
ROOT = HERE.parent
DATA = ROOT / "demo" / "data"
WORK = ROOT / "build" / "bench"
# What is measured hangs on no past run of whoever measures it; BENCH_LEDGER names a ledger where it is to.
os.environ["FITSCALE_LEDGER"] = os.environ.get("BENCH_LEDGER", os.devnull)
SCALE = float(os.environ.get("BENCH_SCALE", "1"))  # of the rows, for trials


class Failed(Exception):
    """A program that was to be measured ended otherwise than it should."""


class Measured(NamedTuple):
    wall_s: float
    cpu_s: float
    peak_bytes: int
    code: int
    began: float  # seconds since 1970


def measured(
    argv: list[str],
    *,
    env: dict[str, str] | None = None,
    memory_bytes: int | None = None,
    within_s: float | None = None,
) -> Measured:
    """Run a program to its end: wall and CPU seconds, and the highest anonymous memory of its tree.

    What takes more than ``within_s`` is ended; under a limit that, too, is told by its code alone.
    """
    WORK.mkdir(parents=True, exist_ok=True)
    with open(WORK / "last.log", "wb") as log:
        began = time.time()
        child = supervisor.start(
            argv, memory_bytes=memory_bytes, env={**os.environ, **(env or {})}, stdout=log, stderr=log
        )
        code = child.wait(within_s)
        if code is None:
            child.kill()
            code = child.returncode
    if code and memory_bytes is None:
        raise Failed(_ended(argv, code))
    return Measured(child.wall_s, child.cpu_s, child.peak_bytes, code or 0, began)


def timed(argv: list[str]) -> Measured:
    """As `measured`, without looking at its memory: where many processes come and go, that alone takes a tenth of a core."""
    WORK.mkdir(parents=True, exist_ok=True)
    with open(WORK / "last.log", "wb") as log:
        began, start = time.time(), time.monotonic()
        child = subprocess.Popen(argv, stdout=log, stderr=log)
        _, status, used = os.wait4(child.pid, 0)
    if code := os.waitstatus_to_exitcode(status):
        raise Failed(_ended(argv, code))
    return Measured(time.monotonic() - start, used.ru_utime + used.ru_stime, 0, code, began)


def _ended(argv: list[str], code: int) -> str:
    return f"{' '.join(argv)} ended with {code}:\n{last_log()[-2000:]}"


def last_log() -> str:
    """What the program that was measured last said."""
    return (WORK / "last.log").read_text(errors="replace")


def committed_s(run: Path, train: Measured) -> float:
    """From the start of the command to its committed version; the report comes after."""
    return float(max(event["at"] for event in journal_of(run) if event["kind"] == "version-finished")) - train.began


def journal_of(run: Path) -> list[dict[str, Any]]:
    """The events of a run's journal, in the order of time."""
    lines = [line for path in run.glob("journal/*.jsonl") for line in path.read_text().splitlines()]
    return sorted((json.loads(line) for line in lines), key=lambda event: float(event["at"]))


def phases_of(run: Path, since: float = 0.0) -> tuple[float, float]:
    """Of the version begun after a moment: seconds to cut its rows by group, and from the first fits to the committed version."""
    events = [event for event in journal_of(run) if event["at"] >= since]
    starts: dict[str, dict[str, Any]] = {}
    for event in events:
        if event["kind"] == "attempt-started":
            starts.setdefault(event["order"], event)
    ends = {event["attempt"]: event["at"] for event in events if event["kind"] == "attempt-ended"}
    cut, finished = starts["partition"], max(e["at"] for e in events if e["kind"] == "version-finished")
    return ends[cut["attempt"]] - cut["at"], finished - starts["groups"]["at"]


def chunks_of(run: Path, since: float = 0.0) -> list[dict[str, Any]]:
    """What workers said after a moment of each chunk of models that they did: its groups, rows and CPU seconds."""
    # Without what comes after the last line feed: a kill may have torn it.
    lines = [line for path in run.glob("attempts/*/events.*.jsonl") for line in path.read_bytes().split(b"\n")[:-1]]
    events = [json.loads(line) for line in lines]
    return [event["data"] for event in events if event["kind"] == "chunk" and event["at"] >= since]


def python(script: str, *arguments: object) -> list[str]:
    return [sys.executable, str(HERE / script), *map(str, arguments)]


def fitscale(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "fitscale", *map(str, arguments)]


def job(name: str, document: dict[str, Any]) -> Path:
    """Write a workload file into the working folder."""
    path = WORK / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"name": name, **document}))
    return path


def flights(kind: str, out: str, *flags: object) -> Path:
    """The flights table, made if it is not there."""
    path = DATA / out
    if not path.exists():
        subprocess.run(
            [sys.executable, str(ROOT / "scripts" / "flights.py"), kind, str(path), *map(str, flags)], check=True
        )
    return path


def table(title: str, rows: list[dict[str, Any]]) -> None:
    """Print rows as an aligned table; each has its own columns."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    shown = [[_cell(row.get(name)) for name in columns] for row in rows]
    widths = [max(len(name), *(len(line[i]) for line in shown)) for i, name in enumerate(columns)]
    print(f"\n{title}")
    for line in [columns, *shown]:
        print("  " + "  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)))


def _cell(value: Any) -> str:
    return "-" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)


def write(name: str, **result: Any) -> None:
    """results/NAME.json, with the machine and the date."""
    save(name, result)


def save(name: str, result: dict[str, Any]) -> None:
    path = result_path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {"name": name, "date": time.strftime("%Y-%m-%d"), "machine": about_machine(), "aim": BENCHMARKS[name].aim}
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps({**about, **result}, indent=1) + "\n")
    draft.replace(path)


def result_path(name: str) -> Path:
    """Where the results go: BENCH_RESULTS, or benchmarks/results; those of trials are not kept beside the others."""
    usual = HERE / "results" if SCALE == 1 else WORK / "trials"
    return Path(os.environ.get("BENCH_RESULTS", usual)) / f"{name}.json"


def about_machine() -> dict[str, Any]:
    machine = detect()
    return {
        "cpu": machine.cpu,
        "cores": machine.cores,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "python": sys.version.split()[0],
        "libraries": _libraries(),
    }


def _libraries() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in ("numpy", "pyarrow", "scikit-learn", "xgboost-cpu", "lightgbm"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def median(values: list[float]) -> float:
    return round(statistics.median(values), 4)
