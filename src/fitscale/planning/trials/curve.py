"""A learning curve: what a model's score becomes with more rows, and what is lost with fewer, each with its 90 % interval.

A pure function over what trials showed. The families are those that describe most learning curves (Viering and Loog 2022, "The
shape of learning curves: a review"; Mohr and others 2022, "LCDB 1.0"): power laws, with an offset too, exponentials, logarithms.
None is picked: each is fitted at every step of a grid of its exponents, and all count by how well they hold (`families`). What
is not known shows as draws: the judged rows are drawn again block by block, the same blocks for all trials; the rows that train are
drawn again by the noise that trials of equal size show; and for each such draw a family by its weight.

Where a curve falls with more rows, or has too few points, no family is believed: the last value stands (`LastValue`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from fitscale.planning.trials.families import CANDIDATES, FAMILIES, falling
from fitscale.records.base import Figure
from fitscale.records.trials import Tried

DRAWS = 600
LEAST_SIZES = 4  # of trials: a power law has three unknowns
LEAST_BLOCKS = 4  # that are judged in all trials: fewer tell nothing of chance
INTERVAL = (0.05, 0.95)
FALLS = 3.0  # standard errors by which a score must fall with more rows, to be no chance
TINY = 1e-9  # relative to the score: what no noise is below, so that an exact curve can be fitted


class Point(NamedTuple):
    """One trial: how many rows trained, its score (more is better), and that on each block of the judged rows."""

    rows: int
    score: float
    blocks: tuple[float | None, ...] = ()
    size: int = 0  # that was asked for: trials of one size repeat each other


class Fitted(Protocol):
    """A curve with what is not known of it."""

    weights: dict[str, float]  # of the families, by name: they add up to 1

    def loss(self, rows: float, than: float) -> Figure:
        """What ``rows`` score less than so many more: never below 0, and the smaller the more rows."""

    def score(self, rows: float) -> Figure:
        """What so many rows would score, on average over which they are."""


def points_of(tried: Sequence[Tried]) -> list[Point]:
    """Those trials that have a score, the smallest first."""
    found = [
        Point(one.rows, one.score, one.blocks, one.trial.rows or one.rows)
        for one in tried
        if one.score is not None and one.rows > 1
    ]
    return sorted(found)


def fit(points: Sequence[Point], seed: int = 0) -> Fitted | None:
    """The curve through these points; None where they are of one size, or none.

    Parameters
    ----------
    points
        In rising order of their rows, some of a size repeated with other rows.
    """
    sizes = sorted({point.size for point in points})
    if len(sizes) < 2:
        return None
    noise = _Noise(points)
    if len(sizes) < LEAST_SIZES or noise.falls():
        return LastValue(noise, seed)
    return Families(noise, seed)


class _Noise:
    """The points as arrays, and how far chance may have moved each."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.rows = np.array([point.rows for point in points], np.float64)
        self.scores = np.array([point.score for point in points], np.float64)
        self.sizes, self.of_size = np.unique([point.size for point in points], return_inverse=True)
        self.counts = np.bincount(self.of_size)
        self.mean_rows = self._means(self.rows)
        self.means = self._means(self.scores)
        self._floor = TINY * max(1e-12, float(np.abs(self.scores).max()))
        self.blocks = _whole(points)  # (points, blocks) as far from the points' scores as chance lets them be
        # Of equal sizes: the variance of a score falls about as one over the rows, which puts all sizes together.
        self.repeats = int((self.counts - 1).sum())
        apart = (self.scores - self.means[self.of_size]) ** 2 * self.rows
        self.by_rows = float(apart.sum()) / max(1, self.repeats)
        self.by_blocks = self._by_blocks()

    def _means(self, values: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.bincount(self.of_size, values) / self.counts
        return found

    def _by_blocks(self) -> float:
        """The variance of a score, against others on the same rows, by which rows judge it."""
        if self.blocks.shape[1] < LEAST_BLOCKS:
            return 0.0
        table = np.stack([self.blocks[self.of_size == k].mean(axis=0) for k in range(len(self.sizes))])
        own = table - table.mean(axis=0)  # what a block is harder for all is no noise of one
        own -= own.mean(axis=1, keepdims=True)
        k, b = table.shape
        return float((own**2).sum() / max(1, (k - 1) * (b - 1)) / b)

    def variances(self) -> np.ndarray:
        """(n,) of each score."""
        found: np.ndarray = self.by_rows / self.rows + self.by_blocks + self._floor**2
        return found

    def drawn(self, rng: np.random.Generator, draws: int) -> tuple[np.ndarray, np.ndarray]:
        """((draws, n) scores as chance could have had them, (draws,) times the variance by rows that is then the true one)."""
        k = max(1, self.repeats)
        times = k / rng.chisquare(k, draws)  # of few repeats the variance itself is hardly known
        spread = np.sqrt(times[:, None] * self.by_rows / self.rows + self._floor**2)
        scores = self.scores + spread * rng.standard_normal((draws, len(self.rows)))
        b = self.blocks.shape[1]
        if b >= LEAST_BLOCKS:
            weights = rng.multinomial(b, np.full(b, 1 / b), draws) / b - 1 / b
            scores += np.sqrt(b / (b - 1)) * weights @ self.blocks.T
        return scores, times

    def falls(self) -> bool:
        """Whether more rows score less somewhere, by more than chance."""
        variance = np.maximum(self._means(self.by_rows / self.rows) / self.counts, 0) + self.by_blocks + self._floor**2
        best, at = self.means[0], 0
        for k in range(1, len(self.means)):
            if self.means[k] >= best:
                best, at = self.means[k], k
            elif best - self.means[k] > FALLS * float(np.sqrt(variance[k] + variance[at])):
                return True
        return False


def _whole(points: Sequence[Point]) -> np.ndarray:
    """(points, blocks) scores by block, of the blocks in which all have one."""
    width = min((len(point.blocks) for point in points), default=0)
    table = np.array(
        [[np.nan if value is None else value for value in point.blocks[:width]] for point in points], np.float64
    )
    return table[:, np.isfinite(table).all(axis=0)] if width else np.empty((len(points), 0))


class Families:
    """All families together, each by its weight."""

    def __init__(self, noise: _Noise, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._first = float(noise.rows.min())
        scores, times = noise.drawn(rng, DRAWS)
        everything = np.vstack([noise.scores, scores])
        shapes = falling(noise.rows, self._first)  # (candidates, n)
        weights = 1 / noise.variances()
        total = weights.sum()
        mean = everything @ weights / total
        level = shapes @ weights / total
        apart = shapes - level[:, None]
        own = np.maximum((weights * apart**2).sum(axis=1), 1e-300)
        gain = np.maximum(0.0, -(everything @ (weights * apart).T) / own)  # more rows are never worse
        left = (weights * (everything - mean[:, None]) ** 2).sum(axis=1)[:, None] - gain**2 * own
        free = max(1, len(noise.rows) - 3)
        off = max(1.0, float(left[0].min()) / free)  # where no family holds within the noise, all is less sure
        true = np.concatenate([[1.0], times])
        likely = -0.5 * np.maximum(0.0, left - left.min(axis=1, keepdims=True)) / (off * true[:, None])
        likely += np.log([candidate.prior for candidate in CANDIDATES])
        taken = np.argmax(likely[1:] + rng.gumbel(size=likely[1:].shape), axis=1)
        at = np.arange(DRAWS)
        wider = np.sqrt(off)
        self._taken = taken
        self._gain = gain[1:][at, taken] if wider == 1.0 else np.maximum(
            0.0, gain[0][taken] + wider * (gain[1:][at, taken] - gain[0][taken])
        )  # fmt: skip
        self._level = mean[1:] + self._gain * level[taken]
        share = np.exp(likely[0] - likely[0].max())
        share /= share.sum()
        self.weights = {
            name: round(float(sum(w for w, c in zip(share, CANDIDATES, strict=True) if c.family == name)), 4)
            for name in FAMILIES
        }

    def _at(self, rows: float) -> np.ndarray:
        found: np.ndarray = falling(np.array([rows]), self._first)[self._taken, 0]
        return found

    def loss(self, rows: float, than: float) -> Figure:
        return _figure(self._gain * (self._at(rows) - self._at(than)))

    def score(self, rows: float) -> Figure:
        return _figure(self._level - self._gain * self._at(rows))


class LastValue:
    """No family: between the sizes that were tried the scores as they are, made to rise, and beyond them the last one.

    What could be gained beyond is anything from nothing to what the last doubling gained, again with each doubling. A curve that
    has fallen may rise as far again: so much more may be lost by any fewer rows.
    """

    weights = {"last value": 1.0}

    def __init__(self, noise: _Noise, seed: int) -> None:
        rng = np.random.default_rng(seed)
        scores, _ = noise.drawn(rng, DRAWS)
        table = np.stack([scores[:, noise.of_size == k].mean(axis=1) for k in range(len(noise.sizes))], axis=1)
        weights = noise.counts * noise.mean_rows
        self._logs = np.log2(noise.mean_rows)
        self._scores = np.stack([rising(row, weights) for row in table])
        doublings = self._logs[-1] - self._logs[-2]
        self._fall = float((np.maximum.accumulate(noise.means) - noise.means).max())
        self._more = rng.random(DRAWS) * (self._scores[:, -1] - self._scores[:, -2]) / max(1e-9, doublings)

    def _at(self, rows: float) -> np.ndarray:
        log = np.log2(rows)
        beyond = max(0.0, log - self._logs[-1]) * self._more
        found: np.ndarray = np.array([np.interp(log, self._logs, row) for row in self._scores]) + beyond
        return found

    def loss(self, rows: float, than: float) -> Figure:
        loss = _figure(self._at(than) - self._at(rows))
        return loss.but(high=loss.high + self._fall) if rows < than else loss

    def score(self, rows: float) -> Figure:
        return _figure(self._at(rows))


def rising(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The nearest sequence that never falls: neighbours that do are put together to their weighted mean."""
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        pools.append((value, weight, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, u, i), (b, v, j) = pools[-2:]
            pools[-2:] = [((a * u + b * v) / (u + v), u + v, i + j)]
    return np.repeat([mean for mean, _, _ in pools], [n for _, _, n in pools])


def _figure(draws: np.ndarray) -> Figure:
    low, middle, high = np.quantile(draws, (INTERVAL[0], 0.5, INTERVAL[1]))
    return Figure(value=float(middle), low=float(low), high=float(high), origin="estimated")
