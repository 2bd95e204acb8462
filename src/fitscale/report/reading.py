"""Everything that the report shows, read from the run folder. What is not there is None or empty, never an error."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from fitscale.errors import FitscaleError, UsageError
from fitscale.metrics import metric
from fitscale.models import worth
from fitscale.records.data import Snapshot
from fitscale.records.plan import Plan
from fitscale.records.run import Manifest, Task
from fitscale.records.worth import Worth
from fitscale.report.models import ChunkTime, Models, chunk_times, models_of
from fitscale.running.actual import Actual, actual_of
from fitscale.running.events import events_of, memory_events
from fitscale.running.state import state_of
from fitscale.store import chunks, folder, versions

MEMORY_POINTS = 600  # of all attempts together: more cannot be told apart on a screen
CHUNK_POINTS = 800
CURVE_POINTS = 400


class Memory(NamedTuple):
    """One attempt's memory: seconds of working time since the version was begun, bytes."""

    attempt: str
    cause: str
    probe: bool
    ended_s: float
    points: list[tuple[float, int]]  # empty where the command was killed with it


class Curve(NamedTuple):
    """The validation score of one task by unit."""

    task: str
    metric: str
    units: list[int]
    values: list[float]
    best: int | None  # units that were kept


class Material(NamedTuple):
    name: str
    run: Path
    version: int | None
    plan: Plan | None
    snapshot: Snapshot | None
    manifest: Manifest | None
    tasks: dict[str, Task]  # by recipe digest
    actual: Actual | None
    memory: list[Memory]
    curves: list[Curve]
    models: Models | None
    chunks: list[ChunkTime]
    worth: Worth | None  # of one model, where it was looked at
    greater: bool  # is more of the metric better?


def read(run: Path, version: int | None = None) -> Material:
    """Read a run: the version that is served, else the unfinished one, else the last plan.

    Raises
    ------
    UsageError
        If it is no run, has no such version, or nothing was planned yet.
    """
    name = folder.check(run)
    state = state_of(run)
    chosen = version or versions.current(run) or (state.unfinished.version if state.unfinished else None)
    actual = actual_of(run, chosen) if chosen else None
    finished = chosen is not None and (run / "versions" / str(chosen) / "manifest.json").exists()
    if version and not finished and actual is None:
        versions.manifest(run, version)  # raises, and says which there are
    manifest = versions.manifest(run, chosen) if chosen and finished else None
    plan = _plan(run, actual.plan if actual else None)
    if plan is None and manifest is None:
        raise UsageError(f"{run}: nothing was planned yet; begin with 'fitscale plan WORKLOAD'")
    greater = _greater(manifest)
    work = [a for a in actual.attempts if a.kind == "groups"] if actual else []
    return Material(
        name=name,
        run=run,
        version=chosen,
        plan=plan,
        snapshot=_snapshot(run, plan),
        manifest=manifest,
        tasks=_tasks(run, manifest),
        actual=actual,
        memory=_memory(run, actual) if actual else [],
        curves=_curves(run, manifest) if manifest and not manifest.groups else [],
        models=models_of(run, manifest.version, manifest.groups, greater) if manifest else None,
        chunks=_thinned([c for a in work for c in chunk_times(events_of(run, a.name))], CHUNK_POINTS),
        worth=worth.kept(run, manifest.version) if manifest and not manifest.groups else None,
        greater=greater,
    )


def _plan(run: Path, number: int | None) -> Plan | None:
    for wanted in (number, None):
        try:
            return folder.read_plan(run, wanted)
        except (UsageError, ValueError):
            continue
    return None


def _snapshot(run: Path, plan: Plan | None) -> Snapshot | None:
    try:
        return folder.read_snapshot(run, plan.snapshot) if plan else None
    except UsageError:
        return None


def _tasks(run: Path, manifest: Manifest | None) -> dict[str, Task]:
    found = {}
    for recipe in manifest.recipes.values() if manifest else ():
        try:
            found[recipe.digest] = folder.read_task(run, recipe.digest)
        except UsageError:  # pruned
            continue
    return found


def _greater(manifest: Manifest | None) -> bool:
    try:
        return bool(metric(manifest.metric).greater) if manifest else True
    except (
        FitscaleError
    ):  # a plug-in's metric that is not installed here; scikit-learn's are all the greater the better
        return True


def _memory(run: Path, actual: Actual) -> list[Memory]:
    found = []
    for attempt in actual.attempts:
        points: list[tuple[float, int]] = []
        peak = 0
        for event in memory_events(run, attempt.name):
            # Between two events memory may have been higher than at either: the mark then stands for both.
            held, highest = int(event.data.get("bytes", 0)), int(event.data.get("peak", 0))
            points.append((actual.busy_s(event.at), max(held, highest if highest > peak else 0)))
            peak = max(peak, highest)
        found.append(Memory(attempt.name, attempt.cause, attempt.kind == "probe", actual.busy_s(attempt.ended), points))
    total = sum(len(each.points) for each in found)
    if total <= MEMORY_POINTS:
        return found
    return [each._replace(points=_highest(each.points, MEMORY_POINTS * len(each.points) // total)) for each in found]


def _highest(points: list[tuple[float, int]], wanted: int) -> list[tuple[float, int]]:
    """So many points, each the highest of its stretch, with the last."""
    if len(points) <= 2:
        return points
    step = -(-len(points) // max(1, wanted - 1))
    kept = [max(points[i : i + step], key=lambda point: point[1]) for i in range(0, len(points), step)]
    return [*kept, points[-1]] if kept[-1] != points[-1] else kept


def _thinned(values: list[ChunkTime], wanted: int) -> list[ChunkTime]:
    """Every k-th by size, so that the largest and the smallest stay."""
    ordered = sorted(values)
    step = max(1, -(-len(ordered) // wanted))
    return ordered[::-1][::step]


def _curves(run: Path, manifest: Manifest) -> list[Curve]:
    found = []
    for name, recipe in manifest.recipes.items():
        try:
            result = chunks.read(run, recipe.digest, 0)
        except (OSError, ValueError):
            continue
        for score, values in result.scores.items():
            if len(values) > 1:
                step = max(1, -(-len(values) // CURVE_POINTS))
                units = list(range(1, len(values) + 1))[::step]
                found.append(Curve(name, score, units, list(values)[::step], result.units))
    return found
