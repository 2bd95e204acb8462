"""From a format's name to its exporter, its libraries looked for."""

from __future__ import annotations

from fitscale.contracts import Exporter
from fitscale.registry import plugin, require


def exporter_of(name: str) -> Exporter:
    """The exporter of a format.

    Raises
    ------
    UsageError
        If there is none of that name; it names the nearest.
    MissingLibrary
        If a library that it needs is not installed.
    """
    cls = plugin("exporters", name)
    for library in cls.needs:
        require(f"exporter '{name}'", library, getattr(cls, "extra", name))
    made: Exporter = cls()
    return made
