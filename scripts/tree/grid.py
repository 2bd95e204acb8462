"""Which workloads: the grid, and those outside of it. Drawn by fixed seeds from what is written here, and never otherwise.

No class of the recommendations is to be more than two fifths of the grid. So many models and one are about as frequent, rows of one
model go far beyond what these machines hold, and most workloads have a deadline or a budget.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence

from workloads import Point

GRID, OUTSIDE = 2_000, 1_000
SEED_GRID, SEED_OUTSIDE = 1, 2
MOST_CELLS = 3e12
MANY = 0.45  # of the workloads have a model for each group
SEVERAL = 0.2  # of all ask for a training that is distributed

# Named twice: drawn twice as often.
ONE_KINDS = (
    "boosting", "boosting", "boosting-short", "boosting-sparse", "leaves", "leaves", "histograms", "forest", "forest",
    "extra-trees", "logistic", "gradient", "gradient-sparse", "bayes",
)  # fmt: skip
MANY_KINDS = (
    "boosting", "boosting-short", "leaves", "forest", "logistic", "ridge", "ridge", "autoregression", "autoregression",
    "arima",
)  # fmt: skip
ONE_OUTSIDE = (
    "boosting-deep", "boosting-deep", "boosting-wide", "leaves-many", "leaves-many", "histograms-short", "forest-shallow",
    "extra-classes", "linear", "gradient-long", "gradient-long", "bayes-binary",
)  # fmt: skip
MANY_OUTSIDE = (
    "boosting-deep", "leaves-many", "forest-shallow", "linear", "least-squares", "least-squares", "smoothing",
    "autoregression-long",
)  # fmt: skip

MODELS = (2, 10, 100, 1_000, 10_000, 100_000, 250_000)
ROWS_MANY = (100, 1_000, 10_000, 100_000, 1_000_000)  # of a model
FEATURES_MANY = (10, 50, 200)
ROWS_ONE = (10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000)
FEATURES_ONE = (5, 10, 30, 100, 1_000, 10_000)
SKEW = (1, 1, 30)  # the largest group against the mean
CORES = (1, 2, 4, 8)
MEMORY_GB = (2, 4, 8, 16, 32, 64)
MUST_H = (None, None, None, 0.5, 1, 4, 12, 24)
USD_MONTH = (None, None, 20, 500)
FREQUENCY = ("daily", "weekly", "monthly")


def grid() -> list[Point]:
    """Values as they are written above."""
    rng = random.Random(SEED_GRID)
    return _drawn(GRID, rng, lambda values: rng.choice(values), (ONE_KINDS, MANY_KINDS))


def outside(number: int = OUTSIDE, seed: int = SEED_OUTSIDE) -> list[Point]:
    """Values between those of the grid, each as likely by its logarithm; other estimators and parameters."""
    rng = random.Random(seed)

    def between(values: Sequence[float | None]) -> float | None:
        if rng.choice(values) is None:
            return None
        there = [value for value in values if value is not None]
        found = math.exp(rng.uniform(math.log(min(there)), math.log(max(there))))
        return float(f"{found:.3g}")

    return _drawn(number, rng, between, (ONE_OUTSIDE, MANY_OUTSIDE))


def _drawn(
    number: int, rng: random.Random, pick: Callable[[Sequence[float | None]], float | None], kinds: tuple[Sequence[str], ...]
) -> list[Point]:  # fmt: skip
    def points() -> Iterator[Point]:
        while True:
            many = rng.random() < MANY
            yield Point(
                kind=rng.choice(kinds[many]),
                models=_whole(pick(MODELS)) if many else 1,
                rows=_whole(pick(ROWS_MANY if many else ROWS_ONE)),
                features=_whole(pick(FEATURES_MANY if many else FEATURES_ONE)),
                skew=pick(SKEW) or 1 if many else 1,
                cores=rng.choice(CORES),  # a machine has them by twos
                memory_gb=pick(MEMORY_GB) or 0,
                must_h=pick(MUST_H),
                usd_month=pick(USD_MONTH),
                frequency=rng.choice(FREQUENCY),
                several=rng.random() < SEVERAL,
            )

    small = (point for point in points() if point.cells <= MOST_CELLS)
    return [next(small) for _ in range(number)]


def _whole(value: float | None) -> int:
    return round(value or 0)
