"""Parents: groups that are several groups together, for those that are too small for a model of their own.

They stand after all others in a partition, each with a part of the rows of its groups: as many as the largest group has, so
that a parent costs no more time and memory than a group that is there anyway. Its key is theirs, null in the columns that
tell them apart; the last one, null in all, has rows of everything.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fitscale.data.groupkeys import KeyRanks
from fitscale.data.hashing import MASK, hashed, mixed

if TYPE_CHECKING:
    import pyarrow as pa

SMALL = 100  # rows: groups of fewer may have need of a parent
LEAST = 10_000  # rows that a parent has, if its groups have as many
SALT = 0x706172656E7473


class Parent(NamedTuple):
    """Groups ``start`` to ``stop`` together, whose keys are the same in the first ``columns`` columns."""

    columns: int
    start: int
    stop: int


def parents_of(keys: pa.Table, sizes: np.ndarray, nearest: bool) -> list[Parent]:
    """Those that small groups may have need of, nearest first; where not ``nearest``, the one of all groups alone."""
    found: list[Parent] = []
    for columns in range(keys.num_columns - 1, 0, -1) if nearest else ():
        prefix = keys.select(keys.column_names[:columns]).combine_chunks()
        rank = KeyRanks(prefix).of(prefix.to_batches()[0])
        bounds = [0, *(np.flatnonzero(np.diff(rank)) + 1).tolist(), len(rank)]
        found += [
            Parent(columns, start, stop)
            for start, stop in itertools.pairwise(bounds)
            if stop - start > 1 and sizes[start:stop].min() < SMALL
        ]
    return [*found, Parent(0, 0, len(sizes))]


def keys_of(parents: list[Parent], keys: pa.Table) -> pa.Table:
    """The parents' own keys, of the types of the groups'."""
    import pyarrow as pa
    import pyarrow.compute as pc

    first = keys.take(pa.array([parent.start for parent in parents]))
    own = {
        name: pc.if_else(pa.array([k < parent.columns for parent in parents]), first.column(name), None)
        for k, name in enumerate(keys.column_names)
    }
    return pa.table(own, schema=keys.schema)


class Picker:
    """Which rows each parent has: drawn by the hash of their numbers, so that they are the same however rows were read."""

    def __init__(self, parents: list[Parent], sizes: np.ndarray, seed: int) -> None:
        ends = np.concatenate([[0], np.cumsum(sizes)])
        self.spans = [(int(ends[parent.start]), int(ends[parent.stop])) for parent in parents]  # of rows
        most = max(LEAST, int(sizes.max()))
        self._most = [min(MASK, int(most / max(1, stop - start) * 2.0**64)) for start, stop in self.spans]
        self._key = mixed(seed & MASK ^ SALT)

    def of(self, k: int, numbers: np.ndarray) -> np.ndarray:
        """(n,) bool: which rows, by their numbers in the snapshot, parent ``k`` has."""
        return hashed(numbers.astype(np.uint64), self._key) <= np.uint64(self._most[k])
