"""Two models that were judged on the same rows, held against each other; and of several, which is chosen. Pure functions.

The rows are cut into blocks by their numbers (see `records.trials`). The difference of two scores is taken block by block:
its mean, and how far the blocks scatter, give the interval (Student's t over the blocks). What is common to both is not in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from fitscale.records.base import Figure
from fitscale.records.contest import Contest, Entrant
from fitscale.records.workload import ModelSpec

SAME = 0.001  # of the score: what lies closer is as good, however surely it lies there
T90 = (  # Student's t, two-sided 90 %, of 1 to 15 degrees of freedom
    6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812, 1.796, 1.782, 1.771, 1.761, 1.753,
)  # fmt: skip

Blocks = Sequence[float | None]


def difference(one: Blocks, other: Blocks) -> Figure | None:
    """How much more ``one`` has than ``other``: mean over the blocks that both have, and its 90 % interval; None under three."""
    pairs = [(a, b) for a, b in zip(one, other, strict=False) if a is not None and b is not None]
    apart = np.array([a - b for a, b in pairs], np.float64)
    apart = apart[np.isfinite(apart)]
    if len(apart) < 3:
        return None
    mean = float(apart.mean())
    half = T90[min(len(apart) - 1, len(T90)) - 1] * float(apart.std(ddof=1)) / math.sqrt(len(apart))
    return Figure(value=mean, low=mean - half, high=mean + half, origin="measured")


def is_as_good(behind: Figure | None, best: float) -> bool:
    """Whether what lies so far behind the best score may as well be taken: chance could have made the difference, or it is tiny."""
    return behind is None or behind.low <= 0 or behind.value <= SAME * abs(best)


def decided(
    entrants: Sequence[Entrant], metric: str, seconds: float, *, greater: bool = True, share: float = 1.0
) -> Contest:
    """The contest of what was forecast and tried: the fastest of those that are as good as the best.

    Parameters
    ----------
    entrants
        Those that passed have a trial that they are compared by (``at``) and no ``why``.
    greater
        Whether more is better of the metric.
    """
    sign = 1.0 if greater else -1.0
    scores = {
        k: sign * one.judged.score
        for k, one in enumerate(entrants)
        if not one.why and one.judged is not None and one.judged.score is not None
    }
    if not scores:
        return _by_forecast(entrants, metric, seconds)
    best = max(scores, key=lambda k: (scores[k], -k))
    seen = {k: _behind(entrants[best], entrants[k], sign) if k != best else None for k in scores}
    good = [k for k in scores if k == best or is_as_good(seen[k], scores[best])]
    takes = _takes(entrants, good)
    chosen = min(good, key=lambda k: (takes[k], -scores[k]))
    judged = [
        e if k not in scores else e.but(
            behind=seen[k], verdict="chosen" if k == chosen else "as good" if k in good else "worse"
        )
        for k, e in enumerate(entrants)
    ]  # fmt: skip
    reason = _reason(judged, chosen, best, good, metric)
    return Contest(
        entrants=tuple(judged), chosen=chosen, metric=metric, reason=reason, seconds=round(seconds, 3), share=share
    )


def _behind(best: Entrant, other: Entrant, sign: float) -> Figure | None:
    assert best.judged is not None
    assert other.judged is not None
    found = difference(best.judged.blocks, other.judged.blocks)
    if found is None or sign > 0:
        return found
    return found.but(value=-found.value, low=-found.high, high=-found.low)


def _takes(entrants: Sequence[Entrant], among: Sequence[int]) -> dict[int, float]:
    """How long each takes: by its forecast; where one of them rests on priors alone, all by what their trials took."""
    seconds = {k: entrants[k].judged for k in among}
    if not all(entrants[k].measured for k in among):
        return {k: tried.seconds for k, tried in seconds.items() if tried is not None}
    forecasts = {k: entrants[k].time_s for k in among}
    return {k: time_s.value if time_s is not None else math.inf for k, time_s in forecasts.items()}


def _by_forecast(entrants: Sequence[Entrant], metric: str, seconds: float) -> Contest:
    """Where none has a score: the fastest of those that can be trained, or the first, which then says why it cannot."""
    left = {k: one.time_s.value for k, one in enumerate(entrants) if not one.why and one.time_s is not None}
    chosen = min(left, key=lambda k: left[k], default=0)
    judged = [e.but(verdict="chosen") if k == chosen and left else e for k, e in enumerate(entrants)]
    reason = f"{name_of(entrants[chosen].model)}: none could be judged" + (", and it is the fastest" if left else "")
    return Contest(entrants=tuple(judged), chosen=chosen, metric=metric, reason=reason, seconds=round(seconds, 3))


def _reason(entrants: Sequence[Entrant], chosen: int, best: int, good: Sequence[int], metric: str) -> str:
    one, names = entrants[chosen], labels_of([e.model for e in entrants])
    name = names[chosen]
    if chosen != best:
        behind = f" ({score_text(-one.behind.value, signed=True)})" if one.behind is not None else ""
        return f"{name}: as good as {names[best]}, the best by {metric}{behind}, and faster"
    if len(good) > 1:
        others = listed([names[k] for k in good if k != best])
        return f"{name}: the best by {metric}; {others} {'is' if len(good) == 2 else 'are'} as good, and not faster"
    rest = [e.behind for e in entrants if e.verdict == "worse" and e.behind is not None]
    ahead = min(rest, key=lambda figure: figure.value, default=None)
    by = f", by {score_text(ahead)} before the next" if ahead is not None else ""
    alone = " of what passes" if len([e for e in entrants if not e.why]) < 2 else ""
    return f"{name}: the best{alone} by {metric}{by}"


def name_of(model: ModelSpec) -> str:
    """``LGBMClassifier``: the estimator's class."""
    return (model.estimator or "").rpartition(".")[2]


def labels_of(models: Sequence[ModelSpec]) -> list[str]:
    """What each is called: its class, and of those that share one what sets its params apart."""
    names = [name_of(model) for model in models]
    found = []
    for model, name in zip(models, names, strict=True):
        others = [other.params for other, same in zip(models, names, strict=True) if same == name]
        told = [f"{k}={v}" for k, v in model.params.items() if any(other.get(k, None) != v for other in others)]
        found.append(f"{name}({', '.join(told)})" if len(others) > 1 else name)
    return found


def listed(names: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def score_text(value: Figure | float, *, signed: bool = False) -> str:
    """A score or a difference of scores with four digits that count: ``0.0123 (0.0101–0.0145)``, ``+0.012``, ``1,234``."""
    if isinstance(value, Figure):
        return f"{score_text(value.value, signed=signed)} ({score_text(value.low)}–{score_text(value.high)})"
    size = abs(value)
    digits = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 10 else 4
    text = f"{value:+,.{digits}f}" if signed else f"{value:,.{digits}f}"
    return text.replace("-", "−")
