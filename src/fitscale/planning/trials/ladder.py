"""Which parts of the rows are tried for a learning curve, in what order, and when it is known well enough. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fitscale.planning.trials.curve import LEAST_SIZES, Fitted, fit, points_of
from fitscale.planning.trials.tolerance import tolerance_of
from fitscale.records.curve import Curve, Level
from fitscale.records.trials import Trial, Tried

SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7)  # that may be taken
LEAST_ROWS = 500  # of a trial: of fewer the score is mostly chance
LEAST_CURVE_ROWS = 2_000  # training rows: with fewer there is nothing to be saved
SMALLEST = 1 / 1024  # of the rows
TWICE = 1 / 16  # up to this share trials are repeated with other rows, and the two smallest sizes twice
BUDGET_S = 20.0
BUDGET_SHARE = 0.1  # of the time that all rows are forecast to take
LINE = 33  # points that a curve is drawn through


def ladder(rows: int, whole_s: float = 0.0) -> tuple[Trial, ...]:
    """The trials that could be done, the cheapest first, where a trial has at most so many rows.

    Sizes double, from 500 rows or a thousandth. The smallest are repeated with other rows: from what these differ by is known
    what chance does. The last has all rows. Where doubling gives fewer than five sizes, or would soon spend the tenth that may be
    spent of ``whole_s`` (what all rows take), sizes grow by the root of two, and less is repeated.
    """
    least = max(LEAST_ROWS, rows * SMALLEST)
    doublings = math.log2(rows / least) if rows > least else 0.0
    dear = BUDGET_SHARE * whole_s > BUDGET_S
    step = 0.5 if dear or doublings < LEAST_SIZES else 1.0
    found: list[Trial] = []
    steps = int(doublings / step)
    for k in range(steps, -1, -1):
        share = 2.0 ** (-k * step)
        repeated = k >= steps - 1 or (share <= TWICE and not dear)
        times = 1 if not k else 3 if k == steps or (k == steps - 1 and not dear) else 1 + repeated
        found += [Trial(rows=round(rows * share) if k else None, seed=seed) for seed in range(times)]
    return tuple(found)


class Climb:
    """The ladder as it is climbed: asked after each trial whether the next one is worth its time.

    Parameters
    ----------
    trials
        As `ladder` gives them.
    most
        The rows of a trial that has all that a trial may have.
    whole
        Training rows where all are taken: more, since some judge the trials.
    prior_s
        What all rows are forecast to take.
    tolerance
        In the metric's own units; None: `tolerance_of`.
    limit_s
        Seconds that all trials may take, whatever all rows take.
    """

    def __init__(
        self,
        trials: Sequence[Trial],
        most: int,
        whole: int,
        prior_s: float,
        *,
        tolerance: float | None = None,
        limit_s: float = math.inf,
        seed: int = 0,
    ) -> None:
        self._trials = trials
        self._most = most
        self._whole = whole
        self._prior_s = prior_s
        self._tolerance = tolerance
        self._limit_s = limit_s
        self._seed = seed
        self.settled = False  # nothing more could have paid for itself

    def budget_s(self, done: Sequence[Tried] = ()) -> float:
        """The larger of twenty seconds and a tenth of what all rows would take, by what the trials took."""
        return min(self._limit_s, max(BUDGET_S, BUDGET_SHARE * self.whole_s(done)))

    def cut_short(self, done: Sequence[Tried]) -> bool:
        """Whether ``limit_s`` ended what would have been worth more time."""
        return not self.settled and self.budget_s(done) >= self._limit_s

    def whole_s(self, done: Sequence[Tried]) -> float:
        """What all rows would take: as the trials' times grow with their rows, or as was forecast before they do."""
        if not done or self._size(done[-1].trial) < 4 * self._size(done[0].trial):
            return self._prior_s
        return self._seconds(self._whole, done)

    def is_over(self, done: Sequence[Tried], spent_s: float) -> bool:
        """Whether the next trial would pass the budget, or cost more than it could save."""
        if len(done) >= len(self._trials):
            self.settled = True
            return True
        if not done:
            return False
        left = self._trials[len(done) :]
        next_s, budget_s = self._seconds(self._size(left[0]), done), self.budget_s(done)
        if spent_s + next_s > budget_s:
            return True
        if left[0].rows == done[-1].trial.rows:
            return False  # one of a size is looked at with the others of it
        if (
            self.whole_s(done) <= budget_s
            and spent_s + sum(self._seconds(self._size(trial), done) for trial in left) <= budget_s
        ):
            return False  # where the curve can be measured to its end, it is
        self.settled = self._saves_s(done) <= next_s
        return self.settled

    def _size(self, trial: Trial) -> int:
        return trial.rows or self._most

    def _seconds(self, rows: int, done: Sequence[Tried]) -> float:
        """What a trial of so many rows may take: what the smallest and the largest took, on a line."""
        least, most = self._size(done[0].trial), self._size(done[-1].trial)
        small, large = (min(one.seconds for one in done if self._size(one.trial) == size) for size in (least, most))
        if most == least or large <= small:
            return done[-1].seconds * max(1.0, rows / most)
        return max(small, large + (large - small) / (most - least) * (rows - most))

    def _saves_s(self, done: Sequence[Tried]) -> float:
        """What knowing the curve exactly could save at most, of what would be taken now."""
        curve = fit(points_of(done), self._seed)
        if curve is None or "last value" in curve.weights:
            return math.inf
        levels, allowed = levels_of(curve, done, self._whole), self._tolerance
        if allowed is None:
            allowed = tolerance_of(done[-1].metric, curve.score(self._whole).value)
        taken = next((level.share for level in levels if level.loss.high <= allowed), 1.0)
        could = next((level.share for level in levels if level.loss.low <= allowed), 1.0)
        return (taken - could) * self.whole_s(done)


def levels_of(curve: Fitted, done: Sequence[Tried], whole: int) -> tuple[Level, ...]:
    """What each share would lose, of those no smaller than what was tried."""
    least = min(point.rows for point in points_of(done))
    rows = {share: round(share * whole) for share in SHARES}
    return tuple(
        Level(share=share, rows=n, loss=curve.loss(n, whole))
        for share, n in rows.items()
        if n >= max(LEAST_ROWS, least)
    )


def decided(
    done: Sequence[Tried],
    whole: int,
    *,
    tolerance: float | None,
    settled: bool,
    seconds: float = 0.0,
    seed: int = 0,
) -> Curve:
    """The smallest share whose loss is within the tolerance at the upper end of its interval; else all rows, and why.

    Parameters
    ----------
    done
        What trials showed.
    whole
        Training rows where all are taken.
    tolerance
        In the metric's own units, as stated; None: `tolerance_of`.
    """
    points = points_of(done)
    metric = next((one.metric for one in done if one.metric), "")
    curve = fit(points, seed)
    base = Curve(
        metric=metric, rows=whole, tolerance=tolerance or 0.0, stated=tolerance is not None, settled=settled,
        tried=tuple(done), seconds=round(seconds, 3),
    )  # fmt: skip
    if curve is None:
        why = next((one.why for one in done if one.why), "")
        several = "one size of trial was judged" if points else "no trial could be judged"
        several = several if done else "the time for trials was spent before the first was done"
        return base.but(why=several + (f" ({why})" if why else ""))
    score = curve.score(whole)
    allowed = tolerance if tolerance is not None else tolerance_of(metric, score.value)
    levels = levels_of(curve, done, whole)
    taken = next((level for level in levels if level.loss.high <= allowed), None)
    sizes = [point.rows for point in points]
    ends = [round(min(sizes) * (max(whole, *sizes) / min(sizes)) ** (k / (LINE - 1))) for k in range(LINE)]
    return base.but(
        tolerance=allowed, use=taken.share if taken is not None else 1.0,
        why="" if taken is not None else _why_all(levels, allowed, settled),
        weights=curve.weights, levels=levels, score=score, line=tuple((n, curve.score(n)) for n in ends),
    )  # fmt: skip


def _why_all(levels: Sequence[Level], allowed: float, settled: bool) -> str:
    could = next((level for level in levels if level.loss.low <= allowed), None)
    if could is None:
        return "every smaller share loses more"
    if settled:
        return "no smaller share is sure to lose less"
    return "no smaller share is sure to lose less yet: the time for trials was spent"
