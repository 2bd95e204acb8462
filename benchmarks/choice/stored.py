"""How much a command keeps on the disk at most: looked at once a second, files that have lost their name included."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import tables

from fitscale.machines.processes import descendants, everyone

LOOK_S = 1.0


class Stored:
    """The most bytes that were in a folder while this was open, which need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self.most = 0
        self._folder = folder
        self._done = threading.Event()
        self._looking = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Stored:
        self._looking.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._looking.join()
        self._now()

    def _look(self) -> None:
        while not self._done.wait(LOOK_S):
            self._now()

    def _now(self) -> None:
        named = tables.size_of(self._folder) if self._folder.exists() else 0
        self.most = max(self.most, named + nameless_bytes(self._folder))


def nameless_bytes(folder: Path) -> int:
    """Of files that this process or its descendants hold open in a folder, and that were deleted there."""
    sizes: dict[tuple[int, int], int] = {}
    for pid in descendants(everyone(), {os.getpid()}):
        try:
            links = [f"/proc/{pid}/fd/{number}" for number in os.listdir(f"/proc/{pid}/fd")]
        except OSError:  # gone meanwhile
            continue
        for link in links:
            try:
                where = os.readlink(link)
                if where.startswith(f"{folder}/") and where.endswith(" (deleted)"):
                    about = os.stat(link)
                    sizes[about.st_dev, about.st_ino] = about.st_blocks * 512
            except OSError:
                continue
    return sum(sizes.values())
