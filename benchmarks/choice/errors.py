"""How far off the values of forecasts are, beside the noise of the same run again and lines through parts. Pure functions."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

from choice.baselines import LINES
from choice.known import QUANTITIES, Known, Of, Row, percent, quantile
from choice.later import later, later_errors

LATER = {"time_s": "8"}  # aim of (iii): the median, in percent


def errors(some: Sequence[Known], every: Sequence[Known] = ()) -> list[Row]:
    """How far off the value of a forecast is: one forecast for each workload, of what was chosen. ``every``: of both halves."""
    lines: list[Row] = []
    for name, of in QUANTITIES.items():
        lines.append(_error("(i) plan", name, planned_errors(some, of), of.plan))
        far = planned_errors(some, of, probed=1 / 16)
        lines.append(_error("(i) plan, from at most 1/16 of the rows", name, far, of.plan))
        lines.append(_error("(ii) train, after its beginning", name, begun_errors(some, of), of.train))
        if after := later_errors(later(some, every, of)):
            lines.append(_error("(iii) plan, after 20 other runs", name, after, LATER.get(of.forecast)))
        lines.append(_error("the same run again", name, noise(some, of), None))
    for name, by in LINES.items():
        lines.append(_error(name, "wall time", line_errors(some, by), None))
    return lines if any(line["workloads"] for line in lines) else []


def ranges(some: Sequence[Known]) -> list[Row]:
    """Of fits whose number of iterations is open: what `plan` said of each candidate, and the seconds that its runs took."""
    lines = []
    for one in some:
        for choice, runs in sorted(one.runs.items()):
            if one.plan is None or choice not in one.plan["forecasts"]:
                continue
            seconds = [row["actual_s"] for row in runs]
            low, value, high = one.plan["forecasts"][choice]["time_s"]
            lines.append({
                "workload": one.name, "choice": choice, "forecast_s": value, "interval_s": f"{low:.0f}-{high:.0f}",
                "took_s": f"{min(seconds):.0f}-{max(seconds):.0f}", "of_runs": len(runs),
                "in_interval": sum(low <= s <= high for s in seconds),
            })  # fmt: skip
    return lines


def planned_errors(some: Sequence[Known], of: Of, probed: float = math.inf) -> dict[str, float]:
    """Of each workload, that of what `plan` chose; ``probed`` is the largest share of the rows it may have fitted."""
    found = {}
    for one in some:
        choice = one.plan["chosen"] if one.plan else None
        forecast = one.plan["forecasts"][choice] if one.plan and choice else None
        if forecast is None or choice not in one.runs or forecast["probed"] > probed:
            continue
        if (error := _off(forecast, one.runs[choice][0], of)) is not None:
            found[one.name] = error
    return found


def begun_errors(some: Sequence[Known], of: Of) -> dict[str, float]:
    """Of each workload, that of what its first `train` decided on."""
    found = {}
    for one in some:
        row = next((row for row in one.trains if row.get("actual_s")), None)
        if row is not None and (error := _off(row["forecast"], row, of)) is not None:
            found[one.name] = error
    return found


def noise(some: Sequence[Known], of: Of) -> dict[str, float]:
    """Of each workload that was repeated, the median over its candidates and over each two of their runs."""
    found = {}
    for one in some:
        off = [
            abs(b[of.actual] / a[of.actual] - 1)
            for runs in one.runs.values()
            for a, b in combinations(runs, 2)
            if a.get(of.actual) and b.get(of.actual)
        ]
        if off:
            found[one.name] = statistics.median(off)
    return found


def line_errors(some: Sequence[Known], by: Callable[[Sequence[float], Sequence[float]], float]) -> dict[str, float]:
    """Of each workload with runs on parts of its rows, that of the line of what `plan` chose."""
    found = {}
    for one in some:
        choice = one.plan["chosen"] if one.plan else None
        if choice in one.parts and choice in one.runs:
            said = by(one.parts[choice]["shares"], one.parts[choice]["seconds"])
            found[one.name] = abs(said / one.runs[choice][0]["actual_s"] - 1)
    return found


def _off(forecast: Mapping[str, Any], actual: Mapping[str, Any], of: Of) -> float | None:
    if not forecast.get(of.forecast) or not actual.get(of.actual):
        return None
    return abs(float(forecast[of.forecast][1] / actual[of.actual] - 1))


def _error(forecast: str, of: str, found: Mapping[str, float], aim: str | None) -> Row:
    return {
        "forecast": forecast, "of": of, "workloads": len(found),
        "median_%": percent(quantile(found.values(), 0.5)), "p90_%": percent(quantile(found.values(), 0.9)),
        "aim_%": aim,
    }  # fmt: skip
