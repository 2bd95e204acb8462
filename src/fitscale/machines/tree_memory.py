"""Memory of a tree of processes that cannot be given back: anonymous, shared segments, and what of them is swapped.

File pages are left out, mapped ones too: the kernel drops them when it needs room, so they end no machine. Two
readings: RssAnon and its like from /proc/PID/status (7 µs for a process, counts pages that forks share once for
each) and Pss_Anon from smaps_rollup (0.3 to 2.3 ms, counts them once). The first is read at each poll; the second
says how much of the first is shared, and is read where several processes are there and it could matter.
"""

from __future__ import annotations

import os
import time

from fitscale.machines.processes import descendants, everyone, read

FASTEST = 12e9  # bytes a second: one thread touching fresh huge pages was measured at 10e9, two at 12e9
SCAN_S = 1.0  # all of /proc is looked through this often, in case a new process was missed
COPYING = 4e9  # bytes a second that writes to shared pages may take unseen: each page is copied
EXACT_S = 0.2
YOUNG_S = 0.1  # a fork of 1 GB takes some 10 ms
SHARE = 40  # no costly reading more often than this many times its own duration, where the limit is far


class TreeMemory:
    """Follows `root`, its session and its descendants. One thread uses it; `close` gives back what it holds open."""

    def __init__(self, root: int) -> None:
        self.root = root
        self.known: dict[int, int] = {}  # pid → start time, of all that were ever seen
        self.many = 0  # most processes at once
        self._open: dict[int, int] = {}  # pid → /proc/PID/status, kept open: reading it again costs 7 µs, not 17
        self._now: dict[int, int] = {}
        self._base: dict[int, int] = {}  # RssAnon at the last exact reading, or when first seen
        self._exact = 0
        self._exact_at = 0.0
        self._exact_cost = 0.0
        self._changed = False
        self._young: dict[int, float] = {}  # pid → when first seen
        self._scan_at = 0.0
        self._pending: dict[int, int] = {}
        self._last_pid = -1
        self._loadavg = os.open("/proc/loadavg", os.O_RDONLY | os.O_CLOEXEC)

    def bytes(self, trigger: int | None = None) -> int:
        """What the tree holds now. Above `trigger` it is always exact; below, shared pages may be 0.2 s old."""
        self._look_for_new()
        self._read()
        total = sum(self._now.values())
        self.many = max(self.many, len(self._now))
        now = time.monotonic()
        if len(self._open) <= 1:
            self._exact, self._exact_at, self._base = total, now, dict(self._now)
            return total
        growth = {pid: n - self._base[pid] for pid, n in self._now.items()}
        bound = self._exact + sum(growth.values())
        age = now - self._exact_at
        due = (self._changed or age > EXACT_S) and age > SHARE * self._exact_cost
        if trigger is not None and total > trigger:
            # A write to a shared page takes memory and leaves RssAnon as it is: only the clock can rule that out.
            due = due or bound + age * COPYING > trigger
        if due:
            return self._exactly()
        # What a process in the middle of its fork gains is mostly its parent's: enough for alarm, not to be told.
        return bound - sum(growth[pid] for pid in self._young if pid in growth)

    def close(self) -> None:
        for fd in (*self._open.values(), self._loadavg):
            os.close(fd)
        self._open.clear()
        self._loadavg = -1

    def _read(self) -> None:
        gone = []
        for pid, fd in self._open.items():
            try:
                text = os.pread(fd, 4096, 0)
            except OSError:
                text = b""
            if text:
                self._now[pid] = _kib(text, b"\nRssAnon:") + _kib(text, b"\nRssShmem:") + _kib(text, b"\nVmSwap:")
            else:
                gone.append(pid)
        for pid in gone:
            os.close(self._open.pop(pid))
            self._now.pop(pid, None)
            self._base.pop(pid, None)
            self._changed = True

    def _exactly(self) -> int:
        begin = time.monotonic()
        total = 0
        for pid, fd in self._open.items():
            try:
                with open(f"/proc/{pid}/smaps_rollup", "rb", buffering=0) as file:
                    text = file.read(4096)
                total += _kib(text, b"\nPss_Anon:") + _kib(text, b"\nPss_Shmem:") + _kib(text, b"\nSwapPss:")
            except OSError:  # it ended, or this kernel has no such file: then shared pages count for each
                total += _held(fd)
        self._exact, self._exact_at = total, begin
        self._exact_cost = time.monotonic() - begin
        self._base = dict(self._now)
        self._young = {pid: at for pid, at in self._young.items() if pid in self._open and begin - at < YOUNG_S}
        self._changed = bool(self._young)
        return total

    def _look_for_new(self) -> None:
        """Adopt new processes: those whose number was given out since the last look, and by a scan now and then."""
        last = int(os.pread(self._loadavg, 128, 0).split()[-1])
        now = time.monotonic()
        gap = last - self._last_pid
        if self._last_pid < 0 or gap < 0 or gap > 200 or now > self._scan_at:
            table = everyone()
            for pid in descendants(table, {self.root, *self._open}, {self.root}) - self._open.keys():
                if table[pid].state not in "ZX":
                    self._adopt(pid)
            self._scan_at = now + max(SCAN_S, SHARE * (time.monotonic() - now))
        else:
            # A number is given out a moment before its process can be read, so each is tried three times.
            self._pending.update(dict.fromkeys(range(self._last_pid + 1, last + 1), 3))
            for pid in sorted(self._pending):
                process = read(pid)
                ours = process is not None and (process.session == self.root or process.ppid in self._open)
                if ours and pid not in self._open:
                    self._adopt(pid)
                self._pending[pid] -= 1
            self._pending = {pid: n for pid, n in self._pending.items() if n and pid not in self._open}
        self._last_pid = last

    def _adopt(self, pid: int) -> None:
        process = read(pid)
        try:
            fd = os.open(f"/proc/{pid}/status", os.O_RDONLY | os.O_CLOEXEC)
            text = os.pread(fd, 4096, 0)
        except OSError:
            return
        if process is None or f"\nTgid:\t{pid}\n".encode() not in text:  # numbers of threads are given out alike
            os.close(fd)
            return
        self._open[pid] = fd
        self.known[pid] = process.started
        self._now[pid] = _kib(text, b"\nRssAnon:") + _kib(text, b"\nRssShmem:") + _kib(text, b"\nVmSwap:")
        # What it shares with its parent is not new; the next exact reading tells what it holds that is.
        self._base[pid] = self._now[pid]
        self._young[pid] = time.monotonic()
        self._changed = True


def _held(status: int) -> int:
    """What an open /proc/PID/status says now: nothing of a process that has ended since it was last read.

    Its pages that it shared are its parent's again: to count what it held before would end a tree within its limit.
    """
    try:
        text = os.pread(status, 4096, 0)
    except OSError:
        return 0
    return _kib(text, b"\nRssAnon:") + _kib(text, b"\nRssShmem:") + _kib(text, b"\nVmSwap:")


def _kib(text: bytes, name: bytes) -> int:
    """The figure after `name`, in bytes; 0 where it is missing, as in a zombie."""
    at = text.find(name)
    return 1024 * int(text[at + len(name) : text.index(b"kB", at)]) if at >= 0 else 0
