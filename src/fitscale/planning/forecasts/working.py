"""What a candidate works, in CPU seconds of all its processes: by the same laws and measurements as its wall time.

Each is seen as if one thread had done it: of a measurement its CPU seconds, which a busy machine changes little, and of a law no
share that threads divide. Waiting counts for nothing, and what several processes do is added up.
"""

from __future__ import annotations

from fitscale.planning.forecasts.grouped import grouped_phases_of
from fitscale.planning.forecasts.rates import Rates
from fitscale.planning.forecasts.spread import scaled, total
from fitscale.planning.forecasts.timing import WAITING, Kin, Pairs, phases_of
from fitscale.records.base import Figure
from fitscale.records.data import Shape
from fitscale.records.plan import Candidate, Law, Measurement, Phase


def work_s_of(
    candidate: Candidate, law: Law, shape: Shape, measured: Pairs, rates: Rates, kin: Kin | None = None
) -> Figure:
    """CPU seconds of one fit, or of all groups, with its 90 % interval; what is done before, staging and cutting, is not in it."""
    ranks = max(1, candidate.ranks)
    alone = _alone(law, ranks)
    worked = [(_worked(m, candidate.threads), _alone(at, ranks)) for m, at in measured]
    if candidate.is_grouped:
        phases = grouped_phases_of(candidate.but(workers=1), alone, shape, worked, rates)
        processes = {"start": candidate.workers}
    else:
        same = None if kin is None else (kin[0], _worked(kin[1], candidate.threads), _alone(kin[2], kin[0].ranks))
        phases = phases_of(candidate, alone, shape, worked, rates, same)
        processes = dict.fromkeys(phases, ranks)
    return total((scaled(figure, processes.get(phase, 1)) for phase, figure in phases.items()), "forecast")


def _alone(law: Law, ranks: int) -> Law:
    """The law of one thread, which waits for no other rank."""
    iterations = law.time.get("iterations", ())
    if ranks > 1:
        iterations = tuple(term.but(prior=term.prior / WAITING) for term in iterations)
    return law.but(parallel={}, time={**law.time, **({"iterations": iterations} if iterations else {})})


def _worked(m: Measurement, threads: int) -> Measurement:
    """The measurement with CPU seconds in the place of wall seconds, as if it had been alone on the machine."""
    phases = {name: Phase(wall_s=phase.cpu_s, cpu_s=phase.cpu_s) for name, phase in m.phases.items()}
    shape = m.shape.but(threads=threads)
    steps = tuple((unit, units, cpu_s, cpu_s) for unit, units, _, cpu_s in m.steps)
    return m.but(phases=phases, unit_s=m.unit_cpu_s or m.unit_s, steps=steps, contention=0.0, shape=shape)
