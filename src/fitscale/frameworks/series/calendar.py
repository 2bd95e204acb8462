"""Terms of the calendar: which hour, weekday or month a step is in."""

from __future__ import annotations

import numpy as np

NANOSECONDS = 1_000_000_000
LEVELS = {"hour": 24, "weekday": 7, "month": 12}


def width_of(parts: tuple[str, ...]) -> int:
    """Terms beside a constant: of each part one less than it has levels."""
    return sum(LEVELS[part] - 1 for part in parts)


def terms_of(moments: np.ndarray, parts: tuple[str, ...]) -> np.ndarray:
    """(b, width, t) of 0 and 1 for (b, t) moments in nanoseconds (UTC). The first level of a part has none."""
    found = [
        (level_of(moments, part)[:, None, :] == np.arange(1, LEVELS[part])[:, None]).astype(np.float64)
        for part in parts
    ]
    return np.concatenate(found, axis=1) if found else np.empty((len(moments), 0, moments.shape[1]))


def level_of(moments: np.ndarray, part: str) -> np.ndarray:
    """(b, t) int64 from 0 on; Monday is 0."""
    if part == "hour":
        return moments // (3_600 * NANOSECONDS) % 24
    if part == "weekday":
        return (moments // (86_400 * NANOSECONDS) + 3) % 7
    months: np.ndarray = moments.astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64) % 12
    return months
