"""Charts of many models: scores, rows of a group, time of a model."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from fitscale.report.canvas import ACTUAL, INK, drawing
from fitscale.report.charts import log_ticks
from fitscale.report.models import ChunkTime, Models
from fitscale.report.text import plain, score, seconds

if TYPE_CHECKING:
    import numpy as np
    from markupsafe import Markup

BINS = 40


def _bins(n: int) -> int:
    return max(8, min(BINS, round(2 * math.sqrt(n))))


def scores(models: Models, metric: str) -> Markup | None:
    """How many models have which score; the outer hundredth on either side goes into the last bins."""
    import numpy as np

    if len(models.scores) < 2:
        return None
    low, high = (float(edge) for edge in np.quantile(models.scores, [0.01, 0.99]))
    if low == high:
        low, high = low - 0.5, high + 0.5
    clipped = bool((models.scores < low).any() or (models.scores > high).any())
    with drawing(f"Number of models by {metric}", 230) as chart:
        (axes,) = chart.axes()
        axes.grid(axis="x", visible=False)
        edges = np.linspace(low, high, _bins(len(models.scores)) + 1).tolist()
        axes.hist(np.clip(models.scores, low, high), bins=edges, color=ACTUAL, rwidth=0.88)
        median = float(np.median(models.scores))
        axes.axvline(median, color=INK, linewidth=1.2)
        axes.annotate(f"median {score(median)}", (median, 1), xycoords=("data", "axes fraction"),
                      xytext=(0, 2), textcoords="offset points", ha="center", va="bottom")  # fmt: skip
        axes.set_xlabel(plain(metric, 40) + (", outer 1 % in the last bars" if clipped else ""))
        axes.set_ylabel("models")
    return chart.svg


def rows(models: Models) -> Markup | None:
    """How many groups have how many training rows."""
    if len(models.rows) < 2 or float(models.rows.max()) < 2:
        return None
    shown = models.rows[models.rows >= 1]
    return _log_histogram(shown, "Number of groups by training rows", "training rows of a group", "groups", _count)


def times(chunks: Sequence[ChunkTime]) -> Markup | None:
    """How long one model took, each chunk's mean counted once for each of its models."""
    import numpy as np

    known = [chunk for chunk in chunks if chunk.groups and chunk.wall_s > 0]
    if len(known) < 2:
        return None
    each = np.array([chunk.wall_s / chunk.groups for chunk in known])
    weights = np.array([float(chunk.groups) for chunk in known])
    return _log_histogram(
        each, "Number of models by time", "time of one model (mean of its chunk)", "models", seconds, weights
    )


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _log_histogram(
    values: np.ndarray,
    title: str,
    label: str,
    what: str,
    shown: Callable[[float], str],
    weights: np.ndarray | None = None,
) -> Markup | None:
    import numpy as np

    low, high = float(values.min()), float(values.max())
    if high < 2 * low:
        low, high = low / 1.4, high * 1.4
    with drawing(title, 230) as chart:
        (axes,) = chart.axes()
        axes.grid(axis="x", visible=False)
        axes.set_xscale("log")
        edges = np.geomspace(low, high * 1.0001, _bins(len(values)) + 1).tolist()
        axes.hist(values, bins=edges, color=ACTUAL, rwidth=0.88, weights=weights)
        axes.set_xlim(low / 1.1, high * 1.1)
        log_ticks(axes, low / 1.1, high * 1.1, shown)
        axes.set_xlabel(label)
        axes.set_ylabel(what)
    return chart.svg
