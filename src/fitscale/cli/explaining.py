"""What ``fitscale plan --explain CANDIDATE`` prints: forecast, phases, the terms behind them, the refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fitscale.cli.costing import cost_lines
from fitscale.cli.path import explained_path
from fitscale.cli.scoring import card_lines
from fitscale.cli.screen import place
from fitscale.cli.shown import columns, count, duration, plural, size, usd, wrapped
from fitscale.planning.forecasts.trust import moves_told, track_told
from fitscale.work.phases import PHASES

if TYPE_CHECKING:
    from fitscale.planning.again import Explained
    from fitscale.records.plan import Candidate, Forecast, Law, Plan


def lines_of(found: Explained, plan: Plan, width: int) -> list[str]:
    """The lines that a person reads."""
    candidate, forecast = found.candidate, found.forecast
    threads = plural(candidate.threads, "thread")
    lines = wrapped("Candidate", f"{place(candidate, plan.machine.name)}: {candidate.framework}, {threads}", width)
    lines += wrapped("Feed", f"as {candidate.form}; its model is {candidate.result} as the in-memory one", width)
    lines += wrapped("Verdict", found.verdict + (f": {found.sentence}" if found.sentence else ""), width)
    lines += explained_path(plan.decision, candidate.strategy, width)
    if forecast is not None:
        lines += wrapped("Time", f"{duration(forecast.time_s)} {forecast.source}", width)
        for i, text in enumerate(_past(plan, candidate, forecast)):
            lines += wrapped("" if i else "Past runs", text, width)
        if forecast.floor_s:
            lines += wrapped(
                "Floor", f"{duration(forecast.floor_s)}: arithmetic at its fastest, bytes over bandwidth", width
            )
        here = candidate.machine == plan.machine.name
        usable = f", of {size(plan.machine.memory_bytes)} usable" if here else ""
        lines += wrapped("Memory", f"{size(forecast.memory_bytes)}{usable}", width)
        lines += wrapped("Storage", size(forecast.storage_bytes), width)
        if forecast.cost_usd is not None:
            lines += wrapped("Cost", f"{usd(forecast.cost_usd)} USD a run", width)
        ordered = sorted(forecast.phases.items(), key=lambda item: PHASES.index(item[0]) if item[0] in PHASES else 99)
        lines += ["", *columns([[name, duration(seconds)] for name, seconds in ordered], ["phase", "forecast"], "1")]
    if found.law is not None:
        lines += ["", *_terms(found.law)]
    if found.costs is not None:
        lines += ["", *cost_lines(found.costs, width)]
    if found.card is not None:
        lines += ["", *card_lines(found.card, width)]
    return [line[:width] for line in lines]


def _past(plan: Plan, candidate: Candidate, forecast: Forecast) -> tuple[str, ...]:
    """How forecasts of this kind did here, and what that changed in each figure."""
    track = track_told(plan.calibration, forecast)
    return (*([track] if track else []), *moves_told(plan.calibration, forecast, candidate))


def _terms(law: Law) -> list[str]:
    """The law's terms; those of many models are added up over the sizes of groups."""
    amounts: dict[tuple[str, str, float, str], float] = {}
    for phase, several in law.time.items():
        for term in several:
            key = (phase, term.name, term.prior, "s")
            amounts[key] = amounts.get(key, 0.0) + term.amount
    for phase, several in (("memory", law.memory), ("storage", law.storage)):
        for term in several:
            amounts[phase, term.name, term.prior, "B"] = term.amount
    rows = [
        [phase, name, count(amount), f"{prior:.3g} {unit}", (duration if unit == "s" else size)(amount * prior)]
        for (phase, name, prior, unit), amount in amounts.items()
    ]
    read = "once" if law.passes == 1 else f"{law.passes:g} times"
    header = ["phase", "term", "amount", "each, by prior", "together"]
    return [*columns(rows, header, "234"), "", f"{plural(law.units, 'unit')}; the rows are read {read}"]
