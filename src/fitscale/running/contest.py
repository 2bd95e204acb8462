"""The estimators of ``any_of`` against each other: what each would take, how well each does on the same rows, and which is taken.

What each takes is forecast as a plan forecasts it, from small probes alone. How well each does is found by trials: fits whose
score is taken on rows that train none of them and judge no result.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from fitscale import metrics
from fitscale.errors import FitscaleError, NothingRuns, UsageError
from fitscale.planning import wording
from fitscale.planning.exporting import exports_tried
from fitscale.planning.loop import Loop, engines_for
from fitscale.planning.preparing import Prepared, with_model
from fitscale.planning.trials.comparing import decided
from fitscale.records.contest import Contest, Entrant
from fitscale.records.machine import Machine
from fitscale.records.plan import Candidate, Plan
from fitscale.records.trials import Trial, Tried
from fitscale.records.workload import ModelSpec
from fitscale.running.attempts import Attempts
from fitscale.running.probes import Probes
from fitscale.running.trials import for_trials, tried

PROBE_S = 12.0  # of small probes, for all of them together: `plan` answers within a minute
SCORE_S, SCORE_SHARE, MOST_SCORE_S = (
    15.0,
    0.05,
    25.0,
)  # of trials: so long, or of the forecast; and of `plan` at most
SHARES = (1 / 16, 1 / 4, 1.0)  # of the rows that a trial may train on
LEAST_ROWS = 500
SURELY = 4  # what is thought to take so many times less than there is time for is tried on all rows at once
LATE = 3.0  # times what there is for one: it may take longer than it was thought to
START_S = 10.0  # of a process, with what it imports, on a machine that has more to do
FORMS = ("matrix", "bins", "cache", "stream", "frame")


class _Entry(NamedTuple):
    """One that takes part, with how it would be fitted; without a candidate it was ruled out."""

    about: Entrant
    prepared: Prepared | None = None
    candidate: Candidate | None = None
    fit_s: float = 0.0  # of one fit on all rows, as it is thought


def compared(
    run: Path,
    prepared: Prepared,
    attempts: Attempts,
    machine: Machine,
    *,
    trust: bool = False,
    choose: str | None = None,
    probe_s: float | None = None,
    goes_on: bool = False,
) -> Contest:
    """Compare the estimators of an open workload.

    Parameters
    ----------
    probe_s
        What may be spent, half on probes and half on trials; None: 12 s on probes at most, and on trials 15 s, or a twentieth
        of what training is forecast to take.
    goes_on
        `train` follows; else that twentieth is 25 s at most.

    Raises
    ------
    UsageError
        What is wrong with all of them.
    """
    began = time.monotonic()
    models = prepared.workload.model.any_of
    each_s = (PROBE_S if probe_s is None else probe_s / 2) / len(models)
    entries = [_assessed(run, prepared, model, attempts, machine, each_s, choose, trust) for model in models]
    left = [entry for entry in entries if entry.candidate is not None]
    name = _metric_of([entry.prepared for entry in left if entry.prepared is not None])
    asked_s = probe_s / 2 if probe_s is not None else _score_s(left)
    budget_s = asked_s if goes_on or probe_s is not None else min(MOST_SCORE_S, asked_s)
    shares = _shares(left, budget_s)
    seen = [
        _judged(run, entry, attempts, machine, shares, budget_s / max(1, len(left)), name, trust) for entry in entries
    ]
    compared_by = _at_same_rows(seen, len(shares))
    share = shares[max((e.at for e in compared_by if e.at is not None), default=0)]
    found = decided(compared_by, name, time.monotonic() - began, greater=metrics.greater(name), share=share)
    return found.but(cut_short=share < 1 and budget_s < asked_s)


def _assessed(
    run: Path,
    prepared: Prepared,
    model: ModelSpec,
    attempts: Attempts,
    machine: Machine,
    probe_s: float,
    choose: str | None,
    trust: bool,
) -> _Entry:
    """What one would take here; ruled out where nothing of it can run, or meets what must be met."""
    try:
        own = with_model(prepared, model, run, trust=trust)
        most_s = START_S + LATE * probe_s
        probes = Probes(run, own, attempts, machine, sizes=None, partition=None, trust=trust, most_s=most_s)
        plan = Loop(
            own, probes, machine, choose=choose, budget_s=probe_s, begin_s=0.0, unexportable=exports_tried(own).why_not
        ).run().plan  # fmt: skip
    except (UsageError, NothingRuns) as error:  # the latter where one way was named, and is not open to it
        return _Entry(Entrant(model=model, why=str(error)))
    chosen = plan.decision.chosen
    if chosen is None:
        why = str(probes.wrong) if probes.wrong else "; ".join(dict.fromkeys(r.sentence for r in plan.decision.refused))
        return _Entry(Entrant(model=model, why=why))
    forecast = chosen.forecast
    about = Entrant(
        model=model, time_s=forecast.time_s, memory_bytes=forecast.memory_bytes,
        measured=forecast.source != wording.PRIORS,
    )  # fmt: skip
    if not plan.decision.meets and not plan.decision.overridden:
        refused = next((r.sentence for r in plan.decision.refused if r.candidate == chosen.candidate), "")
        return _Entry(about.but(why=refused or plan.decision.reasons[0]))
    fits = sum(fit.share for fit in own.fits) / own.fits[0].share
    fit_s = max(0.0, forecast.time_s.value / fits - forecast.phases.get("start", 0.0))
    return _Entry(about, own, way_of(plan, choose), fit_s)


def way_of(plan: Plan, choose: str | None = None) -> Candidate:
    """How trials are fitted: as the plan would fit, if one process can; else in memory."""
    assert plan.decision.chosen is not None
    known = [one.candidate for one in (plan.decision.chosen, *plan.decision.alternatives)]
    fitting = [one for one in known if one.ranks == 1 and one.form in FORMS]
    engine = engines_for(choose)[0]
    return fitting[0] if fitting else known[0].but(strategy="in-memory", form="matrix", ranks=1, engine=engine)


def _metric_of(left: Sequence[Prepared]) -> str:
    """What they are compared by: that which is asked for; else the default of the one that gives least, which all of them have."""
    if not left:
        return ""
    asked = left[0].workload.evaluate.metric
    if asked is not None:
        return asked
    classes = left[0].shape.classes
    names = [metrics.default_metric(metrics.task_of(classes), classes, one.traits.gives) for one in left]
    return "accuracy" if "accuracy" in names else names[0]


def _score_s(left: Sequence[_Entry]) -> float:
    takes = [entry.about.time_s.value for entry in left if entry.about.time_s is not None]
    return max(SCORE_S, SCORE_SHARE * min(takes, default=0.0))


def _shares(left: Sequence[_Entry], budget_s: float) -> tuple[float, ...]:
    """On which shares of the rows each is tried, in rising order: as many for all, by the slowest that can be judged at all."""
    rows = min((for_trials(e.prepared).shape.rows for e in left if e.prepared is not None), default=0)
    shares = tuple(share for share in SHARES if share * rows >= LEAST_ROWS) or SHARES[-1:]
    each_s = budget_s / max(1, len(left))
    if all(SURELY * entry.fit_s <= each_s for entry in left):
        return SHARES[-1:]
    ends = [
        max((k for k in range(len(shares)) if sum(shares[: k + 1]) * entry.fit_s <= each_s), default=-1)
        for entry in left
    ]
    return shares[: 1 + min((end for end in ends if end >= 0), default=0)]


def _judged(
    run: Path,
    entry: _Entry,
    attempts: Attempts,
    machine: Machine,
    shares: Sequence[float],
    each_s: float,
    metric: str,
    trust: bool,
) -> Entrant:
    """One with its trials, those that were done in time."""
    about, prepared = entry.about, entry.prepared
    if prepared is None or entry.candidate is None:
        return about
    if shares[0] * entry.fit_s > LATE * each_s:
        part = "all rows" if shares[0] == 1 else f"{wording.share(shares[0])} of the rows"
        took = wording.duration(shares[0] * entry.fit_s)
        return about.but(
            why=f"{part} are forecast to take {took}, and there were {wording.duration(each_s)}; --probe 10m asks"
        )
    own = for_trials(prepared)
    if metric != _metric_of([prepared]):
        own = own._replace(workload=own.workload.but(evaluate=own.workload.evaluate.but(metric=metric)))
    seed = own.workload.seed
    trials = [Trial(rows=None if share == 1 else round(share * own.shape.rows), seed=seed) for share in shares]
    try:
        done = tried(
            run, own, entry.candidate, attempts, machine, trials, trust=trust, within_s=START_S + LATE * each_s
        )  # fmt: skip
    except UsageError as error:
        return about.but(why=str(error))
    except FitscaleError as error:
        return about.but(why=str(error).partition(";")[0])
    return about.but(tried=tuple(done), why=_why_not(done, attempts, each_s))


def _why_not(done: Sequence[Tried], attempts: Attempts, each_s: float) -> str:
    """Why it has no score; nothing where it has one."""
    if any(one.score is not None for one in done):
        return ""
    if done:
        return done[-1].why
    cause = attempts.all[-1].cause
    if cause == "memory":
        return "its trial was ended by the memory limit; allow more in 'where'"
    return f"no trial was done within {wording.duration(LATE * each_s)}; --probe 10m gives more time"


def _at_same_rows(seen: Sequence[Entrant], rungs: int) -> list[Entrant]:
    """Each compared by its trial on the most rows that all of them were judged on."""

    def last(one: Entrant) -> int:
        return max((k for k, trial in enumerate(one.tried) if trial.score is not None), default=-1)

    common = min((last(one) for one in seen if last(one) >= 0), default=rungs - 1)
    return [one.but(at=common) if not one.why and 0 <= common <= last(one) else one for one in seen]
