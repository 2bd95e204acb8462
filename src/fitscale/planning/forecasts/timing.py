"""The phases of one fit in wall seconds: by prior, by samples of the rows, by its beginning at full size.

Everything is a wall time at the candidate's own threads: CPU seconds are turned into it by Amdahl's law, wall times that
were measured with as many threads are taken as they are, unless others used the machine meanwhile.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from fitscale.planning.forecasts.course import Course, course_of
from fitscale.planning.forecasts.rates import Rates
from fitscale.planning.forecasts.spread import no_less_than
from fitscale.planning.forecasts.terms import Seen, by_name, coefficients, floor_of
from fitscale.records.base import Figure
from fitscale.records.data import Shape
from fitscale.records.plan import Candidate, Law, Measurement, Term

Pairs = Sequence[tuple[Measurement, Law]]
Kin = tuple[Candidate, Measurement, Law]

SETUP = ("read", "encode", "bin")
CONTENDED = 0.15  # share of the machine that others used, above which wall times are not taken
FEEDING_ERROR = (0.4, 0.15)  # of reading and encoding: from samples, at full size
NOISE, NOISE_S = 0.05, 0.01
TRUST = 0.5  # how well a law's terms are known against each other
DEVIATIONS = 1.645  # to each side, of what holds in nine of ten
# Of what the largest sample is off, and of how that changes with the rows, so much is believed; and the most that both may do.
ANCHORED, BELIEVED, BENDS = 0.8, 0.7, (0.75, 1.8)
REACH = 16.0  # how far a law's error from samples carries: full rows over the largest sample's
KINDRED = ("read", "encode", "iterations")
WAITING = 1.3  # assumed: ranks wait for each other and exchange histograms, which no law counts


def phases_of(
    candidate: Candidate, law: Law, shape: Shape, measured: Pairs, rates: Rates, kin: Kin | None = None
) -> dict[str, Figure]:
    """Wall seconds of each phase, as if nothing ran beside it.

    ``kin`` is another form of the same framework that was begun at full size: it reads the same rows and grows the same
    model, which says more of this one than small parts of the rows do.
    """
    beginning = next((pair for pair in reversed(measured) if pair[0].full_size), None)
    samples = [pair for pair in measured if not pair[0].full_size]
    if any(m.contention <= CONTENDED for m, _ in samples):
        samples = [pair for pair in samples if pair[0].contention <= CONTENDED]
    found = {"start": start_of(measured, rates)}
    for phase, terms in work_of(candidate, law, shape, rates).items():
        figure, times = _sampled(phase, candidate, law, shape, samples, rates)
        if beginning is not None:
            figure = _begun(phase, candidate, law, shape, beginning, rates, times if samples else None) or figure
        elif kin is not None and phase in KINDRED:
            figure = _kindred(phase, candidate, law, shape, kin, rates) or figure
        found[phase] = no_less_than(figure, floor_of(terms, amdahl(law, phase, candidate.threads)))
    return found


def work_of(candidate: Candidate, law: Law, shape: Shape, rates: Rates) -> dict[str, tuple[Term, ...]]:
    """The law's phases with reading and encoding added; for ranks the time of one of them.

    Every pass over the training rows reads the held-out ones too, since they lie among them; scoring reads once more where
    no matrix holds them, and what an encoding learns of its columns takes a pass of its own. A sample enters units of the files
    in their middle, and decodes more rows than it takes.
    """
    ranks = max(1, candidate.ranks)
    everything = float(shape.rows + shape.holdout_rows + shape.validation_rows)
    everything = max(everything, shape.source_bytes / rates.row_bytes if rates.row_bytes else 0.0)
    passes = law.passes / ranks + (1.0 if reads_to_score(candidate, shape) else 0.0)
    encoded = (shape.rows * law.passes / ranks + shape.holdout_rows + shape.validation_rows) * shape.features
    learnt = everything * (rates.columns if rates.learns else 1)
    read, encode = rates.read_s_per_cell.value, rates.encode_s_per_cell.value
    own = dict(law.time)
    if ranks > 1 and "iterations" in own:
        own["iterations"] = tuple(term.but(prior=term.prior * WAITING) for term in own["iterations"])
    return {
        "read": (Term(name="cells", amount=everything * passes * rates.columns, prior=read),),
        "encode": (
            Term(name="cells", amount=encoded * shape.density, prior=encode),
            Term(name="learn", amount=learnt, prior=read),
        ),
        **own,
    }


def reads_to_score(candidate: Candidate, shape: Shape) -> bool:
    """Whether the held-out rows are read once more, after the fit."""
    return bool(shape.holdout_rows) and candidate.form != "matrix"


def amdahl(law: Law, phase: str, threads: int) -> float:
    """Wall seconds for each CPU second of one thread."""
    parallel = law.parallel.get(phase, 0.0)
    return (1 - parallel) + parallel / max(1, threads)


def shared(candidate: Candidate, law: Law, phase: str) -> float:
    """Wall seconds for each CPU second of a candidate's process, where several may be on one machine.

    What threads cannot share is mostly waiting for memory, which ranks have in common: else two ranks of four threads would
    be forecast to be faster than one process of eight, which has nothing to exchange.
    """
    parallel = law.parallel.get(phase, 0.0)
    alone = 1 - parallel if parallel else 0.0  # what has no threads at all each rank does for itself
    return amdahl(law, phase, candidate.threads) + alone * (max(1, candidate.ranks) - 1)


def widened(rows: int, largest: int) -> float:
    """By what a law's error from samples grows or shrinks: as the logarithm of how far it is carried.

    From n/64 and n/16 the error was 2.6 times that from n/16 and n/4.
    """
    return max(0.25, math.log(max(1.0, rows / max(1, largest))) / math.log(REACH))


def start_of(measured: Pairs, rates: Rates) -> Figure:
    """A process that starts and imports what it needs."""
    took = [m.phases["start"].wall_s for m, _ in measured if "start" in m.phases]
    return Figure.around(min(took), 0.3, "forecast") if took else rates.start_s.but(origin="forecast")


def error_of(phase: str, law: Law, rates: Rates) -> tuple[float, float, float]:
    """Relative half-widths: by prior, from samples, at full size."""
    if phase not in ("read", "encode"):
        return law.error
    rate = rates.read_s_per_cell if phase == "read" else rates.encode_s_per_cell
    return (rate.high / rate.value - 1, *FEEDING_ERROR)


def _sampled(
    phase: str, candidate: Candidate, law: Law, shape: Shape, samples: Pairs, rates: Rates
) -> tuple[Figure, dict[str, float]]:
    """The law's terms at full size, times what the samples showed of their priors (which is returned too)."""
    error, share = error_of(phase, law, rates), shared(candidate, law, phase)
    terms = work_of(candidate, law, shape, rates)[phase]
    by_prior = by_name(terms, share)
    seen = [
        Seen(by_name(work_of(candidate, at, m.shape, rates).get(phase, ()), share), took)
        for m, at in samples
        if (took := _took(phase, m, at, candidate.threads)) is not None
    ]
    times = coefficients(terms, seen, noise=NOISE, least=NOISE_S, trust=TRUST, scaled=True)
    value = sum(seconds * times[name] for name, seconds in by_prior.items())
    if not seen:
        return Figure.around(value, error[0], "forecast"), times
    if phase == "iterations":
        value *= _bend(
            shape.rows,
            [m.shape.rows for m, at in samples if _took(phase, m, at, candidate.threads) is not None],
            [one.took / max(1e-12, sum(s * times[name] for name, s in one.by_prior.items())) for one in seen],
        )
    width = error[1] * widened(shape.rows, max(m.shape.rows for m, _ in samples)) * (1.5 if len(seen) == 1 else 1.0)
    figure = crowded(Figure.around(value, min(width, max(error[:2])), "forecast"), samples)
    # Where a sample stopped early, the whole may too: said by the interval, since the number changes with the rows.
    stopped = min(m.units / at.units for m, at in samples) if phase == "iterations" else 1.0
    return figure.but(low=figure.low * min(1.0, stopped)), times


def _bend(whole: int, rows: Sequence[int], off: Sequence[float]) -> float:
    """What the law, fitted to samples, still misses at ``whole`` rows, where larger samples are off another way than smaller ones.

    What a cell takes grows with the rows, as caches get too small: of forests to 1.8 times, which no term of a law says.
    """
    known = sorted(zip(rows, off, strict=True))[-2:]
    if len(known) < 2 or known[1][0] < 2 * known[0][0]:
        return 1.0
    (n, before), (most, last) = known
    bent = math.log(last / before) / math.log(most / n)
    least, highest = BENDS
    return max(least, min(highest, math.pow(last, ANCHORED) * math.pow(whole / most, BELIEVED * bent)))


def _begun(
    phase: str,
    candidate: Candidate,
    law: Law,
    shape: Shape,
    beginning: tuple[Measurement, Law],
    rates: Rates,
    times: dict[str, float] | None,
) -> Figure | None:
    """What the beginning at full size showed; iterations together with the samples' ``times``, each by how sure it is."""
    m, at = beginning
    took = _took(phase, m, at, candidate.threads)
    if took is None or phase not in (*SETUP, "iterations"):
        return None
    error = error_of(phase, law, rates)
    wide = _wide(phase, m, at, error[2])
    before = by_name(work_of(candidate, at, m.shape, rates).get(phase, ()), amdahl(law, phase, candidate.threads))
    if phase == "iterations" and times is not None and took > 0:
        # The geometric mean of both halved the median error; the surer one weighs more, and a contradiction nothing.
        ratio = sum(seconds * times.get(name, 1.0) for name, seconds in before.items()) / took
        if 1 / (1 + error[1]) < ratio < 1 + error[1]:
            took *= ratio ** (wide**2 / (error[1] ** 2 + wide**2))
    now = by_name(work_of(candidate, law, shape, rates)[phase], amdahl(law, phase, candidate.threads))
    value = took * (sum(now.values()) / sum(before.values()) if sum(before.values()) else 1.0)
    if phase == "read" and reads_to_score(candidate, shape):
        value += (shape.rows + shape.holdout_rows) * rates.columns * rates.read_s_per_cell.value
    return crowded(Figure.around(value, wide, "forecast"), [beginning])


def _kindred(phase: str, candidate: Candidate, law: Law, shape: Shape, kin: Kin, rates: Rates) -> Figure | None:
    """What another form took, times what the laws say of the two."""
    other, m, at = kin
    took = _took(phase, m, at, candidate.threads)
    before = by_name(work_of(other, at, m.shape, rates).get(phase, ()), amdahl(at, phase, candidate.threads))
    now = by_name(work_of(candidate, law, shape, rates)[phase], shared(candidate, law, phase))
    if took is None or not sum(before.values()):
        return None
    # Between its own samples and its own beginning.
    error = _wide(phase, m, at, (law.error[1] + law.error[2]) / 2)
    return crowded(Figure.around(took * sum(now.values()) / sum(before.values()), error, "forecast"), [(m, at)])


def _took(phase: str, m: Measurement, law: Law, threads: int) -> float | None:
    """Wall seconds of a phase with this many threads; None where it was not measured."""
    as_is = m.shape.threads == threads and m.contention <= CONTENDED
    if phase == "iterations" and m.unit_s > 0:
        by_wall = as_is or m.unit_cpu_s <= 0
        seconds = _course(m, law, wall=by_wall).seconds
        return seconds if by_wall else seconds * amdahl(law, phase, threads)
    if phase not in m.phases:
        return None
    taken = m.phases[phase]
    return taken.wall_s if as_is else taken.cpu_s * amdahl(law, phase, threads)


def _course(m: Measurement, law: Law, *, wall: bool = True) -> Course:
    """All units, in wall or in CPU seconds: where they were seen one after the other, with what they still get cheaper."""
    units, each = float(max(law.units, m.units)), m.unit_s if wall else m.unit_cpu_s
    if not m.full_size or law.later >= 1:
        return Course(units * each, 0.0)
    steps = m.steps or ((1.0 + m.units / 2, float(m.units), m.unit_s, m.unit_cpu_s),)
    unit, count, wall_s, cpu_s = zip(*steps, strict=True)
    return course_of(unit, count, wall_s if wall else cpu_s, units, law.settling, law.later)


def _wide(phase: str, m: Measurement, law: Law, error: float) -> float:
    """The half-width of what was measured of a phase, with what is not known of how its units get cheaper."""
    if phase != "iterations" or m.unit_s <= 0:
        return error
    return math.hypot(error, DEVIATIONS * _course(m, law).deviation)


def crowded(figure: Figure, measured: Pairs) -> Figure:
    """Where others used a share c of the machine in each measurement: if they stay, all takes 1 / (1 − c) as long."""
    least = min((m.contention for m, _ in measured), default=0.0)
    return figure.but(high=figure.high / (1 - min(least, 0.8))) if least > CONTENDED else figure
