"""What many small fits take, from a few that were timed one by one: times what the law says of each, and seconds beside.

A law knows how a fit grows with its rows. What a fit of a few rows takes is mostly what stands around it, the same for each:
of that the law may say too little by far. Groups of different sizes tell both; of one size they need not be told apart.
"""

from __future__ import annotations

import numpy as np

ALIKE = 0.05  # deviation of what the law says, in means: below, the groups are of one size
FAR, LEAST_OFF = 1.5, 0.02  # deviations of the fits, beyond which one counts less, and the least that is so
ROUNDS = 5  # of weights, by which a large group counts as much as a small one


def pace_of(by_law: np.ndarray, took: np.ndarray) -> tuple[float, float]:
    """(times, seconds): fits took ``seconds + times * by_law``, neither below 0.

    Parameters
    ----------
    by_law, took
        (n,) CPU seconds of each fit.
    """
    times, seconds = float(took.sum() / max(1e-12, by_law.sum())), 0.0
    are_alike = len(took) < 3 or by_law.std() <= ALIKE * by_law.mean()
    for _ in range(ROUNDS):
        said = np.maximum(times * by_law + seconds, 1e-9)
        sure = _sureness(took / said - 1)
        if are_alike:
            times = float((sure * took).sum() / max(1e-12, (sure * by_law).sum()))
            continue
        weight = np.sqrt(sure) / said
        times, seconds = _weighted(by_law * weight, weight, took * weight)
    return times, seconds


def _sureness(off: np.ndarray) -> np.ndarray:
    """(n,) how much each counts that is off by so many times what was said (Huber, 1964): others may have used the machine."""
    middle = np.median(off)
    usual = max(LEAST_OFF, FAR * 1.4826 * float(np.median(np.abs(off - middle))))
    counts: np.ndarray = np.minimum(1.0, usual / np.maximum(np.abs(off - middle), usual))
    return counts


def _weighted(x: np.ndarray, one: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Least squares of y by ``times * x + seconds * one``, both at least 0."""
    xx, x1, oo, xy, oy = (float(a @ b) for a, b in ((x, x), (x, one), (one, one), (x, y), (one, y)))
    most = xx * oo - x1 * x1
    if most > 1e-12 * xx * oo:
        times, seconds = (oo * xy - x1 * oy) / most, (xx * oy - x1 * xy) / most
        if times >= 0 and seconds >= 0:
            return times, seconds
    by_x, by_one = xy / xx, oy / oo  # one of both alone: the one that leaves less
    left = [float(((y - fitted) ** 2).sum()) for fitted in (by_x * x, by_one * one)]
    return (by_x, 0.0) if left[0] <= left[1] else (0.0, by_one)
