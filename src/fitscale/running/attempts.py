"""Attempts: start workers on an order, follow them, park them, stop them. Planning and completing a task both go through here."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Generator
from pathlib import Path

from fitscale.records.plan import Candidate
from fitscale.records.run import Event, Order
from fitscale.running.engines import Engines
from fitscale.store import crash, folder
from fitscale.store.journal import Journal
from fitscale.work.attempt import work

Listener = Callable[[str, Order, Event], None]


class Attempt:
    """One attempt that was started: its events so far, and how it ended."""

    def __init__(self, run: Path, name: str, order: Order, candidate: Candidate, events: Generator[Event, None, None]):
        self.name = name
        self.order = order
        self.candidate = candidate
        self.events: list[Event] = []
        self.folder = run / "attempts" / name
        self._source = events
        self.ended: Event | None = None

    def next(self) -> Event | None:
        """Wait for the next event; None when there are no more."""
        event = next(self._source, None)
        if event is not None:
            self.events.append(event)
            if event.kind == "memory":  # as it comes: a command that is killed leaves what was seen until then
                # Only looked at afterwards: a disk that has no room for it may still have room for the model.
                with contextlib.suppress(OSError), open(self.folder / "memory.jsonl", "a") as file:
                    file.write(event.to_json() + "\n")
            if event.kind == "ended":
                self.ended = event
        return event

    @property
    def cause(self) -> str:
        return str(self.ended.data["cause"]) if self.ended else "running"

    @property
    def peak_bytes(self) -> int:
        return max((int(e.data["peak"]) for e in self.events if e.kind == "memory"), default=0)

    def tell(self, word: str) -> None:
        (self.folder / "control").write_text(word)

    def kill(self) -> None:
        """End it now; nothing of it runs on."""
        self._source.close()
        if self.ended is None:
            self.ended = Event(kind="ended", at=time.time(), data={"code": -9, "cause": "killed", "why": "on request"})


class Attempts:
    """Starts attempts under one epoch, and writes their beginnings and ends to the journal."""

    def __init__(
        self, run: Path, epoch: int, journal: Journal, engines: Engines, listener: Listener | None = None
    ) -> None:
        self.run = run
        self.epoch = epoch
        self.engines = engines
        self._journal = journal
        self._listeners = [listener] if listener else []
        self._numbers = itertools.count(1)
        self.all: list[Attempt] = []

    def start(self, candidate: Candidate, order: Order) -> Attempt:
        """Write the order and start its workers; they work from the first `next` on."""
        name = f"{self.epoch}-{next(self._numbers)}"
        order = order.but(epoch=self.epoch)
        folder.write_order(self.run, name, order)
        self._journal.append("attempt-started", attempt=name, candidate=candidate.name, order=order.kind)
        events = self.engines.named(candidate.engine).start(self.run, name, work)
        attempt = Attempt(self.run, name, order, candidate, events)
        self.all.append(attempt)
        return attempt

    def also(self, listener: Listener) -> None:
        """Let another hear what comes from now on, after those that do."""
        self._listeners.append(listener)

    def ready(self, engine: str, workers: int) -> None:
        """Let workers start ahead of the next order of a pool. The workers of an attempt that was started begin first."""
        self.engines.ready(engine, workers)

    def follow(self, attempt: Attempt, until: Callable[[Attempt], bool] | None = None) -> None:
        """Pump events until the attempt ended, or ``until`` says so."""
        while (event := attempt.next()) is not None:
            for listener in self._listeners:
                listener(attempt.name, attempt.order, event)
            if event.kind == "ended":
                self._note_end(attempt)
            elif until is not None and until(attempt):
                return

    def park(self, attempt: Attempt) -> bool:
        """Let it wait in its next report; False if it ended before it came to one."""
        attempt.tell("pause")
        self.follow(attempt, lambda a: a.events[-1].kind == "paused")
        return attempt.ended is None

    def unpark(self, attempt: Attempt) -> None:
        """Let it go on, and wait until it does: parked again before it looked, it would never say so."""
        attempt.tell("go")
        self.follow(attempt, lambda a: a.events[-1].kind == "unpaused")

    def stop(self, attempt: Attempt, patience_s: float = 10.0) -> None:
        """End it, with a checkpoint if it comes to one in time."""
        if attempt.ended is None:
            attempt.tell("stop")
            over = time.monotonic() + patience_s
            self.follow(attempt, lambda _: time.monotonic() > over)
            self.kill(attempt)

    def kill(self, attempt: Attempt) -> None:
        if attempt.ended is None:
            attempt.kill()
            self._note_end(attempt)

    def kill_all(self) -> None:
        running = [attempt for attempt in self.all if attempt.ended is None]
        for attempt in running:  # all of them, before anything is written: that can fail
            attempt.kill()
        for attempt in running:
            self._note_end(attempt)

    def _note_end(self, attempt: Attempt) -> None:
        crash.point("attempt.ended")
        self._journal.append("attempt-ended", attempt=attempt.name, cause=attempt.cause, peak=attempt.peak_bytes)
