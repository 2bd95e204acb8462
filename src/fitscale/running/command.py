"""A command that holds a run: what it works with, how it was asked, and what its user sees of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from fitscale.errors import FitscaleError, NothingRuns
from fitscale.machines.here import detect
from fitscale.machines.speed import with_speeds
from fitscale.planning.candidates import candidates
from fitscale.planning.decision.choosing import only
from fitscale.planning.loop import engines_for
from fitscale.planning.preparing import Prepared, prepare, with_model
from fitscale.records.machine import Machine
from fitscale.records.plan import Plan
from fitscale.records.workload import Workload
from fitscale.running.attempts import Attempts, Listener
from fitscale.running.engines import Engines
from fitscale.store import folder
from fitscale.store.files import disk_errors
from fitscale.store.journal import Journal
from fitscale.store.lock import RunLock


class Told(NamedTuple):
    """What a command lets its user see while it works."""

    plan: Callable[[Plan], None] = lambda plan: None
    event: Listener = lambda name, order, event: None
    note: Callable[[str], None] = lambda text: None
    file: str = "FILE"  # what stands for the job in a command that a note names
    deploys: Callable[[Plan], bool] = lambda plan: False  # whether the plan's better place can be deployed to


@dataclass(frozen=True)
class Command:
    """One of `fitscale plan` and `fitscale train`, with the run under its lock."""

    run: Path
    workload: Workload  # as it was given: what it leaves open is closed in what was prepared
    journal: Journal
    attempts: Attempts
    goes_on: bool  # it trains what it plans
    choose: str | None = None
    probe_s: float | None = None
    trust: bool = False
    fresh: bool = False
    told: Told = Told()  # noqa: RUF009 (an immutable tuple)

    @cached_property
    def machine(self) -> Machine:
        """This machine, with what the workload lets it use; its speeds are measured at the first look."""
        return machine_for(self.workload, self.run)


@contextmanager
def at_work(
    workload: Workload,
    run: Path,
    name: str,
    *,
    choose: str | None,
    probe_s: float | None,
    trust: bool,
    told: Told,
    fresh: bool = False,
) -> Iterator[tuple[Prepared, Command]]:
    """The run under its lock, with what was found in its data; whatever comes, nothing that was started goes on after it."""
    goes_on = name == "train"
    with Engines(run) as engines:
        if workload.data.groups:
            engines.ready("process", 1)  # who cuts the rows starts while they are looked at
        looked_at = _look_before(workload, run, choose, trust, told, whole=goes_on)
        folder.create(run, workload.name)
        with RunLock(run) as lock, disk_errors(run):
            journal = Journal(run, lock.epoch)
            journal.append("command", command=name)
            folder.clear_scratch(run)
            prepared = looked_at or prepare(workload, run, trust=trust, fresh=fresh, whole=goes_on, told=told.note)
            _say_staged(prepared, journal)
            attempts = Attempts(run, lock.epoch, journal, engines, told.event)
            try:
                yield prepared, Command(run, workload, journal, attempts, goes_on, choose, probe_s, trust, fresh, told)
            finally:
                attempts.kill_all()


def machine_for(workload: Workload, run: Path) -> Machine:
    """This machine, with what the workload lets it use."""
    return with_speeds(detected(workload, run), run)


def detected(workload: Workload, run: Path) -> Machine:
    """The same before its speeds are known.

    Raises
    ------
    NothingRuns
        If the workload names no machine that is this one.
    """
    local = next((place for place in workload.where if place.kind == "local"), None)
    if local is None:
        raise NothingRuns("where: names no machine that can train from here; add 'local'")
    return detect(local.memory_bytes, local.cores, run)


def _look_before(
    workload: Workload, run: Path, choose: str | None, trust: bool, told: Told, *, whole: bool = True
) -> Prepared | None:
    """What `prepare` finds, before a run is begun: a workload, data or flag that is wrong leaves no folder behind.

    None where the run is there already.
    """
    if (run / "run.json").exists():
        return None
    prepared = prepare(workload, run, trust=trust, whole=whole, told=told.note)
    machine = detected(workload, run)
    if choose is not None:
        _check_choice(run, prepared, machine, choose, trust)
    return prepared


def _check_choice(run: Path, prepared: Prepared, machine: Machine, choose: str, trust: bool) -> None:
    """Refuse a name that no candidate has; of several estimators, of none of them."""
    wrong: list[FitscaleError] = []
    models = prepared.workload.model.any_of
    for model in models or (None,):
        try:
            own = prepared if model is None else with_model(prepared, model, run, trust=trust)
            only(choose, *candidates(own, machine, engines_for(choose)))
            return
        except FitscaleError as error:
            wrong.append(error)
    raise wrong[0]


def _say_staged(prepared: Prepared, journal: Journal) -> None:
    """What was staged for this command, which its forecast has in it."""
    if prepared.staging is not None and prepared.stage is not None:
        about = prepared.staging
        journal.append(
            "staged", rows=about.rows, bytes=about.bytes, seconds=about.seconds, began=about.at, content=about.content
        )
