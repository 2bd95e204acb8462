"""From forecasts to a decision: what to run here, what would be better, and why. A pure function over records."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from fitscale.planning.decision.better import better_of
from fitscale.planning.decision.choosing import only, ranked
from fitscale.planning.decision.flips import flips_of
from fitscale.planning.decision.gates import (
    FORECAST_GATES,
    OVERRIDDEN,
    ended_by_memory,
    gate,
    must_s,
    p99_bytes,
    probe_failed,
    usable_bytes,
)
from fitscale.planning.decision.verdict import Verdict, reasons_of
from fitscale.planning.scoring.ground import Ground, floor_of
from fitscale.planning.scoring.saying import scored_reasons
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Decision, Refusal
from fitscale.records.scorecard import Facts
from fitscale.records.workload import Workload

__all__ = ["decide", "ended_by_memory", "gate", "only", "probe_failed"]


def decide(
    workload: Workload,
    machine: Machine,
    assessed: Sequence[Assessed],
    refused: Sequence[Refusal],
    *,
    choose: str | None,
    settled: bool,
    elsewhere: Sequence[Assessed],
    now: datetime | None = None,
    facts: Facts | None = None,
) -> Decision:
    """The gates once more, with all that is known by now; then the best of what passes, or the nearest of what does not.

    Parameters
    ----------
    assessed
        The candidates here that are not refused yet.
    refused
        Those that are. One that fails by its forecast alone (deadline, budget) is still what is run where nothing is
        better, with ``meets`` false.
    choose
        A candidate's name that overrides the objective; never the memory.
    elsewhere
        The same paths on other machines, of which each passes that machine's gates.
    facts
        What the scorecard stands on, which breaks ties, or decides where there are weights; None: it has no say.
    """
    passing: list[Assessed] = []
    failing = _latest(refused)
    for one in assessed:
        refusal = gate(one, workload, machine, surely=False, now=now)
        if refusal is None:
            passing.append(one)
        else:
            failing.append(refusal)
    must = must_s(workload, now)
    ground = Ground(workload, machine, facts, floor_of(passing)) if facts is not None else None
    best = ranked(passing, workload, machine, must, ground)
    allowed = FORECAST_GATES if choose is None else OVERRIDDEN
    nearest = ranked(_runnable(failing, machine, allowed), workload, machine, None)
    pool = [one for one in (*best, *nearest) if choose is None or one.candidate.name == choose]
    chosen = pool[0] if pool else None
    meets = chosen is not None and chosen in best
    better = better_of(chosen, meets, elsewhere, must)
    verdict = Verdict(
        workload, machine, must, chosen, tuple(best), tuple(failing), better,
        meets=meets, overridden=choose is not None and chosen is not None, settled=settled,
        weighed=facts is not None and bool(facts.weights),
    )  # fmt: skip
    headline, *others = reasons_of(verdict)
    scored = scored_reasons(best, ground, must) if meets and not verdict.overridden else ()
    return Decision(
        chosen=chosen,
        reasons=(headline, *scored, *others),
        better=better,
        alternatives=tuple(one for one in best if one != chosen),
        refused=tuple(failing),
        flips=flips_of(verdict),
        settled=settled,
        overridden=verdict.overridden,
        meets=meets,
    )


def _latest(refused: Sequence[Refusal]) -> list[Refusal]:
    """One refusal for each candidate: the last, which knows most."""
    return list({refusal.candidate: refusal for refusal in refused}.values())


def _runnable(failing: Sequence[Refusal], machine: Machine, allowed: Sequence[str]) -> list[Assessed]:
    """What is refused by one of the ``allowed`` gates alone, and is sure to fit in memory."""
    return [
        Assessed(candidate=refusal.candidate, forecast=refusal.forecast)
        for refusal in failing
        if refusal.gate in allowed and refusal.forecast is not None
        and p99_bytes(refusal.forecast) <= usable_bytes(refusal.candidate, machine)
    ]  # fmt: skip
