"""The charts of one run: candidates, phases, memory, training curve. Those of many models are in `distributions`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from fitscale.planning import wording
from fitscale.records import curve as learning
from fitscale.records.base import Figure
from fitscale.report.canvas import ACTUAL, FORECAST, INK, LIMIT, MUTED, OTHER, drawing
from fitscale.report.reading import Curve, Memory
from fitscale.report.text import plain, seconds, size

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes


class Bar(NamedTuple):
    """One candidate in the chart of candidates."""

    name: str
    time_s: Figure
    memory_bytes: Figure
    chosen: bool
    refused: bool


def times(bars: Sequence[Bar], deadlines: dict[str, float]) -> Markup | None:
    """Time of each candidate with its 90 % interval, on a log axis, against the deadlines."""
    return _candidates("Time of each candidate", bars, [bar.time_s for bar in bars], deadlines, seconds)


def memories(bars: Sequence[Bar], limit_bytes: int | None) -> Markup | None:
    """Peak memory of each candidate with its 90 % interval, on a log axis, against the limit."""
    limits = {f"limit {size(limit_bytes)}": float(limit_bytes)} if limit_bytes else {}
    return _candidates("Peak memory of each candidate", bars, [bar.memory_bytes for bar in bars], limits, size)


def _candidates(
    title: str, bars: Sequence[Bar], figures: Sequence[Figure], limits: dict[str, float], shown: Callable[[float], str]
) -> Markup | None:
    if not bars:
        return None
    with drawing(f"{title}, with 90 % intervals", 94 + 26 * len(bars)) as chart:
        (axes,) = chart.axes()
        axes.set_title(title)
        _intervals(axes, bars, figures, limits, shown)
        axes.set_yticks(range(len(bars)), [plain(bar.name, 28) for bar in bars])
        axes.set_ylim(len(bars) - 0.4, -0.6)
        for label, bar in zip(axes.get_yticklabels(), bars, strict=True):
            label.set_color(MUTED if bar.refused else INK)
            label.set_fontweight("bold" if bar.chosen else "normal")
    return chart.svg


def _intervals(
    axes: Axes, bars: Sequence[Bar], figures: Sequence[Figure], limits: dict[str, float], shown: Callable[[float], str]
) -> None:
    axes.set_xscale("log")
    axes.grid(axis="y", visible=False)
    for y, (bar, figure) in enumerate(zip(bars, figures, strict=True)):
        colour = ACTUAL if bar.chosen else OTHER
        low = max(figure.low, figure.value / 1000)
        axes.plot([low, figure.high], [y, y], color=colour, linewidth=5, alpha=0.35 if bar.refused else 0.6,
                  solid_capstyle="round")  # fmt: skip
        axes.plot([figure.value], [y], "o", color=colour, markersize=7, fillstyle="none" if bar.refused else "full")
    for name, at in limits.items():
        axes.axvline(at, color=LIMIT, linewidth=1.4, linestyle=(0, (4, 3)))
        axes.annotate(name, (at, 0), xycoords=("data", "axes fraction"), xytext=(4, 4), textcoords="offset points",
                      color=LIMIT, annotation_clip=False)  # fmt: skip
    edges = [v for f in figures for v in (max(f.low, f.value / 1000), f.high)] + list(limits.values())
    low, high = min(edges), max(edges)
    axes.set_xlim(low / 1.25, max(high, low * 3) * 1.35)
    log_ticks(axes, *axes.get_xlim(), shown)


def log_ticks(axes: Axes, low: float, high: float, shown: Callable[[float], str]) -> None:
    """Two to five ticks at round values (time: whole seconds, minutes, hours), in the words of the tables."""
    import numpy as np
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    decades = np.multiply.outer(10.0 ** np.arange(16), (1, 2, 5)).ravel().tolist()
    inside = [at for at in (_TIMES if shown is seconds else decades) if low <= at <= high]
    if len(inside) < 2:
        inside = [float(at) for at in MaxNLocator(4).tick_values(low, high) if low <= at <= high]
    axes.xaxis.set_major_locator(FixedLocator(inside[:: max(1, -(-len(inside) // 5))]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: shown(value)))


_TIMES = [
    0.001, 0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600, 1200, 3600, 7200, 18000, 36000, 86400, 172800, 432000,
    864000, 1728000,
]  # fmt: skip


def phases(rows: Sequence[tuple[str, float, float | None]]) -> Markup | None:
    """Forecast and actual seconds of each phase; None for what was not forecast apart."""
    if not rows:
        return None
    names = [name for name, _, _ in rows]
    top = max(max(actual, forecast or 0.0) for _, actual, forecast in rows) or 1.0
    with drawing("Seconds by phase: forecast and actual", 60 + 34 * len(rows)) as chart:
        (axes,) = chart.axes()
        axes.grid(axis="y", visible=False)
        for y, (_, actual, forecast) in enumerate(rows):
            axes.barh(y - 0.19, forecast or 0.0, 0.34, color=FORECAST)
            axes.barh(y + 0.19, actual, 0.34, color=ACTUAL)
        axes.set_yticks(range(len(rows)), names)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(0, 1.05 * top)
        _linear_ticks(axes, top, "x")
        for label in axes.get_yticklabels():
            label.set_color(INK)
        _legend(axes, {"forecast": FORECAST, "actual": ACTUAL})
    return chart.svg


def _linear_ticks(axes: Axes, top: float, which: str) -> None:
    """Ticks in one unit of time, with the unit as the axis' name."""
    divisor, unit = next((d, u) for d, u in ((86400.0, "days"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"))
                         if top >= 2 * d or d == 1e-3)  # fmt: skip
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis = axes.xaxis if which == "x" else axes.yaxis
    ticks = MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(0, top / divisor)
    axis.set_ticks([float(t) * divisor for t in ticks if 0 <= t * divisor <= 1.05 * top])
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / divisor:g}"))
    axis.set_label_text(unit)


def _legend(axes: Axes, entries: dict[str, str]) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(color=colour, label=name) for name, colour in entries.items()]
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=len(entries), handlelength=1.0,
                handleheight=1.0, borderaxespad=0.0, columnspacing=1.2)  # fmt: skip


OFF_SCALE = 4.0  # a limit so many times above all that was held would leave nothing to see
ENDS = {"killed": "killed", "cut off": "killed", "memory": "ended by the limit"}


def memory(attempts: Sequence[Memory], limit_bytes: int | None, forecast: Figure | None) -> Markup | None:
    """Memory of the attempts over the time that was worked, with the limit and the forecast peak."""
    points = [point for each in attempts for point in each.points]
    if len(points) < 2:
        return None
    top_s = max([at for at, _ in points] + [each.ended_s for each in attempts]) or 1.0
    top = max([held for _, held in points] + [int(forecast.high) if forecast else 0])
    near = limit_bytes is not None and limit_bytes <= OFF_SCALE * top
    top = max(top, limit_bytes or 0) if near else top
    unit, name = next((u, n) for u, n in ((1e9, "GB"), (1e6, "MB"), (1.0, "B")) if top >= u or u == 1.0)
    with drawing("Memory over time, with its limit", 270) as chart:
        (axes,) = chart.axes()
        axes.grid(axis="x", visible=False)
        if forecast:
            axes.axhspan(forecast.low / unit, forecast.high / unit, color=FORECAST, alpha=0.35, linewidth=0)
        for each in attempts:
            at, held = [p[0] for p in each.points], [p[1] / unit for p in each.points]
            colour = OTHER if each.probe else ACTUAL
            axes.plot(at, held, color=colour, solid_joinstyle="round")
            axes.fill_between(at, held, color=colour, alpha=0.12, linewidth=0)
        for each in [each for each in attempts if each.cause in ENDS][:8]:
            axes.axvline(each.ended_s, color=LIMIT, linewidth=1.2, linestyle=(0, (1, 2)))
            late = each.ended_s > 0.2 * top_s
            axes.annotate(ENDS[each.cause], (each.ended_s, 0.05), xycoords=("data", "axes fraction"),
                          xytext=(-4 if late else 4, 0), textcoords="offset points", color=LIMIT,
                          ha="right" if late else "left")  # fmt: skip
        if limit_bytes and near:
            axes.axhline(limit_bytes / unit, color=LIMIT, linewidth=1.4, linestyle=(0, (4, 3)))
            axes.annotate(f"limit {size(limit_bytes)}", (0, limit_bytes / unit), xytext=(2, 4), color=LIMIT,
                          textcoords="offset points")  # fmt: skip
        elif limit_bytes:
            axes.annotate(f"limit {size(limit_bytes)}, far above", (0, 1), xycoords="axes fraction", xytext=(2, -4),
                          textcoords="offset points", color=LIMIT, va="top")  # fmt: skip
        axes.set_xlim(0, top_s)
        axes.set_ylim(0, 1.15 * top / unit)
        axes.set_ylabel(name)
        _linear_ticks(axes, top_s, "x")
        entries = {"measured": ACTUAL} | ({"forecast peak, 90 %": FORECAST} if forecast else {})
        _legend(axes, entries | ({"probe": OTHER} if any(each.probe for each in attempts) else {}))
    return chart.svg


def curves(found: Sequence[Curve]) -> Markup | None:
    """Validation score by unit; where several fits were judged, one line for each."""
    if not found:
        return None
    first = found[0]
    shown = [curve for curve in found if curve.metric == first.metric][:12]
    with drawing("Validation score by unit of training", 250) as chart:
        (axes,) = chart.axes()
        for curve in shown:
            axes.plot(curve.units, curve.values, color=ACTUAL, alpha=1.0 if len(shown) == 1 else 0.55)
        if len(shown) == 1 and first.best and first.best <= first.units[-1]:
            axes.axvline(first.best, color=MUTED, linewidth=1.2, linestyle=(0, (2, 2)))
            late = first.best > 0.6 * first.units[-1]
            axes.annotate(f"kept: {first.best:,}", (first.best, 0.04), xycoords=("data", "axes fraction"),
                          xytext=(-5 if late else 5, 0), textcoords="offset points", color=MUTED,
                          ha="right" if late else "left")  # fmt: skip
        axes.set_xlim(first.units[0], max(curve.units[-1] for curve in shown))
        axes.set_xlabel("units (rounds or passes)")
        axes.set_ylabel(plain(first.metric, 30))
    return chart.svg


def enough(found: learning.Curve) -> Markup | None:
    """The score over the rows that train: trials as points, the curve with its 90 % band, and what is taken."""
    points = [(one.rows, one.score) for one in found.tried if one.score is not None]
    if not found.line or not points:
        return None
    rows = [n for n, _ in found.line]
    with drawing("Score by number of training rows, with the share that is taken", 260) as chart:
        (axes,) = chart.axes()
        axes.set_xscale("log")
        axes.fill_between(rows, [f.low for _, f in found.line], [f.high for _, f in found.line],
                          color=FORECAST, alpha=0.35, linewidth=0)  # fmt: skip
        axes.plot(rows, [figure.value for _, figure in found.line], color=FORECAST)
        axes.plot([n for n, _ in points], [score for _, score in points], "o", color=ACTUAL, markersize=4)
        at = found.level.rows if found.level is not None else found.rows
        axes.axvline(at, color=LIMIT, linewidth=1.4, linestyle=(0, (4, 3)))
        axes.annotate(f"taken: {at:,}", (at, 0.04), xycoords=("data", "axes fraction"), xytext=(-5, 0),
                      textcoords="offset points", color=LIMIT, ha="right")  # fmt: skip
        axes.set_xlim(rows[0] / 1.2, max(found.rows, rows[-1]) * 1.2)
        log_ticks(axes, *axes.get_xlim(), wording.rows)
        axes.set_xlabel("training rows")
        axes.set_ylabel(plain(found.metric, 30))
        _legend(axes, {"trials": ACTUAL, "curve, 90 %": FORECAST})
    return chart.svg
