"""What the journal says of a run: the version that is unfinished, and the one that is served."""

from __future__ import annotations

from pathlib import Path

from fitscale.records.base import Record
from fitscale.records.plan import Candidate
from fitscale.records.workload import ModelSpec
from fitscale.store import journal, versions


class Basis(Record):
    """What a version is made from. Two versions of equal basis have equal bytes."""

    job: str  # digest of the workload's part: estimator, evaluation, features, seed
    data: str  # digest of the snapshot's contents
    versions: dict[str, str]  # of the libraries


class Begun(Record):
    """A version that was begun: its basis, its plan and the architecture that was chosen."""

    version: int
    basis: Basis
    plan: int
    candidate: Candidate
    tasks: dict[str, str]  # name → recipe digest, as far as they are known
    base: int | None = None  # the version whose other models stay
    asked: str = ""  # digest of what was asked for, where the workload left something open: see `running.closing`
    model: ModelSpec | None = None  # as it was closed then


class RunState(Record):
    unfinished: Begun | None = None
    finished: dict[int, Begun] = {}
    serving: int | None = None
    written: tuple[
        int, ...
    ] = ()  # versions that are there: also one that a kill kept from being written down as finished

    @property
    def next_version(self) -> int:
        return max((*self.finished, *self.written), default=0) + 1


def state_of(run: Path) -> RunState:
    """Replay the journal."""
    begun: Begun | None = None
    finished: dict[int, Begun] = {}
    for event in journal.replay(run):
        if event["kind"] == "version-begun":
            begun = Begun.model_validate(event["begun"])
        elif event["kind"] == "version-finished" and begun is not None and event["version"] == begun.version:
            finished[begun.version] = begun
            begun = None
    return RunState(
        unfinished=begun, finished=finished, serving=versions.current(run), written=tuple(versions.numbers(run))
    )
