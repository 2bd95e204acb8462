"""Values with gaps → values without: statsforecast's models take no missing ones.

A step without a value, between two that have one, gets the straight line between them. What was filled counts as nothing
that was foretold: neither it nor the step after it, whose value the line has seen.
"""

from __future__ import annotations

import numpy as np

MOST = 0.2  # of all steps: of more, a model would be one of straight lines


def ends_of(values: np.ndarray) -> tuple[int, int]:
    """The first value that is there, and the one after the last."""
    there = np.flatnonzero(~np.isnan(values))
    return (int(there[0]), int(there[-1]) + 1) if len(there) else (0, 0)


def filled(values: np.ndarray) -> np.ndarray:
    """(n,) without gaps; the first and the last value are there."""
    gone = np.isnan(values)
    if not gone.any():
        return values
    steps = np.arange(len(values))
    out = values.copy()
    out[gone] = np.interp(steps[gone], steps[~gone], values[~gone])
    return out


def foretellable(values: np.ndarray) -> np.ndarray:
    """(n,) bool: which have a value that was in no line before."""
    gone = np.isnan(values)
    after = np.concatenate([[False], gone[:-1]])
    counted: np.ndarray = ~(gone | after)
    return counted
