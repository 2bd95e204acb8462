"""Where in the file a value stands, so that each error about it says file, line and dotted place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fitscale.errors import WorkloadError, nearest
from fitscale.workload.units import shown


@dataclass(frozen=True)
class Spot:
    """Where in the file a value stands, for the errors about it."""

    place: str = ""
    file: str | None = None
    lines: Mapping[str, int] = field(default_factory=dict)  # place → line
    homes: Mapping[str, str] = field(default_factory=dict)  # key → the section where it belongs

    def at(self, key: str) -> Spot:
        return Spot(f"{self.place}.{key}" if self.place else key, self.file, self.lines, self.homes)

    def item(self, index: int) -> Spot:
        return Spot(f"{self.place}[{index}]", self.file, self.lines, self.homes)

    @property
    def at_line(self) -> str | None:
        """``job.yaml:7``, or the file alone where the line is not known."""
        line = self.lines.get(self.place)
        return f"{self.file}:{line}" if self.file and line else self.file

    def wrong(self, problem: str) -> WorkloadError:
        return WorkloadError(self.place or "the file", problem, file=self.at_line)

    def unknown(self, name: Any, known: Sequence[str]) -> WorkloadError:
        """The error about a key that this section does not have."""
        if not isinstance(name, str):
            return self.wrong(f"the key {shown(name)} is not text: write it in quotes")
        elsewhere = f"; it stands under '{self.homes[name]}'" if name in self.homes else ""
        close = nearest(name, known) or nearest(name, self.homes)
        return self.at(name).wrong(f"unknown key{elsewhere or close}; there are: {', '.join(known)}")
