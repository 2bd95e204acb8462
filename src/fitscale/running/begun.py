"""A version that is begun: from what, whether it can be gone on with, and by what else where memory ends it."""

from __future__ import annotations

from collections.abc import Sequence

from fitscale.errors import LibraryChanged, SourceChanged
from fitscale.planning.preparing import Prepared
from fitscale.records.base import digest_of
from fitscale.records.plan import Candidate, Plan
from fitscale.running.command import Command
from fitscale.running.state import Basis, Begun, RunState
from fitscale.running.tasks import write_tasks
from fitscale.store import folder


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


def is_same(served: Begun, basis: Basis, choose: str | None) -> bool:
    """Whether a version that is served is what the command asks for."""
    return served.basis == basis and choose in (None, served.candidate.name)


def unfinished(command: Command, prepared: Prepared, state: RunState, basis: Basis) -> Begun | None:
    """The version to go on with, if there is one of the same workload, and no other architecture is asked for.

    Raises
    ------
    SourceChanged, LibraryChanged
        If it was begun on other data, or with other libraries.
    """
    run, begun, told = command.run, state.unfinished, command.told
    if begun is None or command.fresh:
        return None
    if begun.basis.job != basis.job:
        told.note(
            f"the workload was edited: version {begun.version} begins anew; what was begun before stays until pruned"
        )
        return None
    if begun.basis.data != basis.data:
        from fitscale.data.snapshot import compare

        what = compare(folder.read_snapshot(run, begun.basis.data), prepared.snapshot)
        raise SourceChanged(
            f"{run}: the data changed since version {begun.version} was begun{f' ({what})' if what else ''}; put it back, or "
            "train on it as it is now with --fresh"
        )
    if begun.basis.versions != basis.versions:
        raise LibraryChanged(
            f"{run}: version {begun.version} was begun with {_shown(begun.basis.versions)}, now there is "
            f"{_shown(basis.versions)}; install what it was, or train anew with --fresh"
        )
    if command.choose not in (None, begun.candidate.name):
        return None  # another architecture is asked for now
    told.note(f"going on with version {begun.version}, {begun.candidate.name}")
    return begun


def _shown(libraries: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(libraries.items()))


def begin(
    command: Command,
    prepared: Prepared,
    state: RunState,
    basis: Basis,
    plan: Plan,
    sizes: Sequence[int] | None,
    partition: str | None,
) -> Begun:
    """The next version, by what the plan chose: its tasks are written, and the journal says so."""
    assert plan.decision.chosen is not None
    candidate = plan.decision.chosen.candidate
    tasks = write_tasks(command.run, prepared, candidate, sizes, partition)
    begun = Begun(
        version=state.next_version, basis=basis, plan=plan.number, candidate=candidate, tasks=tasks,
        base=prepared.some.base if prepared.some else None, asked=prepared.asked,
        model=prepared.workload.model if prepared.asked else None,
    )  # fmt: skip
    command.journal.append("version-begun", begun=begun.model_dump(mode="json"))
    return begun


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
