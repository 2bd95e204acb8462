"""The gates: what a candidate must pass, each with the sentence of its refusal. A refusal is a result, never dropped.

Memory is gated at P99 against what the supervisor lets processes hold; storage, a deadline and a budget at P50. Before
anything is measured (``surely``) only what cannot be is refused: where even the lower bound is too much.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from fitscale.engines.supervisor import RESERVE
from fitscale.planning import wording
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Candidate, Forecast, Refusal
from fitscale.records.run import Event
from fitscale.records.workload import Workload
from fitscale.workload.moments import seconds_until

RUNS_A_MONTH = {"daily": 30.4, "weekly": 4.35, "biweekly": 2.17, "monthly": 1.0, "ad-hoc": 1.0}
DISTRIBUTED = ("data-parallel", "cluster-native", "many-models", "parts-and-merge", "batched-models")
QUARTER = 0.24  # of the rows, about: what --probe goes up to
FORECAST_GATES = ("deadline", "budget")  # what comes nearest is named where nothing passes these
OVERRIDDEN = (*FORECAST_GATES, "storage")  # by --choose: where these are right, the run ends late or resumable

Gate = Literal["memory", "storage", "deadline", "budget", "functions", "export"]


def gate(
    assessed: Assessed, workload: Workload, machine: Machine, *, surely: bool, now: datetime | None = None
) -> Refusal | None:
    """The first gate that the candidate does not pass, or None. ``now`` is what a time of day is counted from."""
    candidate, forecast = assessed.candidate, assessed.forecast
    checks: tuple[tuple[Gate, str | None], ...] = (
        ("memory", _memory(candidate, forecast, machine, surely)),
        ("storage", _storage(forecast, machine, surely)),
        ("functions", _functions(candidate, workload)),
        ("deadline", _deadline(forecast, must_s(workload, now), surely)),
        ("budget", _budget(forecast, workload, surely)),
    )
    for name, sentence in checks:
        if sentence is not None:
            return Refusal(candidate=candidate, sentence=sentence, gate=name, forecast=forecast)
    return None


def ended_by_memory(assessed: Assessed, events: Sequence[Event], machine: Machine) -> Refusal:
    """The truth that refuted a forecast: the attempt passed the limit and was ended."""
    peak = max((int(event.data["peak"]) for event in events if event.kind == "memory"), default=0)
    units = max((int(event.data["units"]) for event in events if event.kind == "units"), default=0)
    after = f" after {units} iteration{'s' * (units != 1)}" if units else " before its first iteration ended"
    held = f" at {wording.size(float(peak))}" if peak else ""
    sentence = (
        f"was ended{held}{after}: {_allowance(assessed.candidate, machine)}; the forecast was "
        f"{wording.size(assessed.forecast.memory_bytes)}; allow more memory in 'where', or add a machine"
    )
    return Refusal(candidate=assessed.candidate, sentence=sentence, gate="memory", forecast=assessed.forecast)


def probe_failed(assessed: Assessed, events: Sequence[Event]) -> Refusal:
    """A fit of a part of the rows raised: what it said is why the candidate cannot run."""
    said = next((str(event.data["message"]) for event in reversed(events) if event.kind == "failed"), "without a word")
    sentence = f"failed in its probe: {said}"
    return Refusal(candidate=assessed.candidate, sentence=sentence, gate="ability", forecast=assessed.forecast)


def usable_bytes(candidate: Candidate, machine: Machine) -> float:
    """What the processes of the candidate may hold: the machine's memory, less what the supervisor keeps back in each."""
    each = machine.memory_bytes // candidate.limits
    return float((each - min(RESERVE, each // 8)) * candidate.limits)


def p99_bytes(forecast: Forecast) -> float:
    """The bound by which memory is admitted."""
    return forecast.memory_p99_bytes if forecast.memory_p99_bytes is not None else forecast.memory_bytes.high


def rows_that_fit(candidate: Candidate, forecast: Forecast, machine: Machine) -> float | None:
    """Training rows up to which P99 fits; None where rows are not what it hangs on."""
    value, fixed = forecast.memory_bytes.value, forecast.memory_fixed_bytes
    if candidate.is_grouped or not forecast.rows or value <= 1.001 * fixed:
        return None
    at_p50 = usable_bytes(candidate, machine) * value / p99_bytes(forecast)
    rows = forecast.rows * (at_p50 - fixed) / (value - fixed)
    return rows if rows >= 1 else None


def must_s(workload: Workload, now: datetime | None = None) -> float | None:
    """Seconds that the run may take at most."""
    deadline = workload.needs.deadline
    if deadline is None:
        return None
    if deadline.must_s is not None:
        return deadline.must_s
    return seconds_until(deadline.at, now) if deadline.at else None


def runs_a_month(workload: Workload) -> float:
    """How often the job runs; once where nothing is said."""
    often = workload.needs.frequency
    if often is None or often in RUNS_A_MONTH:
        return RUNS_A_MONTH.get(often or "ad-hoc", 1.0)
    minute, hour, day, month, weekday = often.split(" ")
    days = 30.4 * _filled(day, 31) * _filled(weekday, 7) * _filled(month, 12)
    return days * 24 * _filled(hour, 24) * 60 * _filled(minute, 60)


def _memory(candidate: Candidate, forecast: Forecast, machine: Machine, surely: bool) -> str | None:
    usable, memory, bound = usable_bytes(candidate, machine), forecast.memory_bytes, p99_bytes(forecast)
    if (memory.low if surely else bound) <= usable:
        return None
    bounded, settle = "", ""
    if memory.value <= usable:
        bounded, settle = f", at P99 {wording.size(bound)}", _settling(forecast)
    more = wording.size(bound + (machine.memory_bytes - usable))
    return (
        f"needs {wording.size(memory)}{bounded}, {_allowance(candidate, machine)}; "
        f"{settle}allow {more} in 'where', add a machine, or take what holds less"
    )


def _settling(forecast: Forecast) -> str:
    """Which probe would tell more of a memory that is likely to fit: one of a quarter of the rows, where smaller ones were seen."""
    if not 0 < forecast.probed < QUARTER:
        return ""
    seconds = forecast.time_s.value  # of all rows: more than that of a quarter and of the smaller parts before it
    asked = f"{math.ceil(seconds / 60)}m" if seconds > 60 else f"{max(10, math.ceil(seconds / 10) * 10)}s"
    return f"--probe {asked} tries a quarter of the rows, which may settle it; else "


def _allowance(candidate: Candidate, machine: Machine) -> str:
    usable, has = wording.size(usable_bytes(candidate, machine)), wording.size(float(machine.memory_bytes))
    return f"this machine has {has}" + (f" ({usable} usable)" if usable != has else "")


def _storage(forecast: Forecast, machine: Machine, surely: bool) -> str | None:
    free, there = machine.disk_free_bytes, forecast.storage_there_bytes
    takes = forecast.storage_bytes.low if surely else forecast.storage_bytes.value
    if free is None or takes - there <= free:
        return None
    return (
        f"{wording.size(takes - there)} of disk, where {wording.size(float(free))} are free; "
        "make room, put the run on another disk with --run, or take what keeps less"
    )


def _functions(candidate: Candidate, workload: Workload) -> str | None:
    if "distributed_training" not in workload.needs.functions or candidate.strategy in DISTRIBUTED:
        return None
    return "trains in one process, and needs.functions asks for distributed_training; data-parallel would be it"


def _deadline(forecast: Forecast, must: float | None, surely: bool) -> str | None:
    at = forecast.time_s.low if surely else forecast.time_p50_s or forecast.time_s.value
    if must is None or at <= must:
        return None
    return (
        f"{wording.duration(forecast.time_s)}: over your {wording.duration(must)}; "
        "allow more time in 'needs.deadline', fewer rows in 'data.use', or a faster machine"
    )


def _budget(forecast: Forecast, workload: Workload, surely: bool) -> str | None:
    budget, cost = workload.needs.budget, forecast.cost_usd
    if budget is None or budget.hardware_usd_month is None or cost is None:
        return None
    runs = runs_a_month(workload)
    if (cost.low if surely else cost.value) * runs <= budget.hardware_usd_month:
        return None
    often = workload.needs.frequency or "once a month"
    return (
        f"{wording.dollars(cost)} a run, {wording.dollars(cost.value * runs)} a month ({often}): over your "
        f"{wording.dollars(budget.hardware_usd_month)}; raise 'needs.budget', run less often, or take a cheaper machine"
    )


def _filled(field: str, size: int) -> float:
    """The share of its values that a field of a cron line names, near enough for money."""
    if field == "*":
        return 1.0
    named = 0.0
    for item in field.split(","):
        span, _, step = item.partition("/")
        first, _, last = span.partition("-")
        many = size if span == "*" or (step and not last) else 1
        if first.isdigit() and last.isdigit():
            many = int(last) - int(first) + 1
        elif last:
            many = 5  # by names, such as mon-fri
        named += many / float(step or 1)
    return min(1.0, named / size)
