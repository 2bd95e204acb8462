"""Two versions of a run side by side: which groups are better, worse, new or gone."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from fitscale.metrics import metric
from fitscale.records.base import Record
from fitscale.store.lookup import Index


class Change(Record):
    """One group; ``None`` where a version has no score for it."""

    key: tuple[Any, ...]
    before: float | None
    after: float | None
    status_before: str | None  # None: the version does not know the group
    status_after: str | None


class Comparison(Record):
    """``better`` and ``worse`` count groups with a score in both; ``changes`` are the largest, worst first."""

    format: int = 1
    before: int
    after: int
    metric: str
    score_before: float | None
    score_after: float | None
    greater: bool  # greater is better
    better: int = 0
    worse: int = 0
    equal: int = 0
    new: int = 0
    gone: int = 0
    lost: int = 0  # had a model, and has none now
    gained: int = 0
    changes: tuple[Change, ...] = ()


def compare(run: Path, before: int, after: int, limit: int = 10) -> Comparison:
    """Compare by group. Scores are compared only where both versions are judged by one metric.

    Raises
    ------
    UsageError
        If there is no such version.
    """
    old, new = Index(run, before), Index(run, after)
    name = new.manifest.metric
    greater = bool(metric(name).greater)
    comparable = name == old.manifest.metric
    olds, news = _rows(old), _rows(new)
    counts = dict.fromkeys(("better", "worse", "equal", "new", "gone", "lost", "gained"), 0)
    changes: list[tuple[float, Change]] = []
    for key in {**olds, **news}:
        was, is_ = olds.get(key), news.get(key)
        counts["new"] += was is None
        counts["gone"] += is_ is None
        if was is not None and is_ is not None:
            counts["lost"] += was[0] == "fitted" and is_[0] != "fitted"
            counts["gained"] += was[0] != "fitted" and is_[0] == "fitted"
        a, b = (was or (None, None))[1], (is_ or (None, None))[1]
        if a is None or b is None or not comparable:
            continue
        gain = (b - a) if greater else (a - b)
        counts["better" if gain > 0 else "worse" if gain < 0 else "equal"] += 1
        if gain:
            change = Change(
                key=key, before=a, after=b, status_before=was[0] if was else None, status_after=is_[0] if is_ else None
            )
            changes.append((gain, change))
    largest = sorted(changes, key=lambda item: -abs(item[0]))[:limit]
    return Comparison(
        before=before,
        after=after,
        metric=name,
        score_before=old.manifest.scores.get(name),
        score_after=new.manifest.scores.get(name),
        greater=greater,
        changes=tuple(change for _, change in sorted(largest, key=lambda item: item[0])),
        **counts,
    )


def _rows(index: Index) -> dict[tuple[Any, ...], tuple[str, float | None]]:
    table = index.table
    score = table.column("score").to_pylist()
    status = table.column("status").to_pylist()
    return {
        key: (status[row], None if score[row] is None or math.isnan(score[row]) else float(score[row]))
        for key, row in index.rows().items()
    }
