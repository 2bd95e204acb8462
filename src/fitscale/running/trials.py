"""Trials of a workload's models: started as attempts of the run, under its memory limit, and ended when their time is over."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from fitscale.errors import NotOffered, UsageError
from fitscale.planning.preparing import Fit, Prepared
from fitscale.records.machine import Machine
from fitscale.records.plan import Candidate
from fitscale.records.run import Order
from fitscale.records.trials import Trial, Tried
from fitscale.running.attempts import Attempt, Attempts
from fitscale.running.completing import failure_of
from fitscale.running.tasks import write_tasks

JUDGED = 0.2  # of the rows that the result is not judged by: those that trials are judged by


def for_trials(prepared: Prepared) -> Prepared:
    """The same job with one fit, whose held-out rows are none that the result is judged by.

    Raises
    ------
    NotOffered
        For series and many models, which are no single fit.
    """
    from fitscale.data.folds import trial_folds

    workload = prepared.workload
    if workload.data.groups or workload.data.is_series:
        raise NotOffered("model", "trials of many models, or of series, are not offered yet: name one estimator")
    folds = trial_folds(JUDGED, workload.evaluate, workload.seed, workload.data, prepared.reader)
    fit = Fit("trial", folds)
    usual = prepared.fits[0].share * prepared.snapshot.rows
    return prepared._replace(fits=(fit,), shape=prepared.shape.times(fit.share * prepared.snapshot.rows / usual))


def tried(
    run: Path,
    prepared: Prepared,
    candidate: Candidate,
    attempts: Attempts,
    machine: Machine,
    trials: Sequence[Trial],
    *,
    trust: bool = False,
    within_s: float | None = None,
    enough: Callable[[Sequence[Tried]], bool] = lambda done: False,
    told: Callable[[Tried], None] = lambda one: None,
) -> list[Tried]:
    """Fit and judge the trials in one process, in their order; those that were done when the time was over, or memory was.

    Parameters
    ----------
    prepared
        As `for_trials` makes it.
    candidate
        How they are fitted.
    within_s
        Wall seconds, starting the process included; None: until all are done.
    enough
        Asked after each, with all so far: whether the others are not needed.

    Raises
    ------
    UsageError
        What is wrong with the workload or the data.
    """
    task = write_tasks(run, prepared, candidate, None, None)["trial"]
    order = Order(
        kind="try", epoch=0, task=task, form=candidate.form, threads=candidate.threads, trials=tuple(trials),
        memory_bytes=machine.memory_bytes // candidate.limits, trust=trust, resume=False,
    )  # fmt: skip
    done: list[Tried] = []
    until = time.monotonic() + within_s if within_s is not None else float("inf")

    def over(attempt: Attempt) -> bool:
        if attempt.events[-1].kind == "tried":
            done.append(Tried.model_validate(attempt.events[-1].data))
            told(done[-1])
            if enough(done):
                return True
        return time.monotonic() > until

    attempt = attempts.start(candidate.but(workers=1, ranks=1), order)
    attempts.follow(attempt, over)
    attempts.kill(attempt)
    if attempt.cause == "failed" and isinstance(failure := failure_of(attempt), UsageError):
        raise failure
    return done
