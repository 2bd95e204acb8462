"""The families of learning curves: each is a level minus a gain times a shape that falls with the rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

FAMILIES = ("power law", "offset power law", "sigmoid", "exponential", "logarithm", "inverse logarithm", "1/n")


class Candidate(NamedTuple):
    """One shape: a family with its exponent, and what it counts before anything was seen."""

    family: str
    exponent: float
    scale: float  # in the first size: an offset, or where a sigmoid is half-way, or what an exponential falls to 1/e in
    prior: float


def _candidates() -> tuple[Candidate, ...]:
    """Each family counts as much as each other, and within one each step of its grid."""
    grids: dict[str, list[tuple[float, float]]] = {
        "power law": [(c, 0.0) for c in np.arange(0.05, 2.001, 0.0125).tolist()],
        "offset power law": [(c, d) for c in np.arange(0.1, 2.001, 0.1).tolist() for d in (-0.5, 1.0, 3.0, 10.0, 30.0)],
        "sigmoid": [(c, k) for c in (1.25, 1.5, 2.0, 3.0) for k in np.geomspace(0.5, 300.0, 25).tolist()],
        "exponential": [(0.0, t) for t in np.geomspace(0.3, 300.0, 100).tolist()],
        "logarithm": [(0.0, 0.0)],
        "inverse logarithm": [(0.0, 0.0)],
        "1/n": [(1.0, 0.0)],
    }
    return tuple(
        Candidate(family, exponent, scale, 1 / len(FAMILIES) / len(grid))
        for family, grid in grids.items()
        for exponent, scale in grid
    )


CANDIDATES = _candidates()
_EXPONENTS, _SCALES = (np.array([getattr(c, name) for c in CANDIDATES])[:, None] for name in ("exponent", "scale"))


def _of(*families: str) -> np.ndarray:
    return np.array([candidate.family in families for candidate in CANDIDATES])


_POWERS, _SIGMOIDS = _of("power law", "offset power law", "1/n"), _of("sigmoid")
_EXPONENTIALS, _LOGARITHM, _INVERSE = _of("exponential"), _of("logarithm"), _of("inverse logarithm")


def falling(rows: np.ndarray, first: float) -> np.ndarray:
    """(candidates, n) each shape at these rows, where ``first`` is the smallest size that was tried."""
    times = rows / first
    found = np.empty((len(CANDIDATES), len(rows)))
    found[_POWERS] = ((times + _SCALES[_POWERS]) / (1 + _SCALES[_POWERS])) ** -_EXPONENTS[_POWERS]
    found[_SIGMOIDS] = 1 / (1 + (times / _SCALES[_SIGMOIDS]) ** _EXPONENTS[_SIGMOIDS])
    found[_EXPONENTIALS] = np.exp(-(times - 1) / _SCALES[_EXPONENTIALS])
    found[_LOGARITHM] = -np.log(times)
    found[_INVERSE] = 1 / np.log(np.maximum(rows, 2.0))
    return found
