"""Charts of what a model is worth: importance, calibration, residuals, predicted against actual."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fitscale.records.worth import Calibration, Importance, Residuals
from fitscale.report.canvas import ACTUAL, FORECAST, INK, OTHER, drawing
from fitscale.report.text import plain

if TYPE_CHECKING:
    from markupsafe import Markup

MOST_COLUMNS = 20


def importance(found: Importance) -> Markup | None:
    """The drop of the score by column, with its deviation over the repeats."""
    shown = found.columns[:MOST_COLUMNS]
    if not shown:
        return None
    with drawing("Importance of columns, by shuffling", 70 + 22 * len(shown)) as chart:
        (axes,) = chart.axes()
        axes.set_title("Importance of columns")
        axes.grid(axis="y", visible=False)
        for y, column in enumerate(shown):
            axes.barh(y, column.drop, 0.62, color=ACTUAL)
            if column.spread:
                axes.plot([column.drop - column.spread, column.drop + column.spread], [y, y], color=INK, linewidth=1.4)
        axes.axvline(0, color=OTHER, linewidth=0.8)
        axes.set_yticks(range(len(shown)), [plain(column.column, 28) for column in shown])
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.set_xlabel(f"drop of {plain(found.metric, 30)}")
        for label in axes.get_yticklabels():
            label.set_color(INK)
    return chart.svg


def calibration(found: Calibration) -> Markup | None:
    """Predicted probability against the share that came true; on the line they agree."""
    if not found.bins:
        return None
    with drawing("Calibration: predicted probability against observed share", 300) as chart:
        (axes,) = chart.axes()
        axes.set_title("Calibration")
        low = min(min(b.predicted, b.observed) for b in found.bins)
        high = max(max(b.predicted, b.observed) for b in found.bins)
        edge = 0.05 * (high - low) or 0.05
        axes.plot([low, high], [low, high], color=OTHER, linewidth=1.2, linestyle=(0, (4, 3)))
        at, observed = [b.predicted for b in found.bins], [b.observed for b in found.bins]
        axes.plot(at, observed, "o-", color=ACTUAL, markersize=6)
        axes.set_xlim(low - edge, high + edge)
        axes.set_ylim(low - edge, high + edge)
        of = f"of {plain(found.label, 24)}" if found.label is not None else "of the class that is called"
        axes.set_xlabel(f"predicted probability {of}")
        axes.set_ylabel("observed share")
    return chart.svg


def residuals(found: Residuals) -> Markup | None:
    """How the residuals are distributed."""
    with drawing("Residuals: actual less predicted", 230) as chart:
        (axes,) = chart.axes()
        axes.set_title("Residuals")
        axes.grid(axis="x", visible=False)
        width = found.edges[1] - found.edges[0]
        middles = [edge + width / 2 for edge in found.edges[:-1]]
        axes.bar(middles, found.counts, width=0.88 * width, color=ACTUAL)
        axes.axvline(0, color=INK, linewidth=1.2)
        axes.set_xlabel("actual less predicted")
        axes.set_ylabel("rows")
    return chart.svg


def reach(found: Residuals) -> Markup | None:
    """Actual against predicted values: means of equally many rows, and where nine tenths of them lie."""
    if len(found.reach) < 2:
        return None
    with drawing("Actual against predicted values", 300) as chart:
        (axes,) = chart.axes()
        axes.set_title("Predicted and actual")
        at = [part.predicted for part in found.reach]
        axes.fill_between(at, [p.low for p in found.reach], [p.high for p in found.reach], color=FORECAST, alpha=0.45,
                          linewidth=0)  # fmt: skip
        axes.plot([at[0], at[-1]], [at[0], at[-1]], color=OTHER, linewidth=1.2, linestyle=(0, (4, 3)))
        axes.plot(at, [part.actual for part in found.reach], "o-", color=ACTUAL, markersize=5)
        axes.set_xlabel("predicted")
        axes.set_ylabel("actual, mean and 90 %")
    return chart.svg
