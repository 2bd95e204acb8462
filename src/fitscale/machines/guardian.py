"""The guardian of this process's children: one small process that ends what is left of them when this one has gone.

The kernel ends a child with its parent (`processes.die_with_parent`), but not that child's own children. The guardian
waits on a pipe that closes when this process ends, whatever ends it, and then ends all that carries this process's
mark. It takes 9 MB and wakes once a second.
"""

from __future__ import annotations

import os
import sys
import threading

from fitscale.machines import processes

_lock = threading.Lock()
_own_mark = ""
_pipe = -1
_given = 0


def next_mark() -> str:
    """A word for one child, to be added to `processes.MARK` in its environment; the first call starts the guardian."""
    global _own_mark, _pipe, _given
    with _lock:
        if not _own_mark:
            mark = os.urandom(8).hex()
            _pipe = _start(mark)
            _own_mark = mark
        _given += 1
        return f"{_own_mark}.{_given};"


def _start(mark: str) -> int:
    """The write end of a pipe that closes when this process ends, whatever ends it; the guardian reads the other."""
    reading, writing = os.pipe()
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    actions = [(os.POSIX_SPAWN_DUP2, reading, 0), (os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)]
    argv = [sys.executable, "-I", "-S", processes.__file__, "guard", mark]
    os.posix_spawn(sys.executable, argv, os.environ, file_actions=actions, setsid=True)
    os.close(reading)
    os.close(null)
    return writing


def _forget_after_fork() -> None:
    """A fork has children and a guardian of its own, and must not hold the parent's guardian back."""
    global _own_mark, _pipe, _lock
    _lock = threading.Lock()
    if _pipe >= 0:
        os.close(_pipe)
    _own_mark, _pipe = "", -1


os.register_at_fork(after_in_child=_forget_after_fork)
