"""What every model of a series says of its errors one step ahead: how large they are, of how many, and how heavy their tails."""

from __future__ import annotations

import numpy as np

SAID = 3  # numbers of a model, at its beginning: deviation of the errors, how many there were, their kurtosis
NORMAL = 3.0  # kurtosis


def said_of(squares: np.ndarray, fourths: np.ndarray, n: np.ndarray, spent: int) -> np.ndarray:
    """(b, 3) of the sums of second and fourth powers of ``n`` errors (b,), of which ``spent`` numbers were fitted."""
    count = np.maximum(n, 1.0)
    square = squares / count
    kurtosis = np.where(square > 0, fourths / count / np.where(square > 0, square, 1.0) ** 2, NORMAL)
    deviation = np.sqrt(squares / np.maximum(n - spent, 1.0))
    return np.stack([deviation, n, np.maximum(kurtosis, 1.0)], axis=1)


def before(last: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """(b, k): the values of the k steps before a beginning that is ``gap`` steps after the end of (b, k) last values.

    What is not known, because it lies between the two, is NaN.
    """
    k = last.shape[1]
    place = np.arange(k) + gap[:, None]
    known = (place >= 0) & (place < k)
    values: np.ndarray = np.take_along_axis(last, np.clip(place, 0, max(0, k - 1)), axis=1)
    return np.where(known, values, np.nan)
