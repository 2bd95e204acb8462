"""What a model is worth, as the template shows it: words, tables and charts of a `records.worth.Worth`."""

from __future__ import annotations

from typing import Any

from fitscale.planning import wording
from fitscale.records.worth import Confusion, Importance, Segments, Worth
from fitscale.report import worth_charts as charts
from fitscale.report.text import many, percent, plain, score, seconds

LABEL_LONGEST = 30
NAMES = {
    "importance": "importance of columns",
    "segments": "error by segment",
    "calibration": "calibration",
    "predictions": "confusion, calibration and residuals",
    "all of it": "it was not looked at",
}


def worth_shown(worth: Worth | None) -> dict[str, Any] | None:
    """All that the section takes; None where there is nothing to say."""
    if worth is None:
        return None
    calibration, residuals = worth.calibration, worth.residuals
    return {
        "on": _on(worth),
        "importance": charts.importance(worth.importance) if worth.importance else None,
        "importance_words": _importance(worth.importance) if worth.importance else "",
        "confusion": _confusion(worth.confusion) if worth.confusion else None,
        "calibration": charts.calibration(calibration) if calibration else None,
        "calibration_words": (
            f"{many(calibration.rows, 'row')} in {many(len(calibration.bins), 'bin')} of about equally many. Brier score"
            f" {score(calibration.brier)}, expected calibration error {score(calibration.ece)}."
            if calibration
            else ""
        ),
        "residuals": charts.residuals(residuals) if residuals else None,
        "residuals_words": (
            f"Actual less predicted: mean {score(residuals.mean)}, mean distance {score(residuals.mean_absolute)}, root"
            f" mean square {score(residuals.root_mean_square)}; the outer hundredth is in the outer bars."
            if residuals
            else ""
        ),
        "reach": charts.reach(residuals) if residuals else None,
        "segments": _segments(worth.segments, worth.metric) if worth.segments else None,
        "missing": [(NAMES.get(name, name), plain(why)) for name, why in sorted(worth.missing.items())],
    }


def _on(worth: Worth) -> str:
    if not worth.held_out:
        return ""
    parts = f" of {len(worth.judged)} parts" if len(worth.judged) > 1 else ""
    of = "as predicted in training" if worth.kept else "a sample, predicted again: the training's predictions are gone"
    weighted = " Rows are counted as rows; the score goes by their weight." if worth.weighted else ""
    return f"On {many(worth.held_out, 'held-out row')}{parts}, {of}.{weighted}"


def _importance(found: Importance) -> str:
    untried = f" {many(found.untried, 'column')} were not tried in that time." if found.untried else ""
    left = len(found.columns) - charts.MOST_COLUMNS
    more = f" {many(left, 'column')} with less are left out." if left > 0 else ""
    return (
        f"By how much {plain(found.metric, 40)} ({score(found.score)}) falls when one column is shuffled: mean and deviation"
        f" of {many(found.repeats, 'round')} on {many(found.rows, 'held-out row')}. It took {seconds(found.seconds)}, of at"
        f" most about {seconds(found.limit_s)}.{untried}{more} A column that others can stand in for falls less."
    )


def _confusion(found: Confusion) -> dict[str, Any]:
    rows = []
    for label, counts in zip(found.labels, found.counts, strict=True):
        total = sum(counts)
        cells = [(f"{n:,}", percent(n / total) if total else "–", f"{n / total:.2f}" if total else "0") for n in counts]
        rows.append((plain(label, LABEL_LONGEST), cells, f"{total:,}"))
    return {
        "labels": [plain(label, LABEL_LONGEST) for label in found.labels],
        "rows": rows,
        "classes": found.classes,
        "mistaken": [
            (plain(a, LABEL_LONGEST), plain(b, LABEL_LONGEST), f"{n:,}", percent(n / found.rows))
            for a, b, n in found.mistaken
        ],
    }


def _segments(found: Segments, metric: str) -> dict[str, Any]:
    numbers = any(segment.predicted is not None for segment in found.found)
    return {
        "words": (
            f"Values of columns with few of them (of {many(found.columns, 'column')}) that hold more of the {found.of} than of"
            f" the rows, the largest excess first; of {many(found.rows, 'held-out row')}, in all {score(found.loss)}. Segments of"
            f" fewer than {found.least} rows, or whose excess three standard errors could explain, are left out."
        ),
        "of": found.of,
        "metric": plain(metric, 40),
        "numbers": numbers,
        "rows": [
            (
                plain(segment.column, 40), plain(segment.value, 40), f"{segment.rows:,}", percent(segment.share),
                percent(segment.loss_share), f"{score(segment.loss)} ± {wording.number(segment.error)}", score(segment.score),
                score(segment.predicted), score(segment.actual),
            )
            for segment in found.found
        ],
    }  # fmt: skip
