"""How the model was chosen, for the report: the estimators that were compared, and what tuning found."""

from __future__ import annotations

from typing import Any

from fitscale.planning.trials.comparing import labels_of, score_text
from fitscale.planning.trials.found_words import changes, counts, scores
from fitscale.planning.wording import duration, size
from fitscale.records.contest import Contest, Entrant
from fitscale.records.plan import Plan
from fitscale.records.tuning import Searched
from fitscale.report.text import plain

NONE = "–"


def chosen_shown(plan: Plan | None) -> dict[str, Any] | None:
    """None where one estimator was named, with its parameters."""
    if plan is None or (plan.contest is None and plan.searched is None):
        return None
    return {
        "entrants": _entrants(plan.contest) if plan.contest else [],
        "metric": plain(plan.contest.metric, 40) if plan.contest else "",
        "reason": plain(plan.contest.reason) if plan.contest else "",
        "found": _found(plan.searched) if plan.searched else [],
        "found_reason": plain(plan.searched.reason) if plan.searched and len(plan.searched.found) > 1 else "",
    }


def _entrants(contest: Contest) -> list[tuple[str, str, str, str, str]]:
    """(name, time, memory, score, verdict) of each."""
    labels = labels_of([entrant.model for entrant in contest.entrants])
    return [
        (
            plain(label, 80),
            duration(entrant.time_s) if entrant.time_s else NONE,
            size(entrant.memory_bytes) if entrant.memory_bytes else NONE,
            _score(entrant),
            _verdict(entrant),
        )
        for label, entrant in zip(labels, contest.entrants, strict=True)
    ]


def _score(entrant: Entrant) -> str:
    score = entrant.judged.score if entrant.judged is not None else None
    return NONE if score is None else score_text(score)


def _verdict(entrant: Entrant) -> str:
    if entrant.why:
        return plain(f"ruled out: {entrant.why}")
    behind = f", {score_text(entrant.behind)} behind the best" if entrant.behind is not None else ""
    return f"{entrant.verdict}{behind}"


def _found(searched: Searched) -> list[tuple[str, str, str, str]]:
    """(name, how many trials, the scores, what changed) of each that was tuned."""
    labels = labels_of([one.own for one in searched.found])
    return [
        (
            plain(label, 80),
            plain(counts(one)),
            plain(scores(one)),
            plain(", ".join(changes(one)), 400) if one.better else "",
        )
        for label, one in zip(labels, searched.found, strict=True)
    ]
