"""What the workers of an attempt said: events, memory, and the ledger of phases that follows from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from fitscale.records.plan import Phase
from fitscale.records.run import Event


def events_of(run: Path, attempt: str) -> list[Event]:
    """What the workers of an attempt said, in the order of time; lines that a kill tore are passed over."""
    return _events(sorted((run / "attempts" / attempt).glob("events.*.jsonl")))


def memory_events(run: Path, attempt: str) -> list[Event]:
    """The memory of an attempt over time, as its engine saw it; nothing where the command was killed."""
    return _events([run / "attempts" / attempt / "memory.jsonl"])


def _events(paths: Iterable[Path]) -> list[Event]:
    found = []
    for path in paths:
        try:
            lines = path.read_bytes().split(b"\n")
        except OSError:
            continue
        for line in lines:
            try:
                found.append(Event.model_validate(json.loads(line)))
            except ValueError:  # torn, or the empty rest after the last line feed
                continue
    return sorted(found, key=lambda event: event.at)


def phases_of(events: Sequence[Event], began: float) -> dict[str, Phase]:
    """Where an attempt's time went: wall seconds are the mean of its processes, CPU seconds their sum.

    A ledger counts from the start of its process, so the last one of each process stands.
    """
    ledgers: dict[int, dict[str, tuple[float, float]]] = {}
    starts: dict[int, tuple[float, float]] = {}
    for event in events:
        if event.kind == "started":
            starts[event.rank] = max(0.0, event.at - began), float(event.data.get("cpu_s", 0.0))
        if event.kind in ("finished", "stopped", "failed", "units") and event.data.get("phases"):
            ledgers[event.rank] = event.data["phases"]
    found: dict[str, Phase] = {}
    for rank, ledger in ledgers.items():
        # Until its first word a process was starting, which no ledger of its own can count.
        starting = {"start": starts[rank]} if rank in starts else {}
        for name, (wall, cpu) in [*starting.items(), *ledger.items()]:
            before = found.get(name, Phase(wall_s=0.0, cpu_s=0.0))
            found[name] = Phase(wall_s=before.wall_s + wall / len(ledgers), cpu_s=before.cpu_s + cpu)
    return found


def paused_s(events: Sequence[Event]) -> float:
    """Seconds in which rank 0 was parked."""
    total, since = 0.0, None
    for event in events:
        if event.rank == 0 and event.kind == "paused":
            since = event.at
        elif event.rank == 0 and event.kind == "unpaused" and since is not None:
            total += event.at - since
            since = None
    return total
