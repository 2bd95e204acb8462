"""The candidates of a plan as rows and as a chart, those that were refused, and what of the catalogue would be better."""

from __future__ import annotations

from typing import Any, NamedTuple

from fitscale.planning import wording
from fitscale.records.base import Figure
from fitscale.records.plan import Assessed, Candidate, Plan
from fitscale.report import charts
from fitscale.report.text import many, parted, plain, usd

SHOWN = 24
BARS = 12


class Cell(NamedTuple):
    value: str
    interval: str
    origin: str


class Row(NamedTuple):
    name: str
    how: str
    time: Cell
    memory: Cell
    storage: Cell
    cost: Cell | None
    result: str
    source: str
    chosen: bool


def candidates_shown(plan: Plan) -> dict[str, Any]:
    """Rows of those that can run, sentences of those that cannot, the chart of both."""
    decision = plan.decision
    others = [a for a in decision.alternatives if decision.chosen is None or a.candidate != decision.chosen.candidate]
    known = [*([decision.chosen] if decision.chosen else []), *others]
    rows = [row_of(a, a is decision.chosen) for a in known[:SHOWN]]
    bars = [charts.Bar(a.candidate.name, a.forecast.time_s, a.forecast.memory_bytes, a is decision.chosen, False)
            for a in known]  # fmt: skip
    bars += [
        charts.Bar(f"{r.candidate.name} (refused)", r.forecast.time_s, r.forecast.memory_bytes, False, True)
        for r in decision.refused if r.forecast is not None
    ]  # fmt: skip
    return {
        "rows": rows,
        "left_out": max(0, len(known) - SHOWN),
        "costs": any(row.cost for row in rows),
        "times": charts.times(bars[:BARS], deadlines_of(plan)),
        "memories": charts.memories(bars[:BARS], plan.machine.memory_bytes),
        "refused": [(plain(r.candidate.name, 60), r.gate, plain(r.sentence)) for r in decision.refused[:SHOWN]],
        "better": row_of(decision.better, False) if decision.better else None,
        "better_machine": plain(decision.better.candidate.machine, 60) if decision.better else "",
    }


def deadlines_of(plan: Plan | None) -> dict[str, float]:
    """What is wanted and what must be, in seconds."""
    deadline = plan.workload.needs.deadline if plan else None
    if deadline is None:
        return {}
    return {name: at for name, at in (("want", deadline.want_s), ("must", deadline.must_s)) if at is not None}


def row_of(assessed: Assessed, chosen: bool) -> Row:
    """A candidate with its forecast, in words."""
    candidate, forecast = assessed.candidate, assessed.forecast
    cost = forecast.cost_usd
    return Row(
        name=plain(candidate.name, 60),
        how=_how(candidate),
        time=_cell(forecast.time_s, wording.duration(forecast.time_s)),
        memory=_cell(forecast.memory_bytes, wording.size(forecast.memory_bytes)),
        storage=_cell(forecast.storage_bytes, wording.size(forecast.storage_bytes)),
        cost=_cell(cost, usd(cost)) if cost else None,
        result=candidate.result,
        source=plain(forecast.source, 120),
        chosen=chosen,
    )


def _cell(figure: Figure, shown: str) -> Cell:
    value, interval = parted(shown)
    return Cell(value, interval, figure.origin)


def _how(candidate: Candidate) -> str:
    parts = candidate.strategy == "parts-and-merge"  # its processes share the threads of one fit
    threads = many(max(1, candidate.threads // candidate.workers) if parts else candidate.threads, "thread")
    processes = max(candidate.workers, candidate.ranks)
    arranged = f"{processes} processes × {threads}" if processes > 1 else threads
    return plain(f"{candidate.framework} · {candidate.form} · {candidate.engine} · {arranged}", 120)
