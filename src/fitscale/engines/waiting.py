"""Workers that wait: started before there is an order for them, so that what they import is imported meanwhile.

Of the three seconds that a job of a thousand small models takes beside its fits, one was the start of its workers.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import IO

from fitscale.engines import supervisor


class Waiting:
    """Workers without an order. They are for pools: one thread for linear algebra each, which is settled at import."""

    def __init__(self) -> None:
        self._workers: list[tuple[Path, supervisor.Child]] = []

    def start(self, run: Path, workers: int) -> None:
        """Let so many wait for orders of this run, those that do already counted."""
        null = subprocess.DEVNULL  # until they have an attempt, and with it a log
        for _ in range(workers - sum(of == run for of, _ in self._workers)):
            argv = [sys.executable, "-P", "-m", "fitscale.work", str(run)]
            child = supervisor.start(argv, memory_bytes=None, stdin=subprocess.PIPE, stdout=null, stderr=null)
            self._workers.append((run, child))

    def take(self, run: Path, name: str, memory_bytes: int | None) -> supervisor.Child | None:
        """One of the run's that is now told the name of its attempt, under a limit from now on; None: nobody waits."""
        for place in [place for place in self._workers if place[0] == run]:
            self._workers.remove(place)
            child = place[1]
            child.count_from_now(memory_bytes)
            try:
                with _pipe_to(child) as pipe:
                    pipe.write(name.encode() + b"\n")
            except OSError:  # it has ended
                child.kill()
                continue
            return child
        return None

    def close(self) -> None:
        """End those that got no order."""
        for _, child in self._workers:
            child.kill()
            _pipe_to(child).close()
        self._workers.clear()


def _pipe_to(child: supervisor.Child) -> IO[bytes]:
    assert child.stdin is not None
    return child.stdin
