"""A limit that ends the child and not the machine.

`start` runs a program in its own session, under a limit on the anonymous memory of its whole tree. A thread of this
process reads that memory each 10 ms (20 while it stands still, 2 when the limit is near) and kills the tree when it
comes within a reserve of the limit: the reserve, 64 MB, is for the thread's own lateness. What is counted, and why file
pages are not, is in `machines.tree_memory`; why this is no cgroup in `docs/decisions/0002-memory-limit-by-polling.md`.

Nothing outlives its use: when the program ends, is killed or passes its limit, its whole tree is ended; when this
process ends, however that comes, so are all its children (by the kernel) and their trees (by a guardian process).

On the command line: ``python -m fitscale.engines.supervisor --memory "2 GB" -- ARGV…``
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from fitscale.errors import FitscaleError, UsageError
from fitscale.machines import processes
from fitscale.machines.guardian import next_mark
from fitscale.machines.processes import die_with_parent
from fitscale.machines.tree_memory import FASTEST, TreeMemory

__all__ = ["Child", "die_with_parent", "start"]

RESERVE = 64_000_000
POLL_S, NEAR_S, STILL_S = 0.010, 0.002, 0.050
STILL_BYTES = 1_000_000
MAX_SAMPLES = 500


def start(
    argv: Sequence[str],
    *,
    memory_bytes: int | None,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    stdin: int | IO[Any] | None = subprocess.DEVNULL,
    stdout: int | IO[Any] | None = None,
    stderr: int | IO[Any] | None = None,
) -> Child:
    """Start `argv` under a limit on the anonymous memory of its tree; None: only measure.

    The streams are as for `subprocess.Popen`. The program may be forked from a process with threads: nothing of
    Python runs between fork and exec.

    Raises
    ------
    UsageError
        If there is no such program, or the limit is not positive.
    """
    if memory_bytes is not None and memory_bytes <= 0:
        raise UsageError(f"memory limit: {memory_bytes} bytes; give a positive size, such as '2 GB'")
    values = dict(os.environ if env is None else env)
    if shutil.which(argv[0], path=values.get("PATH")) is None and not (cwd and (Path(cwd) / argv[0]).is_file()):
        raise UsageError(f"'{argv[0]}': no such program, or it may not be executed")
    mark = next_mark()
    values[processes.MARK] = values.get(processes.MARK, "") + mark
    return Child(
        list(argv), memory_bytes, mark, values, {"cwd": cwd, "stdin": stdin, "stdout": stdout, "stderr": stderr}
    )


class Child:
    """A supervised program and its tree. Made by `start`; every method may be called from any thread.

    Attributes
    ----------
    pid, argv, memory_bytes
        As started; `pid` is the session's and the process group's number too.
    limiter
        What holds the limit: 'polling', or 'none'.
    peak_bytes, samples
        Most anonymous memory seen, and (seconds since the start, bytes) with its peaks kept, 500 at most.
    processes
        The most processes seen at once.
    returncode
        None while it runs; as for `subprocess`, −9 is an end by SIGKILL.
    ended_by
        None when it ended by itself, 'memory' when it passed its limit, 'kill' when `kill` was called. `why` says it
        in a sentence with the figures.
    cpu_s, wall_s
        Once it has ended. CPU of the program and of those descendants that were waited for, the launcher's 15 ms
        included.
    """

    def __init__(
        self, argv: list[str], memory_bytes: int | None, mark: str, env: dict[str, str], popen: dict[str, Any]
    ) -> None:
        self.argv = argv
        self._limit(memory_bytes)
        self.returncode: int | None = None
        self.ended_by: str | None = None
        self.why = ""
        self.peak_bytes = 0
        self.samples: list[tuple[float, int]] = []
        self.processes = 0
        self.polls = 0
        self.polling_s = 0.0  # CPU seconds of the watching thread
        self.cpu_s = 0.0
        self.wall_s = 0.0
        self._mark = mark
        self._stride, self._since, self._highest = 1, 0, (0.0, 0)
        self._done = threading.Event()
        self._began = time.monotonic()
        self._kill = False
        self._alive = threading.Lock()  # held while a signal is sent, and while the number is given back
        launched = threading.Event()
        self._failure: BaseException | None = None
        # The kernel ends the child when the *thread* that started it ends, so the watching thread starts it.
        threading.Thread(
            target=self._live, args=(env, popen, launched), name=f"supervisor of {argv[0]}", daemon=True
        ).start()
        launched.wait()
        if self._failure is not None:
            raise UsageError(f"'{argv[0]}' could not be started: {self._failure}") from self._failure

    def count_from_now(self, memory_bytes: int | None) -> None:
        """Forget what was seen so far, and hold this limit: the program was waiting, and now begins."""
        self._began = time.monotonic()
        self.peak_bytes, self.samples, self._stride, self._since = 0, [], 1, 0
        self._limit(memory_bytes)

    def _limit(self, memory_bytes: int | None) -> None:
        self.memory_bytes = memory_bytes
        self.reserve_bytes = 0 if memory_bytes is None else min(RESERVE, memory_bytes // 8)
        self.limiter = "none" if memory_bytes is None else "polling"

    def poll(self) -> int | None:
        """The return code, or None while it runs."""
        return self.returncode if self._done.is_set() else None

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end of the whole tree; None if it still runs after `timeout` seconds."""
        self._done.wait(timeout)
        if self._failure is not None:
            raise FitscaleError(f"supervisor of '{self.argv[0]}' failed: {self._failure}") from self._failure
        return self.poll()

    def kill(self) -> None:
        """End the whole tree and wait until nothing of it is left. Harmless when it has ended."""
        self._kill = True
        self.signal(signal.SIGKILL)
        self._done.wait()

    def signal(self, number: int) -> None:
        """Send a signal to the process group, such as SIGSTOP to park it and SIGCONT to go on."""
        with self._alive:
            if self.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.pid, number)

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    # The watching thread from here on.

    def _live(self, env: dict[str, str], popen: dict[str, Any], launched: threading.Event) -> None:
        launcher = [sys.executable, "-I", "-S", processes.__file__, "exec", str(os.getpid())]
        locale = "own" if "LC_CTYPE" in env else "none"
        try:
            child = subprocess.Popen([*launcher, locale, "--", *self.argv], env=env, start_new_session=True, **popen)
        except (OSError, ValueError) as error:
            self._failure = error
            launched.set()
            return
        self.pid = child.pid
        self.stdin, self.stdout, self.stderr = child.stdin, child.stdout, child.stderr
        launched.set()
        tree = TreeMemory(child.pid)
        try:
            self._watch(tree)
        except BaseException as error:
            self._failure = error  # without a watcher there is no limit: the tree ends too
        finally:
            # First the others, then the program itself is given back: until then its number names this session.
            processes.end_tree(self._mark, {child.pid}, tree.known)
            with self._alive:
                _, status, used = os.wait4(child.pid, 0)
                self.returncode = child.returncode = os.waitstatus_to_exitcode(status)
            self.wall_s = time.monotonic() - self._began
            self.cpu_s = used.ru_utime + used.ru_stime
            self.polling_s = time.thread_time()
            self.processes = tree.many
            tree.close()
            if self._since:
                self.samples.append(self._highest)
            if self._kill and self.ended_by is None and self.returncode == -signal.SIGKILL:
                self.ended_by, self.why = "kill", "ended on request"
            self._done.set()

    def _watch(self, tree: TreeMemory) -> None:
        """Until the program ends, by itself or because of the limit."""
        ended = _EndOf(self.pid)
        pause, last = POLL_S, 0
        try:
            while True:
                trigger = None if self.memory_bytes is None else self.memory_bytes - self.reserve_bytes
                before = time.monotonic()
                held = tree.bytes(trigger)
                now = time.monotonic()
                self._note(now - self._began, held)
                if trigger is not None and held > trigger:
                    self._pass_limit(held, now - self._began)
                    return
                # While memory stands still a reading each 50 ms will do: the threads of a fit wait for the one whose core
                # a reading takes. Many processes may not take more than a tenth of a core. Both only where the fastest
                # allocation takes longer than that to reach the limit.
                pause = min(pause * 1.5, STILL_S) if abs(held - last) < STILL_BYTES else POLL_S
                last = held
                slow = max(pause, 9 * (now - before))
                if ended(slow if trigger is None else max(NEAR_S, min(slow, (trigger - held) / FASTEST))):
                    return
        finally:
            ended(None)

    def _pass_limit(self, held: int, after_s: float) -> None:
        self.signal(signal.SIGKILL)
        self.ended_by = "memory"
        self.why = (
            f"anonymous memory {_size(held)} passed the limit of {_size(self.memory_bytes or 0)} "
            f"({_size(self.reserve_bytes)} kept back) after {after_s:.1f} s"
        )

    def _note(self, at_s: float, held: int) -> None:
        self.polls += 1
        self.peak_bytes = max(self.peak_bytes, held)
        if not self._since or held > self._highest[1]:
            self._highest = (at_s, held)
        self._since += 1
        if self._since >= self._stride:
            self.samples.append(self._highest)
            self._since = 0
        if len(self.samples) >= MAX_SAMPLES:
            self.samples = [
                max(pair, key=lambda s: s[1]) for pair in zip(self.samples[::2], self.samples[1::2], strict=True)
            ]
            self._stride *= 2


class _EndOf:
    """Waits for the end of a child without reaping it: by a pidfd, so that the end is noticed at once."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._fd = -1
        with contextlib.suppress(OSError, AttributeError):  # Linux before 5.3
            self._fd = os.pidfd_open(pid)
        self._poll = select.poll()
        if self._fd >= 0:
            self._poll.register(self._fd, select.POLLIN)

    def __call__(self, pause_s: float | None) -> bool:
        """True when it has ended within `pause_s`. None: give back what is held."""
        if pause_s is None:
            if self._fd >= 0:
                os.close(self._fd)
            return True
        self._poll.poll(max(1, round(pause_s * 1000)))
        return os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def main(argv: Sequence[str] | None = None) -> int:
    """Run a program under a limit, with this process's own streams; its return code, or 137 when the limit ended it."""
    from fitscale.workload.units import size_bytes  # here: workers import this file, and do without workload files

    words = list(sys.argv[1:] if argv is None else argv)
    usage = 'usage: python -m fitscale.engines.supervisor --memory "2 GB" -- ARGV…'
    try:
        if len(words) < 4 or words[0] != "--memory" or words[2] != "--":
            raise UsageError(usage)
        child = start(words[3:], memory_bytes=size_bytes(words[1]), stdin=None)
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        code = child.wait() or 0
    finally:
        child.kill()
    if child.ended_by == "memory":
        sys.stderr.write(f"ended: {child.why}\n")
        return 137
    return code if code >= 0 else 128 - code


def _size(n: int) -> str:
    return f"{n / 1e9:.3g} GB" if n >= 1e9 else f"{n / 1e6:.3g} MB"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
