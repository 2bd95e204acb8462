"""What was tried in a search: search/NAME/trials.jsonl of the run, a line for each step of a trial, appended only.

One process writes at a time: the worker that searches, and the command once that has ended. A line that a kill tore is cut off
before the next is written.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from pydantic import ValidationError

from fitscale.records.tuning import Step
from fitscale.store import files
from fitscale.store.journal import cut_torn_tail


def folder(run: Path, name: str) -> Path:
    return run / "search" / name


def steps(run: Path, name: str) -> list[Step]:
    """All steps, in their order. Reading changes nothing: what cannot be read is passed over."""
    try:
        raw = (folder(run, name) / "trials.jsonl").read_bytes()
    except FileNotFoundError:
        return []
    found = []
    for line in raw.split(b"\n")[:-1]:
        try:
            found.append(Step.from_json(line))
        except ValidationError:
            continue
    return found


class Steps:
    """Appends steps."""

    def __init__(self, run: Path, name: str) -> None:
        self._path = folder(run, name) / "trials.jsonl"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        cut_torn_tail(self._path)

    def append(self, step: Step) -> None:
        """Write one step and make it durable: a trial that was judged is not fitted again."""
        with files.disk_errors(self._path), open(self._path, "ab") as file:
            file.write(step.to_json().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def forget(run: Path, name: str) -> None:
    """Delete what was tried."""
    shutil.rmtree(folder(run, name), ignore_errors=True)
