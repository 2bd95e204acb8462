"""What a worker says of itself: lines appended to attempts/EPOCH-N/events.RANK.jsonl."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from fitscale.records.run import Event


class EventLog:
    """Appends events; each line is written in one call, so that a reader sees whole lines or a torn last one."""

    def __init__(self, folder: Path, rank: int) -> None:
        self.rank = rank
        self._file = open(folder / f"events.{rank}.jsonl", "ab", buffering=0)  # noqa: SIM115 (open as long as the worker)

    def write(self, kind: str, **data: Any) -> None:
        event = Event(kind=kind, at=round(time.time(), 6), rank=self.rank, data=data)
        self._file.write(event.to_json().encode() + b"\n")

    def close(self) -> None:
        self._file.close()
