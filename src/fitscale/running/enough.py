"""How much of the data is enough: models on parts of the rows, the curve through their scores, and the share that is taken."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from fitscale.planning.candidates import candidates
from fitscale.planning.decision.gates import p99_bytes, usable_bytes
from fitscale.planning.known import Known
from fitscale.planning.loop import engines_for
from fitscale.planning.preparing import Prepared
from fitscale.planning.trials.ladder import LEAST_CURVE_ROWS, Climb, decided, ladder
from fitscale.records.curve import Curve
from fitscale.records.machine import Machine
from fitscale.records.plan import Candidate
from fitscale.records.trials import Tried
from fitscale.records.workload import Enough
from fitscale.running.command import Command
from fitscale.running.trials import for_trials, tried

ONE_PROCESS = ("in-memory", "quantised", "out-of-core")  # what trials are fitted by
ALONE_S = 60.0  # of all rows: small parts of so few rows cost threads more to meet than they save
LATE = 1.25  # times the budget, after which a trial that takes longer than was thought is ended


def enough_of(prepared: Prepared, command: Command, *, limit_s: float = math.inf) -> Curve:
    """Try parts of the rows, and decide which share of them is taken.

    Parameters
    ----------
    prepared
        Of all rows that may be taken. A loss that the workload's `Enough` states is what decides.
    limit_s
        Seconds that it may take, whatever training on all rows takes.

    Raises
    ------
    UsageError
        What is wrong with the workload or the data.
    """
    machine = command.machine
    began = time.monotonic()
    use, whole, seed = prepared.workload.data.use, prepared.shape.rows, prepared.workload.seed
    tolerance = use.within if isinstance(use, Enough) else None
    nothing = Curve(metric="", rows=whole, tolerance=tolerance or 0.0, stated=tolerance is not None)
    if whole < LEAST_CURVE_ROWS:
        return nothing.but(
            why=f"{whole:,} training rows are too few for a learning curve, which begins at {LEAST_CURVE_ROWS:,}"
        )
    own = for_trials(prepared)
    known = Known(own, machine, None)
    candidate = _how(own, known, machine, command.choose)
    if candidate is None:
        return nothing.but(why="no trial fits in memory here")
    most = min(own.shape.rows, round(own.reader.rows * own.fits[0].share))  # of a database `plan` has a part
    all_s = Known(prepared, machine, None).work_s(candidate)
    trials = ladder(most, all_s)
    if all_s < ALONE_S:
        candidate = candidate.but(threads=1)
    climb = Climb(trials, most, whole, all_s, tolerance=tolerance, limit_s=limit_s, seed=seed)

    def over(done: Sequence[Tried]) -> bool:
        return climb.is_over(done, time.monotonic() - began)

    done = tried(
        command.run, own, candidate, command.attempts, machine, trials, trust=command.trust,
        within_s=LATE * climb.budget_s(), enough=over,
    )  # fmt: skip
    curve = decided(done, whole, tolerance=tolerance, settled=climb.settled, seed=seed)
    every = prepared.shape.rows + prepared.shape.holdout_rows + prepared.shape.validation_rows
    start_s = known.forecast(candidate).phases.get("start", 0.0)
    part_s = {
        share: start_s + known.part_s(candidate, round(share * every))
        for share in (1.0, *(x.share for x in curve.levels))
    }
    levels = tuple(level.but(time=round(part_s[level.share] / part_s[1.0], 4)) for level in curve.levels)
    seconds = round(time.monotonic() - began, 3)
    return curve.but(levels=levels, seconds=seconds, cut_short=climb.cut_short(done))


def _how(prepared: Prepared, known: Known, machine: Machine, choose: str | None) -> Candidate | None:
    """The fastest way to fit one of the largest trials in one process, of those whose memory is sure to fit; else the smallest."""
    found = [c for c in candidates(prepared, machine, engines_for(choose))[0] if c.strategy in ONE_PROCESS]
    if not found:
        return None
    forecasts = {candidate.name: known.forecast(candidate) for candidate in found}
    fitting = [c for c in found if p99_bytes(forecasts[c.name]) <= usable_bytes(c, machine)]
    if fitting:
        return min(fitting, key=lambda c: forecasts[c.name].time_s.value)
    return min(found, key=lambda c: forecasts[c.name].memory_bytes.value)
