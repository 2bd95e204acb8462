"""How far measurements move the priors of a law's terms: least squares that keeps to the priors where it knows nothing.

One or two small samples cannot tell the terms of a law apart. A plain fit would put all of the time into whichever term
happens to grow as the samples did, and explode at full size. So each term is held to the prior with a strength that says
how much the prior is trusted, against measurements that weigh by their noise: the most probable coefficients when both are
normal. No coefficient falls below the term's floor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from fitscale.records.plan import Term

LEAST_SCALE = 0.02  # of a prior


class Seen(NamedTuple):
    """One measurement: what each term should have cost by its prior, and what all of them together did."""

    by_prior: Mapping[str, float]
    took: float


def by_name(terms: Sequence[Term], factor: float = 1.0) -> dict[str, float]:
    """Seconds or bytes by prior; terms of one name are added up."""
    found: dict[str, float] = {}
    for term in terms:
        found[term.name] = found.get(term.name, 0.0) + term.amount * term.prior * factor
    return found


def floor_of(terms: Sequence[Term], factor: float = 1.0) -> float:
    """The least that physics allows."""
    return sum(term.amount * min(term.floor, term.prior) for term in terms) * factor


def coefficients(
    terms: Sequence[Term], seen: Sequence[Seen], *, noise: float, least: float, trust: float, scaled: bool
) -> dict[str, float]:
    """By what each term's prior is to be multiplied, for the terms at full size.

    Parameters
    ----------
    noise, least
        Standard deviation of a measurement, relative and absolute.
    trust
        Relative standard deviation of the priors among each other.
    scaled
        Whether all priors may be wrong by one common factor, as on a faster machine. Bytes are not.
    """
    names = sorted({term.name for term in terms})
    if not seen or not names:
        return dict.fromkeys(names, 1.0)
    X = np.array([[s.by_prior.get(name, 0.0) for name in names] for s in seen])
    # What is not there at full size keeps its prior.
    y = np.array([s.took - sum(v for name, v in s.by_prior.items() if name not in names) for s in seen])
    weight = 1.0 / (noise * np.array([abs(s.took) for s in seen]) + least)
    scale = _common(X.sum(axis=1) * weight, y * weight, trust) if scaled else 1.0
    floors = _floors(terms, names)
    A = np.vstack([X * weight[:, None], np.eye(len(names)) / (trust * scale)])
    b = np.concatenate([y * weight, np.full(len(names), 1.0 / trust)])
    found = _bounded(A, b, np.minimum(floors, scale))
    return dict(zip(names, found.tolist(), strict=True))


def _common(x: np.ndarray, y: np.ndarray, trust: float) -> float:
    """One factor for all terms, itself held to 1 where the measurements are nothing but noise."""
    hold = 1.0 / (4 * trust) ** 2
    return float(max(LEAST_SCALE, (x @ y + hold) / (x @ x + hold)))


def _floors(terms: Sequence[Term], names: Sequence[str]) -> np.ndarray:
    least = dict.fromkeys(names, 1.0)
    for term in terms:
        least[term.name] = min(least[term.name], term.floor / term.prior if term.prior else 0.0)
    return np.array([least[name] for name in names])


def _bounded(A: np.ndarray, b: np.ndarray, low: np.ndarray) -> np.ndarray:
    """Least squares with x ≥ low: what falls below is held there, the worst first, and the rest solved again."""
    held = np.zeros(len(low), dtype=bool)
    x = low.copy()
    while not held.all():
        free = ~held
        x[free] = np.linalg.lstsq(A[:, free], b - A[:, held] @ low[held], rcond=None)[0]
        short = np.where(free, low - x, -1.0)
        if short.max() <= 1e-12:
            return x
        worst = int(short.argmax())
        held[worst], x[worst] = True, low[worst]
    return x
