"""The ledger of past runs: where it is, what is in it, and whether the next run can be added."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from fitscale.cli.checking.finding import Finding
from fitscale.cli.shown import plural
from fitscale.errors import FitscaleError

NEXT = "name another file with FITSCALE_LEDGER; without it forecasts know of no past run"


def findings(beside: Path) -> Iterator[Finding]:
    """Nothing that is wrong with it stops a run."""
    from fitscale.machines.here import fingerprint
    from fitscale.planning.forecasts.calibrating import CROWDED, LEAST
    from fitscale.store import ledger
    from fitscale.workload import settings

    try:
        path = Path(settings({}, os.environ, beside).ledger)
    except FitscaleError:  # a line of its own says so
        return
    found = ledger.read(path, fingerprint())
    if found.problem:
        yield Finding(what="ledger", state="note", says=f"{path}: cannot be read ({found.problem})", next_step=NEXT)
        return
    if path.exists() and not path.is_file():
        yield Finding(what="ledger", state="ok", says=f"{path}: none is kept")
        return
    shipped = len(ledger.seed())
    n = len(found.entries)
    told = [f"{path}: {plural(n, 'past run')} of this machine" + (f", calibrated from {LEAST} on" if n < LEAST else "")]
    bare = sum("time" not in entry.actual or entry.contention > CROWDED for entry in found.entries)
    told += [f"{bare:,} of them without a time: gone on with, or beside busy neighbours"] if bare else []
    told += [f"{plural(found.elsewhere, 'run')} of others, which count for nothing here"] if found.elsewhere else []
    told += [f"{plural(found.skipped, 'line')} skipped: no run, or figures that cannot be"] if found.skipped else []
    told += [f"{plural(shipped, 'run')} of the benchmark shipped as an example"] if shipped else []
    if reason := _unwritable(path):
        yield Finding(what="ledger", state="note", says=f"{path}: cannot be written ({reason})", next_step=NEXT)
        return
    yield Finding(what="ledger", state="ok", says="; ".join(told))


def _unwritable(path: Path) -> str:
    """Why the next run could not be added; empty where it could."""
    there = path
    while not there.exists() and there != there.parent:
        there = there.parent
    if there == path:
        return "" if os.access(path, os.W_OK) else "no permission"
    if not there.is_dir():
        return f"{there} is no folder"
    return "" if os.access(there, os.W_OK | os.X_OK) else f"no permission in {there}"
