"""Past runs on this machine → what they change in a forecast. Pure: the ledger's entries come in as data.

Split conformal prediction. Of each past run of the same kind, the residual is r = ln(actual / forecast), less the median of all
others; its score is r over the half-width that was said, ln(high / value) or ln(value / low) by the side on which it lies. Of n
scores the ceil((n + 1) · 0.9)-th is the factor by which half-widths must grow, or may shrink, to hold nine of ten runs to come,
whatever the errors' distribution, as long as these runs are like those. The value is moved by the median residual, of which
n / (n + 10) is believed.

It needs 20 runs: of the candidate's own path, else of its framework, else of everything. With fewer, intervals stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from fitscale.planning.forecasts import forecasting
from fitscale.planning.forecasts.spread import no_less_than, quantile
from fitscale.records.base import Figure
from fitscale.records.ledger import Adjusted, Calibration, Entry, Kind, Quantity, Range, Said, Track, scopes_of
from fitscale.records.machine import Machine
from fitscale.records.plan import Candidate, Forecast

LEAST = 20  # runs
COVERED = 0.9
ADMITTED, LEAST_ADMITTED = 0.99, 100  # a bound that one run of a hundred passes is known from a hundred
BELIEVED = 10.0  # of n runs, n / (n + this) of their median residual
CROWDED = 0.25  # of the machine used by others: what a run took then says nothing of what it takes
LATEST = 200  # of a kind: older runs are of other libraries, and of an older fitscale
LEAST_HALF = math.log(1.01)  # of an interval that is none, such as an exact figure's

Floats = NDArray[np.float64]


def calibration_of(entries: Sequence[Entry], elsewhere: int = 0, skipped: int = 0) -> Calibration:
    """What the runs of this machine say, for each kind of forecast, each quantity and each scope that has enough of them."""
    adjusted: list[Adjusted] = []
    tracks: list[Track] = []
    for kind in get_args(Kind):
        for quantity in get_args(Quantity):
            found = _of(entries, kind, quantity)
            if not found:
                continue
            tracks.append(_track(kind, quantity, found))
            scopes = sorted({scope for entry, _ in found for scope in entry.scopes}, key=lambda s: (s.count(" "), s))
            for scope in scopes:
                own = [(entry, said) for entry, said in found if scope in entry.scopes][-LATEST:]
                if len(own) >= LEAST:
                    adjusted.append(_adjusted(kind, quantity, scope, own))
    return Calibration(
        runs=len(entries), elsewhere=elsewhere, skipped=skipped, adjusted=tuple(adjusted), tracks=tuple(tracks)
    )


def calibrated(forecast: Forecast, candidate: Candidate, calibration: Calibration, machine: Machine) -> Forecast:
    """The forecast as past runs of its kind move it; the same where there are too few. What it was before is in ``raw``."""
    if forecast.kind is None or not calibration.adjusted:
        return forecast
    raw: dict[Quantity, Figure] = {}
    changes: dict[str, object] = {}
    time = adjusted_for(calibration, forecast.kind, "time", candidate)
    if time is not None:
        raw["time"] = forecast.time_s
        time_s = moved(forecast.time_s, time, forecast.floor_s)
        times = time_s.value / forecast.time_s.value if forecast.time_s.value > 0 else 1.0
        changes |= {
            "time_s": time_s, "time_p50_s": time_s.value, "cost_usd": forecasting.cost_of(time_s, machine),
            "phases": {phase: seconds * times for phase, seconds in forecast.phases.items()}, "calibrated": time.runs,
        }  # fmt: skip
    cpu = adjusted_for(calibration, forecast.kind, "cpu", candidate)
    if cpu is not None and forecast.cpu_s is not None:
        raw["cpu"] = forecast.cpu_s
        changes["cpu_s"] = moved(forecast.cpu_s, cpu)
    storage = adjusted_for(calibration, forecast.kind, "storage", candidate)
    if storage is not None:
        raw["storage"] = forecast.storage_bytes
        changes["storage_bytes"] = moved(forecast.storage_bytes, storage, float(forecast.storage_there_bytes))
    memory = adjusted_for(calibration, forecast.kind, "memory", candidate)
    if memory is not None:
        raw["memory"] = forecast.memory_bytes
        held = moved(forecast.memory_bytes, memory, forecast.memory_fixed_bytes)
        changes |= {"memory_bytes": held, "memory_p99_bytes": _admitted(forecast, held, memory)}
    return forecast.but(raw=raw, **changes)


def adjusted_for(calibration: Calibration, kind: Kind, quantity: Quantity, candidate: Candidate) -> Adjusted | None:
    """By the narrowest scope that has enough runs."""
    known = {a.scope: a for a in calibration.adjusted if a.kind == kind and a.quantity == quantity}
    return next((known[scope] for scope in scopes_of(candidate.path) if scope in known), None)


def adjusted_of(entries: Sequence[Entry], kind: Kind, quantity: Quantity) -> Adjusted:
    """What all of some runs say together, each with a forecast of that kind and quantity, and at least twenty of them."""
    return _adjusted(kind, quantity, "", _of(entries, kind, quantity))


def track_for(calibration: Calibration, kind: Kind | None, quantity: Quantity = "time") -> Track | None:
    """How forecasts of this kind did here so far."""
    return next((track for track in calibration.tracks if track.kind == kind and track.quantity == quantity), None)


def conformal(scores: Sequence[float] | Floats, share: float) -> float:
    """The bound that such a share of scores to come stay within: the ceil((n + 1) · share)-th of n; infinite of too few."""
    n = len(scores)
    # The product may be a whole number that a float misses by its last bit.
    place = math.ceil((n + 1) * share - 1e-9)
    return float(np.sort(np.asarray(scores))[place - 1]) if place <= n else math.inf


def moved(figure: Figure, by: Adjusted, floor: float = 0.0) -> Figure:
    """The figure with its value corrected and its interval scaled, never below a floor."""
    value = figure.value * math.exp(by.shift)
    down, up = (half * by.scale for half in halves((figure.low, figure.value, figure.high)))
    found = Figure(value=value, low=value * math.exp(-down), high=value * math.exp(up), origin="calibrated")
    return no_less_than(found, floor)


def halves(said: Range) -> tuple[float, float]:
    """(lower, upper) half-width of an interval, as logarithms; one that begins at nothing is as wide below as above."""
    low, value, high = said
    up = max(LEAST_HALF, math.log(high / value)) if value > 0 else LEAST_HALF
    return (max(LEAST_HALF, math.log(value / low)) if low > 0 else up), up


def _of(entries: Iterable[Entry], kind: Kind, quantity: Quantity) -> list[tuple[Entry, Said]]:
    """Each run once, by the last of its forecasts that was of this kind; no time of one that shared the machine with others."""
    found = []
    for entry in entries:
        if quantity == "time" and entry.contention > CROWDED:
            continue
        said = next((one for one in reversed(entry.said) if one.kind == kind and quantity in one.figures), None)
        if said is not None and quantity in entry.actual:
            found.append((entry, said))
    return found


def _track(kind: Kind, quantity: Quantity, found: Sequence[tuple[Entry, Said]]) -> Track:
    errors, within = [], 0
    for entry, said in found:
        (low, value, high), took = said.figures[quantity], entry.actual[quantity]
        errors.append(abs(took / value - 1))
        within += low <= took <= high
    error = float(np.median(errors))
    return Track(kind=kind, quantity=quantity, runs=len(found), error=round(error, 4), within=within)


def _adjusted(kind: Kind, quantity: Quantity, scope: str, found: Sequence[tuple[Entry, Said]]) -> Adjusted:
    residuals, down, up = [], [], []
    for entry, said in found:
        figures = said.raw_of(quantity)
        assert figures is not None
        lower, upper = halves(figures)
        residuals.append(math.log(entry.actual[quantity] / figures[1]))
        down.append(lower)
        up.append(upper)
    n = len(residuals)
    believed = n / (n + BELIEVED)
    off = np.array(residuals) - believed * _medians_of_others(np.array(residuals))
    scores = np.where(off >= 0, off / np.array(up), -off / np.array(down))
    bound = None
    if quantity == "memory" and n >= LEAST_ADMITTED:
        bound = conformal(off / np.array(up), ADMITTED)
    return Adjusted(
        kind=kind, quantity=quantity, scope=scope, runs=n, shift=believed * float(np.median(residuals)),
        scale=conformal(scores, COVERED), bound=bound,
    )  # fmt: skip


def _medians_of_others(values: Floats) -> Floats:
    """For each of them the median of all others: what moves a forecast must not have seen its own run. Shape (n,)."""
    n = len(values)
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    found = np.empty(n)
    for place, at in enumerate(order):
        lower, upper = (n - 2) // 2, (n - 1) // 2  # of the n - 1 others; those from ``place`` on stand one further
        found[at] = (ranked[lower + (lower >= place)] + ranked[upper + (upper >= place)]) / 2
    return found


def _admitted(forecast: Forecast, held: Figure, by: Adjusted) -> float:
    """The bound by which memory is admitted: larger as soon as past runs say so, smaller only from a hundred of them on."""
    if by.bound is not None:
        _, up = halves((forecast.memory_bytes.low, forecast.memory_bytes.value, forecast.memory_bytes.high))
        return max(held.value, held.value * math.exp(by.bound * up))
    before = forecast.memory_p99_bytes
    return max(quantile(held, ADMITTED), before if before is not None else forecast.memory_bytes.high)
