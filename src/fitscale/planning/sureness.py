"""How sure a decision is: how often each candidate would be the best if its forecast is off as its interval says, and apart
from that how often, whatever time, memory and cost are worth to somebody.

A time is drawn from a log-normal through its figure's three points: the value is its median, ``low`` and ``high`` are its 5th
and 95th percentiles (each side with its own spread), and nothing is drawn below its floor. Errors are partly shared. What
takes the same path, with another number of threads or processes, is forecast from the same measurements: nine tenths of the
variance are common. Paths of one framework share its start, the reading of the rows and the machine's pace, and one is often
scaled by the beginning of another: half is common. Two frameworks share nothing. These shares are assumed.

What is drawn for a candidate follows from its name alone, not from which others there are: another candidate can only take draws
from the rest, and the same plan gives the same figures.

Weightings stand apart, in `weighing`; what may settle a close one, in `settling`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from fitscale.planning.choosing import SIMPLE, TIE, expected_s, is_thrifty, may_be_late, tries, twentieth
from fitscale.planning.gates import must_s
from fitscale.planning.settling import Untried, close_of
from fitscale.planning.spread import expected, sigma
from fitscale.planning.weighing import amount_of, axes_of, first_of, on_front
from fitscale.records.base import Figure, digest_of
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Candidate, Chance, Decision, Sureness
from fitscale.records.workload import Workload

DRAWS = 2000
OF_FRAMEWORK = 0.5  # of the variance of a forecast's error: what all paths of a framework share
OF_PATH = 0.4  # and what all candidates of a path share beside it
SEED = 2000
_AT_HIGH = NormalDist().inv_cdf(0.95)

Floats = NDArray[np.float64]


def sureness_of(
    decision: Decision, workload: Workload, machine: Machine, *, untried: Untried | None = None, spent_s: float = 0.0
) -> Sureness:
    """The shares of what was chosen and of its alternatives; empty where nothing passes the gates.

    Parameters
    ----------
    untried
        The larger parts of the rows that a probe of a candidate could still fit, rising: rows and seconds; None, or an answer
        of None, where they are not known.
    spent_s
        Of probing, which a longer one does again.
    """
    if decision.chosen is None or not decision.meets:
        return Sureness()
    standing = (decision.chosen, *decision.alternatives)
    must, thrifty = must_s(workload), is_thrifty(workload)
    late = [thrifty and may_be_late(a, must) for a in standing]
    drawn = np.stack([_drawn(a, machine, thrifty=thrifty) for a in standing], axis=1)
    best = _shares(_chosen(drawn, standing, late), len(standing))
    axes = axes_of(standing, workload, machine)
    first = _shares(first_of(standing, axes, DRAWS), len(standing))
    front = on_front(np.array([[amount_of(a, axis.name) for axis in axes] for a in standing]))
    means = [_mean(a, machine, thrifty=thrifty) for a in standing]
    chances = tuple(
        Chance(
            name=a.candidate.name, workers=a.candidate.workers, best=best[i], first=first[i], on_front=front[i],
            longer=round(means[i] / means[0] - 1, 4) if means[0] > 0 else 0.0,
        )
        for i, a in enumerate(standing)
    )  # fmt: skip
    by_cost = thrifty and all(a.forecast.cost_usd is not None for a in standing)
    found = Sureness(objective="cost" if by_cost else "time", draws=DRAWS, chances=chances, axes=axes)
    if decision.overridden:
        return found
    return found.but(close=close_of(found, standing, late, untried, spent_s))


# What the forecasts may be off.


def _drawn(a: Assessed, machine: Machine, *, thrifty: bool) -> Floats:
    """What decides, in each draw: seconds still to be waited for, or dollars."""
    candidate, forecast = a.candidate, a.forecast
    error = _error(candidate)
    if thrifty and forecast.cost_usd is not None:
        return _around(forecast.cost_usd, error)
    seconds = np.maximum(_around(forecast.time_s, error), min(forecast.floor_s, forecast.time_s.value))
    return np.maximum(0.0, seconds * tries(a, machine) - forecast.done_s)


def _mean(a: Assessed, machine: Machine, *, thrifty: bool) -> float:
    """What decides, on average."""
    cost = a.forecast.cost_usd if thrifty else None
    return expected_s(a, machine) if cost is None else expected(cost)


def _error(candidate: Candidate) -> Floats:
    """How far off its forecast is in each draw, in standard deviations of its logarithm: shape (DRAWS,)."""
    own = f"{candidate.name} {candidate.engine} {candidate.workers} {candidate.ranks} {candidate.threads}"
    path, framework = " ".join(candidate.path), candidate.framework
    shares = ((framework, OF_FRAMEWORK), (path, OF_PATH), (f"{path} {own}", 1 - OF_FRAMEWORK - OF_PATH))
    error: Floats = np.sum([math.sqrt(share) * _normals(name) for name, share in shares], axis=0)
    return error


def _normals(name: str) -> Floats:
    return np.random.default_rng([SEED, int(digest_of(name), 16)]).standard_normal(DRAWS)


def _around(figure: Figure, error: Floats) -> Floats:
    """The figure's value, that far off."""
    up = sigma(figure)
    down = math.log(figure.value / figure.low) / _AT_HIGH if 0 < figure.low <= figure.value else up
    drawn: Floats = figure.value * np.exp(np.where(error > 0, up, down) * error)
    return drawn


def _chosen(drawn: Floats, standing: Sequence[Assessed], late: Sequence[bool]) -> NDArray[np.intp]:
    """Which the planner would choose in each draw, by the order of `choosing.ranked`: its place in ``standing``."""
    n = len(standing)
    memory = [twentieth(a.forecast.memory_bytes.value) for a in standing]
    simple = [SIMPLE.index(a.candidate.strategy) for a in standing]
    steps = np.round(np.log(np.maximum(drawn, 1e-9)) / math.log1p(TIE))
    alive = np.ones(drawn.shape, dtype=bool)
    for level in (np.array(late), steps, np.array(memory), np.array(simple), drawn):
        worth = np.where(alive, np.broadcast_to(level, drawn.shape).astype(float), np.inf)
        alive &= worth == worth.min(axis=1, keepdims=True)
    by_name = sorted(range(n), key=lambda i: (standing[i].candidate.name, standing[i].candidate.workers))
    found: NDArray[np.intp] = np.array(by_name)[alive[:, by_name].argmax(axis=1)]
    return found


def _shares(found: NDArray[np.intp], n: int) -> list[float]:
    """How often each of ``n`` places was found."""
    return [float(count) / len(found) for count in np.bincount(found, minlength=n)]
