"""Which trials of a search go on: pure functions over the steps that were written down.

Trials are fitted on rising shares of the rows, the rungs. At each, a trial goes on if it is among the best third of all that were
judged there so far: asynchronous successive halving (Li et al., A System for Massively Parallel Hyperparameter Tuning, 2018).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import median

from fitscale.records.tuning import State, Step

KEPT = 1 / 3  # of the trials of a rung: those that go on
ENDED: frozenset[State] = frozenset({"done", "stopped", "failed"})


def guide(blocks: Sequence[float | None], score: float | None, *, greater: bool = True) -> float | None:
    """By what the search is guided: the mean over every other block, more is better. The others compare at the end."""
    seen = [block for block in blocks[::2] if block is not None]
    value = sum(seen) / len(seen) if seen else score
    return None if value is None or not math.isfinite(value) else value if greater else -value


def goes_on(value: float, seen: Iterable[float]) -> bool:
    """Whether a trial is among the best third of those that were judged at this rung; ``seen`` are the others."""
    others = list(seen)
    return sum(other > value for other in others) < math.ceil((len(others) + 1) * KEPT)


def seconds_of(steps: Sequence[Step], rungs: int) -> list[float]:
    """(rungs) what a trial takes at each, by the median of those that were seen; where none was, three times the one before."""
    found: list[float] = []
    for rung in range(rungs):
        seen = [step.seconds for step in steps if step.rung == rung and step.score is not None]
        found.append(median(seen) if seen else 3 * found[-1] if found else 0.0)
    return found


def by_trial(steps: Iterable[Step]) -> dict[int, list[Step]]:
    """The steps of each trial, in their order."""
    found: dict[int, list[Step]] = {}
    for step in steps:
        found.setdefault(step.trial, []).append(step)
    return found


def params_of(steps: Sequence[Step]) -> dict[str, object]:
    """Of one trial: as it was begun."""
    return dict(steps[0].params)


def unended(trials: dict[int, list[Step]]) -> list[int]:
    """The numbers of those that were interrupted, and are taken up again."""
    return [number for number, own in sorted(trials.items()) if own[-1].state not in ENDED]
