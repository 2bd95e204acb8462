"""The phase ledger: where the time of an attempt went, wall and CPU apart, each second counted once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PHASES = ("stage", "cut", "start", "read", "encode", "bin", "iterations", "score", "export", "save")


class Ledger:
    """Phases may nest: the time of an inner one is not counted in the outer.

    Wall seconds are those of the thread that made it: what another thread does beside it takes CPU seconds alone.
    """

    def __init__(self) -> None:
        self.wall: dict[str, float] = {}
        self.cpu: dict[str, float] = {}
        self._open: list[str] = []
        self._wall = time.perf_counter()
        self._cpu = time.process_time()
        self._own = threading.get_ident()
        self._lock = threading.Lock()

    def _account(self) -> None:
        with self._lock:
            wall, cpu = time.perf_counter(), time.process_time()
            if self._open:
                self.add(self._open[-1], wall - self._wall, cpu - self._cpu)
            self._wall, self._cpu = wall, cpu

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        if threading.get_ident() != self._own:
            with self._beside(name):
                yield
            return
        self._account()
        self._open.append(name)
        try:
            yield
        finally:
            self._account()
            self._open.pop()

    @contextmanager
    def _beside(self, name: str) -> Iterator[None]:
        """In another thread: what it takes is not the open phase's."""
        began = time.thread_time()
        try:
            yield
        finally:
            took = time.thread_time() - began
            with self._lock:
                self.add(name, 0.0, took)
                self._cpu += took

    def add(self, name: str, wall: float, cpu: float) -> None:
        """Count time that was measured elsewhere, such as the start of the process."""
        self.wall[name] = self.wall.get(name, 0.0) + wall
        self.cpu[name] = self.cpu.get(name, 0.0) + cpu

    def charge(self, cpu: float) -> None:
        """Count CPU seconds of a child process to the phase that is open."""
        if self._open:
            self.add(self._open[-1], 0.0, cpu)

    def clear(self) -> None:
        """Begin at nothing."""
        self.forget()
        self.wall.clear()
        self.cpu.clear()

    def forget(self) -> None:
        """Do not count the time since the last change: the attempt was paused."""
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def so_far(self) -> dict[str, tuple[float, float]]:
        """Seconds (wall, CPU) of each phase, those of the open ones included."""
        self._account()
        with self._lock:
            return {name: (round(self.wall[name], 6), round(self.cpu[name], 6)) for name in self.wall}
