"""What a candidate costs on a machine, as ``fitscale plan --explain CANDIDATE@MACHINE`` prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fitscale.cli.shown import NONE, columns, plural, usd, wrapped
from fitscale.planning.wording import number

if TYPE_CHECKING:
    from fitscale.records.base import Figure
    from fitscale.records.costs import Cost, Costs
    from fitscale.records.plan import Assessed


def cost_lines(costs: Costs, width: int) -> list[str]:
    """A table of the parts, the sums, what they lack, and what was assumed. Sources stand in the record."""
    where = "/".join(part for part in (costs.provider, costs.region) if part)
    head = (
        f"{costs.machine}{f' ({where})' if where else ''}, {costs.frequency}: {number(costs.runs_a_month)} runs a month"
    )
    header = ["USD/run", "USD/month", "", "what"]
    rows = [[_usd(line, line.usd_run), _usd(line, line.usd_month), line.part, _told(line)] for line in costs.lines]
    rows.append([usd(costs.usd_run), usd(costs.usd_month), "together", f"{_span(costs.usd_month)} a month"])
    if costs.spot_usd_month is not None:
        rows.append([NONE, usd(costs.spot_usd_month), "on spot", f"{_span(costs.spot_usd_month)} a month [assumed]"])
    indent = len(columns([row[:3] for row in rows], header[:3], "01")[0]) + 2
    lines = wrapped("Costs", head, width)
    front = columns([row[:3] for row in rows], header[:3], "01")
    wide = max(map(len, front)) + 2
    for left, text in zip(front, ["what", *(row[3] for row in rows)], strict=True):
        lines += wrapped(left.ljust(wide), text, width, max(indent, wide))
    lines += wrapped("", "In brackets: another way, which is not in the sums.", width)
    lines += wrapped("Budget", costs.over_budget, width) if costs.over_budget else []
    for name, several in (("Not known", costs.unknown), ("Assumed", costs.assumptions)):
        for at, text in enumerate(several):
            lines += wrapped(name if at == 0 else "", text, width)
    return [*lines, *wrapped("Sources", "of each line: --json", width)]


def better_costs(better: Assessed | None, letter: str) -> str:
    """The sentence beside the verdict; empty where nothing was priced."""
    if better is None or better.costs is None:
        return ""
    costs, way = better.costs, f"{better.candidate.name}@{better.candidate.machine}"
    over = f"; {better.costs.over_budget}" if better.costs.over_budget else ""
    spot = f", on spot about {_round(costs.spot_usd_month)}" if costs.spot_usd_month is not None else ""
    lacks = f", {plural(len(costs.unknown), 'part')} not known" if costs.unknown else ""
    return (
        f"{letter} with its disk and the data's way there: {_span(costs.usd_month)} a month ({costs.frequency}){spot}"
        f"{lacks}{over}; --explain {way} has each part"
    )


def _told(line: Cost) -> str:
    dated = (f" {line.as_of}" if line.origin == "looked up" else f", price of {line.as_of}") if line.as_of else ""
    return f"{line.what} [{line.origin}{dated}]"


def _usd(line: Cost, figure: Figure | None) -> str:
    if figure is None:
        return NONE
    return usd(figure) if line.counted else f"({usd(figure)})"


def _round(figure: Figure) -> str:
    return "under 0.01 USD" if figure.value < 0.01 else f"{number(figure.value)} USD"


def _span(figure: Figure) -> str:
    if figure.high < 0.01:
        return "under 0.01 USD"
    low, at, high = (number(value) for value in (figure.low, figure.value, figure.high))
    return f"{at} USD" if low == high else f"{at} USD ({low}–{high})"
