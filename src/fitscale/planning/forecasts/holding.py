"""What a candidate holds: anonymous memory at its peak, and storage."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fitscale.planning.forecasts.rates import Rates
from fitscale.planning.forecasts.spread import no_less_than
from fitscale.planning.forecasts.terms import Seen, by_name, coefficients, floor_of
from fitscale.planning.forecasts.timing import widened
from fitscale.records.base import Figure
from fitscale.records.data import Shape
from fitscale.records.machine import Machine
from fitscale.records.plan import Candidate, Law, Measurement, Term

NOISE, NOISE_BYTES = 0.03, 2e6
LATER_CHUNKS = (
    1.15  # of the first four chunks' peak: 1.19 to 1.3 for small models of XGBoost, 1.08 for boosting of scikit-learn
)
MODEL = "model"  # the name of a law's term for the bytes of the model
SPILL = "spill"  # that for batches kept on disk, see `data.spill`
RUN_BYTES = 1e6  # plans, journal, tasks, logs
PREDICTION_BYTES = 27.0  # a held-out row: number, truth, value, probability


def memory_of(
    candidate: Candidate,
    law: Law,
    shape: Shape,
    measured: Sequence[tuple[Measurement, Law]],
    kin: Measurement | None = None,
) -> tuple[Figure, float]:
    """(Peak over all processes, what of it stays however few the rows).

    Nothing measured: the law's terms. Samples: the terms as the samples moved them. At full size: the peak itself. ``kin``:
    the beginning of another form of the same model, which may have told how large that becomes.
    """
    processes = max(1, candidate.ranks)
    terms = [term.but(amount=term.amount * processes) for term in law.memory]
    by_prior = by_name(terms)
    floor = floor_of(terms)
    seen = [(m, at) for m, at in measured if m.peak_bytes > 0]
    samples = [(m, at) for m, at in seen if not m.full_size]
    whole = next(((m, at) for m, at in reversed(seen) if m.full_size), None)
    times = dict.fromkeys(by_prior, 1.0)
    if whole is not None:
        value, error = _whole(candidate, law, whole)
        grown = value / max(1.0, sum(by_prior.values()))
        times = dict.fromkeys(by_prior, min(1.0, grown))
    elif samples:
        rows = [
            Seen({name: b * processes for name, b in by_name(at.memory).items()}, m.peak_bytes) for m, at in samples
        ]
        trust = law.memory_error[0]
        times = coefficients(terms, rows, noise=NOISE, least=NOISE_BYTES, trust=trust, scaled=False)
        value = max(sum(size * times[name] for name, size in by_prior.items()), _held(law.end))
        error = law.memory_error[1] * widened(shape.rows, max(m.shape.rows for m, _ in samples))
        error = min(error, max(law.memory_error[:2]))
    else:
        told = _told(kin, law) if kin is not None else 0.0
        value = max(_held(terms, told), _held(law.end, told))
        error = law.memory_error[1] if told else law.memory_error[0]
    fixed = sum(size * times[name] for name, size in by_name(_fixed(law.memory)).items()) * processes
    return no_less_than(Figure.around(value, error, "forecast"), floor), min(fixed, value)


def _fixed(terms: Sequence[Term]) -> list[Term]:
    """A process and its libraries: what is there once, whatever the rows."""
    return [term for term in terms if term.amount == 1]


def _whole(candidate: Candidate, law: Law, whole: tuple[Measurement, Law]) -> tuple[float, float]:
    m, at = whole
    prior = sum(by_name(law.memory).values())
    if candidate.is_grouped:
        # The first chunks need not have met the largest group, and the models of none were held beside the next one's fits.
        return max(float(m.peak_bytes) * LATER_CHUNKS, prior), law.memory_error[1]
    before = sum(by_name(at.memory).values())
    # What grows with the units was not there yet.
    told = _told(m, law)
    late = _held(law.late, told) * max(0.0, 1 - max(m.units, m.done) / max(1, law.units))
    held = m.peak_bytes * (prior / before if before else 1.0)
    value = max(held + late, _held(law.end, told))
    unseen = 0.0 if told else (value - held) / max(1.0, value)
    return value, math.hypot(law.memory_error[2], law.memory_error[0] * unseen)


def _told(m: Measurement, law: Law) -> float:
    """Bytes of the whole model, by those of the units that were there; 0 where nobody has said."""
    return m.model_bytes / m.done * law.units if m.model_bytes and m.done else 0.0


def _held(terms: Sequence[Term], told: float = 0.0) -> float:
    """Bytes by prior, but for a model whose size was told."""
    return sum((told if told and term.name == MODEL else term.amount) * term.prior for term in terms)


def storage_of(
    law: Law,
    shape: Shape,
    rates: Rates,
    machine: Machine,
    *,
    measured: Sequence[tuple[Measurement, Law]] = (),
    kin: Measurement | None = None,
) -> Figure:
    """Caches and models, the run folder beside them, and what was staged. Of a model that was begun, by its size until then."""
    begun = next((m for m, _ in reversed(measured) if m.full_size and m.model_bytes), kin)
    told = _told(begun, law) if begun is not None else 0.0
    terms = by_name([t.but(amount=told) if told and t.name == MODEL else t for t in law.storage])
    if SPILL in terms and machine.disk_free_bytes is not None:
        terms[SPILL] = min(terms[SPILL], machine.disk_free_bytes / 2)  # where that is not enough, there is none
    own = sum(terms.values())
    beside = RUN_BYTES + PREDICTION_BYTES * shape.holdout_rows + rates.staged_bytes
    figure = Figure.around(own + beside, 0.4, "forecast")
    return no_less_than(figure, floor_of(law.storage) + rates.staged_bytes)
