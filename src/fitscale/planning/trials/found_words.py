"""What a search found, as a person reads it: on the plan's screen, at the end of training, in the report."""

from __future__ import annotations

from typing import Any

from fitscale.planning.trials.comparing import labels_of, listed, score_text
from fitscale.planning.wording import duration
from fitscale.records.tuning import Searched, Tuned


def counts(one: Tuned) -> str:
    """``60 trials in 6.3 s of 30 s: 12 on all rows, 46 stopped early, 2 failed``."""
    before = "; done before, train --fresh searches anew" if one.kept else ""
    failed = f", {one.failed} failed" if one.failed else ""
    return (
        f"{trials(one.trials)} in {duration(one.spent_s)} of {duration(one.budget_s)}: {one.done} on all rows, "
        f"{one.stopped} stopped early{failed}{before}"
    )


def trials(n: int) -> str:
    return f"{n:,} trial{'s' * (n != 1)}"


def scores(one: Tuned) -> str:
    """Both scores, by the rows that guided nothing, and what follows from them."""
    told = []
    if one.own_score is not None:
        told.append(f"your own parameters {one.metric} {score_text(one.own_score)}")
    if one.score is not None and one.better_by is not None:
        told.append(f"the best found {score_text(one.score)}, on rows that guided nothing")
    return "; ".join([", ".join(told), one.reason] if told else [one.reason])


def changes(one: Tuned) -> list[str]:
    """``max_depth 6 → 9``: what is trained with, where it is not as the user gave it."""
    own = one.own.params
    changed = {name: value for name, value in one.model.params.items() if name not in own or own[name] != value}
    return [
        f"{name} {_value(own[name])} → {_value(v)}" if name in own else f"{name} {_value(v)}"
        for name, v in changed.items()
    ]


def _value(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def outcome(searched: Searched | None) -> str:
    """In one sentence, for the end of training; empty where nothing was tuned."""
    if searched is None:
        return ""
    names = labels_of([each.own for each in searched.found])
    of = f" of {listed(names)}; {searched.reason}" if len(names) > 1 else ""
    return f"{trials(sum(each.trials for each in searched.found))}{of}; {scores(searched.found[searched.chosen])}"
