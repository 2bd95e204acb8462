"""Complete a task: start attempts until all of its chunks are committed, whatever happens to the workers."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from fitscale.errors import FitscaleError, NotExportable, NothingRuns, Resumable, SourceChanged, StorageFull, UsageError
from fitscale.records.machine import Machine
from fitscale.records.plan import Candidate
from fitscale.records.run import Event, Order, Task
from fitscale.running.attempts import Attempt, Attempts
from fitscale.running.tasks import order_for
from fitscale.store import chunks, files, folder, parts
from fitscale.work.failure import first_line

START_S = 1.0  # of a process, with what it imports
RETRIES = 3  # in a row, without anything new committed or saved


def complete(
    run: Path,
    digest: str,
    candidate: Candidate,
    attempts: Attempts,
    machine: Machine,
    *,
    smaller: Sequence[Candidate] = (),
    live: Attempt | None = None,
    trust: bool = False,
) -> Candidate:
    """Returns the candidate that finished it: another one where memory ended the first.

    ``smaller`` are candidates of the same recipe, in the order in which they are to be tried. ``live`` is an attempt that
    planning began.

    Raises
    ------
    FitscaleError
        What the fit itself raised, with its exit code.
    NothingRuns
        If the memory limit ended every candidate.
    Resumable
        If it was stopped, or the disk is full.
    """
    left = list(smaller)
    ended: list[str] = []  # by memory
    fruitless = 0
    task = folder.read_task(run, digest)
    seed = task.recipe.seed
    while not _is_complete(run, digest):
        before = _progress(run, digest)
        attempt = live or attempts.start(candidate, order_for(run, digest, candidate, machine, seed, trust=trust))
        live = None
        # While the last are fitted, the one that will put the version together starts.
        attempts.follow(attempt, _NearlyFitted(attempt, task))
        if attempt.ended is None:
            attempts.ready(candidate.engine, 1)
            attempts.follow(attempt)
        if attempt.cause == "failed":
            raise failure_of(attempt)
        if attempt.cause == "stopped":
            raise Resumable(f"{run}: the work was stopped; the same command goes on")
        if attempt.cause == "killed" and files.has_no_room(run):
            raise files.storage_full(run)  # libraries end their process where they cannot write
        shutil.rmtree(attempt.folder / "scratch", ignore_errors=True)  # the next one makes its own
        fruitless = 0 if _progress(run, digest) != before else fruitless + 1
        why = str(attempt.ended.data.get("why", "")) if attempt.ended else ""
        if attempt.cause == "memory":
            if not left and candidate.workers > 1:
                left = [candidate.but(workers=candidate.workers // 2)]  # each may then take twice as much
            ended.append(f"{candidate.name} was ended by its memory limit: {why}")
            if not left:
                raise NothingRuns(
                    f"{run}: {'; '.join(ended)}; what was finished is kept; allow more memory in 'where', or another strategy"
                )
            candidate = left.pop(0)
        elif fruitless >= RETRIES:
            raise FitscaleError(
                f"{run}: {candidate.name} ended {fruitless} times in a row: {why}; see {attempt.folder}"
            )
    return candidate


def put_together(
    run: Path,
    version: int,
    tasks: Sequence[str],
    candidate: Candidate,
    attempts: Attempts,
    machine: Machine,
    *,
    trust: bool,
    base: int | None = None,
) -> None:
    """Let a worker write versions/V from what was committed, unless it is there. ``base``: whose other models stay."""
    for _ in range(RETRIES):
        if (run / "versions" / str(version)).exists():
            return
        one = candidate.but(workers=1, ranks=1, threads=1)
        order = Order(
            kind="finish", task=tasks[-1], epoch=0, version=version, tasks=tuple(tasks),
            memory_bytes=machine.memory_bytes, trust=trust, base=base,
        )  # fmt: skip
        attempt = attempts.start(one, order)
        attempts.follow(attempt)
        if attempt.cause == "failed":
            raise failure_of(attempt)
        if attempt.cause in ("memory", "stopped"):
            break
    if not (run / "versions" / str(version)).exists():
        raise ended_badly(run, f"putting version {version} together", attempt)


class _NearlyFitted:
    """Whether a worker has no more to fit, or all of them so little that a process takes as long to start. Asked at each event."""

    def __init__(self, attempt: Attempt, task: Task) -> None:
        self._units = task.traits.units
        self._groups = sum(task.chunks[k].stop - task.chunks[k].start for k in attempt.order.chunks)
        self._done = sum(map(_groups_of, attempt.events))  # of an attempt that planning began

    def __call__(self, attempt: Attempt) -> bool:
        last = attempt.events[-1]
        if last.kind == "chunk":
            self._done += _groups_of(last)
            return (last.at - attempt.events[0].at) * (self._groups - self._done) < START_S * self._done
        if attempt.order.kind == "groups" or last.kind != "units":
            return last.kind == "finished"
        return int(last.data["units"]) >= int(last.data.get("of") or self._units)


def _groups_of(event: Event) -> int:
    return int(event.data["groups"]) if event.kind == "chunk" else 0


def _is_complete(run: Path, digest: str) -> bool:
    return len(chunks.committed(run, digest)) == len(folder.read_task(run, digest).chunks)


def _progress(run: Path, digest: str) -> tuple[int, tuple[str, ...]]:
    saved = run / "tasks" / digest / "ckpt"
    whole = sorted(path.name for path in saved.glob("*") if path.name.isdigit())  # not what a kill left half-written
    grown = [f"{start}-{stop}" for start, stop in sorted(parts.kept(parts.folder(run, digest)))]
    return len(chunks.committed(run, digest)), (*whole, *grown)


def ended_badly(run: Path, what: str, attempt: Attempt) -> FitscaleError:
    """The error of an attempt that others of its kind will not mend: ended by memory, or each time by something else."""
    why = str(attempt.ended.data.get("why", "")) if attempt.ended else ""
    if attempt.cause == "memory":
        return NothingRuns(f"{run}: {what} was ended by its memory limit: {why}; allow more memory in 'where'")
    if attempt.cause == "stopped":
        return Resumable(f"{run}: {what} was stopped; the same command goes on")
    return FitscaleError(f"{run}: {what} ended {RETRIES} times: {why}; see {attempt.folder}")


def failure_of(attempt: Attempt) -> FitscaleError:
    event = next(e for e in attempt.events if e.kind == "failed")  # the first: the others of a gang fail because of it
    code = int(event.data["code"])
    kinds = {2: UsageError, 3: NothingRuns, 75: Resumable}
    own_kinds = {cls.__name__: cls for cls in (StorageFull, SourceChanged, NotExportable)}
    cls = own_kinds.get(str(event.data["error"])) or kinds.get(code, FitscaleError)
    name = event.data["error"]
    message = str(event.data["message"])
    # An error of ours says what to do; a library's says its name too.
    own = code != 1 or name in ("FitscaleError", "NotExportable")
    told = f"the fit failed: {name}: {first_line(message)}; the whole trace is in {attempt.folder}"
    return cls(message if own else told)
