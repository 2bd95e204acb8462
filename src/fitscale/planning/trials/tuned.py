"""What a search found, from the steps that it wrote down: a pure function.

The blocks of the judged rows are dealt in two: by every other one the search was guided (`work.rungs`), by the rest what it found
is held against the user's own parameters. So the difference is not flattered by having been looked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fitscale.planning.trials.comparing import difference, score_text
from fitscale.planning.trials.spaces import Space
from fitscale.records.base import Figure
from fitscale.records.trials import in_place
from fitscale.records.tuning import Step, Tuned
from fitscale.records.workload import ModelSpec
from fitscale.work.rungs import by_trial, guide


def tuned(
    model: ModelSpec,
    space: Space,
    steps: Sequence[Step],
    *,
    greater: bool = True,
    names: Mapping[str, str] | None = None,
) -> Tuned:
    """The best of what was tried against the user's own parameters, which stay unless it is surely better.

    Parameters
    ----------
    model
        With its search, whose budget is an upper bound of what was spent.
    names
        From other names of the parameters to the main ones.
    """
    assert model.search is not None
    trials = by_trial(steps)
    ends = {number: own[-1] for number, own in trials.items()}
    done = {number: step for number, step in ends.items() if step.state == "done"}
    values = {number: guide(step.blocks, step.score, greater=greater) for number, step in done.items() if number}
    best = max(values, key=lambda number: (values[number] is not None, values[number] or 0.0), default=None)
    own = model.but(search=None)
    found = Tuned(
        model=own, own=own, space=space.ranges, published=space.published, budget_s=model.search.budget_s or 0.0,
        spent_s=max((step.spent_s for step in steps), default=0.0), trials=len(trials) - (0 in trials),
        done=len(done) - (0 in done),
        stopped=sum(step.state == "stopped" for step in ends.values()),
        failed=sum(step.state == "failed" for number, step in ends.items() if number),
        metric=next((step.metric for step in steps if step.metric), ""),
        own_score=_mean(done[0]) if 0 in done else None,
    )  # fmt: skip
    if 0 in done:
        found = found.but(score=found.own_score, blocks=done[0].blocks[1::2], fit_s=done[0].seconds)
    if best is None:
        return found.but(reason=_none_done(found, ends, model.search.trials))
    apart = difference(done[best].blocks[1::2], done[0].blocks[1::2]) if 0 in done else None
    if apart is not None and not greater:
        apart = apart.but(value=-apart.value, low=-apart.high, high=-apart.low)
    better = 0 not in done or (apart is not None and apart.low > 0)
    params = {str(name): item for name, item in trials[best][0].params.items()}
    taken = own.but(params=in_place(own.params, params, names or {}))
    if better:
        found = found.but(model=taken, blocks=done[best].blocks[1::2], fit_s=done[best].seconds)
    return found.but(
        score=_mean(done[best]), better_by=apart, better=better, reason=_reason(apart, better, 0 in done)
    )  # fmt: skip


def _mean(step: Step) -> float | None:
    """Of the blocks that guided nothing; of few rows, which have none, the score of all."""
    seen = [block for block in step.blocks[1::2] if block is not None]
    return sum(seen) / len(seen) if seen else step.score


def _reason(apart: Figure | None, better: bool, own_done: bool) -> str:
    if not own_done:
        return "your own parameters have no score, so what was found is taken"
    if apart is None:
        return "your own parameters are kept: too few rows judge to tell them from what was found"
    by = score_text(apart, signed=True)
    return (
        f"better than your own parameters: {by}"
        if better
        else f"not surely better than your own parameters ({by}): they are kept"
    )


def _none_done(found: Tuned, ends: Mapping[int, Step], most: int | None) -> str:
    if 0 in ends and ends[0].state == "failed":
        return f"your own parameters have no score: {ends[0].why}"
    if found.own_score is None:
        return "the time was over before your own parameters were judged: they are kept, and a larger budget goes on from there"
    if most == 0:
        return "not tuned"
    if not found.trials:
        return "the time was over before anything else was tried: your own parameters are kept; give a larger budget"
    return "your own parameters are kept: nothing else was as good on a part of the rows"
