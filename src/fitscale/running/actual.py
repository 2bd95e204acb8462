"""What a version really took: the journal and the attempts' events → wall time, phases, peak memory, ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fitscale.errors import UsageError
from fitscale.records.base import Record
from fitscale.records.plan import Phase
from fitscale.records.run import Order
from fitscale.running.events import events_of, paused_s, phases_of
from fitscale.running.late import Late
from fitscale.running.state import Begun
from fitscale.store import folder, journal, versions

OWN = ("version-begun", "version-finished")
FORGOTTEN = "forgotten"  # by `train --fresh`: what was done before for the recipes is deleted
CUT_OFF = "cut off"  # no end was written down: the command itself was killed, or is still running


class AttemptActual(Record):
    """One attempt. ``phases`` is empty where it ended without a ledger; ``units`` counts from the first ever fitted.

    ``wall_s`` leaves out the time in which planning had it parked.
    """

    name: str
    kind: str  # fit | groups | partition | finish | export | probe
    candidate: str
    began: float  # seconds since 1970
    ended: float
    wall_s: float
    cause: str  # done | stopped | failed | killed | memory | cut off
    why: str = ""
    resumed_units: int | None = None
    units: int | None = None
    peak_bytes: int = 0
    phases: dict[str, Phase] = {}


class Actual(Record):
    """What one version took, from the command that began it to its finish (or to now, while it is unfinished).

    ``wall_s`` is the time of its commands: what the user waited. ``idle_s`` lies between them, when nothing worked on it.
    ``work_s`` is the time of staging, tuning and the attempts that made it, which is what a forecast forecasts: ``wall_s`` =
    ``work_s`` + ``probing_s`` + ``other_s`` (planning, and what lies between the attempts). ``cut_off_s`` of ``work_s`` was
    spent in attempts that ended without a ledger, and is in no phase.
    """

    version: int
    plan: int
    began: float
    ended: float
    finished: bool
    commands: int
    wall_s: float
    work_s: float
    idle_s: float
    probing_s: float
    cut_off_s: float
    other_s: float
    phases: dict[str, Phase] = {}
    peak_bytes: int = 0
    limit_bytes: int | None = None
    attempts: tuple[AttemptActual, ...] = ()
    killed: int = 0  # attempts that were killed, cut off or ended by the memory limit
    spans: tuple[tuple[float, float], ...] = ()  # of the commands
    late: tuple[Late, ...] = ()  # deadlines that it was said to miss while it went on

    @property
    def fitted(self) -> bool:
        """False where all of its models had been fitted for an earlier version: nothing to hold a forecast against."""
        return any(attempt.kind in ("fit", "groups") for attempt in self.attempts)

    def busy_s(self, at: float) -> float:
        """Seconds of the commands' time that had passed at a moment."""
        return sum(max(0.0, min(at, stop) - start) for start, stop in self.spans)


class _Command(NamedTuple):
    name: str
    at: float
    events: list[dict[str, Any]]


def actual_of(run: Path, version: int) -> Actual | None:
    """What a version took; None where the journal knows nothing of it."""
    commands = _commands(journal.replay(run))
    own, begun = _commands_of(commands, version)
    if begun is None:
        return None
    recipes = _recipes(run, version)
    attempts, orders = [], []
    spans: list[tuple[float, float]] = []
    finished = False
    staged: list[dict[str, Any]] = []
    searched_s = 0.0
    for command in own:
        found = [_attempt(run, event, command.events) for event in command.events if event["kind"] == "attempt-started"]
        # Of another recipe: planning began it, and chose something else. Trials are no part of a version, wherever they ended.
        found = [(a, o) for a, o in found if o is None or not o.is_trial]
        found = [(a, o) for a, o in found if o is None or not o.task or o.samples or not recipes or o.task in recipes]
        nothing = all(attempt.kind == "probe" for attempt, _ in found) and (command.name != "train" or not found)
        if nothing and not _has(command, *OWN):
            continue  # `plan`, or a `train` that had nothing to do: the version has nothing from it
        attempts += [attempt for attempt, _ in found]
        orders += [order for _, order in found if order is not None]
        last = max([*(event["at"] for event in command.events), *(attempt.ended for attempt, _ in found), command.at])
        for event in command.events:
            if event["kind"] == "version-finished" and event["version"] == version:
                finished, last = True, event["at"]
        if _has(command, "version-begun"):  # the one whose forecast it is in
            staged += [event for event in command.events if event["kind"] == "staged"]
            searched_s += sum(float(event["seconds"]) for event in command.events if event["kind"] == "searched")
        # Of a new run, data is staged before anything is written down.
        spans.append((min([command.at, *(event["began"] for event in staged)]) if not spans else command.at, last))
    staged_s = sum(float(event["seconds"]) for event in staged)
    found_late = tuple(
        Late.model_validate(event["late"])
        for command in own
        for event in command.events
        if event["kind"] == "late" and event["version"] == version
    )
    once = {"stage": staged_s, "search": searched_s}
    return summed(version, begun.plan, attempts, orders, spans, finished, once).but(late=found_late)


def summed(
    version: int,
    plan: int,
    attempts: Sequence[AttemptActual],
    orders: Sequence[Order],
    spans: Sequence[tuple[float, float]],
    finished: bool,
    once: Mapping[str, float] | None = None,
) -> Actual:
    """The sums over the attempts of a version; ``spans`` are (begin, end) of its commands, in order.

    ``once``: seconds of what was done before the fits, by phase: staging the rows, tuning.
    """
    once = {name: seconds for name, seconds in (once or {}).items() if seconds}
    wall_s = sum(stop - start for start, stop in spans)
    phases = {name: Phase(wall_s=seconds, cpu_s=0.0) for name, seconds in once.items()}
    for attempt in attempts:
        for name, phase in attempt.phases.items() if attempt.kind != "probe" else ():
            before = phases.get(name, Phase(wall_s=0.0, cpu_s=0.0))
            phases[name] = Phase(wall_s=before.wall_s + phase.wall_s, cpu_s=before.cpu_s + phase.cpu_s)
    probing_s = sum(a.wall_s for a in attempts if a.kind == "probe")
    cut_off_s = sum(a.wall_s for a in attempts if a.kind != "probe" and not a.phases)
    work_s = sum(once.values()) + sum(a.wall_s for a in attempts if a.kind != "probe")
    fits = [order for order in orders if order.kind not in ("finish", "export") and order.memory_bytes]
    return Actual(
        version=version,
        plan=plan,
        began=spans[0][0],
        ended=spans[-1][1],
        finished=finished,
        commands=len(spans),
        wall_s=wall_s,
        work_s=work_s,
        idle_s=max(0.0, spans[-1][1] - spans[0][0] - wall_s),
        probing_s=probing_s,
        cut_off_s=cut_off_s,
        other_s=max(0.0, wall_s - work_s - probing_s),
        phases=phases,
        # The libraries of an export are no part of what the fits were forecast to hold.
        peak_bytes=max((a.peak_bytes for a in attempts if a.kind not in ("probe", "export")), default=0),
        limit_bytes=max((_limit(order) for order in fits), default=None),
        attempts=tuple(attempts),
        killed=sum(a.cause in ("killed", "memory", CUT_OFF) for a in attempts),
        spans=tuple(spans),
    )


def _limit(order: Order) -> int:
    return (order.memory_bytes or 0) * max(order.workers, order.ranks)


def _commands(events: Iterable[dict[str, Any]]) -> list[_Command]:
    found: list[_Command] = []
    for event in events:
        if event["kind"] == "command":
            found.append(_Command(str(event.get("command", "")), float(event["at"]), []))
        elif found:
            found[-1].events.append(event)
    return found


def _commands_of(commands: Sequence[_Command], version: int) -> tuple[list[_Command], Begun | None]:
    """The `train` commands that worked on a version, and how it was begun (the last time: an edited workload begins anew)."""
    begun: Begun | None = None
    first = 0
    last: int | None = None
    for i, command in enumerate(commands):
        for event in command.events:
            if event["kind"] == "version-begun":
                this = Begun.model_validate(event["begun"])
                if this.version == version:
                    first, begun = (first, this) if begun is not None and begun.basis == this.basis else (i, this)
            elif event["kind"] == "version-finished" and event["version"] == version:
                last = i
    if begun is None:
        return [], None
    # Commands before it that were killed while they planned: what they fitted is kept, so their time counts.
    while first > 0 and not _has(commands[first - 1], *OWN):
        first -= 1
    until = len(commands) if last is None else last + 1
    first = max((i for i in range(first, until) if _has(commands[i], FORGOTTEN)), default=first)
    return list(commands[first:until]), begun


def _has(command: _Command, *kinds: str) -> bool:
    return any(event["kind"] in kinds for event in command.events)


def _recipes(run: Path, version: int) -> frozenset[str]:
    """The digests of the version's tasks; none where it is unfinished, and they are not all known."""
    try:
        return frozenset(recipe.digest for recipe in versions.manifest(run, version).recipes.values())
    except UsageError:
        return frozenset()


def _attempt(
    run: Path, started: dict[str, Any], events: Sequence[dict[str, Any]]
) -> tuple[AttemptActual, Order | None]:
    name, began = str(started["attempt"]), float(started["at"])
    end = next((e for e in events if e["kind"] == "attempt-ended" and e["attempt"] == name), None)
    try:
        order: Order | None = folder.read_order(run, name)
    except (OSError, ValueError):
        order = None
    told = events_of(run, name)
    last = float(end["at"]) if end else max([began, *(event.at for event in told)])
    wall_s = max(0.0, last - began - paused_s(told))
    probe = order is not None and order.is_probe
    failed = next((event for event in told if event.kind == "failed"), None)
    units = [int(event.data["units"]) for event in told if event.kind == "units" and "units" in event.data]
    attempt = AttemptActual(
        name=name,
        kind="probe" if probe else str(started.get("order", "fit")),
        candidate=str(started.get("candidate", "")),
        began=began,
        ended=last,
        wall_s=wall_s,
        cause=str(end["cause"]) if end else CUT_OFF,
        why=f"{failed.data.get('error', '')}: {failed.data.get('message', '')}" if failed else "",
        resumed_units=next((int(event.data["units"]) for event in told if event.kind == "resumed"), None),
        units=units[-1] if units else None,
        peak_bytes=int(end.get("peak") or 0) if end else 0,
        phases={} if probe else phases_of(told, began),
    )
    return attempt, order
