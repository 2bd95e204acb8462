"""The journal: what commands did to a run, one line each, appended only by the holder of the lock.

One file for each epoch. A line that a crash tore is cut off before anything is appended after it; an event of an unknown kind
(of a newer version) is passed over with a notice.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fitscale.errors import FitscaleError
from fitscale.store import crash
from fitscale.store.files import disk_errors, sync_folder

# fmt: off
KINDS = frozenset({
    "command", "forgotten", "staged", "version-begun", "plan", "attempt-started", "attempt-ended", "version-finished",
    "searched", "closed", "failed", "late",
})
# fmt: on
log = logging.getLogger("fitscale")


class Journal:
    """Appends to journal/EPOCH.jsonl."""

    def __init__(self, run: Path, epoch: int) -> None:
        self._path = run / "journal" / f"{epoch:06d}.jsonl"
        self._path.parent.mkdir(exist_ok=True)
        cut_torn_tail(self._path)
        for older in self._path.parent.glob("*.jsonl"):
            cut_torn_tail(older)

    def append(self, kind: str, **data: Any) -> None:
        """Write one event and make it durable."""
        if kind not in KINDS:
            raise AssertionError(f"journal event '{kind}' is not listed")
        line = json.dumps({"kind": kind, "at": round(time.time(), 3), **data}, sort_keys=True).encode() + b"\n"
        new = not self._path.exists()
        before = 0 if new else self._path.stat().st_size
        try:
            self._write(line)
        except FitscaleError:
            os.truncate(self._path, before)  # half a line would spoil the next one too
            raise
        if new:
            sync_folder(self._path.parent)
        crash.point("journal.appended")

    def _write(self, line: bytes) -> None:
        with disk_errors(self._path), open(self._path, "ab") as file:
            if os.environ.get("FITSCALE_CRASH", "").startswith("journal.half"):
                file.write(line[: len(line) // 2])
                file.flush()
                crash.point("journal.half")
                file.write(line[len(line) // 2 :])
            else:
                file.write(line)
            file.flush()
            os.fsync(file.fileno())


def cut_torn_tail(path: Path) -> None:
    """Cut what follows the last line feed."""
    if not path.exists():
        return
    raw = path.read_bytes()
    whole = raw.rfind(b"\n") + 1
    if whole < len(raw):
        os.truncate(path, whole)


def replay(run: Path) -> Iterator[dict[str, Any]]:
    """All events, oldest first. Reading changes nothing: a torn last line is passed over."""
    for path in sorted((run / "journal").glob("*.jsonl")):
        for line in path.read_bytes().split(b"\n")[:-1]:
            try:
                event = json.loads(line)
            except ValueError:
                log.warning("%s: a line cannot be read and is passed over", path)
                continue
            if not isinstance(event, dict):
                log.warning("%s: a line is no event and is passed over", path)
                continue
            if event.get("kind") not in KINDS:
                log.warning("%s: event '%s' is unknown to this version and is passed over", path, event.get("kind"))
                continue
            yield event
