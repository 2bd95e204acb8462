"""Rows in blocks, one block for each group, so that a metric of 100,000 groups is a handful of array operations.

All sums run over the rows of one group alone, in their given order: a group's value has the same bits whichever groups
stand beside it, and the value over all rows is that of one group.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, final

import numpy as np

Takes = Literal["label", "proba", "value"]
Score = Callable[["Blocks", np.ndarray, np.ndarray, np.ndarray | None], np.ndarray]


@final
@dataclass(frozen=True, slots=True)
class Blocks:
    """Where the rows of each group lie once the rows of a group lie together. Holds at least one row."""

    n_groups: int
    present: np.ndarray  # codes of the groups that have rows, ascending
    starts: np.ndarray  # the first row of each of those
    sizes: np.ndarray  # and its number of rows
    order: np.ndarray | None = None  # brings the rows together; None where they do already

    @classmethod
    def whole(cls, n: int) -> Blocks:
        """All rows as one group."""
        return cls(1, np.zeros(1, np.int64), np.zeros(1, np.int64), np.array([n]))

    @classmethod
    def by(cls, group: np.ndarray, n_groups: int) -> Blocks:
        """The rows by their group's code, in the order that they have within it.

        Raises
        ------
        ValueError
            If a code is not in 0..n_groups-1.
        """
        if group.min() < 0 or group.max() >= n_groups:
            raise ValueError(f"group codes {group.min()} to {group.max()}, for {n_groups} groups: they count from 0")
        sizes = np.bincount(group, minlength=n_groups)
        present = np.flatnonzero(sizes)
        sizes = sizes[present]
        together = bool((group[1:] >= group[:-1]).all())
        return cls(n_groups, present, np.cumsum(sizes) - sizes, sizes, None if together else _argsort_codes(group))

    def take(self, rows: np.ndarray) -> np.ndarray:
        """The rows, those of a group together."""
        return rows if self.order is None else rows[self.order]

    def sum(self, rows: np.ndarray) -> np.ndarray:
        """(present,) float64: sums by group, pairwise within each."""
        sums: np.ndarray = np.add.reduceat(rows.astype(np.float64, copy=False), self.starts)
        return sums

    def mean(self, rows: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
        """(present,) float64: weighted means by group."""
        means: np.ndarray
        means = self.sum(rows) / self.sizes if weight is None else self.sum(rows * weight) / self.sum(weight)
        return means

    def spread(self, column: np.ndarray) -> np.ndarray:
        """A value of each present group, to go with its rows."""
        # one group broadcasts: over all rows a copy of n would be for nothing
        return column if len(column) == 1 else np.repeat(column, self.sizes)

    def runs(self, key: np.ndarray, stable: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Equal keys of a group, brought together; where ``stable``, in the order that they had.

        Returns (n,) the order of the rows by group and key, (runs,) the first row of each run in that order, and
        (present,) the first run of each group.
        """
        order = np.argsort(key, kind="stable" if stable else None)
        if len(self.starts) > 1:
            order = order[_argsort_codes(np.repeat(np.arange(len(self.starts)), self.sizes)[order])]
        ranked = key[order]
        first = np.ones(len(ranked), dtype=bool)
        np.not_equal(ranked[1:], ranked[:-1], out=first[1:])
        del ranked  # of 100 million rows each array is 0.8 GB
        first[self.starts] = True
        starts = np.flatnonzero(first)
        return order, starts, np.searchsorted(starts, self.starts)


@final
@dataclass(slots=True, eq=False)
class Blockwise:
    """A metric of all groups at once: a `contracts.Metric`. ``score`` gives a value for each present group.

    ``needs`` are the classes without which every prediction would get the same value: there it is undefined.
    """

    name: str
    takes: Takes
    tasks: frozenset[str]
    score: Score
    needs: frozenset[int] = frozenset()
    greater: bool = True

    def one(self, y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> float | None:
        """The value over all rows: to the bit what `many` gives for them as one group. None where undefined."""
        check_lengths(y, predicted, weight)
        if len(y) == 0:
            return None
        value = float(self._column(Blocks.whole(len(y)), y, predicted, weight)[0])
        return None if np.isnan(value) else value

    def many(
        self, group: np.ndarray, n_groups: int, y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None
    ) -> np.ndarray:
        """(n_groups,) float64: a value for each group, NaN where undefined."""
        check_lengths(y, predicted, weight, group)
        values = np.full(n_groups, np.nan)
        if len(y):
            blocks = Blocks.by(group, n_groups)
            weight = None if weight is None else blocks.take(weight)
            values[blocks.present] = self._column(blocks, blocks.take(y), blocks.take(predicted), weight)
        return values

    def _column(self, blocks: Blocks, y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
        weight = None if weight is None else weight.astype(np.float64, copy=False)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # no weight at all: 0/0, NaN
            values = self.score(blocks, y, predicted, weight) + 0.0  # -0.0 becomes 0.0
        for code in self.needs:
            there = y == code if weight is None else weight * (y == code)
            values[blocks.sum(there) == 0] = np.nan
        return values


def check_lengths(y: np.ndarray, *others: np.ndarray | None) -> None:
    """Raise ValueError unless all have as many rows."""
    lengths = {len(y), *(len(other) for other in others if other is not None)}
    if len(lengths) > 1:
        raise ValueError(f"arrays of {sorted(lengths)} rows: y, predicted, weight and group need as many")


def _argsort_codes(code: np.ndarray) -> np.ndarray:
    """(n,) int64: a stable argsort of small codes."""
    # (code, position) as one integer: sorting values takes half the time of sorting indices
    bits = len(code).bit_length()
    key = (code.astype(np.int64) << bits) | np.arange(len(code))
    key.sort()
    key &= (1 << bits) - 1
    return key
