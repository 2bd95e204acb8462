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
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fitscale.planning.decision.choosing import SIMPLE, TIE, expected_s, is_thrifty, may_be_late, tries, twentieth
from fitscale.planning.decision.gates import must_s
from fitscale.planning.decision.settling import Untried, close_of
from fitscale.planning.decision.weighing import amount_of, axes_of, first_of, on_front
from fitscale.planning.forecasts.spread import expected, sigma
from fitscale.planning.scoring.ground import Ground, floor_of
from fitscale.planning.scoring.sums import STEP, drawn_sums, stepped, sum_of, weights_for
from fitscale.records.base import Figure, digest_of
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Candidate, Chance, Decision, Sureness
from fitscale.records.scorecard import Facts
from fitscale.records.workload import Workload

DRAWS = 2000
OF_FRAMEWORK = 0.5  # of the variance of a forecast's error: what all paths of a framework share
OF_PATH = 0.4  # and what all candidates of a path share beside it
SEED = 2000
_AT_HIGH = NormalDist().inv_cdf(0.95)

Floats = NDArray[np.float64]


def sureness_of(
    decision: Decision,
    workload: Workload,
    machine: Machine,
    *,
    untried: Untried | None = None,
    spent_s: float = 0.0,
    facts: Facts | None = None,
) -> Sureness:
    """The shares of what was chosen and of its alternatives; empty where nothing passes the gates.

    Parameters
    ----------
    untried
        The larger parts of the rows that a probe of a candidate could still fit, rising: rows and seconds; None, or an answer
        of None, where they are not known.
    spent_s
        Of probing, which a longer one does again.
    facts
        What the scorecard stands on, which the choice was made with; the weightings know time, memory and cost alone.
    """
    if decision.chosen is None or not decision.meets:
        return Sureness()
    standing = (decision.chosen, *decision.alternatives)
    must, thrifty = must_s(workload), is_thrifty(workload)
    late = [thrifty and may_be_late(a, must) for a in standing]
    drawn = np.stack([_drawn(a, machine, thrifty=thrifty) for a in standing], axis=1)
    scored = _Scored.of(standing, workload, machine, facts, thrifty=thrifty)
    best = _shares(_chosen(drawn, standing, late, scored), len(standing))
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
    by: Literal["time", "cost", "weights"] = "weights" if scored.decides else "cost" if by_cost else "time"
    found = Sureness(objective=by, draws=DRAWS, chances=chances, axes=axes)
    if decision.overridden or scored.decides:
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


class _Scored(NamedTuple):
    """What the scorecard says of each, in steps of which more is better: in each draw where it decides, else once for all."""

    decides: bool
    steps: Floats

    @classmethod
    def of(
        cls, standing: Sequence[Assessed], workload: Workload, machine: Machine, facts: Facts | None, *, thrifty: bool
    ) -> _Scored:
        if facts is None:
            return cls(False, np.zeros(len(standing)))
        ground = Ground(workload, machine, facts, floor_of(standing))
        weights = weights_for(ground, thrifty)
        if not facts.weights:
            return cls(
                False, np.array([float(stepped(sum_of(a, ground, weights, expected_s(a, machine)))) for a in standing])
            )
        waited = [_drawn(a, machine, thrifty=False) for a in standing]
        sums = [drawn_sums(a, ground, weights, s) for a, s in zip(standing, waited, strict=True)]
        return cls(True, np.round(np.stack(sums, axis=1) / STEP))


def _chosen(drawn: Floats, standing: Sequence[Assessed], late: Sequence[bool], scored: _Scored) -> NDArray[np.intp]:
    """Which the planner would choose in each draw, by the order of `choosing.ranked`: its place in ``standing``."""
    n = len(standing)
    memory = [twentieth(a.forecast.memory_bytes.value) for a in standing]
    simple = [SIMPLE.index(a.candidate.strategy) for a in standing]
    steps = np.round(np.log(np.maximum(drawn, 1e-9)) / math.log1p(TIE))
    alive = np.ones(drawn.shape, dtype=bool)
    by_score = (-scored.steps, steps) if scored.decides else (steps, -scored.steps)
    for level in (np.array(late), *by_score, np.array(memory), np.array(simple), drawn):
        worth = np.where(alive, np.broadcast_to(level, drawn.shape).astype(float), np.inf)
        alive &= worth == worth.min(axis=1, keepdims=True)
    by_name = sorted(range(n), key=lambda i: (standing[i].candidate.name, standing[i].candidate.workers))
    found: NDArray[np.intp] = np.array(by_name)[alive[:, by_name].argmax(axis=1)]
    return found


def _shares(found: NDArray[np.intp], n: int) -> list[float]:
    """How often each of ``n`` places was found."""
    return [float(count) / len(found) for count in np.bincount(found, minlength=n)]
