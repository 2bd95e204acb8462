"""What would change the verdict. Memory beyond its fixed part and time beyond the start are taken as linear in the rows."""

from __future__ import annotations

from collections.abc import Iterator

from fitscale.planning import wording
from fitscale.planning.gates import p99_bytes, usable_bytes
from fitscale.planning.verdict import Verdict
from fitscale.records.machine import Machine
from fitscale.records.plan import Candidate, Forecast


def flips_of(v: Verdict) -> tuple[str, ...]:
    return tuple([*_memory(v), *_deadline(v)])


def _memory(v: Verdict) -> Iterator[str]:
    for refusal in v.refused:
        if refusal.gate == "memory" and refusal.forecast is not None:
            candidate, forecast = refusal.candidate, refusal.forecast
            kept = v.machine.memory_bytes - usable_bytes(candidate, v.machine)
            with_memory = f"with {wording.size(p99_bytes(forecast) + kept)}"
            rows = rows_that_fit(candidate, forecast, v.machine)
            below = f"below {wording.rows(rows)} rows, or " if rows else ""
            yield f"{candidate.name} fits in memory here {below}{with_memory}"
    if v.chosen is not None:
        rows = rows_that_fit(v.chosen.candidate, v.chosen.forecast, v.machine)
        if rows and rows < 1000 * v.chosen.forecast.rows:
            yield f"{v.chosen.candidate.name} no longer fits in memory here above {wording.rows(rows)} rows"


def rows_that_fit(candidate: Candidate, forecast: Forecast, machine: Machine) -> float | None:
    """Training rows up to which P99 fits; None where rows are not what it hangs on."""
    value, fixed = forecast.memory_bytes.value, forecast.memory_fixed_bytes
    if candidate.is_grouped or not forecast.rows or value <= 1.001 * fixed:
        return None
    at_p50 = usable_bytes(candidate, machine) * value / p99_bytes(forecast)
    rows = forecast.rows * (at_p50 - fixed) / (value - fixed)
    return rows if rows >= 1 else None


def _deadline(v: Verdict) -> Iterator[str]:
    if v.chosen is None or v.must is None or not v.chosen.forecast.rows:
        return
    forecast = v.chosen.forecast
    start = forecast.phases.get("start", 0.0)
    if forecast.time_s.value <= start or v.must <= start:
        return
    rows = wording.rows(forecast.rows * (v.must - start) / (forecast.time_s.value - start))
    limit, name = wording.duration(v.must), v.chosen.candidate.name
    if forecast.time_s.value > v.must:
        yield f"{name} meets your {limit} below {rows} rows"
    else:
        yield f"{name} misses your {limit} above {rows} rows"
