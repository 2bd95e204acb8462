"""How often what comes lies within its 90 % interval, and how wide those are. Pure functions."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Mapping, Sequence

from choice.known import QUANTITIES, Known, Of, Row, percent, quantile, rounded
from choice.later import later

DRAWS = 2_000
WIDTHS = {"(i)": 1.9, "(ii)": 1.35}

Within = tuple[dict[str, list[bool]], list[float]]  # by workload, whether each lay within; and upper over lower of all


def coverage(some: Sequence[Known], every: Sequence[Known] = ()) -> list[Row]:
    """How many of what came lie within their interval, with what resampling the workloads says of that; and how wide those are.

    ``every``: of both halves.
    """
    planned, begun = planned_pairs(some), begun_pairs(some)
    lines = _lines("(i)", lambda of: intervals(planned, of)) + _lines("(ii)", lambda of: intervals(begun, of))
    after = _lines("(iii)", lambda of: _after(some, every, of))
    lines += after if any(line["forecasts"] for line in after) else []
    return lines if any(line["forecasts"] for line in lines) else []


def _lines(forecast: str, within_of: Callable[[Of], Within]) -> list[Row]:
    lines = []
    together: dict[str, list[bool]] = {}
    for name, of in QUANTITIES.items():
        within, widths = within_of(of)
        for workload, hits in within.items():
            together.setdefault(workload, []).extend(hits)
        lines.append(
            _covered(forecast, name, within, widths, WIDTHS.get(forecast) if of.forecast == "time_s" else None)
        )
    return [*lines, _covered(forecast, "all of these", together, [], None)]


def _after(some: Sequence[Known], every: Sequence[Known], of: Of) -> Within:
    found = later(some, every, of)
    within = {name: [x.said[0] <= x.actual <= x.said[2] for x in draws] for name, draws in found.items()}
    return within, [x.said[2] / x.said[0] if x.said[0] else math.inf for draws in found.values() for x in draws]


def planned_pairs(some: Sequence[Known]) -> dict[str, list[tuple[Row, Row]]]:
    """By workload, what `plan` said of each candidate, and its first run."""
    return {
        one.name: [(one.plan["forecasts"][c], runs[0]) for c, runs in one.runs.items() if c in one.plan["forecasts"]]
        for one in some
        if one.plan
    }


def begun_pairs(some: Sequence[Known]) -> dict[str, list[tuple[Row, Row]]]:
    """By workload, what each run said of itself once its own beginning was seen, and what it came to."""
    return {
        one.name: [(row["forecast"], row) for runs in one.runs.values() for row in runs if row["begun"]] for one in some
    }


def intervals(pairs: Mapping[str, Sequence[tuple[Row, Row]]], of: Of) -> Within:
    """By workload, whether each lay within; and upper over lower of all."""
    within: dict[str, list[bool]] = {}
    widths = []
    for workload, known_pairs in pairs.items():
        for forecast, actual in known_pairs:
            if not forecast.get(of.forecast) or not actual.get(of.actual):
                continue
            low, _, high = forecast[of.forecast]
            within.setdefault(workload, []).append(low <= actual[of.actual] <= high)
            widths.append(high / low if low else math.inf)
    return within, widths


def bootstrap(groups: Mapping[str, Sequence[bool]], draws: int = DRAWS, seed: int = 0) -> tuple[float, float]:
    """90 % interval of the share that is true, where whole groups are drawn anew: those of one workload err together."""
    drawn, counted = random.Random(seed), [(sum(groups[name]), len(groups[name])) for name in sorted(groups)]
    shares = []
    for _ in range(draws):
        some = drawn.choices(counted, k=len(counted))
        shares.append(sum(hits for hits, _ in some) / sum(of for _, of in some))
    return quantile(shares, 0.05) or 0.0, quantile(shares, 0.95) or 0.0


def _covered(
    forecast: str, of: str, within: Mapping[str, Sequence[bool]], widths: Sequence[float], aim: float | None
) -> Row:
    hits = [hit for some in within.values() for hit in some]
    low, high = bootstrap(within) if hits else (0.0, 0.0)
    return {
        "forecast": forecast, "of": of, "workloads": len(within), "forecasts": len(hits),
        "within_%": percent(statistics.fmean(hits)) if hits else None,
        "resampled_%": f"{100 * low:.0f}-{100 * high:.0f}" if hits else None, "aim_%": "85-95",
        "upper_by_lower": rounded(quantile(widths, 0.5)), "width_aim": aim,
    }  # fmt: skip
