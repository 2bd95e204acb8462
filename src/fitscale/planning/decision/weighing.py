"""What a candidate is worth to whoever holds time, memory or cost dear: curves of value, weightings, and the front.

Weights of time, memory and, where it is known, cost are drawn evenly from all that add up to one. Each has a curve of value
between two anchors: 1 at the best and beyond it, 0 at the worst and less beyond that, by the logarithm, so that a factor counts the
same wherever it lies. Anchors are the user's limits, never the other candidates; a limit without a fellow, or the physical
floor where there is none, is one end of a factor of ten (assumed).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fitscale.planning.decision.anchors import of_cost, of_memory, of_time
from fitscale.planning.decision.choosing import TIE, twentieth
from fitscale.planning.decision.curves import LEAST, by_factor
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Axis
from fitscale.records.workload import Workload

SEED = 2001


def axes_of(standing: Sequence[Assessed], workload: Workload, machine: Machine) -> tuple[Axis, ...]:
    """What is weighed, between which anchors. Where no limit is stated it is the floor that anchors: a decade of it.

    Times and costs without a limit differ by the same value wherever the anchors lie: those of the floor say what is shown.
    """
    floor = min(a.forecast.floor_s or a.forecast.time_s.low for a in standing)
    axes = [of_time(workload, floor), of_memory(machine)]
    if all(a.forecast.cost_usd is not None for a in standing):
        usd_per_s = amount_of(standing[0], "cost") / max(amount_of(standing[0], "time"), LEAST)
        axes.append(of_cost(workload, floor * usd_per_s))
    return tuple(axes)


def amount_of(a: Assessed, name: str) -> float:
    """How much of what an axis weighs the candidate takes: seconds, bytes or dollars."""
    forecast = a.forecast
    if name == "cost":
        return forecast.cost_usd.value if forecast.cost_usd is not None else 0.0
    return forecast.time_s.value if name == "time" else forecast.memory_bytes.value


def _stepped(amount: float) -> float:
    return math.exp(twentieth(amount) * math.log1p(TIE))


def _worth(amount: float, axis: Axis) -> float:
    return by_factor(amount, axis.best, axis.worst)


def first_of(standing: Sequence[Assessed], axes: Sequence[Axis], draws: int) -> NDArray[np.intp]:
    """Which is worth most under each weighting: its place in ``standing``; of equals the one that comes first there.

    Equal is what the planner takes for equal: amounts count in steps of a twentieth.
    """
    weights = np.random.default_rng(SEED).dirichlet(np.ones(len(axes)), size=draws)
    worth = np.array([[_worth(_stepped(amount_of(a, axis.name)), axis) for axis in axes] for a in standing])
    # The last bits of a sum make no difference.
    found: NDArray[np.intp] = np.round(weights @ worth.T, 9).argmax(axis=1)
    return found


def on_front(amounts: NDArray[np.float64]) -> list[bool]:
    """Of each row, whether none is as small in all columns, and smaller in some."""
    no_more = (amounts[None, :, :] <= amounts[:, None, :]).all(axis=2)
    less = (amounts[None, :, :] < amounts[:, None, :]).any(axis=2)
    dominated = np.logical_and(no_more, less)
    return [not bool(row.any()) for row in dominated]
