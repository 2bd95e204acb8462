"""A search, inside its worker: draw parameters, fit them on rising shares of the rows, and write down what came of each.

All that is known is in the steps on the disk (see `store.searches`): a process that is killed loses the fit that it was at.
"""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitscale.records.run import Order, Task
from fitscale.records.trials import Trial, Tried
from fitscale.records.tuning import Step, Tuning
from fitscale.store import searches
from fitscale.work.drawing import Draws
from fitscale.work.rungs import by_trial, goes_on, guide, params_of, seconds_of, unended
from fitscale.work.trials import Bench

if TYPE_CHECKING:
    from fitscale.work.context import WorkContext
    from fitscale.work.events import EventLog

REPEATS = 20  # draws in a row of what was tried before: the space has no more


def tune(run: Path, order: Order, task: Task, context: WorkContext, log: EventLog) -> None:
    """Do the order's search until its time is over, or what it may try is tried."""
    assert order.tuning is not None
    _Search(run, order.tuning, Bench(run, order, task, context), context, log).go()


class _Search:
    def __init__(self, run: Path, tuning: Tuning, bench: Bench, context: WorkContext, log: EventLog) -> None:
        self._tuning = tuning
        self._bench = bench
        self._context = context
        self._log = log
        self._steps = searches.steps(run, tuning.name)
        self._file = searches.Steps(run, tuning.name)
        self._trials = by_trial(self._steps)
        self._draws = Draws(tuning.space, tuning.seed, len(self._trials))
        for number, own in sorted(self._trials.items()):
            if own[-1].state in ("done", "stopped"):
                whole = self._guide(own[-1]) if own[-1].state == "done" else None
                self._draws.tell_before(self._tuning.own if number == 0 else params_of(own), self._seen(own), whole)
        bench.warm()
        self._began = time.monotonic()
        self._tell()

    # Time.

    @property
    def _spent_s(self) -> float:
        return self._tuning.before_s + time.monotonic() - self._began

    @property
    def _left_s(self) -> float:
        return self._tuning.seconds - (time.monotonic() - self._began)

    def _takes_s(self, first: int = 0) -> float:
        """What a trial takes from one rung to the last, by the pace that was seen."""
        return sum(seconds_of(self._steps, len(self._tuning.rungs))[first:])

    # Trials.

    def go(self) -> None:
        for number in unended(self._trials):  # what a kill interrupted, or the time
            if self._left_s > self._takes_s(self._next_rung(number)):
                self._go_on(number, asked=False)
        if 0 not in self._trials:
            self._begin(0, {})
            self._go_on(0, asked=False)
        repeated = 0
        while not self._is_over() and repeated < REPEATS:
            number = max(self._trials) + 1
            params = self._draws.ask(number)
            if any(params_of(own) == params for own in self._trials.values()):
                repeated += 1
                self._draws.tell(number, {}, None)
                continue
            repeated = 0
            self._begin(number, params)
            self._go_on(number, asked=True)

    def _is_over(self) -> bool:
        most = self._tuning.trials
        return (most is not None and len(self._trials) - 1 >= most) or self._left_s <= self._takes_s()

    def _begin(self, number: int, params: dict[str, Any]) -> None:
        self._write(Step(trial=number, state="begun", params=params, spent_s=round(self._spent_s, 3)))

    def _next_rung(self, number: int) -> int:
        return sum(step.score is not None for step in self._trials[number])

    def _go_on(self, number: int, *, asked: bool) -> None:
        """Fit a trial rung by rung, to its end."""
        params = params_of(self._trials[number])
        last = len(self._tuning.rungs) - 1
        for rung in range(self._next_rung(number), last + 1):
            self._context.pause_point()
            tried = self._bench.tried(Trial(params=params, rows=self._tuning.rungs[rung], seed=self._tuning.seed))
            self._write(self._judged(number, rung, tried, last))
            if self._trials[number][-1].state != "going":
                break
        end = self._trials[number][-1]
        whole = self._guide(end) if end.state == "done" else None
        values = {} if end.state == "failed" else self._seen(self._trials[number])
        if asked:
            self._draws.tell(number, values, whole)
        else:
            self._draws.tell_before(self._tuning.own if number == 0 else params, values, whole)

    def _judged(self, number: int, rung: int, tried: Tried, last: int) -> Step:
        step = Step(
            trial=number, state="going", rung=rung, score=tried.score, blocks=tried.blocks, metric=tried.metric,
            rows=tried.rows, judged=tried.judged, seconds=tried.seconds, spent_s=round(self._spent_s, 3), why=tried.why,
        )  # fmt: skip
        value = self._guide(step)
        if value is None:
            return step.but(state="failed", score=None, why=tried.why or "no score")
        if rung == last:
            return step.but(state="done")
        seen = [self._guide(other) for other in self._steps if other.rung == rung and other.trial != number]
        stays = number == 0 or goes_on(value, [other for other in seen if other is not None])
        return step if stays else step.but(state="stopped")

    def _guide(self, step: Step) -> float | None:
        return guide(step.blocks, step.score, greater=self._tuning.greater)

    def _worth(self, step: Step) -> float:
        value = self._guide(step)
        return -math.inf if value is None else value

    def _seen(self, own: list[Step]) -> dict[int, float]:
        values = {step.rung: self._guide(step) for step in own if step.score is not None}
        return {rung: value for rung, value in values.items() if value is not None}

    def _write(self, step: Step) -> None:
        self._file.append(step)
        self._steps.append(step)
        self._trials.setdefault(step.trial, []).append(step)
        self._tell()

    def _tell(self) -> None:
        """Say how far it is: the first time, from when the time runs."""
        done = {n: own[-1] for n, own in self._trials.items() if own[-1].state == "done"}
        best = max(done.values(), key=self._worth, default=None)
        states = [own[-1].state for own in self._trials.values()]
        self._log.write(
            "searched", name=self._tuning.title, trials=len(self._trials), done=len(done),
            stopped=states.count("stopped"), failed=states.count("failed"), metric=best.metric if best else "",
            best=best.score if best else None, own=done[0].score if 0 in done else None,
            left_s=round(max(0.0, self._left_s), 1),
        )  # fmt: skip
