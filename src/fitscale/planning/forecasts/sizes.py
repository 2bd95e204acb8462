"""How many rows the groups have, as a plan keeps it: some pairs, whether there are a hundred groups or a hundred thousand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

BUCKETS = 12  # of groups by their size, each taken as of its mean


def outline_of(sizes: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Pairs in rising order: rows, and how many groups have about so many. The largest is never rounded.

    All sizes where few differ; else the mean of each of the `BUCKETS`, by which a law is summed over the groups.
    """
    if not len(sizes):
        return ()
    ordered = np.sort(np.asarray(sizes))
    distinct, counts = np.unique(ordered, return_counts=True)
    if len(distinct) <= 2 * BUCKETS:
        return tuple((int(rows), int(n)) for rows, n in zip(distinct, counts, strict=True))
    *smaller, last = np.array_split(ordered, BUCKETS)
    parts = [*smaller, last[:-1], last[-1:]]
    return tuple((max(1, round(float(part.mean()))), len(part)) for part in parts if len(part))


def sizes_of(outline: Sequence[tuple[int, int]], longer: float = 1.0, more: float = 1.0) -> list[int] | None:
    """Rows of each group, of so many times the rows and so many times the groups; None where no size was kept."""
    if not outline:
        return None
    rows = [max(1, round(size * longer)) for size, _ in outline]
    found: list[int] = np.repeat(rows, [max(1, round(n * more)) for _, n in outline]).tolist()
    return found
