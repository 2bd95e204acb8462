"""What a version is worth, found out in a process of its own under limits of memory and time, and kept as worth/V.json.

The command loads no model and no code of the user's; what goes wrong there costs these sections of a report alone.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from pydantic import ValidationError

from fitscale.engines import supervisor
from fitscale.errors import UsageError
from fitscale.machines.here import detect
from fitscale.records.worth import WORTH_FORMAT, Worth
from fitscale.store import files, versions
from fitscale.store.folder import read_plan

LIMIT_S = 20.0  # for shuffling columns
SLACK_S = 120.0  # for all else, after which the process is ended


def path_of(run: Path, version: int) -> Path:
    return run / "worth" / f"{version}.json"


def kept(run: Path, version: int) -> Worth | None:
    """What was found out before of this very version; None where nothing was."""
    try:
        worth = Worth.from_json(path_of(run, version).read_bytes())
    except (OSError, ValidationError):
        return None
    fits = worth.format == WORTH_FORMAT and worth.basis == versions.manifest(run, version).digest
    return worth if fits else None


def refresh(
    run: Path,
    version: int | None,
    *,
    limit_s: float = LIMIT_S,
    anew: bool = False,
    trust: bool = False,
    folder: str = "",
) -> Worth | None:
    """What the version (default: the served one) is worth: as it is kept, where all that can be is there, else looked at now.

    None for a run without such a version, or one of many models. ``anew``: look again, whatever is kept; what can no
    longer be found out stays as it was. ``folder``: of the workload, where code of the user's is imported from; never the
    one that a run names, which may come from elsewhere.
    """
    number = version if version is not None else versions.current(run)
    if number is None or not (run / "versions" / str(number) / "manifest.json").exists():
        return None
    about = versions.manifest(run, number)
    if about.groups:
        return None
    before = kept(run, number)
    if before is not None and not before.again and not anew:
        return before
    looked = _looked(run, number, limit_s, trust, folder)
    worth = looked if before is None else _joined(before, looked)
    files.replace(path_of(run, number), worth.to_json())
    return worth


def _joined(before: Worth, now: Worth) -> Worth:
    """What is found out now, and where that fails what was found out before."""
    sections = ("confusion", "calibration", "residuals", "segments", "importance")
    lost = {name: getattr(before, name) for name in sections if getattr(now, name) is None and getattr(before, name)}
    if not lost:
        return now
    missing = {name: why for name, why in now.missing.items() if name not in lost and name != "predictions"}
    beside = {
        name: getattr(before, name) for name in ("judged", "held_out", "kept", "sampled") if not getattr(now, name)
    }
    return now.but(**lost, **beside, missing=missing)


def _looked(run: Path, version: int, limit_s: float, trust: bool, folder: str) -> Worth:
    argv = [sys.executable, "-P", "-m", "fitscale.models.worth", str(run.absolute()), str(version), str(limit_s)]
    with tempfile.TemporaryDirectory(prefix="fitscale-") as scratch:
        said = Path(scratch) / "worth.json"
        with (
            open(Path(scratch) / "log.txt", "w+", errors="replace") as log,
            supervisor.start(
                [*argv, str(int(trust)), str(said), folder], memory_bytes=_memory(run), stdout=log, stderr=log
            ) as child,
        ):
            ended = child.wait(limit_s + SLACK_S)
            if ended == 0 and said.exists():
                return Worth.from_json(said.read_bytes())
            child.kill()
            log.seek(0)
            last = log.read().strip().splitlines()[-1:]
        why = (
            "it took too long, and was ended"
            if ended is None
            else child.why or "; ".join(last) or f"ended with {ended}"
        )
    about = versions.manifest(run, version)
    return Worth(version=version, basis=about.digest, metric=about.metric, missing={"all of it": why}, again=True)


def _memory(run: Path) -> int:
    """What may be used here, and no more than the workload allows."""
    here = detect(folder=run).memory_bytes
    try:
        places = read_plan(run).workload.where
    except (UsageError, ValueError):
        return here
    allowed = next((place.memory_bytes for place in places if place.kind == "local"), None)
    return min(here, allowed) if allowed else here
