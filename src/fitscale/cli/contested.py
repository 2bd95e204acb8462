"""The estimators of ``any_of`` on the plan's screen: what each takes, how well it does, and why one was chosen."""

from __future__ import annotations

from fitscale.cli.shown import NONE, clipped, columns, count, duration, share, size, tagged, wrapped
from fitscale.planning.trials.comparing import labels_of, score_text
from fitscale.records.contest import Contest, Entrant

MOST_NAME = 40
PART = "On a part of the rows one that learns more of many may be behind; --probe 10m compares on more"


def contest_lines(contest: Contest | None, width: int) -> list[str]:
    """The table; nothing where one estimator was named."""
    if contest is None:
        return []
    labels = [clipped(label, MOST_NAME) for label in labels_of([e.model for e in contest.entrants])]
    rows = [_row(label, entrant) for label, entrant in zip(labels, contest.entrants, strict=True)]
    header = ["", "time (90 %)", "memory", contest.metric or "score", "behind the best (90 %)"]
    table = columns(rows, header)
    if max(map(len, table)) > width:  # the intervals of memory are the first to go
        rows = [[a, b, c.split(" (")[0], *rest] for a, b, c, *rest in rows]
        table = columns(rows, header)
    lines = ["", *tagged(_head(contest), "measured", width), *(clipped(line, width) for line in table)]
    for label, entrant in zip(labels, contest.entrants, strict=True):
        if entrant.why:
            lines += wrapped("", f"not {label}: {entrant.why}", width, 6)
    lines += wrapped("", contest.reason, width, 0)
    return [*lines, *wrapped("", PART, width, 0)] if contest.share < 1 else lines


def _head(contest: Contest) -> str:
    judged = [e.judged for e in contest.entrants if e.judged is not None]
    n = len(contest.entrants)
    if not judged:
        return f"Any of {n}: compared by what they take"
    part = "all rows" if contest.share == 1 else f"{share(contest.share)} of the rows"
    before = "; compared before, train --fresh compares anew" if contest.kept else f"; {duration(contest.seconds)}"
    return (
        f"Any of {n}: {contest.metric} on {count(max(t.judged for t in judged))} rows that train none of them, fitted on "
        f"{part} of training ({count(max(t.rows for t in judged))}){before}"
    )


def _row(label: str, entrant: Entrant) -> list[str]:
    score = entrant.judged.score if entrant.judged is not None else None
    behind: str = entrant.verdict
    if entrant.behind is not None:
        behind = f"{score_text(entrant.behind)}{f', {entrant.verdict}' if entrant.verdict != 'worse' else ''}"
    return [
        f"   {label}",
        duration(entrant.time_s) if entrant.time_s else NONE,
        size(entrant.memory_bytes) if entrant.memory_bytes else NONE,
        score_text(score) if score is not None else NONE,
        behind,
    ]
