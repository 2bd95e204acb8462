"""The context of a fit: progress, checkpoints, pausing and stopping, all in `report`."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from fitscale.contracts import Stopped
from fitscale.errors import FitscaleError
from fitscale.records.run import Order, Task
from fitscale.store import checkpoints, lock
from fitscale.work.events import EventLog
from fitscale.work.phases import Ledger


def checkpoint_every_s() -> float:
    """Seconds between checkpoints that are written; which units they may fall on is in the recipe."""
    return float(os.environ.get("FITSCALE_CHECKPOINT_S", "10"))


CHECKPOINTS_COST = 0.02  # of the time, where one takes so long that each ten seconds would be too often


class WorkContext:
    """See `contracts.Context`."""

    def __init__(self, run: Path, attempt: str, order: Order, task: Task, log: EventLog, ledger: Ledger) -> None:
        self.rank = log.rank
        self.world = order.ranks
        self.host = order.address
        self.port = order.port
        self.threads = order.threads
        self.folder = run / "attempts" / attempt
        self.scratch = self.folder / "scratch" / str(log.rank)
        self.scratch.mkdir(parents=True, exist_ok=True)
        self._run = run
        self._order = order
        self._task = task
        self._log = log
        self._ledger = ledger
        self._scores: dict[str, tuple[float, ...]] = {}
        self._written = time.monotonic()
        self._took = 0.0  # to make and write the last checkpoint
        self._looked = 0.0
        self._began = time.monotonic()
        self._cpu_before = 0.0
        self._first_units: int | None = None
        self.units = 0  # done since the beginning

    def resume(self) -> bytes | None:
        """The state to go on from, with the scores that belong to it; None at the very beginning."""
        if not self._order.resume or self._order.samples:
            return None
        found = checkpoints.latest(self._run, self._order.task, pickles=_pickles(self._task), trusted=self._order.trust)
        if found is None:
            return None
        self._scores = found.scores
        self._cpu_before = found.cpu_s
        self._log.write("resumed", units=found.units)
        return found.state

    def goes_on_from(self, units: int) -> None:
        """Say how many units were there already, where they are kept one by one."""
        self._log.write("resumed", units=units)

    def phase(self, name: str) -> AbstractContextManager[None]:
        return self._ledger.phase(name)

    def scores(self) -> dict[str, tuple[float, ...]]:
        return dict(self._scores)

    def begin_sample(self) -> None:
        """Count from here for the next part of the rows."""
        self._scores = {}
        self._first_units = None
        self.units = 0
        self._ledger.clear()

    def end_sample(self, **about: int) -> None:
        self._log.write("sampled", phases=self._ledger.so_far(), **about)

    def report(
        self,
        units: int,
        state: Callable[[], bytes] | None = None,
        scores: Mapping[str, float] | None = None,
        *,
        of: int = 0,
        kept: bool = True,
        size: int = 0,
    ) -> bytes | None:
        for name, value in (scores or {}).items():
            self._scores[name] = (*self._scores.get(name, ()), value)
        about: dict[str, object] = {"scores": dict(scores)} if scores else {}
        if of:
            about["of"] = of
        if size:
            about["size"] = size
        self.units = units
        if self._first_units is None:
            self._first_units = units
            about["phases"] = self._ledger.so_far()  # what came before: planning measures the set-up by it
        self._log.write("units", units=units, cpu_s=_cpu_s(), **about)
        wanted = self._control()
        while wanted == "pause":
            wanted = self._pause()
        stopping = wanted == "stop" or self._reached(units)
        if stopping and not kept:
            raise Stopped
        if state is None or units % self._task.recipe.segment:
            return None
        began = time.monotonic()
        writes = self._writes() and (stopping or began - self._written >= self._every_s())
        taken = state() if writes or self._task.traits.reload else None
        if writes and taken is not None:
            with self.phase("save"):
                cpu_s = self._cpu_before + _cpu_s()
                checkpoints.save(self._run, self._order.task, units, taken, self._scores, cpu_s)
            self._log.write("checkpoint", units=units, bytes=len(taken), phases=self._ledger.so_far())
            self._written = time.monotonic()
            self._took = self._written - began
        if stopping:
            raise Stopped
        return taken

    def pause_point(self) -> None:
        """Between chunks: wait while told to pause, raise Stopped when told to stop."""
        wanted = self._control()
        while wanted == "pause":
            wanted = self._pause()
        if wanted == "stop":
            raise Stopped

    def program(self, argv: Sequence[str]) -> str:
        # Not a shell, and in this process's group: what ends the worker ends it too.
        with self.children():
            done = subprocess.run(list(argv), capture_output=True, text=True, check=False, cwd=self.scratch)
        if done.returncode:
            tail = (done.stderr or done.stdout).strip()[-500:]
            raise FitscaleError(f"{argv[0]} ended with {done.returncode}: {tail}")
        return done.stdout

    @contextmanager
    def children(self) -> Iterator[None]:
        """Counts the CPU seconds of children that end meanwhile to the phase that is open."""
        before = _children_cpu_s()
        try:
            yield
        finally:
            self._ledger.charge(_children_cpu_s() - before)

    def _writes(self) -> bool:
        return self.rank == 0 and not self._order.samples and self._order.kind == "fit"

    def _every_s(self) -> float:
        every = checkpoint_every_s()
        return max(every, self._took / CHECKPOINTS_COST) if every else 0.0

    def _reached(self, units: int) -> bool:
        until = self._order.until
        if until is None or self._first_units is None:
            return False
        done = until.units is not None and units - self._first_units + 1 >= until.units
        return done or (until.seconds is not None and time.monotonic() - self._began >= until.seconds)

    def _control(self) -> str:
        if time.monotonic() - self._looked < 0.05:
            return "go"
        self._looked = time.monotonic()
        if lock.epoch_of(self._run) != self._order.epoch:
            return "stop"  # a newer command has the run: this attempt has been forgotten
        try:
            return (self.folder / "control").read_text().strip()
        except OSError:
            return "go"

    def _pause(self) -> str:
        self._ledger.so_far()
        self._log.write("paused")
        wanted = "pause"
        while wanted == "pause":
            time.sleep(0.05)
            self._looked = 0.0  # look each time, not only each 50 ms
            wanted = self._control()
        self._ledger.forget()
        self._log.write("unpaused")
        return wanted


def _cpu_s() -> float:
    """Of this process, and of children that have ended."""
    return time.process_time() + _children_cpu_s()


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _pickles(task: Task) -> bool:
    from fitscale.registry import plugin

    return bool(plugin("frameworks", task.recipe.framework).pickles)
