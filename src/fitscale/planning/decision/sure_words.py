"""How sure a decision is, in words: for the screen by the letters of its table, for the report by names."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fitscale.records.plan import Chance, Sureness

_OBJECTIVES = {"time": "time", "cost": "cost", "weights": "the weights of the scorecard"}


def names_of(chances: Sequence[Chance]) -> Callable[[Chance], str]:
    """What each is called: its name, with its workers where another has the same."""
    names = [chance.name for chance in chances]
    return lambda c: c.name if names.count(c.name) < 2 else f"{c.name} with {c.workers} workers"


def told(sureness: Sureness, called: Callable[[Chance], str] | None = None) -> tuple[str, ...]:
    """The sentences for a person; none where nothing else passes. ``called`` gives each candidate another name."""
    chances = sureness.chances
    if len(chances) < 2:
        return ()
    called = called or names_of(chances)
    mine, others = chances[0], chances[1:]
    weighed = _listed([axis.name for axis in sureness.axes])
    rivals = [max(others, key=lambda c: getattr(c, share)) for share in ("best", "first")]
    beside = [
        f" ({called(c)} in {_percent(getattr(c, share))})" if getattr(c, share) > 0 else ""
        for c, share in zip(rivals, ("best", "first"), strict=True)
    ]
    by = _OBJECTIVES[sureness.objective]
    text = (
        f"{called(mine)} is the best by {by} in {_in(mine.best, 'draws of the forecasts')}{beside[0]}, "
        f"and first in {_in(mine.first, f'weightings of {weighed}')}{beside[1]}"
    )
    front = [called(c) for c in chances if c.on_front]
    where = f"{_listed(front)} {'alone is' if len(front) == 1 else 'are'} on the front of {weighed}"
    return tuple(filter(None, (f"{text}; {where}", sureness.close)))


def _in(share: float, what: str) -> str:
    if share in (0.0, 1.0):
        return f"{'all' if share else 'none of the'} {what}"
    return f"{_percent(share)} of {what}"


def _percent(share: float) -> str:
    if 0 < share < 0.005:
        return "under 1 %"
    return "over 99 %" if 0.995 <= share < 1 else f"{100 * share:.0f} %"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
