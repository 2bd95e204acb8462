"""Whether the folder that `deploy` writes is a whole one: its container file and its task name only what is there."""

from __future__ import annotations

import shlex
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from fitscale.deploying.skypilot import TASK
from fitscale.deploying.target import target_of
from fitscale.deploying.writing import deploy
from fitscale.errors import FitscaleError
from fitscale.records.data import Snapshot
from fitscale.records.plan import Plan

INSTRUCTIONS = ("FROM", "RUN", "WORKDIR", "COPY", "ENTRYPOINT", "CMD")


def context_problem(plan: Plan, snapshot: Snapshot) -> str | None:
    """What is wrong with the folder for the plan's better place, written for it and removed again; None where nothing is."""
    with TemporaryDirectory(prefix="fitscale-verify-") as scratch:
        to = Path(scratch) / "context"
        try:
            deploy(plan, target_of(plan, snapshot, None), to)
        except FitscaleError as error:
            return str(error)
        return container_problem(to) or task_problem(to)


def container_problem(folder: Path) -> str | None:
    """What the container file names and the folder lacks."""
    lines = (folder / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    said = [line.split(maxsplit=1) for line in lines if line.strip() and not line.startswith("#")]
    for word, *rest in said:
        if word not in INSTRUCTIONS or not rest:
            return f"Dockerfile: '{word}' is no instruction that it should have"
        if word == "COPY":
            lacking = [source for source in shlex.split(rest[0])[:-1] if not (folder / source).exists()]
            if lacking:
                return f"Dockerfile: copies {', '.join(lacking)}, which is not there"
    if said[0][0] != "FROM":
        return "Dockerfile: does not begin with FROM"
    for line in (folder / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if not (line.startswith("./") and (folder / line).exists()) and "==" not in line:
            return f"requirements.txt: '{line}' is not pinned"
    return None


def task_problem(folder: Path) -> str | None:
    """What the task of SkyPilot names and is not there; a machine of no cloud has no task."""
    if not (folder / TASK).exists():
        return None
    task = yaml.safe_load((folder / TASK).read_text(encoding="utf-8"))
    lacking = [key for key in ("name", "resources", "setup", "run") if not task.get(key)]
    if lacking:
        return f"{TASK}: has no {', '.join(lacking)}"
    gone = [path for path in task.get("file_mounts", {}).values() if not Path(path).exists()]
    return f"{TASK}: mounts {', '.join(gone)}, which is not there" if gone else None
