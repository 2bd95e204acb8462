"""Learning curves that are known: what trials of them would show, with the noise of which rows train and which judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fitscale.planning.trials.ladder import ladder
from fitscale.records.trials import BLOCKS, Trial, Tried

Truth = Callable[[float], float]
WHOLE = 100_000  # training rows where all are taken
FIRST = 500.0
SPAN = 0.1  # from the smallest trial to all rows


def truths(rng: np.random.Generator) -> dict[str, Truth]:
    """One curve of each family, with exponents that are drawn; all rise by `SPAN`, but one that does not."""
    power, offset = rng.uniform(0.2, 1.2), rng.uniform(0.3, 1.2)
    half, scale = rng.uniform(1_000, 10_000), rng.uniform(2_000, 20_000)
    shapes: dict[str, Truth] = {
        "power law": lambda n: n**-power,
        "offset power law": lambda n: (n + 3_000) ** -offset,
        "sigmoid": lambda n: 1 / (1 + (n / half) ** 1.4),
        "exponential": lambda n: float(np.exp(-n / scale)),
        "logarithm": lambda n: -float(np.log(n)),
        "inverse logarithm": lambda n: 1 / float(np.log(n)),
        "1/n": lambda n: 1 / n,
    }
    risen = {name: _risen(shape) for name, shape in shapes.items()}
    return {**risen, "flat": lambda n: 0.8}


def _risen(shape: Truth) -> Truth:
    span = shape(FIRST) - shape(WHOLE)
    return lambda n: 0.8 - SPAN * (shape(n) - shape(WHOLE)) / span


def tried(
    truth: Truth,
    rng: np.random.Generator,
    *,
    noise: float = 1.0,
    most: int = 80_000,
    trials: Sequence[Trial] | None = None,
) -> list[Tried]:
    """What the ladder's trials would show. Blocks are harder or easier for all, for a size, and for one model alone."""
    harder = rng.normal(0, 0.01, BLOCKS)
    by_size: dict[int, np.ndarray] = {}
    found = []
    for trial in trials if trials is not None else ladder(most):
        n = trial.rows or most
        own = by_size.setdefault(n, rng.normal(0, 0.004 * (FIRST / n) ** 0.5 + 0.001, BLOCKS))
        model = rng.normal(0, 0.1 / n**0.5) + rng.normal(0, 0.002, BLOCKS)
        blocks = truth(n) + noise * (harder + own + model)
        found.append(
            Tried(
                trial=trial, metric="roc_auc", score=float(blocks.mean()), blocks=tuple(blocks.tolist()), rows=n,
                judged=16_000, seconds=0.3 + n * 1e-4,
            )
        )  # fmt: skip
    return found
