"""What others would choose: rules, published formulas, and lines through runs on parts of the rows. Pure functions.

Each names a candidate for one workload. Its time is then looked up among what was measured; see `judge.charged`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import nnls

IN_MEMORY, QUANTISED, OUT_OF_CORE, RANKS = "in-memory", "quantised", "out-of-core", "data-parallel"
FRAME_BYTES = 8.0  # of a cell of the frame that people hold, float64
BINS, TREES, DEPTH = 256, 100, 6  # XGBoost's own defaults


def quantised_if_it_fits(about: Mapping[str, Any], feasible: Sequence[str]) -> str:
    """The smaller matrix, else the disk. That it fits is taken from what was admitted, which is more than the rule can know."""
    return QUANTISED if QUANTISED in feasible else OUT_OF_CORE


def third_of_memory(about: Mapping[str, Any], feasible: Sequence[str]) -> str:
    """Data over a third of a machine's memory goes to several: here to two processes that share one fit."""
    return RANKS if frame_bytes(about["shape"]) > about["memory_bytes"] / 3 else IN_MEMORY


def autogluon(about: Mapping[str, Any], feasible: Sequence[str]) -> str:
    """A model whose estimate passes the memory is left out there; what is left here is the disk."""
    return OUT_OF_CORE if autogluon_bytes(about["shape"], about["params"]) > about["memory_bytes"] else IN_MEMORY


def autogluon_bytes(shape: Mapping[str, Any], params: Mapping[str, Any]) -> float:
    """AutoGluon's estimate for XGBoost, of its `XGBoostModel._estimate_memory_usage_static`.

    github.com/autogluon/autogluon, tabular/src/autogluon/tabular/models/xgboost/xgboost_model.py, commit 1bc0772: seven times the
    frame and a quarter of it for each class; 1.2 × 20 bytes for each bin of each column, times 2 to the depth (at least 6, one
    less from 9 on, 12 at most); 500 bytes for each class, tree (1,000 at most) and level.
    """
    frame, classes = frame_bytes(shape), shape["classes"] if shape["classes"] > 2 else 1
    depth = min(12, int(params.get("max_depth", DEPTH)) or 12)
    if leaves := params.get("max_leaves"):
        depth = min(depth, math.ceil(math.log2(leaves)))
    levels = 6 if depth < 7 else depth if depth < 9 else depth - 1
    histograms = 1.2 * 20 * 2**levels * shape["features"] * params.get("max_bin", BINS)
    trees = min(1_000, params.get("n_estimators", TREES)) * classes * depth * 500
    return frame * 7 + frame / 4 * classes + histograms + trees


def frame_bytes(shape: Mapping[str, Any]) -> float:
    """Of the training rows as a frame of numbers, a sparse one of what is there and where."""
    cells = shape["rows"] * shape["features"] * shape["density"]
    return float(cells * FRAME_BYTES * (1.5 if shape["density"] < 1 else 1.0))


def line(shares: Sequence[float], seconds: Sequence[float]) -> float:
    """Seconds of all rows, by a straight line through those of parts."""
    slope, start = np.polyfit(shares, seconds, 1)
    return float(start + slope)


def non_negative(shares: Sequence[float], seconds: Sequence[float]) -> float:
    """The same by non-negative least squares over 1, n and n log n, as Ernest fits its terms; n is 2²⁰ rows at full size."""

    def terms(share: float) -> list[float]:
        return [1.0, share, share * (20 + math.log2(share)) / 20]

    found, _ = nnls(np.array([terms(share) for share in shares]), np.array(seconds))
    return float(found @ terms(1.0))


def fastest(
    parts: Mapping[str, Mapping[str, Sequence[float]]], by: Callable[[Sequence[float], Sequence[float]], float]
) -> str | None:
    """The candidate whose extrapolation is the smallest; None where no parts were run."""
    found = {name: by(part["shares"], part["seconds"]) for name, part in parts.items()}
    return min(found, key=lambda name: (found[name], name)) if found else None


RULES: dict[str, Callable[[Mapping[str, Any], Sequence[str]], str]] = {
    "quantised if it fits, else out-of-core": quantised_if_it_fits,
    "one third of memory": third_of_memory,
    "AutoGluon's memory formulas": autogluon,
}
LINES: dict[str, Callable[[Sequence[float], Sequence[float]], float]] = {
    "linear extrapolation": line,
    "non-negative least squares": non_negative,
}
