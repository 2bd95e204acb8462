"""How fast this machine is: disk, memory and arithmetic, within about a second, once for each boot and disk."""

from __future__ import annotations

import contextlib
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from pydantic import Field, ValidationError

from fitscale.records.base import Record, digest_of
from fitscale.records.machine import Machine

BLOCK = 4 * 2**20


class Speeds(Record):
    """Bytes and nanoseconds; None where it could not be measured, as on a disk without room."""

    disk_read_bytes_per_s: float | None  # cold, buffered
    disk_write_bytes_per_s: float | None  # with fsync
    memory_bytes_per_s: float  # of one thread that copies: bytes read plus bytes written
    cpu_ns: float  # of CPU, for one element of the fixed loop


class _Cache(Record):
    version: int = 1
    entries: dict[str, Speeds] = Field(default_factory=dict)


def with_speeds(machine: Machine, folder: Path, budget_s: float = 1.0) -> Machine:
    """`machine`, which is this one, with the speeds measured here for the disk of `folder`."""
    return machine.but(**dict(measure(folder, budget_s)))


def measure(folder: Path, budget_s: float = 1.0) -> Speeds:
    """The speeds of this machine, from the user's cache where this boot has measured this disk before.

    Parameters
    ----------
    folder
        An existing folder on the disk that counts; a file of up to 64 MB is written there and removed.
    budget_s
        About the seconds that it may take.
    """
    key = _key(folder)
    cache = _load()
    if key in cache.entries:
        return cache.entries[key]
    write, read = _disk(folder, budget_s / 2)
    speeds = Speeds(
        disk_read_bytes_per_s=read,
        disk_write_bytes_per_s=write,
        memory_bytes_per_s=_memory(budget_s / 8),
        cpu_ns=cpu_ns(budget_s / 4),
    )
    _save(cache.but(entries={**cache.entries, key: speeds}))
    return speeds


def cpu_ns(budget_s: float = 0.25) -> float:
    """CPU nanoseconds for one element of a fixed loop, by which machines are compared.

    A running sum (each step waits for the one before: the clock) and a count into 256 bins (scattered writes: what
    histograms do), over 16,384 elements that stay in the first caches. The median of its repeats.
    """
    n = 16_384
    values = np.random.default_rng(0).random(n)
    bins = (values * 256).astype(np.int64)
    out = np.empty(n)
    times: list[int] = []
    end = time.monotonic() + budget_s
    while len(times) < 5 or time.monotonic() < end:
        begin = time.thread_time_ns()
        for _ in range(10):
            np.cumsum(values, out=out)
            np.bincount(bins, minlength=256)
        times.append(time.thread_time_ns() - begin)
    return statistics.median(times) / (10 * n)


def _memory(budget_s: float) -> float:
    source = np.ones(BLOCK)  # 32 MB: beyond the caches of one core
    target = np.empty_like(source)
    np.copyto(target, source)  # the first copy pays for the pages
    best = float("inf")
    end = time.monotonic() + budget_s
    while best == float("inf") or time.monotonic() < end:
        begin = time.perf_counter()
        np.copyto(target, source)
        best = min(best, time.perf_counter() - begin)
    return 2 * source.nbytes / best


def _disk(folder: Path, budget_s: float) -> tuple[float | None, float | None]:
    """Write with fsync, then read back cold, as buffered readers do."""
    block = os.urandom(BLOCK)  # random: some disks compress
    try:
        with tempfile.TemporaryFile(dir=folder, prefix=".fitscale-speed-") as file:
            fd = file.fileno()
            begin = time.perf_counter()
            size = 0
            while size < 16 * BLOCK and (size == 0 or time.perf_counter() - begin < budget_s / 4):
                size += os.write(fd, block)
            os.fsync(fd)
            write = size / (time.perf_counter() - begin)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            os.lseek(fd, 0, os.SEEK_SET)
            begin = time.perf_counter()
            done = 0
            while time.perf_counter() - begin < budget_s / 2 and (part := len(os.read(fd, 2**20))):
                done += part
            return write, done / (time.perf_counter() - begin)
    except OSError:  # full, or not ours to write in: the plan says that it was not measured
        return None, None


def _key(folder: Path) -> str:
    cpu = next((line for line in _text("/proc/cpuinfo").splitlines() if line.startswith("model name")), "")
    cores = len(os.sched_getaffinity(0))
    return digest_of(_text("/proc/sys/kernel/random/boot_id"), cpu, str(cores), str(os.stat(folder).st_dev))


def _text(file: str) -> str:
    try:
        return Path(file).read_text()
    except OSError:
        return ""


def cache_file() -> Path:
    """``machine.json`` in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "fitscale" / "machine.json"


def _load() -> _Cache:
    try:
        return _Cache.from_json(cache_file().read_bytes())
    except (OSError, ValidationError, RuntimeError):  # RuntimeError: a user without a home
        return _Cache()


def _save(cache: _Cache) -> None:
    """Whole or not at all. A cache that cannot be kept costs a second at the next plan and nothing else."""
    with contextlib.suppress(OSError, RuntimeError):
        file = cache_file()
        file.parent.mkdir(parents=True, exist_ok=True)
        latest = dict(list(cache.entries.items())[-20:])
        draft = file.with_name(f".{file.name}.{os.getpid()}")
        draft.write_text(cache.but(entries=latest).to_json())
        os.replace(draft, file)
