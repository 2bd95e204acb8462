"""Events of a run at work, into a `Tracker`: it reads no file itself, and is told here of the tasks that they speak of."""

from __future__ import annotations

from pathlib import Path

from fitscale.records.run import Event, Order
from fitscale.running.progress import Tracker
from fitscale.store import chunks, folder


def hear(tracker: Tracker, run: Path, name: str, order: Order, event: Event) -> None:
    """Take one event of an attempt in this run, and learn of its task where it is the first."""
    if not tracker.knows(order.task):
        before = frozenset(chunks.committed(run, order.task))
        own = {int(event.data["k"])} if event.kind == "chunk" else set()
        tracker.learn(order.task, folder.read_task(run, order.task), before - own)
    tracker.see(name, order, event)
