"""Which rows to look at when not all can be: seeded, spread over the whole, in few units."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

SPREAD = 8  # places at least, so that data sorted by time or key is seen from end to end


def spread_ranges(
    segments: Sequence[tuple[int, int]], rows: int, seed: int, spread: int = SPREAD
) -> tuple[tuple[int, int], ...]:
    """About ``rows`` rows (exactly, where there are as many) of the segments, as sorted [start, stop) ranges.

    ``segments`` are the natural units (or what is asked of them), sorted and disjoint. Few are touched, but from ``spread``
    places at least: a unit is decoded from its beginning, so that rows of another unit cost more than further rows of the same.
    """
    total = sum(stop - start for start, stop in segments)
    if rows >= total:
        return tuple(segments)
    if rows <= 0:
        return ()
    rng = np.random.default_rng([seed, total])
    places = _cut(segments, min(spread, rows))
    picked: list[int] = []
    have = 0
    for index in _spread_order(places, rng):
        picked.append(index)
        have += places[index][1] - places[index][0]
        if have >= rows and len(picked) >= min(spread, rows, len(places)):
            break
    picked.sort()
    ranges: list[tuple[int, int]] = []
    left = rows
    for index in picked:
        start, stop = places[index]
        size = stop - start
        share = -(-left * size // have)  # rounded up; what is left over shrinks the later ones
        take = min(size, share, left)
        have -= size
        left -= take
        if take:
            first = start + int(rng.integers(0, size - take + 1))
            ranges.append((first, first + take))
    return merged(ranges)


def drawn(batches: Sequence[pa.RecordBatch], rows: int, seed: int) -> Iterator[pa.RecordBatch]:
    """About ``rows`` rows of the batches, the same share of each, in their order; all where there are no more."""
    total = sum(batch.num_rows for batch in batches)
    rng = np.random.default_rng([seed, total])
    for batch in batches:
        share = batch.num_rows if total <= rows else -(-batch.num_rows * rows // total)
        if share < batch.num_rows:
            batch = batch.take(np.sort(rng.choice(batch.num_rows, share, replace=False)))
        if batch.num_rows:
            yield batch


def merged(ranges: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Sorted, disjoint, non-empty ranges that cover the same rows."""
    out: list[tuple[int, int]] = []
    for start, stop in sorted(ranges):
        if start >= stop:
            continue
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(stop, out[-1][1]))
        else:
            out.append((start, stop))
    return tuple(out)


def _cut(segments: Sequence[tuple[int, int]], least: int) -> list[tuple[int, int]]:
    """The segments, cut into equal parts where there are fewer than ``least``."""
    parts = -(-least // len(segments))
    places: list[tuple[int, int]] = []
    for start, stop in segments:
        edges = [start + (stop - start) * k // parts for k in range(parts + 1)]
        places += [(a, b) for a, b in itertools.pairwise(edges) if a < b]
    return places


def _spread_order(places: Sequence[tuple[int, int]], rng: np.random.Generator) -> list[int]:
    """All places, any beginning of the list spread evenly: steps of the golden ratio from a random start."""
    n = len(places)
    step = 0.6180339887498949
    keys = (rng.random() + step * np.arange(4 * n + SPREAD)) % 1.0
    order = dict.fromkeys((keys * n).astype(int).tolist())
    for index in range(n):
        order.setdefault(index)
    return list(order)
