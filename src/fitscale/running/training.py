"""Train: begin or go on, plan, complete each task, put the version together, serve it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from fitscale.errors import FitscaleError, LibraryChanged, NothingMeets, NothingRuns, Resumable, SourceChanged
from fitscale.machines.catalogue import catalogue
from fitscale.machines.here import detect
from fitscale.machines.speed import with_speeds
from fitscale.planning.candidates import candidates
from fitscale.planning.considered.considerations import for_team
from fitscale.planning.decision.choosing import only
from fitscale.planning.exporting import exports_tried
from fitscale.planning.loop import Loop, engines_for
from fitscale.planning.preparing import Prepared, prepare, recipe_of, with_model
from fitscale.planning.scoring.facts import facts_of
from fitscale.planning.trials import curve_words
from fitscale.records.base import digest_of
from fitscale.records.data import Shape, Snapshot
from fitscale.records.ledger import Calibration
from fitscale.records.machine import Machine
from fitscale.records.plan import Candidate, Plan
from fitscale.records.run import Manifest
from fitscale.records.workload import Team, Workload
from fitscale.running.attempts import Attempt, Attempts, Listener
from fitscale.running.closing import close, is_open
from fitscale.running.completing import complete, put_together
from fitscale.running.engines import Engines
from fitscale.running.exporting import Exported, export_missing
from fitscale.running.fewer import with_fewer
from fitscale.running.part import look_at_part
from fitscale.running.partitioning import is_soon_cut, largest_of, partition_of, with_cut
from fitscale.running.probes import Probes
from fitscale.running.punctual import Punctual, Way
from fitscale.running.recording import PastRuns, forecast_of
from fitscale.running.some import check_same_kind, need_version, some_of
from fitscale.running.state import Basis, Begun, RunState, state_of
from fitscale.running.tasks import forget, write_tasks
from fitscale.store import crash, folder, versions
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
    with _at_work(workload, run, "train", choose, trust, told, fresh=fresh) as (prepared, journal, attempts):
        some = None if only is None else some_of(run, only)
        prepared = prepared._replace(some=some)
        if is_open(workload):
            prepared = close(
                run, prepared, attempts, machine_for(workload, run), journal,
                goes_on=True, trust=trust, choose=choose, probe_s=probe_s, fresh=fresh, told=told.note,
            )  # fmt: skip
        if some is not None:
            check_same_kind(run, some, recipe_of(prepared, prepared.fits[-1], threads=1))
        if fresh:
            forget(run, prepared)
            journal.append("forgotten")  # what went before is no part of what the version takes
        basis = basis_of(prepared)
        state = state_of(run)
        served = state.finished.get(state.serving or 0)
        if not fresh and state.unfinished is None and served is not None and _is_same(served, basis, choose):
            about = versions.manifest(run, served.version)
            return Trained(run, about, None, True, _exported_later(run, prepared, served, attempts, trust))
        machine = machine_for(workload, run)
        begun = None if fresh else _unfinished(run, state, basis, prepared.snapshot, told)
        if begun is not None and choose not in (None, begun.candidate.name):
            begun = None  # another architecture is asked for now
        partition, sizes = partition_of(run, prepared, attempts, machine)
        prepared = with_cut(run, prepared, partition, sizes)
        if some is not None and sizes is not None:
            prepared = prepared._replace(shape=_of_some(prepared, sizes))
        plan: Plan | None = None
        live: Attempt | None = None
        past = PastRuns(ledger, told.note)
        if begun is None:
            said = past.calibration()
            plan, live = _plan(run, prepared, attempts, machine, partition, sizes, choose, probe_s, trust, told, said)
            begun = _begin(run, prepared, state, basis, plan, journal, sizes, partition)
        if workload.needs.deadline is not None:
            made_by = plan or folder.read_plan(run, begun.plan)
            way = Way(begun.version, made_by, begun.candidate, forecast_of(made_by, begun.candidate))
            punctual = Punctual(
                run, way, journal, began_at, note=told.note, deploys=told.deploys, file=told.file
            )  # fmt: skip
            attempts.also(punctual.hear)
        done = _finish(run, prepared, begun, attempts, machine, journal, plan, live, sizes, partition, trust)
        past.remember(run, begun, attempts.epoch, began_here=plan is not None)
        _look_after(prepared, begun.version, told)
        return done


def plan_only(
    workload: Workload,
    run: Path,
    *,
    choose: str | None = None,
    probe_s: float | None = None,
    trust: bool = False,
    team: Team | None = None,
    ledger: Path | None = None,
    told: Told = Told(),  # noqa: B008 (an immutable tuple)
) -> Plan:
    """Plan without training. Checkpoints and chunks that probing made stay, and `train` goes on from them.

    What a ``team`` shares is among what the plan considers. ``ledger``: the file of past runs, by which forecasts are calibrated.
    """
    with _at_work(workload, run, "plan", choose, trust, told, whole=False) as (prepared, journal, attempts):
        machine = machine_for(workload, run)
        if is_open(workload):
            prepared = close(
                run, prepared, attempts, machine, journal,
                goes_on=False, trust=trust, choose=choose, probe_s=probe_s, told=told.note,
            )  # fmt: skip
        cut = is_soon_cut(prepared)
        partition, sizes = partition_of(run, prepared, attempts, machine) if cut else (None, None)
        prepared = with_cut(run, prepared, partition, sizes)
        seen = None
        if workload.data.groups and not cut:
            seen = look_at_part(run, prepared, machine, choose=choose, trust=trust, told=told.event)
        if seen is not None:
            prepared, sizes = seen.with_it(prepared), seen.sizes
        probes = Probes(run, prepared, attempts, machine, sizes=sizes, partition=partition, trust=trust)
        tried = exports_tried(prepared)
        outcome = Loop(
            prepared, None if workload.data.groups and not cut else probes, machine, number=folder.next_plan(run),
            choose=choose, budget_s=probe_s, sizes=sizes, largest=largest_of(run, partition),
            elsewhere=_elsewhere(workload), unexportable=tried.why_not, facts=facts_of(prepared, team, tried.proofs),
            measured=seen.measurements if seen is not None else (),
            calibration=PastRuns(ledger, told.note).calibration(),
        ).run()  # fmt: skip
        attempts.kill_all()
        plan = with_fewer(run, prepared, attempts, machine, outcome.plan, trust=trust)
        plan = plan if team is None else for_team(plan, team)
        folder.write_snapshot(run, prepared.snapshot)  # what --what-if and --explain answer from, beside the plan
        folder.write_plan(run, plan)
        journal.append("plan", number=plan.number)
        if plan.decision.chosen is None and probes.wrong is not None:
            raise probes.wrong
        return plan


@contextmanager
def _at_work(
    workload: Workload,
    run: Path,
    command: str,
    choose: str | None,
    trust: bool,
    told: Told,
    *,
    fresh: bool = False,
    whole: bool = True,
) -> Iterator[tuple[Prepared, Journal, Attempts]]:
    """The run under its lock, with what was found in its data; whatever comes, nothing that was started goes on after it."""
    with Engines(run) as engines:
        if workload.data.groups:
            engines.ready("process", 1)  # who cuts the rows starts while they are looked at
        looked_at = _look_before(workload, run, choose, trust, told, whole=whole)
        folder.create(run, workload.name)
        with RunLock(run) as lock, disk_errors(run):
            journal = Journal(run, lock.epoch)
            journal.append("command", command=command)
            folder.clear_scratch(run)
            prepared = looked_at or prepare(workload, run, trust=trust, fresh=fresh, whole=whole, told=told.note)
            _say_staged(prepared, journal)
            attempts = Attempts(run, lock.epoch, journal, engines, told.event)
            try:
                yield prepared, journal, attempts
            finally:
                attempts.kill_all()


def _look_before(
    workload: Workload, run: Path, choose: str | None, trust: bool, told: Told, *, whole: bool = True
) -> Prepared | None:
    """What `prepare` finds, before a run is begun: a workload, data or flag that is wrong leaves no folder behind.

    None where the run is there already.
    """
    if (run / "run.json").exists():
        return None
    prepared = prepare(workload, run, trust=trust, whole=whole, told=told.note)
    machine = _detected(workload, run)
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


def machine_for(workload: Workload, run: Path) -> Machine:
    """This machine, with what the workload lets it use."""
    return with_speeds(_detected(workload, run), run)


def _detected(workload: Workload, run: Path) -> Machine:
    local = next((place for place in workload.where if place.kind == "local"), None)
    if local is None:
        raise NothingRuns("where: names no machine that can train from here; add 'local'")
    return detect(local.memory_bytes, local.cores, run)


def basis_of(prepared: Prepared) -> Basis:
    """What a version of this workload is made from."""
    workload = prepared.workload
    job = digest_of(
        workload.evaluate.but(refit=bool(workload.evaluate.refit)).to_json(),
        prepared.estimator.to_json(),
        workload.data.features.to_json(),
        repr((workload.seed, workload.data.target, workload.data.weight, workload.data.groups, workload.data.use)),
        repr((prepared.framework, workload.data.time if workload.evaluate.by == "time" else None)),
        *([repr((workload.data.step_s, workload.data.horizon))] if workload.data.is_series else []),
        *([prepared.some.to_json()] if prepared.some else []),
        *([workload.model.fallback] if workload.model.fallback else []),
    )
    return Basis(job=job, data=prepared.snapshot.content, versions=prepared.traits.versions)


def _of_some(prepared: Prepared, sizes: Sequence[int]) -> Shape:
    """The size of what is trained, where it is not all groups."""
    part = prepared.shape.times(sum(sizes) / max(1, prepared.snapshot.rows))
    return part.but(groups=len(sizes), largest_group=max(sizes))


def _is_same(served: Begun, basis: Basis, choose: str | None) -> bool:
    return served.basis == basis and choose in (None, served.candidate.name)


def _unfinished(run: Path, state: RunState, basis: Basis, snapshot: Snapshot, told: Told) -> Begun | None:
    """The version to go on with, if there is one of the same workload.

    Raises
    ------
    SourceChanged, LibraryChanged
        If it was begun on other data, or with other libraries.
    """
    begun = state.unfinished
    if begun is None:
        return None
    if begun.basis.job != basis.job:
        told.note(
            f"the workload was edited: version {begun.version} begins anew; what was begun before stays until pruned"
        )
        return None
    if begun.basis.data != basis.data:
        from fitscale.data.snapshot import compare

        what = compare(folder.read_snapshot(run, begun.basis.data), snapshot)
        raise SourceChanged(
            f"{run}: the data changed since version {begun.version} was begun{f' ({what})' if what else ''}; put it back, or "
            "train on it as it is now with --fresh"
        )
    if begun.basis.versions != basis.versions:
        raise LibraryChanged(
            f"{run}: version {begun.version} was begun with {_shown(begun.basis.versions)}, now there is "
            f"{_shown(basis.versions)}; install what it was, or train anew with --fresh"
        )
    told.note(f"going on with version {begun.version}, {begun.candidate.name}")
    return begun


def _shown(libraries: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(libraries.items()))


def _plan(
    run: Path,
    prepared: Prepared,
    attempts: Attempts,
    machine: Machine,
    partition: str | None,
    sizes: Sequence[int] | None,
    choose: str | None,
    probe_s: float | None,
    trust: bool,
    told: Told,
    calibration: Calibration,
) -> tuple[Plan, Attempt | None]:
    probes = Probes(run, prepared, attempts, machine, sizes=sizes, partition=partition, trust=trust)
    tried = exports_tried(prepared)
    outcome = Loop(
        prepared, probes, machine, number=folder.next_plan(run), goes_on=True, choose=choose, budget_s=probe_s,
        sizes=sizes, largest=largest_of(run, partition), elsewhere=_elsewhere(prepared.workload),
        unexportable=tried.why_not, facts=facts_of(prepared, None, tried.proofs), calibration=calibration,
    ).run()  # fmt: skip
    plan = outcome.plan
    decision = plan.decision
    refuses = not decision.meets and not decision.overridden
    if refuses:
        attempts.kill_all()
        plan = with_fewer(run, prepared, attempts, machine, plan, trust=trust)
    folder.write_snapshot(run, prepared.snapshot)
    folder.write_plan(run, plan)
    told.plan(plan)
    if decision.chosen is None and probes.wrong is not None:
        raise probes.wrong
    if decision.chosen is None:
        raise NothingRuns(
            "no candidate fits: " + "; ".join(f"{r.candidate.name} {r.sentence}" for r in decision.refused)
        )
    if refuses:
        offer = (curve_words.fewer(plan.fewer),) if plan.fewer is not None else ()
        raise NothingMeets("; ".join((*decision.reasons, *offer)))
    live = outcome.live
    assert live is None or isinstance(live, Attempt)
    return plan, live


def _begin(
    run: Path,
    prepared: Prepared,
    state: RunState,
    basis: Basis,
    plan: Plan,
    journal: Journal,
    sizes: Sequence[int] | None,
    partition: str | None,
) -> Begun:
    assert plan.decision.chosen is not None
    candidate = plan.decision.chosen.candidate
    tasks = write_tasks(run, prepared, candidate, sizes, partition)
    begun = Begun(
        version=state.next_version, basis=basis, plan=plan.number, candidate=candidate, tasks=tasks,
        base=prepared.some.base if prepared.some else None, asked=prepared.asked,
        model=prepared.workload.model if prepared.asked else None,
    )  # fmt: skip
    journal.append("version-begun", begun=begun.model_dump(mode="json"))
    return begun


def _finish(
    run: Path,
    prepared: Prepared,
    begun: Begun,
    attempts: Attempts,
    machine: Machine,
    journal: Journal,
    plan: Plan | None,
    live: Attempt | None,
    sizes: Sequence[int] | None,
    partition: str | None,
    trust: bool,
) -> Trained:
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
        journal.append("version-finished", version=begun.version)
        raise
    journal.append("version-finished", version=begun.version)
    crash.point("version.journalled")
    return Trained(run, versions.manifest(run, begun.version), plan, exported=exported)


def _exported_later(
    run: Path, prepared: Prepared, served: Begun, attempts: Attempts, trust: bool
) -> tuple[Exported, ...]:
    """The formats of a version that is finished: those that were asked for since then are written now."""
    workload = prepared.workload
    if not workload.needs.export:
        return ()
    machine = _detected(workload, run)
    return export_missing(run, served.version, workload.needs.export, served.candidate, attempts, machine, trust=trust)


def smaller_than(candidate: Candidate, plan: Plan) -> list[Candidate]:
    """Candidates of the same recipe that need less memory, the fastest first: what goes on when memory ends the chosen one."""
    if candidate.result != "same":
        return []  # its form is in its recipe
    decision = plan.decision
    known = [*decision.alternatives, *([decision.chosen] if decision.chosen else [])]
    own = next((a.forecast.memory_bytes.value for a in known if a.candidate == candidate), None)
    fitting = [
        a
        for a in decision.alternatives
        if a.candidate.result == "same" and a.candidate.threads == candidate.threads and a.candidate.ranks == 1
        and candidate.ranks == 1 and (own is None or a.forecast.memory_bytes.value < own)
    ]  # fmt: skip
    return [a.candidate for a in sorted(fitting, key=lambda a: a.forecast.time_s.value) if a.candidate != candidate]


def _elsewhere(workload: Workload) -> tuple[Machine, ...]:
    places: list[str | None] = [place.address for place in workload.where if place.kind == "catalogue"]
    return tuple(machine for address in places or [None] for machine in catalogue(address))
