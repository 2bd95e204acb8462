"""What the boosters share: early stopping, the seeds of rounds that can be resumed, and how soon rounds get cheaper."""

from __future__ import annotations

import math
from collections.abc import Sequence

MAX_ROUND_SEED = 2**31
SETTLING = 3.6  # seen of XGBoost with a rate of 0.3, whose rounds fell in about twelve; taken over for the others


def best_of(history: Sequence[float]) -> int:
    """The round with the best score, the first where several have it. An undefined score is never the best."""
    best = 0
    for at, value in enumerate(history):
        if value > history[best] or (math.isnan(history[best]) and not math.isnan(value)):
            best = at
    return best


def enough(history: Sequence[float], patience: int | None) -> bool:
    """Whether the last ``patience`` rounds brought nothing better."""
    return patience is not None and bool(history) and len(history) - 1 - best_of(history) >= patience


def round_seed(seed: int, at: int) -> int:
    """The seed from round ``at`` on. Neighbouring seeds and rounds do not meet; round 0 has the seed itself."""
    return (seed + at * 2_654_435_761) % MAX_ROUND_SEED


def settling(learning_rate: float) -> float:
    """Rounds in which what a round takes falls by 1 / e of the way: the faster it learns, the sooner gradients are small."""
    return SETTLING / max(1e-3, learning_rate)
