"""The ledger's file: one line of JSON for each finished run of this user, appended by whichever command finished it.

Commands append at once: each line goes in with one write under a lock on the file. What cannot be read costs itself alone: a
line that a power cut tore, one of a newer version, one with figures that cannot be.
"""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import stat
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from fitscale.records.ledger import Entry
from fitscale.store.files import sync_folder

LONGEST = 4096  # bytes of a line
READ_BYTES = 4 << 20  # of the end of the file: some thousand runs, read within a tenth of a second
ABSURD = 1000.0  # times too long, or too short: no forecast is that far off, but a file that somebody edited may be
PATIENCE_S = 2.0  # for others that append; then this run is left out
SEED = "ledger.jsonl"


class Ledger(NamedTuple):
    """What was read. ``problem``: why nothing could be."""

    entries: tuple[Entry, ...] = ()  # of this machine, the oldest first
    elsewhere: int = 0  # runs of other machines
    skipped: int = 0  # lines that are no runs
    problem: str = ""


def read(path: Path, machine: str) -> Ledger:
    """The last runs of a ledger; nothing of one that is not there. Never raises, whatever the file is."""
    try:
        raw = _end_of(path)
    except FileNotFoundError:
        return Ledger()
    except OSError as error:
        return Ledger(problem=error.strerror or type(error).__name__)
    found, skipped = _parsed(raw)
    own = tuple(entry for entry in found if entry.machine == machine)
    return Ledger(own, len(found) - len(own), skipped)


def append(path: Path, entry: Entry) -> None:
    """Add a run, whole or not at all. Into what is no file of its own, such as /dev/null, nothing is written.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    line = entry.to_json().encode() + b"\n"
    if len(line) > LONGEST:
        raise OSError(0, f"an entry of {len(line):,} bytes is longer than {LONGEST:,}")
    new = not path.exists()
    if new:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Without waiting: a pipe that nobody reads would hold the command.
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
    handle = os.open(path, flags, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return
        _lock(handle)
        _write(handle, line)
    finally:
        os.close(handle)
    if new:
        sync_folder(path.parent)


def seed() -> tuple[Entry, ...]:
    """The runs of the benchmark that ships: on other machines than this, so they count for nothing here but as an example."""
    table = files("fitscale.machines") / "tables" / SEED
    return tuple(_parsed(table.read_bytes())[0]) if table.is_file() else ()


def _write(handle: int, line: bytes) -> None:
    before = os.fstat(handle).st_size
    if before and os.pread(handle, 1, before - 1) != b"\n":
        line = b"\n" + line  # what a power cut tore stays a line of its own, and spoils no other
    try:
        if os.write(handle, line) < len(line):
            raise OSError(0, "only a part of the line could be written")
        os.fsync(handle)
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(handle, before)
        raise


def _lock(handle: int) -> None:
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _end_of(path: Path) -> bytes:
    """The last whole lines of a file, and what follows them."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(handle, "rb") as file:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            return b""  # /dev/null: no ledger is wanted
        if about.st_size > READ_BYTES:
            file.seek(about.st_size - READ_BYTES)
            file.readline()  # the rest of a line
        return file.read()


def _parsed(raw: bytes) -> tuple[list[Entry], int]:
    """The runs of all lines that are one, and how many are none."""
    found: list[Entry] = []
    skipped = 0
    for line in raw.split(b"\n"):
        if not line.strip():
            continue
        try:
            entry = Entry.from_json(line)
        except (ValidationError, ValueError, RecursionError):  # torn, or of another format
            skipped += 1
            continue
        if is_absurd(entry):
            skipped += 1
        else:
            found.append(entry)
    return found, skipped


def is_absurd(entry: Entry) -> bool:
    """Whether a figure of it cannot be: not finite, not above zero, out of order, or a thousand times what stands beside it."""
    if not entry.said or not all(math.isfinite(x) and x > 0 for x in _values(entry)):
        return True
    for said in entry.said:
        for figures in (said.figures, said.raw):
            for quantity, (low, value, high) in figures.items():
                if not low <= value <= high <= ABSURD * value:
                    return True
                took = entry.actual.get(quantity)
                if took is not None and not 1 / ABSURD < took / value < ABSURD:
                    return True
    return False


def _values(entry: Entry) -> Iterator[float]:
    yield from entry.actual.values()
    for said in entry.said:
        for figures in (said.figures, said.raw):
            for low, value, high in figures.values():
                yield from (value, high)
                yield max(low, 5e-324) if low >= 0 else low  # an interval may begin at nothing
