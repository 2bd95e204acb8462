"""How far past runs on this machine let a forecast be trusted, in a sentence."""

from __future__ import annotations

from fitscale.planning import wording
from fitscale.planning.forecasts.calibrating import adjusted_for, track_for
from fitscale.records.ledger import Calibration, Quantity
from fitscale.records.plan import Candidate, Forecast

NAMES: dict[Quantity, str] = {"time": "time", "cpu": "CPU time", "memory": "memory", "storage": "storage"}


def track_told(calibration: Calibration, forecast: Forecast) -> str:
    """``17 past runs here: median error 6 %, 15 of 17 within the interval``; empty where there is none of the forecast's kind."""
    track = track_for(calibration, forecast.kind)
    if track is None:
        return ""
    n, on = track.runs, forecast.calibrated
    runs = f"{n:,} past run{'s' * (n != 1)} here"
    if on:
        runs = f"calibrated on {on:,} runs here" if on == n else f"calibrated on {on:,} of {runs}"
    error = wording.share(track.error)
    if n == 1:
        return f"{runs}: error {error}, {'within' if track.within else 'outside'} the interval"
    return f"{runs}: median error {error}, {track.within:,} of {n:,} within the interval"


def moves_told(calibration: Calibration, forecast: Forecast, candidate: Candidate) -> tuple[str, ...]:
    """What past runs changed in each figure: ``time × 1.06, its interval × 0.8, by 23 runs of xgboost``."""
    if forecast.kind is None:
        return ()
    found = []
    for quantity, before in forecast.raw.items():
        by = adjusted_for(calibration, forecast.kind, quantity, candidate)
        now = {
            "time": forecast.time_s, "cpu": forecast.cpu_s, "memory": forecast.memory_bytes, "storage": forecast.storage_bytes,
        }[quantity]  # fmt: skip
        if by is None or now is None or before.value <= 0:
            continue
        whose = f" of {by.scope}" if by.scope else ""
        moved = wording.factor(now.value / before.value).removesuffix(" ×")
        found.append(
            f"{NAMES[quantity]} × {moved}, its interval × {wording.number(by.scale)}, by {by.runs:,} runs here{whose}"
        )
    return tuple(found)
