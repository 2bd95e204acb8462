"""The engines of one command, each made once: what one starts ahead of its orders is there when they come."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from fitscale.contracts import Engine
from fitscale.registry import plugin


class Engines:
    """Used in a ``with``, whose end leaves none of their workers."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self._made: dict[str, Engine] = {}

    def named(self, name: str) -> Engine:
        if name not in self._made:
            self._made[name] = plugin("engines", name)()
        return self._made[name]

    def ready(self, name: str, workers: int) -> None:
        """Let so many workers of a pool start, if this engine can do that before there is an order."""
        if ready := getattr(self.named(name), "ready", None):
            ready(self.run, workers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for engine in self._made.values():
            if close := getattr(engine, "close", None):
                close()
