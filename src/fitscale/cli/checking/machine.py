"""The machine: cores, memory, control group, the limits of the kernel, and the disk where runs are kept."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from pathlib import Path

from fitscale.cli.checking.finding import Finding
from fitscale.cli.shown import plural, size
from fitscale.machines.cgroup import allowance
from fitscale.machines.here import detect
from fitscale.machines.speed import measure

LEAST_FREE = 2_000_000_000  # of disk, below which a run may end with a full one
LEAST_MEMORY = 1_000_000_000
LEAST_FILES = 1_024  # open at once: a worker has its libraries, its data files and its logs
LEAST_PROCESSES = 512
SLOW_DISK = 50_000_000  # bytes a second, below which reading and checkpoints are what takes the time


def findings(folder: Path) -> Iterator[Finding]:
    """``folder`` is where runs are kept; it need not exist yet."""
    here = detect(folder=folder)
    yield Finding(what="python", state="ok", says=f"{sys.version.split()[0]} at {sys.executable}")
    yield Finding(what="cores", state="ok", says=f"{plural(here.cores, 'core')}: {here.cpu}")
    low = here.memory_bytes < LEAST_MEMORY
    yield Finding(
        what="memory",
        state="wrong" if low else "ok",
        says=f"{size(here.memory_bytes)} to be used"
        + "".join(f"; {note.partition(': ')[2]}" for note in here.notes if note.startswith("memory")),
        next_step="end what else is running here, or raise the limit of the container" if low else "",
    )
    group = allowance()
    limits = [f"memory {size(group.memory_bytes)}"] if group.memory_bytes else []
    limits += [f"{group.cpus:g} cores"] if group.cpus else []
    yield Finding(what="control group", state="ok", says=", ".join(limits) or "sets no limit")
    yield kernel_limits()
    yield from _disk(folder, here.disk_free_bytes or 0)


def kernel_limits() -> Finding:
    """The limits that a run would meet: address space, open files, processes, and memory that cannot be promised."""
    wrong: list[str] = []
    told: list[str] = []
    steps: list[str] = []
    for name, what in ((resource.RLIMIT_AS, "address space"), (resource.RLIMIT_DATA, "data segment")):
        soft, _ = resource.getrlimit(name)
        if soft != resource.RLIM_INFINITY:
            # Libraries reserve more than they use: they end with a MemoryError of their own, far below the forecast.
            wrong.append(f"{what} limited to {size(soft)}")
            steps.append(f"ulimit -{'v' if what == 'address space' else 'd'} unlimited")
    for name, what, least, letter in (
        (resource.RLIMIT_NOFILE, "open files", LEAST_FILES, "n"),
        (resource.RLIMIT_NPROC, "processes", LEAST_PROCESSES, "u"),
    ):
        soft, hard = resource.getrlimit(name)
        told.append(f"{'any number of' if soft == resource.RLIM_INFINITY else f'{soft:,}'} {what}")
        if soft != resource.RLIM_INFINITY and soft < least:
            wrong.append(f"only {soft:,} {what}")
            room = hard == resource.RLIM_INFINITY or hard >= least
            steps.append(f"ulimit -{letter} {least}" if room else f"ask for a higher limit of {what}")
    if _overcommit() == 2:
        told.append("memory is promised strictly (vm.overcommit_memory=2), so that allocations may fail early")
    if wrong:
        return Finding(what="limits", state="wrong", says=", ".join(wrong), next_step="; ".join(steps))
    return Finding(what="limits", state="ok", says=", ".join(told))


def _overcommit() -> int:
    try:
        return int(Path("/proc/sys/vm/overcommit_memory").read_text())
    except (OSError, ValueError):
        return 0


def _disk(folder: Path, free: int) -> Iterator[Finding]:
    low = free < LEAST_FREE
    yield Finding(
        what="disk",
        state="wrong" if low else "ok",
        says=f"{size(free)} free for runs in {folder}",
        next_step="make room, or keep runs elsewhere with FITSCALE_RUNS" if low else "",
    )
    there = folder
    while not there.is_dir():
        there = there.parent
    speeds = measure(there)
    read, write = speeds.disk_read_bytes_per_s, speeds.disk_write_bytes_per_s
    if read is None or write is None:
        return  # it is full, or not ours to write to: its own lines say so
    slow = min(read, write) < SLOW_DISK
    yield Finding(
        what="disk speed",
        state="note" if slow else "ok",
        says=f"reads {size(read)}/s cold, writes {size(write)}/s",
        next_step="a local disk for data and runs would be faster (FITSCALE_RUNS)" if slow else "",
    )
