"""What would change the verdict. Memory beyond its fixed part and time beyond the start are taken as linear in the rows."""

from __future__ import annotations

from collections.abc import Iterator

from fitscale.planning import wording
from fitscale.planning.decision.gates import p99_bytes, rows_that_fit, usable_bytes
from fitscale.planning.decision.verdict import Verdict


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
