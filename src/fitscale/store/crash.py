"""Named points at which a process can be told to end with SIGKILL, so that tests can walk every one of them.

``FITSCALE_CRASH=chunk.linked`` ends the process where that point is passed; ``chunk.linked:3`` the third time.
"""

from __future__ import annotations

import os
import signal

COMMAND = (
    "run.created",
    "snapshot.written",
    "task.written",
    "plan.written",
    "journal.half",
    "journal.appended",
    "order.written",
    "attempt.ended",
    "version.current",
    "version.journalled",
)
WORKER = (
    "encoding.written",
    "bins.written",
    "partition.written",
    "checkpoint.half",
    "checkpoint.written",
    "part.half",
    "part.kept",
    "payload.written",
    "chunk.temporary",
    "chunk.linked",
    "finish.payloads",
    "finish.renamed",
)
POINTS = COMMAND + WORKER

_passed: dict[str, int] = {}


def point(name: str) -> None:
    """End this process with SIGKILL if `FITSCALE_CRASH` names this point."""
    wanted = os.environ.get("FITSCALE_CRASH")
    if not wanted:
        return
    if name not in POINTS:
        raise AssertionError(f"crash point '{name}' is not listed in store.crash")
    where, _, count = wanted.partition(":")
    if where == name:
        _passed[name] = _passed.get(name, 0) + 1
        if _passed[name] == int(count or 1):
            os.kill(os.getpid(), signal.SIGKILL)
