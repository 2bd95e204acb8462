"""Train: begin or go on, plan, complete each task, put the version together, serve it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from fitscale.errors import FitscaleError, Resumable
from fitscale.planning.preparing import Prepared, recipe_of
from fitscale.records.data import Shape
from fitscale.records.plan import Plan
from fitscale.records.run import Manifest
from fitscale.records.workload import Workload
from fitscale.running.attempts import Attempt
from fitscale.running.begun import basis_of, begin, is_same, smaller_than, unfinished
from fitscale.running.closing import close
from fitscale.running.command import Command, Told, at_work, detected
from fitscale.running.completing import complete, put_together
from fitscale.running.exporting import Exported, export_missing
from fitscale.running.partitioning import partition_of, with_cut
from fitscale.running.planning import planned
from fitscale.running.punctual import Punctual, Way
from fitscale.running.recording import PastRuns, forecast_of
from fitscale.running.some import check_same_kind, need_version, some_of
from fitscale.running.state import Begun, state_of
from fitscale.running.tasks import forget, write_tasks
from fitscale.store import crash, folder, versions


class Trained(NamedTuple):
    run: Path
    manifest: Manifest
    plan: Plan | None  # None: nothing was to be done, or an unfinished version was gone on with
    nothing_to_do: bool = False
    exported: tuple[Exported, ...] = ()

    def check(self, max_failed: float) -> None:
        """Raise if more groups failed than may.

        Raises
        ------
        FitscaleError
            With the count. What succeeded is delivered all the same.
        """
        about = self.manifest
        judged = about.models + about.failed
        allowed = max_failed if max_failed >= 1 else max_failed * judged
        if about.failed > allowed:
            raise FitscaleError(
                f"{self.run}: {about.failed} of {judged} groups failed, more than needs.max_failed allows "
                f"({allowed:.0f}); the others are in version {about.version}; see 'fitscale models list --status failed'"
            )


def train(
    workload: Workload,
    run: Path,
    *,
    fresh: bool = False,
    choose: str | None = None,
    probe_s: float | None = None,
    trust: bool = False,
    only: str | None = None,
    ledger: Path | None = None,
    told: Told = Told(),  # noqa: B008 (an immutable tuple)
) -> Trained:
    """Train the workload's models in a run folder, from wherever an earlier command left it.

    ``only`` some of the groups (see `some_of`): the next version has the served one's models of the others. ``ledger``: the file
    of past runs, by which forecasts are calibrated and to which a finished version is added.

    Raises
    ------
    UsageError, NothingRuns, NothingMeets, Resumable, FitscaleError
        See the exit codes in `errors`.
    """
    began_at = time.time()
    if only is not None:
        need_version(run, only)  # before the run is begun: what cannot be leaves no folder
    with at_work(
        workload, run, "train", choose=choose, probe_s=probe_s, trust=trust, told=told, fresh=fresh
    ) as (prepared, command):  # fmt: skip
        some = None if only is None else some_of(run, only)
        prepared = close(prepared._replace(some=some), command)
        if some is not None:
            check_same_kind(run, some, recipe_of(prepared, prepared.fits[-1], threads=1))
        if fresh:
            forget(run, prepared)
            command.journal.append("forgotten")  # what went before is no part of what the version takes
        basis = basis_of(prepared)
        state = state_of(run)
        served = state.finished.get(state.serving or 0)
        if not fresh and state.unfinished is None and served is not None and is_same(served, basis, choose):
            about = versions.manifest(run, served.version)
            return Trained(run, about, None, True, _exported_later(command, prepared, served))
        begun = unfinished(command, prepared, state, basis)
        partition, sizes = partition_of(run, prepared, command.attempts, command.machine)
        prepared = with_cut(run, prepared, partition, sizes)
        if some is not None and sizes is not None:
            prepared = prepared._replace(shape=_of_some(prepared, sizes))
        plan: Plan | None = None
        live: Attempt | None = None
        past = PastRuns(ledger, told.note)
        if begun is None:
            plan, live = planned(command, prepared, partition, sizes, past.calibration())
            begun = begin(command, prepared, state, basis, plan, sizes, partition)
        if workload.needs.deadline is not None:
            made_by = plan or folder.read_plan(run, begun.plan)
            way = Way(begun.version, made_by, begun.candidate, forecast_of(made_by, begun.candidate))
            punctual = Punctual(
                run, way, command.journal, began_at, note=told.note, deploys=told.deploys, file=told.file
            )  # fmt: skip
            command.attempts.also(punctual.hear)
        done = _finish(command, prepared, begun, plan, live, sizes, partition)
        past.remember(run, begun, command.attempts.epoch, began_here=plan is not None)
        _look_after(prepared, begun.version, told)
        return done


def _of_some(prepared: Prepared, sizes: Sequence[int]) -> Shape:
    """The size of what is trained, where it is not all groups."""
    part = prepared.shape.times(sum(sizes) / max(1, prepared.snapshot.rows))
    return part.but(groups=len(sizes), largest_group=max(sizes))


def _finish(
    command: Command,
    prepared: Prepared,
    begun: Begun,
    plan: Plan | None,
    live: Attempt | None,
    sizes: Sequence[int] | None,
    partition: str | None,
) -> Trained:
    run, attempts, machine, trust = command.run, command.attempts, command.machine, command.trust
    made_by = plan or folder.read_plan(run, begun.plan)
    smaller = smaller_than(begun.candidate, made_by)
    candidate = begun.candidate
    done: dict[str, str] = {}
    for fit in prepared.fits:
        # Here and not before: a final fit is known only once the judged one is done.
        digest = write_tasks(run, prepared, begun.candidate, sizes, partition)[fit.name]
        candidate = complete(run, digest, candidate, attempts, machine, smaller=smaller, live=live, trust=trust)
        live = None
        done[fit.name] = digest
    put_together(
        run, begun.version, list(done.values()), candidate, attempts, machine, trust=trust, base=begun.base
    )  # fmt: skip
    versions.serve(run, begun.version)
    formats = prepared.workload.needs.export
    try:
        exported = export_missing(run, begun.version, formats, candidate, attempts, machine, trust=trust)
    except Resumable:
        raise
    except FitscaleError:  # no reason not to have the version
        command.journal.append("version-finished", version=begun.version)
        raise
    command.journal.append("version-finished", version=begun.version)
    crash.point("version.journalled")
    return Trained(run, versions.manifest(run, begun.version), plan, exported=exported)


def _exported_later(command: Command, prepared: Prepared, served: Begun) -> tuple[Exported, ...]:
    """The formats of a version that is finished: those that were asked for since then are written now."""
    formats, run = prepared.workload.needs.export, command.run
    if not formats:
        return ()
    machine = detected(prepared.workload, run)
    return export_missing(
        run, served.version, formats, served.candidate, command.attempts, machine, trust=command.trust
    )  # fmt: skip


def _look_after(prepared: Prepared, version: int, told: Told) -> None:
    """Say what was added or changed while the run went on: its version is of the data as it was begun."""
    from fitscale.data.reader import open_reader
    from fitscale.data.snapshot import verify

    try:
        what = verify(open_reader(prepared.workload.data, prepared.snapshot).source, prepared.snapshot)
    except (FitscaleError, OSError) as error:
        what = str(error)
    if what:
        told.note(
            f"the data changed while version {version} was trained ({what}); the same command trains on it as it is now"
        )
