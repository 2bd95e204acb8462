"""What a run is doing, seen from another terminal: from its lock, its journal, its tasks and its attempts' events."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from fitscale.errors import UsageError
from fitscale.machines.processes import everyone
from fitscale.machines.tree_memory import TreeMemory
from fitscale.records.base import Record
from fitscale.records.plan import Forecast
from fitscale.records.run import Event, Order
from fitscale.records.workload import ModelSpec
from fitscale.running.late import Late
from fitscale.running.progress import Progress, Tracker, tasks_of, units_of
from fitscale.running.state import Begun, state_of
from fitscale.store import chunks, folder, journal, lock, versions


class TaskStatus(Record):
    """``done`` of ``total``: groups that are committed, or units of one model (from its last checkpoint)."""

    name: str
    unit: str
    done: int
    total: int
    finished: bool


class Status(Record):
    """All that `fitscale status` says."""

    format: int = 1
    run: str
    name: str
    working: bool  # a command holds the run now
    command: str | None = None  # the last one
    command_at: float | None = None
    versions: tuple[int, ...] = ()
    serving: int | None = None
    unfinished: int | None = None
    candidate: str | None = None  # of the unfinished version
    model: str | None = None  # of it, where the workload left it open: the estimator's class, and its parameters
    tasks: tuple[TaskStatus, ...] = ()  # of the unfinished version
    progress: Progress | None = None  # of the attempt that works now
    last_end: str | None = None  # how the last attempt ended, when nothing works
    late: tuple[Late, ...] = ()  # deadlines that the last command said it would miss


def status_of(run: Path, now: float | None = None) -> Status:
    """Look; nothing is written and nothing is locked."""
    name = folder.check(run)
    command, command_at, ended = None, None, None
    began: list[str] = []
    late: list[Late] = []
    for event in journal.replay(run):
        if event["kind"] == "command":
            command, command_at, began, late = str(event["command"]), float(event["at"]), [], []
        elif event["kind"] == "late":
            late.append(Late.model_validate(event["late"]))
        elif event["kind"] == "attempt-started":
            began.append(str(event["attempt"]))
        elif event["kind"] == "attempt-ended":
            ended = str(event["cause"])
    state = state_of(run)
    working = lock.is_held(run)
    begun = state.unfinished
    return Status(
        run=str(run),
        name=name,
        working=working,
        command=command,
        command_at=command_at,
        versions=tuple(versions.numbers(run)),
        serving=state.serving,
        unfinished=begun.version if begun else None,
        candidate=begun.candidate.name if begun else None,
        model=_model(begun.model) if begun and begun.model else None,
        tasks=_tasks(run, begun) if begun else (),
        progress=_progress(run, began, begun, command_at, now or time.time()) if working else None,
        last_end=None if working else ended,
        late=tuple(late),
    )


def _model(model: ModelSpec) -> str:
    params = ", ".join(f"{name}={value}" for name, value in model.params.items())
    return f"{model.estimator}({params})" if params else str(model.estimator)


def _tasks(run: Path, begun: Begun) -> tuple[TaskStatus, ...]:
    found = []
    for name, digest in begun.tasks.items():
        task = folder.read_task(run, digest)
        committed = chunks.committed(run, digest)
        finished = len(committed) == len(task.chunks)
        if task.recipe.groups:
            done = sum(task.chunks[k].stop - task.chunks[k].start for k in committed)
            found.append(TaskStatus(name=name, unit="groups", done=done, total=task.chunks[-1].stop, finished=finished))
            continue
        saved = [int(path.name) for path in (run / "tasks" / digest / "ckpt").glob("*") if path.name.isdigit()]
        total = units_of(task)
        unit = task.traits.progress if task.traits.progress != "none" else "fit"
        done = total if finished else min(total, max(saved, default=0))
        found.append(TaskStatus(name=name, unit=unit, done=done, total=total, finished=finished))
    return tuple(found)


def _progress(run: Path, attempts: list[str], begun: Begun | None, began: float | None, now: float) -> Progress:
    plan = None
    with contextlib.suppress(UsageError):  # the first command is still planning
        plan = folder.read_plan(run, begun.plan if begun else None)
    tracker = Tracker(tasks_of(plan.workload) if plan else 1, began)
    tracker.forecast(_promised(plan.decision.chosen.forecast if plan and plan.decision.chosen else None, begun))
    found: list[tuple[str, Order, Event]] = []
    for name in attempts:
        try:
            order = folder.read_order(run, name)
        except (OSError, ValidationError):
            continue
        seen = list(events_of(run / "attempts" / name))
        if not tracker.knows(order.task):
            mine = {int(event.data["k"]) for event in seen if event.kind == "chunk"}
            before = frozenset(chunks.committed(run, order.task)) - mine
            tracker.learn(order.task, folder.read_task(run, order.task), before)
        found.append((name, order, Event(kind="attempt", at=min((e.at for e in seen), default=now))))
        found += [(name, order, event) for event in seen]
    # By time: an attempt that was parked for a probe goes on after it, and is the one that works now.
    for name, order, event in sorted(found, key=lambda each: each[2].at):
        tracker.see(name, order, event)
    return tracker.progress(now).but(memory_bytes=_memory_of_workers(run))


def _memory_of_workers(run: Path) -> int:
    """Anonymous bytes of all that the command at work has started; 0 where it cannot be seen from here."""
    words = (run / "lock").read_text().split()
    if len(words) < 2 or not words[1].isdigit():
        return 0
    total = 0
    for process in everyone().values():
        if process.ppid != int(words[1]):
            continue
        tree = TreeMemory(process.pid)
        try:
            total += tree.bytes()
        finally:
            tree.close()
    return total


def events_of(attempt: Path) -> Iterator[Event]:
    """The events of all ranks of an attempt, by rank; a torn last line is passed over."""
    for path in sorted(attempt.glob("events.*.jsonl")):
        for line in path.read_bytes().split(b"\n")[:-1]:
            try:
                yield Event.from_json(line)
            except ValidationError:
                continue


def _promised(forecast: Forecast | None, begun: Begun | None) -> Forecast | None:
    return forecast if begun is not None else None
