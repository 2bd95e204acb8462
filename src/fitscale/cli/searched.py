"""A search on the plan's screen: what is still to be tuned, or what was found against the user's own parameters."""

from __future__ import annotations

from fitscale.cli.shown import clipped, duration, tagged, wrapped
from fitscale.planning.trials.comparing import labels_of
from fitscale.planning.trials.found_words import changes, counts, scores
from fitscale.records.plan import Plan
from fitscale.records.tuning import Searched


def search_lines(plan: Plan, width: int) -> list[str]:
    """Nothing where nothing is tuned."""
    if plan.searched is not None:
        return ["", *_found_lines(plan.searched, width)]
    if plan.search_s is None:
        return []
    several = plan.contest is not None and len([e for e in plan.contest.entrants if not e.why]) > 1
    what = "those that pass are tuned, each with its share" if several else "better parameters are looked for"
    told = f"Search: {duration(plan.search_s)} before training, in which {what}; 'train' does it"
    return ["", *tagged(told, plan.search_s.origin, width)]


def _found_lines(searched: Searched, width: int) -> list[str]:
    labels = labels_of([one.own for one in searched.found])
    several = len(labels) > 1
    lines = []
    for k, one in enumerate(searched.found):
        lines += tagged(f"Search{f' of {labels[k]}' if several else ''}: {counts(one)}", "measured", width)
        lines += wrapped("", scores(one), width, 6)
        if one.better and k == searched.chosen:
            lines += wrapped("", clipped(", ".join(changes(one)), 3 * width), width, 6)
    return [*lines, *wrapped("", searched.reason, width, 0)] if several else lines
