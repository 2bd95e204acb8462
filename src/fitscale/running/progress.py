"""How far a run is: from events to done, rate, remaining time and memory. Pure: it reads no file and no clock.

`train` feeds it the events as they come; `status` feeds it those that an attempt wrote down.
"""

from __future__ import annotations

from collections import deque
from typing import Literal

from fitscale.records.base import Figure, Record
from fitscale.records.plan import Forecast
from fitscale.records.run import Event, Order, Task
from fitscale.records.workload import Workload
from fitscale.running.pace import Done, costs_of, wobble

WINDOW = 64  # units or chunks that the rate is taken over
AFTER = ("score", "export", "save")  # phases that follow the units of a fit
LEAST_SPREAD = 0.05  # what is left is never known better than this

Doing = Literal["planning", "partitioning", "probing", "comparing", "tuning", "fitting", "finishing", "exporting"]


class Search(Record):
    """How far a search is, as its worker tells. Scores are on all rows that judge."""

    name: str  # of what is tuned
    trials: int = 0
    done: int = 0
    stopped: int = 0
    failed: int = 0
    metric: str = ""
    best: float | None = None
    own: float | None = None  # of the user's own parameters
    left_s: float  # of the budget, when it was told


class Progress(Record):
    """``done`` of ``total`` units of the task that is worked on; ``share`` and ``remaining_s`` are of the whole version."""

    doing: Doing = "planning"
    task: str = ""  # fit, cv 2/5, final
    tasks_done: int = 0
    tasks: int = 1
    unit: str = ""  # rounds, passes, parts, groups
    done: int = 0
    total: int = 0
    resumed: int = 0  # units that were done before this attempt
    failed: int = 0  # groups, in this attempt
    unfit: int = 0
    per_s: float | None = None  # units each second
    seen: int = 0  # reports that the rate is taken from; 0: what is left is the forecast's
    share: float = 0.0
    elapsed_s: float = 0.0  # of this command
    remaining_s: Figure | None = None
    forecast: Forecast | None = None
    memory_bytes: int = 0  # anonymous, now
    peak_bytes: int = 0
    limit_bytes: int | None = None  # of all processes of the attempt
    search: Search | None = None  # while it tunes


def tasks_of(workload: Workload) -> int:
    """How many fits a workload asks for (one of many models counts once)."""
    if workload.evaluate.cv:
        return workload.evaluate.cv + 1
    return 2 if workload.refits else 1


class Tracker:
    """Consumes events; `progress` says how far they are."""

    def __init__(self, tasks: int = 1, began: float | None = None) -> None:
        self._tasks = tasks
        self._began = began
        self._forecast: Forecast | None = None
        self._known: dict[str, tuple[Task, frozenset[int]]] = {}
        self._done_tasks: set[str] = set()
        self._attempt = ""
        self._order: Order | None = None
        self._working_since: float | None = None  # the first attempt that is no probe
        self._forget()

    def _forget(self) -> None:
        """A new attempt: its rate is its own."""
        self._points: deque[tuple[float, float]] = deque(maxlen=WINDOW)  # (time without pauses, units or rows)
        self._units = self._resumed = 0
        self._of = 0  # units in all, where the fit says it
        self._chunks: dict[int, Done] = {}
        self._last: deque[tuple[float, int]] = deque(maxlen=WINDOW)  # (time without pauses, number of a chunk)
        self._failed = self._unfit = self._rows = 0
        self._paused_s = 0.0
        self._paused_at: float | None = None
        self._memory = self._peak = 0
        self._search: Search | None = None
        self._started: float | None = None

    def forecast(self, forecast: Forecast | None) -> None:
        """What the plan promises; it stands beside what is measured."""
        self._forecast = forecast

    def knows(self, digest: str) -> bool:
        return not digest or digest in self._known

    def learn(self, digest: str, task: Task, committed: frozenset[int] = frozenset()) -> None:
        """A task that events will speak of, and which of its chunks were done before."""
        self._known[digest] = (task, committed)

    def see(self, name: str, order: Order, event: Event) -> None:
        """Take one event of an attempt."""
        if self._began is None:
            self._began = event.at
        if name != self._attempt:
            self._forget()
            self._attempt, self._order, self._started = name, order, event.at
            if self._working_since is None and not order.is_probe:
                self._working_since = event.at
        data = event.data
        match event.kind:
            case "memory":
                self._memory, self._peak = int(data["bytes"]), max(self._peak, int(data["peak"]))
            case "resumed":
                self._units = self._resumed = int(data["units"])
            case "units" if event.rank == 0 and order.kind == "fit":
                self._units = int(data["units"])
                self._of = int(data.get("of", self._of))
                self._points.append((event.at - self._paused_s, float(self._units)))
            case "searched":
                self._search = Search.model_validate(data)
            case "chunk":
                self._chunk(event)
            case "paused":
                self._paused_at = event.at
            case "unpaused" if self._paused_at is not None:
                self._paused_s += event.at - self._paused_at
                self._paused_at = None
            case "ended":
                self._memory = 0
                if data.get("cause") == "done" and not order.samples and order.kind in ("fit", "groups"):
                    self._done_tasks.add(order.task)

    def _chunk(self, event: Event) -> None:
        data = event.data
        if not self._points and self._started is not None:
            self._points.append((self._started - self._paused_s, 0.0))
        k = int(data["k"])
        self._chunks[k] = Done(int(data.get("groups", 1)), int(data["rows"]), float(data.get("cpu_s", 0.0)))
        self._last.append((event.at - self._paused_s, k))
        self._failed += int(data.get("failed", 0))
        self._unfit += int(data.get("unfit", 0))
        self._rows += int(data["rows"])
        self._points.append((event.at - self._paused_s, float(self._rows)))

    def progress(self, now: float) -> Progress:
        """How far it is at ``now`` (seconds since 1970)."""
        order = self._order
        elapsed = max(0.0, now - self._began) if self._began is not None else 0.0
        if order is None:
            return Progress(tasks=self._tasks, elapsed_s=elapsed, forecast=self._forecast)
        task, committed = self._known.get(order.task, (None, frozenset()))
        many = order.kind == "groups"
        done, total, left = self._counted(task, committed, many)
        together = task is not None and task.traits.progress == "parts" and not many
        rate = self._rate(max(1, order.parts or order.threads) if together else 1)
        working = max(0.0, now - self._working_since) if self._working_since is not None else 0.0
        left_s = left / rate if rate else None
        if many and task is not None and rate:
            left_s = self._left_s(task, committed) or left_s
        remaining = self._remaining(left_s, working, task is not None)
        finished = len(self._done_tasks)
        share = working / (working + remaining.value) if remaining and working + remaining.value > 0 else 0.0
        per_s = rate
        if many and rate and self._chunks:
            per_s = rate * sum(self._groups(task, k) for k in self._chunks) / max(1, self._rows)
        return Progress(
            doing=_doing(order),
            task=task.name if task else "",
            tasks_done=finished,
            tasks=max(self._tasks, finished),
            unit="groups" if many else task.traits.progress if task and task.traits.progress != "none" else "",
            done=done,
            total=total,
            resumed=sum(self._groups(task, k) for k in committed) if many else self._resumed,
            failed=self._failed,
            unfit=self._unfit,
            per_s=per_s,
            seen=len(self._points) if rate and task is not None and not order.samples else 0,
            share=1.0 if order.kind in ("finish", "export") and not remaining else share,
            elapsed_s=elapsed,
            remaining_s=remaining,
            forecast=self._forecast,
            memory_bytes=self._memory,
            peak_bytes=self._peak,
            search=self._search,
            limit_bytes=order.memory_bytes * max(order.workers, order.ranks) if order.memory_bytes else None,
        )

    def _counted(self, task: Task | None, committed: frozenset[int], many: bool) -> tuple[int, int, float]:
        """(units done, units in all, what is left: units, or rows of many models)."""
        if task is None:
            return 0, 0, 0.0
        if not many:
            total = self._of or units_of(task)
            return min(self._units, total), total, float(max(0, total - self._units))
        finished = committed | set(self._chunks)
        done = sum(self._groups(task, k) for k in finished)
        left = sum(chunk.rows for k, chunk in enumerate(task.chunks) if k not in finished)
        return done, task.chunks[-1].stop, float(left)

    def _left_s(self, task: Task, committed: frozenset[int]) -> float | None:
        """What is left of many models, each chunk by what its groups and its rows take, at the pace of the last ones."""
        group, row = costs_of(list(self._chunks.values()))
        if not group or len(self._last) < 2:
            return None  # by rows alone, as it stands
        (first, _), (last, _) = self._last[0], self._last[-1]
        done = sum(group * self._chunks[k].groups + row * self._chunks[k].rows for _, k in list(self._last)[1:])
        finished = committed | set(self._chunks)
        left = sum(
            group * (chunk.stop - chunk.start) + row * chunk.rows
            for k, chunk in enumerate(task.chunks)
            if k not in finished
        )
        return left * (last - first) / done if last > first and done > 0 else None

    def _groups(self, task: Task | None, k: int) -> int:
        return task.chunks[k].stop - task.chunks[k].start if task else 0

    def _rate(self, abreast: int) -> float | None:
        """Units (or rows) each second, over the last ones. What so many threads do at once is counted in whole rounds."""
        whole = (len(self._points) - 1) // abreast * abreast
        if whole < 1:
            return None
        (first, before), (last, after) = self._points[-1 - whole], self._points[-1]
        return (after - before) / (last - first) if last > first and after > before else None

    def _remaining(self, left_s: float | None, elapsed: float, known: bool) -> Figure | None:
        """By the measured rate where there is one, else what the forecast leaves."""
        order, promised = self._order, self._forecast
        if order is None or order.is_trial or order.kind in ("finish", "export"):
            return None
        over = promised.time_s.high / promised.time_s.value - 1 if promised and promised.time_s.value else 0.5
        if left_s is None or not known or order.is_probe:
            if promised is None:
                return None
            rest = _work_s(promised) - elapsed
            return Figure.around(rest, over, "forecast") if rest > 0 else None  # late, and nobody knows by how much
        after = sum(promised.phases.get(phase, 0.0) for phase in AFTER) / self._tasks if promised else 0.0
        more = max(0, self._tasks - len(self._done_tasks) - 1)
        each = _work_s(promised) / self._tasks if promised else left_s
        done = len(self._points) / (len(self._points) + 8)  # the more was seen, the less the forecast's spread counts
        spread = max(LEAST_SPREAD, over * (1 - done), wobble(self._points))
        return Figure.around(left_s + after + more * each, spread, "forecast")


def _work_s(promised: Forecast) -> float:
    """What the fits are to take: staging, cutting and tuning are over before them."""
    return promised.time_s.value - sum(promised.phases.get(phase, 0.0) for phase in ("stage", "cut", "search"))


def units_of(task: Task) -> int:
    """Rounds, passes or parts of a task: a final fit takes over the number that early stopping found."""
    said = task.recipe.estimator.params.get(task.traits.units_param) if task.traits.units_param else None
    return int(said) if isinstance(said, int) and said > 0 else task.traits.units


def _doing(order: Order) -> Doing:
    if order.samples:
        return "probing"
    named: dict[str, Doing] = {
        "partition": "partitioning",
        "try": "comparing",
        "tune": "tuning",
        "finish": "finishing",
        "export": "exporting",
    }
    return named.get(order.kind, "fitting")
