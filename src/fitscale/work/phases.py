"""The phase ledger: where the time of an attempt went, wall and CPU apart, each second counted once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

PHASES = ("start", "read", "encode", "bin", "iterations", "score", "export", "save")


class Ledger:
    """Phases may nest: the time of an inner one is not counted in the outer."""

    def __init__(self) -> None:
        self.wall: dict[str, float] = {}
        self.cpu: dict[str, float] = {}
        self._open: list[str] = []
        self._wall = time.perf_counter()
        self._cpu = time.process_time()

    def _account(self) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        if self._open:
            name = self._open[-1]
            self.wall[name] = self.wall.get(name, 0.0) + wall - self._wall
            self.cpu[name] = self.cpu.get(name, 0.0) + cpu - self._cpu
        self._wall, self._cpu = wall, cpu

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        self._account()
        self._open.append(name)
        try:
            yield
        finally:
            self._account()
            self._open.pop()

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
        return {name: (round(self.wall[name], 6), round(self.cpu[name], 6)) for name in self.wall}
