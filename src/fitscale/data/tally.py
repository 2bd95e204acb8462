"""What is counted of a column while its rows go by: missing, infinite and distinct values, in bounded memory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fitscale.data.features import kind_of
from fitscale.data.hashing import hashed, words_of
from fitscale.data.vectors import Vectors
from fitscale.records.base import Figure

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.records.data import GroupSizes

KEPT = 4_096  # smallest hashes kept: counts to there are exact, above it ± 2.6 % (90 %)
KEPT_OF_ALL = KEPT * 1_000  # 32 MB: wide data keeps fewer of each column
SPACE = 2.0**64
LOOKED_AT = 256  # texts of a batch whose words are counted
PENDING = 2_000_000  # partial group counts held before they are summed up
TOGETHER = 1.5  # runs of rows for each group, and groups of a batch for each that is new, in a table by key


class Distinct:
    """How many different values there are: the k smallest hashes (Bar-Yossef and others, 2002)."""

    def __init__(self, kept: int = KEPT) -> None:
        self.kept = kept
        self._least = np.empty(0, np.uint64)

    def add(self, column: pa.Array) -> None:
        """Count the values of a column without nulls and NaN."""
        import pyarrow.compute as pc

        full = len(self._least) == self.kept
        words = hashed(words_of(column if full else pc.unique(column)), 0)
        if full:  # almost nothing passes once many have gone by
            words = words[words < self._least[-1]]
        if len(words):
            # np.unique hashes before it sorts, and takes four times as long.
            words = np.sort(np.concatenate([self._least, words]))
            self._least = words[np.append(True, words[1:] != words[:-1])][: self.kept]

    @property
    def seen(self) -> float:
        """Of the values that went by."""
        n = len(self._least)
        return float(n) if n < self.kept else (self.kept - 1) * SPACE / float(self._least[-1])

    def figure(self, counted: int, of: float) -> Figure:
        """Over all ``of`` values when ``counted`` of them went by.

        From a sample: the estimator and bounds of Charikar and others (2000), where the number of values that occur
        once in the sample is taken to be what it is when all are equally frequent.
        """
        seen = min(self.seen, float(max(counted, 1)))
        if counted >= of:
            error = 1.645 / math.sqrt(self.kept - 2)
            return Figure.exact(seen) if len(self._least) < self.kept else Figure.around(seen, error, "estimated")
        once = seen * seen / max(counted, 1)
        more = of / max(counted, 1)
        value = seen - once + once * math.sqrt(more)
        return Figure(value=value, low=seen, high=seen - once + once * more, origin="estimated")


class ColumnTally:
    """One column. Rows are told apart by the place in the data that they were read from."""

    def __init__(self, name: str, type: str, kept: int = KEPT) -> None:
        self.name = name
        self.type = type
        self.kind = kind_of(type)
        self.infinite = 0
        self.missing: dict[int, int] = {}  # by place
        self.rows: dict[int, int] = {}
        self.distinct = Distinct(kept)
        self.width = self.pairs = 0  # of sparse vectors
        self.looked = self.length = self.blanks = 0  # texts that were looked at, their bytes and blanks

    def add(self, place: int, column: pa.Array) -> None:
        import pyarrow.compute as pc
        import pyarrow.types as t

        gone = column.null_count
        if t.is_floating(column.type):
            nan = pc.is_null(column, nan_is_null=True)
            gone = nan.true_count
            if gone:
                column = column.filter(pc.invert(nan))
            self.infinite += pc.is_inf(column).true_count
        elif gone:
            column = column.drop_null()
        self.missing[place] = self.missing.get(place, 0) + gone
        self.rows[place] = self.rows.get(place, 0) + len(column) + gone
        if self.kind == "vector":
            _, index, _ = Vectors.of(column, self.name)
            self.pairs += len(index)
            self.width = max(self.width, int(index.max(initial=-1)) + 1)
        elif self.kind != "unsupported" and len(column):
            self.distinct.add(column)
            if t.is_string(column.type):
                some = column.slice(0, LOOKED_AT)
                self.looked += len(some)
                self.length += pc.sum(pc.binary_length(some)).as_py()
                self.blanks += pc.sum(pc.count_substring(some, " ")).as_py()

    @property
    def words(self) -> float:
        """Of a text, on average; 1 where it has no blanks."""
        return 1 + self.blanks / self.looked if self.looked else 0.0

    @property
    def counted(self) -> int:
        """Values that are not missing."""
        return sum(self.rows.values()) - sum(self.missing.values())

    def missing_share(self, complete: bool) -> Figure:
        """Over all rows. From a sample: the wider of two 90 % intervals, over rows and over places (rows of one place
        are alike).
        """
        n = sum(self.rows.values())
        share = sum(self.missing.values()) / n if n else 0.0
        if complete:
            return Figure.exact(share)
        places = len(self.rows)
        spread = (
            sum((self.missing[p] - share * rows) ** 2 for p, rows in self.rows.items()) * places / max(1, places - 1)
        )
        error = max(1.645 * math.sqrt(share * (1 - share) / n), 1.9 * math.sqrt(spread) / n) if n else 1.0
        low, high = max(0.0, share - error), min(1.0, share + error + 2.3 / max(n, 1))  # none seen: at most 2.3 / n
        return Figure(value=share, low=min(low, share), high=max(high, share), origin="estimated")


class GroupTally:
    """How many rows each group has. Groups are told apart by a 64-bit hash: sizes are all that is asked.

    Of a part of the rows it matters how they lie: of a table by key some groups are seen as a whole, of others a part of each.
    """

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.columns = columns
        self.rows = 0
        self.without_key = 0  # rows in which a part of the key is missing
        self._runs = 0  # of rows of one group, one after the other
        self._seen = 0  # groups, those of one batch once
        self._hashes: list[np.ndarray] = []
        self._counts: list[np.ndarray] = []
        self._held = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """``batch`` has the group columns."""
        n = batch.num_rows
        self.rows += n
        lacking = np.zeros(n, bool)
        hashes = np.zeros(n, np.uint64)
        for name in self.columns:
            column = batch.column(name)
            hashes = hashed(words_of(column) ^ hashes, 0)
            if column.null_count:
                lacking |= column.is_null().to_numpy(zero_copy_only=False)
        self.without_key += int(lacking.sum())
        found, counts = np.unique(hashes, return_counts=True)
        self._runs += int(np.count_nonzero(hashes[1:] != hashes[:-1])) + 1
        self._seen += len(found)
        self._hashes.append(found)
        self._counts.append(counts)
        self._held += len(found)
        if self._held > PENDING:
            self._merge()
            self._held = len(self._hashes[0]) // 2  # else many groups would be summed up at each batch

    def counts(self) -> np.ndarray:
        """(groups,) int64."""
        self._merge()
        return self._counts[0]

    def sizes(self, of: int) -> GroupSizes | None:
        """Over ``of`` rows. Estimated when fewer went by: of a table by key by their number, else by Chao (1984)."""
        from fitscale.records.data import GroupSizes

        counts = np.sort(self.counts())
        n = len(counts)
        if not n:
            return None
        scale = of / self.rows
        exact = self.rows >= of
        if not exact and self._lie_together(n):
            n, scale = max(1, round(n * scale)), 1.0
        elif not exact:
            once, twice = int((counts == 1).sum()), int((counts == 2).sum())
            n = min(of, n + once * (once - 1) // (2 * (twice + 1)))
        low, middle, high = (int(x) for x in (counts[0], np.median(counts), counts[-1]))
        return GroupSizes(
            n=n,
            rows_min=low if exact else 1,
            rows_median=middle if exact else max(1, round(middle * scale)),
            rows_max=high if exact else round(high * scale),
            exact=exact,
        )

    def _lie_together(self, n: int) -> bool:
        """Whether the rows of most of ``n`` groups came one after the other, and are no part of them."""
        return self._runs < TOGETHER * self._seen < TOGETHER**2 * n and self.rows > TOGETHER * self._runs

    def _merge(self) -> None:
        hashes = np.concatenate([np.empty(0, np.uint64), *self._hashes])
        counts = np.concatenate([np.empty(0, np.int64), *self._counts])
        found, place = np.unique(hashes, return_inverse=True)
        summed = np.zeros(len(found), np.int64)
        np.add.at(summed, place, counts)
        self._hashes, self._counts = [found], [summed]
