"""A search, from the command's side: its worker is started, followed and ended when its time is over, and begun anew where it died.

What was tried lies in ``search/KEY/trials.jsonl`` of the run, what was found beside it: a command that is killed goes on from
there, and the time that was spent before it counts.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from fitscale import metrics
from fitscale.errors import Resumable
from fitscale.planning.preparing import Prepared
from fitscale.planning.trials.comparing import name_of
from fitscale.planning.trials.spaces import Space, own_in, space_for
from fitscale.planning.trials.tuned import tuned
from fitscale.records.base import digest_of
from fitscale.records.machine import Machine
from fitscale.records.plan import Candidate
from fitscale.records.run import Order
from fitscale.records.tuning import Step, Tuned, Tuning
from fitscale.registry import plugin
from fitscale.running.attempts import Attempt, Attempts
from fitscale.running.completing import RETRIES, failure_of
from fitscale.running.tasks import write_tasks
from fitscale.running.trials import for_trials
from fitscale.store import files, searches
from fitscale.work.rungs import ENDED, by_trial

RUNGS = (1 / 9, 1 / 3, 1.0)  # of the rows that a trial may train on
LEAST_ROWS = 500
QUICK_S = 0.5  # what is fitted in less is fitted on all rows at once: starting over on a part saves nothing
GRACE_S = 1.0  # beyond the budget, for a fit that took longer than the ones before it


class Wanted(NamedTuple):
    """The search of one estimator."""

    prepared: Prepared  # whose model has the search
    candidate: Candidate  # how trials are fitted
    fit_s: float  # of one fit on all rows, as it is thought
    key: str

    @property
    def budget_s(self) -> float:
        search = self.prepared.workload.model.search
        return (search.budget_s or 0.0) if search else 0.0

    @property
    def space(self) -> Space:
        workload = self.prepared.workload
        stops = workload.evaluate.early_stopping is not None
        return space_for(workload.model, self.prepared.traits.units_param, stops_early=stops)


def key_of(prepared: Prepared, asked: str) -> str:
    """What its trials hang on: the estimator, the space, the rows and the libraries; not the budget, which may be raised."""
    model = prepared.workload.model
    search = model.search.but(budget_s=None, trials=None) if model.search else None
    return digest_of(
        asked, model.but(search=search).to_json(), prepared.snapshot.content, repr(sorted(prepared.traits.versions.items()))
    )  # fmt: skip


def kept(run: Path, key: str, prepared: Prepared) -> Tuned | None:
    """What an earlier command found within this budget, to its end."""
    search = prepared.workload.model.search
    try:
        found = Tuned.from_json((searches.folder(run, key) / "found.json").read_bytes())
    except (OSError, ValidationError):
        return None
    assert search is not None
    same = (found.budget_s, found.most) == (search.budget_s, search.trials)
    return found.but(kept=True) if same else None


def search(run: Path, wanted: Wanted, attempts: Attempts, machine: Machine, *, trust: bool = False) -> Tuned:
    """Search until the time is over, and say what was found.

    Raises
    ------
    UsageError
        What is wrong with the workload or the data.
    Resumable
        If it was stopped.
    """
    spec = wanted.prepared.workload.model.search
    assert spec is not None
    own = for_trials(wanted.prepared)
    budget_s, fruitless = spec.budget_s or 0.0, 0
    task = write_tasks(run, own, wanted.candidate, None, None)["trial"]
    while fruitless < RETRIES:
        before = searches.steps(run, wanted.key)
        spent_s = max((step.spent_s for step in before), default=0.0)
        if spent_s >= budget_s:
            break
        tuning = _tuning(wanted, own, budget_s - spent_s, spent_s)
        attempt, over = _followed(run, wanted, own, task, tuning, attempts, machine, trust)
        if not over:
            if attempt.cause in ("done", "failed"):
                break
            if attempt.cause == "stopped":
                raise Resumable(f"{run}: the search was stopped; the same command goes on")
        after = searches.steps(run, wanted.key)
        _end_trial(run, wanted.key, after, attempt, over=over, spent_s=spent_s)
        if over:
            break
        fruitless = (
            0 if sum(s.score is not None for s in after) > sum(s.score is not None for s in before) else fruitless + 1
        )
    found = tuned(
        wanted.prepared.workload.model, wanted.space, searches.steps(run, wanted.key), greater=_greater(own),
        names=getattr(plugin("frameworks", own.framework), "names", {}),
    ).but(most=spec.trials)  # fmt: skip
    files.replace(searches.folder(run, wanted.key) / "found.json", found.to_json())
    return found


def _tuning(wanted: Wanted, own: Prepared, left_s: float, spent_s: float) -> Tuning:
    model, rows = own.workload.model, own.shape.rows
    assert model.search is not None
    ranges = wanted.space.ranges
    shares = (
        RUNGS[-1:] if wanted.fit_s < QUICK_S else [share for share in RUNGS if share * rows >= LEAST_ROWS] or RUNGS[-1:]
    )
    return Tuning(
        name=wanted.key, title=name_of(model), space=ranges, own=own_in(ranges, own.estimator.params),
        rungs=tuple(None if share == 1 else round(share * rows) for share in shares), seconds=left_s, before_s=spent_s,
        trials=model.search.trials, seed=own.workload.seed, greater=_greater(own),
    )  # fmt: skip


def _greater(prepared: Prepared) -> bool:
    name = prepared.workload.evaluate.metric
    return metrics.greater(name) if name else True


def _followed(
    run: Path,
    wanted: Wanted,
    own: Prepared,
    task: str,
    tuning: Tuning,
    attempts: Attempts,
    machine: Machine,
    trust: bool,
) -> tuple[Attempt, bool]:
    """(a worker's attempt at it, to its end; whether it was ended because the time was over)."""
    order = Order(
        kind="tune", epoch=0, task=task, form=wanted.candidate.form, threads=wanted.candidate.threads, tuning=tuning,
        memory_bytes=machine.memory_bytes // wanted.candidate.limits, trust=trust, resume=False,
    )  # fmt: skip
    began: list[float] = []  # from when the time runs: what starting and importing take is no part of it

    def over(attempt: Attempt) -> bool:
        if not began and attempt.events[-1].kind == "searched":
            began.append(time.monotonic())
        return bool(began) and time.monotonic() > began[0] + tuning.seconds + GRACE_S

    attempt = attempts.start(wanted.candidate.but(workers=1, ranks=1), order)
    attempts.follow(attempt, over)
    late = attempt.ended is None
    attempts.kill(attempt)
    if attempt.cause == "failed":
        raise failure_of(attempt)
    return attempt, late


def _end_trial(run: Path, key: str, steps: list[Step], attempt: Attempt, *, over: bool, spent_s: float) -> None:
    """Write down what became of the trial that the worker died at: the time was over, or it is what ended it."""
    began = next((event.at for event in attempt.events if event.kind == "searched"), None)
    took = max(0.0, attempt.events[-1].at - began) if began is not None and attempt.events else 0.0
    spent_s = max(spent_s + took, *(step.spent_s for step in steps), 0.0)
    at = [(number, own[-1]) for number, own in by_trial(steps).items() if own[-1].state not in ENDED]
    why = "ended by its memory limit" if attempt.cause == "memory" else f"its process ended: {_said(attempt)}"
    for number, last in at[-1:]:
        step = Step(
            trial=number, state="cut" if over else "failed", rung=last.rung, spent_s=round(spent_s, 3),
            why="the time was over" if over else why,
        )  # fmt: skip
        searches.Steps(run, key).append(step)


def _said(attempt: Attempt) -> str:
    return str(attempt.ended.data.get("why", "")) if attempt.ended else ""
