"""Which run a command concerns: from the workload file, a run folder, or the current folder."""

from __future__ import annotations

import logging
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fitscale.errors import UsageError, nearest

if TYPE_CHECKING:
    from fitscale.records.workload import Workload
    from fitscale.workload.settings import Settings


class Found(NamedTuple):
    run: Path
    workload: Workload
    settings: Settings


def for_training(file: Path, run: Path | None, *, trust: bool, probe: str | None, where: str | None = None) -> Found:
    """The workload of a file with its run folder (which need not exist yet) and the settings that hold.

    ``where`` stands in place of the file's ``data.where``.

    Raises
    ------
    UsageError
        What is wrong in the file, the flags, or the settings.
    """
    from fitscale.workload import load

    if file.is_dir() and (file / "run.json").exists():
        raise UsageError(f"{file}: is a run folder; give the workload file that it was made from")
    workload = load(file, overrides={"data.where": where} if where is not None else None)
    chosen = _settings({"trust": trust or None, "probe_s": probe}, file.parent)
    return Found(run or Path(chosen.runs) / workload.name, workload, chosen)


def named(file: Path, run: Path | None, where: str | None) -> str:
    """What stands after ``fitscale train`` in a command that goes on with the same."""
    words = [
        str(file),
        *(("--run", str(run)) if run is not None else ()),
        *(("--where", where) if where is not None else ()),
    ]
    return shlex.join(words)


def run_of(target: Path | None, run: Path | None = None) -> Path:
    """The run folder that ``target`` means: a run folder, a workload file, or nothing.

    Raises
    ------
    UsageError
        If there is none, or several; it names them.
    """
    if run is not None:
        return _checked(run)
    if target is None:
        return _here()
    if target.is_dir():
        if (target / "run.json").exists():
            return _checked(target)
        inside = runs_in(target)
        if len(inside) == 1:
            return inside[0]
        raise UsageError(f"{target}: is no run (it has no run.json){_among(inside)}")
    if not target.exists() and (Path("runs") / target / "run.json").exists():
        return Path("runs") / target  # by its name
    from fitscale.workload import load

    if not target.exists():
        here = [path.name for path in runs_in(Path("."))]
        if close := nearest(str(target), here):
            raise UsageError(f"{target}: no such workload file or run folder{close}")
    workload = load(target, check_offered=False)
    return _checked(Path(_settings({}, target.parent).runs) / workload.name)


def runs_in(folder: Path) -> list[Path]:
    """The run folders of a folder, and of ``runs`` in it."""
    return sorted(path.parent for pattern in ("*/run.json", "runs/*/run.json") for path in folder.glob(pattern))


def _here() -> Path:
    here = Path(".")
    if (here / "run.json").exists():
        return here
    found = runs_in(here)
    if len(found) != 1:
        raise UsageError(f"the current folder has {'no run' if not found else f'{len(found)} runs'}{_among(found)}")
    return found[0]


def _among(found: list[Path]) -> str:
    if not found:
        return "; give a workload file or a run folder"
    more = ", …" if len(found) > 10 else ""
    return f"; name one of: {', '.join(str(path) for path in found[:10])}{more}"


def _checked(run: Path) -> Path:
    from fitscale.store.folder import check

    check(run)
    return run


def _settings(flags: dict[str, object], folder: Path) -> Settings:
    from fitscale.workload import settings

    found = settings(flags, os.environ, folder)
    logging.getLogger("fitscale").setLevel(found.log_level.upper())
    if found.origins["checkpoint_s"] != "default":
        os.environ["FITSCALE_CHECKPOINT_S"] = str(found.checkpoint_s)  # workers read it there
    if found.group_s is not None:
        os.environ["FITSCALE_GROUP_S"] = str(found.group_s)
    return found
