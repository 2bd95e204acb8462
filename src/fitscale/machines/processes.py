"""Processes of this machine, read from /proc: who belongs to whom, what they have used, and how all of them are ended.

Standard library only, because this file is run as a script too, in two parts that keep a promise about children:

``processes.py exec PARENT LOCALE -- ARGV…``   becomes ARGV, after asking the kernel to end it with its parent
``processes.py guard MARK``                    outlives its parent by a moment and ends what carries MARK

The first replaces a `preexec_fn`, which may deadlock in a command that has threads. The second is there because
the kernel forgets the request at each fork: a child dies with its parent, its own children would not.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

MARK = "FITSCALE_SUPERVISED"  # environment variable: inherited through fork, exec and setsid
PR_SET_PDEATHSIG = 1
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class Process(NamedTuple):
    """One line of /proc/PID/stat. ``started`` (ticks since boot) with ``pid`` names a process for good."""

    pid: int
    ppid: int
    session: int
    started: int
    state: str
    cpu_s: float  # with that of its children that have ended and were waited for


def read(pid: int) -> Process | None:
    """The process, or None where there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            text = file.read(2048)
    except OSError:
        return None
    fields = text[text.rfind(b")") + 2 :].split()  # the name may hold blanks and brackets
    if len(fields) < 20:
        return None
    used = sum(int(f) for f in fields[11:15]) * TICK_S
    return Process(pid, int(fields[1]), int(fields[3]), int(fields[19]), fields[0].decode(), used)


def everyone() -> dict[int, Process]:
    """All processes that can be seen, by pid; about 15 µs for each."""
    found = (read(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return {p.pid: p for p in found if p is not None}


def descendants(table: Mapping[int, Process], roots: Collection[int], sessions: Collection[int] = ()) -> set[int]:
    """`roots` that are alive, all that descend from them, and all in `sessions`."""
    inside = {pid for pid, p in table.items() if pid in roots or p.session in sessions}
    growing = True
    while growing:
        more = {pid for pid, p in table.items() if p.ppid in inside and pid not in inside}
        inside |= more
        growing = bool(more)
    return inside


def end_tree(
    mark: str, roots: Collection[int] = (), known: Mapping[int, int] | None = None, *, patience_s: float = 5.0
) -> bool:
    """SIGKILL all that carries `mark`, descends from `roots`, is in their sessions, or is `known` (pid → started).

    Repeated until nothing is found, because what is not yet dead may fork. A process that took a new session, lost
    its parent and cleared its environment is found only if it is known.

    Returns
    -------
    True when nothing is left; False when something would not die within `patience_s` (waiting on a dead disk, or
    of another user).
    """
    end = time.monotonic() + patience_s
    pause = 0.001
    found = dict(
        known or {}
    )  # one that is dying has given back its environment, and with it the mark, before it is dead
    while True:
        left = _alive(mark, roots, found)
        found |= {process.pid: process.started for process in left}
        for process in left:
            now = read(process.pid)
            if now is not None and now.started == process.started:  # the number may have gone to another process
                with contextlib.suppress(OSError):
                    os.kill(process.pid, signal.SIGKILL)
        if not left or time.monotonic() > end:
            return not left
        time.sleep(pause)
        pause = min(pause * 2, 0.05)


def _alive(mark: str, roots: Collection[int], known: Mapping[int, int]) -> list[Process]:
    table = everyone()
    marked = {pid for pid in table if _carries(pid, mark.encode())}
    named = {pid for pid, started in known.items() if pid in table and table[pid].started == started}
    # A marked process is in a session that `start` opened or that one of its descendants opened: never in the user's.
    sessions = {table[pid].session for pid in marked} | set(roots)
    inside = descendants(table, marked | named | set(roots), sessions) - {os.getpid(), 1}
    return [table[pid] for pid in inside if table[pid].state not in "ZX"]


def _carries(pid: int, mark: bytes) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return mark in file.read()
    except OSError:
        return False


def die_with_parent(parent: int | None = None) -> None:
    """Ask the kernel to SIGKILL this process when the *thread* that started it ends.

    To be called first thing in each forked child, since a fork clears the request.

    Parameters
    ----------
    parent
        Process id of the parent, read before the fork: if it has already gone, this process ends at once.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        os._exit(137)


def _exec(parent: int, own_locale: bool, argv: list[str]) -> None:
    die_with_parent(parent)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # should the machine itself run out, the kernel takes this one first
    # Python ignores these two and may set LC_CTYPE at its start; what follows shall not inherit that.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    if not own_locale:
        os.environ.pop("LC_CTYPE", None)
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
        os._exit(127)


def _guard(mark: str) -> None:
    os.chdir("/")
    parent = os.getppid()
    for _ in _each_second(parent):
        pass
    end_tree(mark)


def _each_second(parent: int) -> Iterator[None]:
    """Until standard input is closed; looks at the parent too, as a fork of it may hold the pipe open."""
    while os.getppid() == parent:
        ready, _, _ = select.select([0], [], [], 1.0)
        if ready and not os.read(0, 64):
            return
        yield


if __name__ == "__main__":
    if sys.argv[1] == "exec":
        _exec(int(sys.argv[2]), sys.argv[3] == "own", sys.argv[5:])
    elif sys.argv[1] == "guard":
        _guard(sys.argv[2])
