"""One writer for each run. The lock carries EPOCH, which grows by one with each command that takes it."""

from __future__ import annotations

import fcntl
import os
import time
import weakref
from pathlib import Path
from types import TracebackType
from typing import Self

from fitscale.errors import Locked, UsageError
from fitscale.store.files import disk_errors

LOOKS, LOOK_S = 10, 0.01  # `is_held` itself takes the lock for a moment: that is no reason to refuse
WIDTH = 32

_held: weakref.WeakSet[RunLock] = weakref.WeakSet()


class RunLock:
    """A lock on a run folder, released when the process ends, however it ends."""

    def __init__(self, run: Path) -> None:
        self._path = run / "lock"
        self._handle: int | None = None
        self.epoch = 0

    def __enter__(self) -> Self:
        try:
            with disk_errors(self._path):
                return self._enter()
        except OSError as error:
            raise UsageError(
                f"{self._path.parent}: cannot write here ({error.strerror}); name another folder with --run"
            ) from error

    def _enter(self) -> Self:
        # Not inherited: a child that kept it open would keep the run locked after our death (forks: see _let_go).
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        if not _taken(handle):
            holder = os.read(handle, 100).decode(errors="replace").split()
            os.close(handle)
            pid = f" (process {holder[1]})" if len(holder) > 1 else ""
            raise Locked(
                f"{self._path.parent}: another command{pid} is writing to this run; wait for it, or look with "
                f"'fitscale status {self._path.parent}'"
            )
        words = os.read(handle, 100).decode(errors="replace").split()
        self.epoch = int(words[0]) + 1 if words and words[0].isdigit() else 1
        # Over what was there, in one write: killed between a truncation and a write, the run would forget its epoch.
        try:
            os.pwrite(handle, f"{self.epoch} {os.getpid()}".ljust(WIDTH - 1).encode() + b"\n", 0)
            os.fsync(handle)
        except OSError:
            os.close(handle)
            raise
        self._handle = handle
        _held.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
            _held.discard(self)


def _taken(handle: int) -> bool:
    for look in range(LOOKS):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if look < LOOKS - 1:
                time.sleep(LOOK_S)
        else:
            return True
    return False


def _let_go() -> None:
    """In a forked child: the lock is its parent's, and must not outlive it."""
    for held in list(_held):
        held.__exit__(None, None, None)


os.register_at_fork(after_in_child=_let_go)


def epoch_of(run: Path) -> int:
    """The epoch of the last command that took the lock: a worker of an older one has been forgotten, and ends."""
    try:
        words = (run / "lock").read_text().split()
    except OSError:
        return 0
    return int(words[0]) if words and words[0].isdigit() else 0


def is_held(run: Path) -> bool:
    """Whether some command holds the lock now."""
    try:
        handle = os.open(run / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
