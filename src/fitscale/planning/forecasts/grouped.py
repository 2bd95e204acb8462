"""The phases of many models in wall seconds: groups that workers share, where none waits for another.

The last is as long as the largest group, which no number of workers shortens. What was measured are the run's own first
chunks, drawn by seed: a unit is a row.
"""

from __future__ import annotations

import math

from fitscale.planning.forecasts.laws import fits_s
from fitscale.planning.forecasts.rates import Rates
from fitscale.planning.forecasts.spread import no_less_than
from fitscale.planning.forecasts.terms import by_name, floor_of
from fitscale.planning.forecasts.timing import CONTENDED, FEEDING_ERROR, Pairs, crowded, error_of, start_of
from fitscale.records.base import Figure
from fitscale.records.data import Shape
from fitscale.records.plan import Candidate, Law, Measurement
from fitscale.records.run import CHUNK_S, LEAST_CHUNKS

JOINED_BYTES, JOINED_ROW_BYTES = 4e7, 50.0  # of 0.5 to 4M held-out rows: 55 to 223 MB
JOINING_S, JOINING_ROW_S, JOINING_MODEL_S, JOINING_ERROR = 0.7, 2e-7, 1e-5, 0.6  # 0.9 s of 1M rows of 20,000 models
LEARNT_CELL_S = 2e-8  # to learn how columns are encoded, of rows that were cut: 2.3 s for 5M × 21
SPREAD = 0.8  # of the cost of a group around what the law says of its size: half-width of 90 %
UNSEEN = 0.3  # by how much groups that were not fitted may differ from those that were


def joining_s(shape: Shape) -> float:
    """What putting the models together takes: a process that starts, and truth and prediction of each held-out row."""
    return JOINING_S + JOINING_ROW_S * shape.holdout_rows + JOINING_MODEL_S * shape.groups


def joined_bytes(shape: Shape) -> float:
    """What is held while the models are put together: truth and prediction of each held-out row, and what a metric makes of it."""
    return JOINED_BYTES + JOINED_ROW_BYTES * shape.holdout_rows


def grouped_phases_of(candidate: Candidate, law: Law, shape: Shape, measured: Pairs, rates: Rates) -> dict[str, Figure]:
    """Wall seconds of each phase; of measured chunks all that is not the start counts as iterations."""
    chunks = next((pair for pair in reversed(measured) if pair[0].units > 0), None)
    start = start_of(measured, rates)
    if chunks is None:
        return {"start": start, **_by_prior(candidate, law, shape, rates)}
    m = chunks[0]
    fits = _by_groups(candidate, law, shape, chunks) if m.timed else _by_chunks(candidate, law, shape, chunks)
    joining = Figure.around(joining_s(shape), JOINING_ERROR, "forecast")
    found = {"start": start, "iterations": fits, "save": joining}
    if "encode" in m.phases:
        more = (_rows(shape) - _rows(m.shape)) * (rates.columns if rates.learns else 1) * LEARNT_CELL_S
        found["encode"] = Figure.around(max(0.0, m.phases["encode"].wall_s + more), FEEDING_ERROR[1], "forecast")
    return found


def _by_prior(candidate: Candidate, law: Law, shape: Shape, rates: Rates) -> dict[str, Figure]:
    rows = _rows(shape)
    tail = max(1.0 / max(1, candidate.workers), shape.largest_group / max(1, rows))
    read = rows * rates.columns * rates.read_s_per_cell.value
    encode = rows * shape.features * shape.density * rates.encode_s_per_cell.value
    found = {
        phase: Figure.around(seconds * tail, error_of(phase, law, rates)[0], "forecast")
        for phase, seconds in (("read", read), ("encode", encode))
    }
    for phase, terms in law.time.items():
        figure = Figure.around(sum(by_name(terms).values()) * tail, law.error[0], "forecast")
        found[phase] = no_less_than(figure, floor_of(terms, 1.0 / max(1, candidate.workers)))
    return found


def _by_groups(candidate: Candidate, law: Law, shape: Shape, chunks: tuple[Measurement, Law]) -> Figure:
    """By groups that were timed one by one; beside the fits what stands around each chunk, and the rows that are decoded."""
    m, _ = chunks
    times, seconds = m.pace
    fits = times * fits_s(law) + seconds * law.units
    around = m.around_s * max(LEAST_CHUNKS, fits_s(law) / CHUNK_S) + m.each_s * law.units
    cpu_s = fits + around + _rows(shape) * m.row_s
    # In the order of their sizes the last are small: workers end together, unless one group is longer than all others.
    largest = times * fits_s(law) * shape.largest_group / max(1, _rows(shape))
    error = math.hypot(law.error[2], SPREAD / math.sqrt(len(m.timed)))
    return crowded(Figure.around(max(cpu_s / max(1, candidate.workers), largest), error, "forecast"), [chunks])


def _by_chunks(candidate: Candidate, law: Law, shape: Shape, chunks: tuple[Measurement, Law]) -> Figure:
    m, at = chunks
    workers = max(1, candidate.workers)
    busy = m.contention > CONTENDED and m.unit_cpu_s > 0
    by_cpu = m.unit_cpu_s / workers  # of fewer workers than it was measured with, what each has to do
    each = by_cpu if busy else max(m.unit_s, by_cpu)
    grown = _prior_s(law) / max(1e-12, _prior_s(at))
    everything = _rows(m.shape)
    largest = m.unit_cpu_s * everything * shape.largest_group / max(1, _rows(shape))
    value = max(each * everything, largest) * grown
    unseen = UNSEEN * math.sqrt(max(0.0, 1 - m.units / max(1, everything)))
    figure = crowded(Figure.around(value, math.hypot(law.error[2], unseen), "forecast"), [chunks])
    return no_less_than(figure, sum(floor_of(terms, 1.0 / workers) for terms in law.time.values()))


def _rows(shape: Shape) -> int:
    return shape.rows + shape.holdout_rows + shape.validation_rows


def _prior_s(law: Law) -> float:
    return sum(seconds for terms in law.time.values() for seconds in by_name(terms).values())
