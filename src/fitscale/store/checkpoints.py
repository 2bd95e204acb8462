"""Checkpoints of a task: ckpt/N holds the state after N units. The last two are kept; a torn one is passed over."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from pathlib import Path
from typing import NamedTuple

from fitscale.store import crash, files, trust

log = logging.getLogger("fitscale")


class Checkpoint(NamedTuple):
    units: int
    state: bytes
    scores: dict[str, tuple[float, ...]]
    cpu_s: float  # spent on the units so far, over all attempts: only shown


def save(run: Path, task: str, units: int, state: bytes, scores: dict[str, tuple[float, ...]], cpu_s: float) -> None:
    """Keep the state after ``units``, whole or not at all, and the one before it."""
    folder = run / "tasks" / task / "ckpt"
    meta = {
        "units": units,
        "sha256": hashlib.sha256(state).hexdigest(),
        "signature": trust.signature(state),
        "scores": scores,
        "cpu_s": cpu_s,
    }

    def fill(temporary: Path) -> None:
        (temporary / "state").write_bytes(state)
        crash.point("checkpoint.half")
        (temporary / "meta.json").write_text(json.dumps(meta, sort_keys=True))

    files.folder_whole(folder / f"{units:09d}", fill, after="checkpoint.written")
    for old in [*_numbered(folder)[:-2], *folder.glob(".*.tmp")]:  # one worker writes: another's half is a dead one's
        shutil.rmtree(old, ignore_errors=True)


def latest(run: Path, task: str, *, pickles: bool, trusted: bool) -> Checkpoint | None:
    """The last checkpoint that is whole; None where there is none.

    Raises
    ------
    Untrusted
        If the state could run code and somebody else wrote it.
    """
    folder = run / "tasks" / task / "ckpt"
    for path in reversed(_numbered(folder)):
        try:
            meta = json.loads((path / "meta.json").read_text())
            state = (path / "state").read_bytes()
            scores = {name: tuple(values) for name, values in meta["scores"].items()}
            units, digest = int(meta["units"]), meta["sha256"]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("%s: the checkpoint cannot be read (%s); the one before it is taken", path, error)
            continue
        if hashlib.sha256(state).hexdigest() != digest:
            log.warning("%s: the checkpoint is torn (its digest differs); the one before it is taken", path)
            continue
        if pickles and not trusted and meta.get("signature") != trust.signature(state):
            trust.check(run, f"tasks/{task}/ckpt/{path.name}", state, trust=False)
        return Checkpoint(units, state, scores, meta.get("cpu_s", 0.0))
    return None


def clear(run: Path, task: str) -> None:
    """Forget the checkpoints of a finished task."""
    shutil.rmtree(run / "tasks" / task / "ckpt", ignore_errors=True)


def _numbered(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.name.isdigit())
