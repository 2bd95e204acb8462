"""A deadline that is going to be missed, said early: when it is sure enough, and what would still make it.

Pure: of what a plan promised, of how far the run is, and of moments that are handed in.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Literal, NamedTuple

from fitscale.errors import UsageError
from fitscale.planning import wording
from fitscale.planning.forecasts.spread import quantile
from fitscale.records.base import Figure, Record
from fitscale.records.plan import Assessed, Candidate, Forecast, Plan
from fitscale.records.workload import Deadline
from fitscale.running.progress import AFTER, Progress
from fitscale.workload.moments import seconds_until
from fitscale.workload.units import duration_text

LEAST_SEEN, LEAST_S = 8, 3.0  # reports, and seconds since the first look at them: before that it is noise
TWICE_S = 30.0  # the middle is beyond the deadline, and still is so much later
P90 = 0.9
RENT_S = 300.0  # until a rented machine has started and has the data
FEWER, LEAST_SHARE = (
    0.9,
    0.05,
)  # of the rows that would take just as long as there is; less than a twentieth is no offer
BEFORE = ("stage", "cut", "search")  # phases that are over, and not paid again

Name = Literal["must", "want"]


class Due(NamedTuple):
    """One deadline: seconds from the start of the command, and how the workload says it."""

    name: Name
    due_s: float
    said: str


class Late(Record):
    """A miss, as it was said once."""

    name: Name
    said_s: float  # these four in seconds from the start of the command
    due_s: float
    finish_s: Figure
    sentence: str
    offers: tuple[str, ...] = ()


def dues_of(deadline: Deadline | None, began: float) -> tuple[Due, ...]:
    """The deadlines of a command that began at that moment (seconds since 1970); the musts first."""
    if deadline is None:
        return ()
    found = []
    if deadline.must_s is not None:
        found.append(Due("must", deadline.must_s, _stated(deadline.must_s)))
    if deadline.at is not None:
        try:
            found.append(Due("must", seconds_until(deadline.at, datetime.fromtimestamp(began)), deadline.at))
        except UsageError:  # it is past: the plan has refused that, or an unfinished version is gone on with
            found.append(Due("must", 0.0, deadline.at))
    if deadline.want_s is not None:
        found.append(Due("want", deadline.want_s, _stated(deadline.want_s)))
    return tuple(found)


def _stated(seconds: float) -> str:
    """As a workload says it: ``4h``, ``90m``."""
    text = duration_text(seconds)
    return text if isinstance(text, str) else wording.duration(seconds)


class Looks:
    """Looks at a run from time to time; `miss` says a deadline once, when it is surely enough to be missed.

    At once where even the low end of what is left is beyond it, by a pace that was measured for some seconds; else where the middle
    is beyond it at two looks 30 s apart and at all between them. With early stopping only the latter: the run may end sooner.
    """

    def __init__(self, dues: tuple[Due, ...], *, may_stop_early: bool = False) -> None:
        self._left = list(dues)
        self._may_stop = may_stop_early
        self._first: float | None = None
        self._beyond: dict[Name, float] = {}  # since when the middle is

    def miss(self, progress: Progress) -> tuple[Due, Figure] | None:
        """The deadline that is missed, and when it will be done; both from the start of the command."""
        now, left = progress.elapsed_s, progress.remaining_s
        sure = progress.doing == "fitting" and progress.seen >= LEAST_SEEN and left is not None
        if sure and self._first is None:
            self._first = now
        for due in self._left:
            if now > due.due_s:
                done = left or Figure.exact(0.0, "forecast")
                return self._say(due, _from(now, done))
            if not sure or left is None or self._first is None:
                continue
            if now + left.value <= due.due_s:
                self._beyond.pop(due.name, None)
                continue
            since = self._beyond.setdefault(due.name, now)
            surely = now + left.low > due.due_s and not self._may_stop and now - self._first >= LEAST_S
            if surely or now - since >= TWICE_S:
                return self._say(due, _from(now, left))
        return None

    def _say(self, due: Due, finish: Figure) -> tuple[Due, Figure]:
        # Of a must that is missed it is clear that what is wanted is, too.
        self._left = [] if due.name == "must" else [other for other in self._left if other.name != "want"]
        return due, finish


def _from(now: float, left: Figure) -> Figure:
    return Figure(value=now + left.value, low=now + left.low, high=now + left.high, origin="forecast")


def sentence_of(due: Due, finish: Figure, now: float, began: float, *, may_stop_early: bool = False) -> str:
    """``will miss must 4h: about 5.2 h (4.8–5.5)``, by the clock where the deadline is one."""
    by_clock = due.said[:1].isdigit() and ":" in due.said
    when = _clock(finish, began) if by_clock else wording.duration(finish)
    word = "by " if by_clock else ""
    sooner = ", unless early stopping ends it sooner" if may_stop_early else ""
    if now > due.due_s:
        over = "is over" if finish.value <= now else f"is over, and it will be about {when}"
        return f"{due.name} {word}{due.said} {over}{sooner}"
    return f"will miss {due.name} {word}{due.said}: about {when}{sooner}"


def _clock(finish: Figure, began: float) -> str:
    low, value, high = (
        time.strftime("%H:%M", time.localtime(began + s)) for s in (finish.low, finish.value, finish.high)
    )
    return f"{value} ({low}–{high})"


def offers_of(
    plan: Plan, candidate: Candidate, progress: Progress, due: Due, file: str, *, deployable: bool = False
) -> tuple[str, ...]:
    """What would still make it, each with its command: the same model by another strategy, the better place, fewer rows.

    Parameters
    ----------
    file
        What stands for the job in a command.
    deployable
        Whether `fitscale deploy` can write the run down for the plan's better place.
    """
    room = due.due_s - progress.elapsed_s
    if room <= 0 or progress.remaining_s is None:
        return ()
    found = [*_others(plan, candidate, progress, room, file)]
    better = plan.decision.better
    if better is not None and deployable and better.forecast.time_s.value + RENT_S <= room:
        took = wording.duration(better.forecast.time_s)
        found.append(f"{better.candidate.machine} would take {took} from its start: fitscale deploy {file}")
    whole = progress.elapsed_s + progress.remaining_s.value
    share = FEWER * room / whole
    used = plan.workload.data.use
    if LEAST_SHARE <= share < 1 and not found:
        told = wording.share(share * (used if isinstance(used, float) else 1.0))
        found.append(f"begun anew on about {told} of the rows (data.use) it would be done, as another model")
    return tuple(found)


def _others(plan: Plan, candidate: Candidate, progress: Progress, room: float, file: str) -> Iterator[str]:
    """The fastest of the same recipe that makes it: it goes on from the checkpoint of this one."""
    decision = plan.decision
    known = [*([decision.chosen] if decision.chosen else []), *decision.alternatives]
    own = next((a.forecast for a in known if a.candidate == candidate), None)
    if own is None or progress.remaining_s is None:
        return
    left = left_of(plan, progress)
    promised = _left_s(own, progress, left, again=False)
    slower = max(1.0, progress.remaining_s.value / promised) if promised > 0 else 1.0
    fitting = []
    for a in (one for one in decision.alternatives if is_same_model(one, candidate)):
        spread = quantile(a.forecast.time_s, P90) / a.forecast.time_s.value
        seconds = slower * _left_s(a.forecast, progress, left, again=True)
        if seconds * spread <= room and seconds < progress.remaining_s.value:
            fitting.append((seconds, a.candidate.name))
    for seconds, name in sorted(fitting)[:1]:
        yield (
            f"{name} would still make it, in about {wording.duration(seconds)}: Ctrl-C, then "
            f"fitscale train {file} --choose {name} goes on from the last checkpoint"
        )


def is_same_model(other: Assessed, candidate: Candidate) -> bool:
    """Whether another way goes on from the checkpoints of this one: it has the same recipe."""
    a = other.candidate
    return (
        a.name != candidate.name
        and a.result == candidate.result == "same"
        and a.threads == candidate.threads
        and a.ranks == candidate.ranks == 1
        and a.is_grouped == candidate.is_grouped
    )


def left_of(plan: Plan, progress: Progress) -> float:
    """The share of all units that are still to be done; all of them where the framework keeps none."""
    if plan.traits.progress == "none" and not progress.unit:
        return 1.0
    done = progress.done / progress.total if progress.total else 0.0
    return max(0.0, 1.0 - (progress.tasks_done + done) / max(1, progress.tasks))


def _left_s(forecast: Forecast, progress: Progress, left: float, *, again: bool) -> float:
    """Seconds by the forecast's phases: units that are left and what follows them; ``again``: the start and the rows, too."""
    phases = forecast.phases
    tasks = max(1, progress.tasks)
    to_come = max(1, tasks - progress.tasks_done)
    after = sum(phases.get(name, 0.0) for name in AFTER) * to_come / tasks
    set_up = sum(s for name, s in phases.items() if name not in (*AFTER, *BEFORE, "iterations")) / tasks
    fits = to_come if again else to_come - 1
    return phases.get("iterations", 0.0) * left + after + set_up * fits
