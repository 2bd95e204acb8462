"""How much of this machine others are using: a measurement taken beside a busy neighbour is taken again."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from typing import Self

from fitscale.machines.processes import TICK_S, descendants, everyone


class Contention:
    """The share of this machine's CPU that went to others since `start`, or that the host took away.

    Own are this process and all that descend from it; those among them that had no waiting parent count as others
    once they have ended.
    """

    def __init__(self) -> None:
        self._begin = (0.0, 0.0, 0.0)

    def start(self) -> Self:
        self._begin = _look()
        return self

    def share(self) -> float:
        """From 0 to 1. Over less than 0.2 s it says little: the kernel counts in hundredths of a second."""
        at, busy, own = (now - then for now, then in zip(_look(), self._begin, strict=True))
        capacity = at * (os.cpu_count() or 1)
        return min(1.0, max(0.0, (busy - own) / capacity)) if capacity > 0 else 0.0


def _look() -> tuple[float, float, float]:
    """Seconds: of the clock, of all busy CPUs, and of this process with its descendants."""
    with open("/proc/stat") as file:
        user, nice, system, _idle, _iowait, irq, softirq, steal = (int(word) for word in file.readline().split()[1:9])
    now = time.monotonic()
    return now, (user + nice + system + irq + softirq + steal) * TICK_S, own_cpu_s({os.getpid()})


def own_cpu_s(roots: Collection[int]) -> float:
    """CPU seconds of `roots` and their descendants, with those that have ended and were waited for."""
    table = everyone()
    return sum(table[pid].cpu_s for pid in descendants(table, roots))
