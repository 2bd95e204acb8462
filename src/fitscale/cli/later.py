"""What the command line knows by name and does not do yet; each with what does instead. Of the workload: `workload.offered`."""

from __future__ import annotations

from fitscale.errors import NotOffered

COMMANDS = {
    "serve": "'fitscale predict' streams files through the models",
}


def refuse_command(name: str) -> None:
    """Raise NotOffered for a command that is not there yet."""
    if name in COMMANDS:
        raise NotOffered(f"fitscale {name}", f"is not offered yet: {COMMANDS[name]}")
