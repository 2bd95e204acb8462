"""Groups of different sizes share rectangles: each is padded to a size that follows from its own alone."""

from __future__ import annotations

import numpy as np


def padded_to(sizes: np.ndarray, fineness: int = 8) -> np.ndarray:
    """(g,) int64: up to a ``fineness``-th more, of few different ones."""
    power = np.floor(np.log2(np.maximum(sizes, 1))).astype(np.int64)
    unit = np.maximum(1, 2**power // fineness)
    padded: np.ndarray = -(-sizes // unit) * unit
    return padded
