"""What the Python API puts into a run before the run is begun; taken back where the call turns out to be wrong."""

from __future__ import annotations

import contextlib
from pathlib import Path

from fitscale.errors import Locked, UsageError
from fitscale.store import folder

FOLDERS = ("live", "signatures")


class Staging:
    """Takes note of what is in the run folder before live objects are put there.

    As a context manager it ends the call that they were put there for: what a refused workload brought is removed, unless
    a plan names it.
    """

    def __init__(self, run: Path) -> None:
        self.run = run
        self._before = self._there()
        self._missing = [path for path in (run, *run.absolute().parents) if not path.exists()]

    def _there(self) -> set[Path]:
        return {path for name in FOLDERS for path in (self.run / name).glob("*")}

    def __enter__(self) -> Staging:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        # Whoever else writes to the run may have found the same frame there, and reads it.
        if isinstance(error, UsageError) and not isinstance(error, Locked):
            self.undo()

    def undo(self) -> None:
        """Remove what was put there since, and the folders that were made for it."""
        plans = [path.read_text() for path in (self.run / "plans").glob("*.json")]
        for path in self._there() - self._before:
            if not any(path.name.removeprefix("live-") in plan for plan in plans):
                path.unlink(missing_ok=True)
        if folder.is_begun(self.run):
            return
        for empty in [*(self.run / name for name in FOLDERS), *self._missing]:
            with contextlib.suppress(OSError):  # something else is in it
                empty.rmdir()
