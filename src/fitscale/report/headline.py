"""The head of the page: title line, verdict, and the three figures beside their forecasts."""

from __future__ import annotations

from typing import NamedTuple

from fitscale.planning import wording
from fitscale.records.base import Figure
from fitscale.records.plan import Decision, Forecast
from fitscale.report.candidates import deadlines_of
from fitscale.report.reading import Material
from fitscale.report.text import error, many, moment, parted, plain, score, seconds, size


class Tile(NamedTuple):
    """One of the three figures on top."""

    label: str
    value: str
    origin: str
    details: tuple[str, ...]
    beyond: bool = False  # outside its forecast, or over a limit


def subtitle(m: Material) -> str:
    words = [f"version {m.version}" if m.version else f"plan {m.plan.number}" if m.plan else ""]
    if m.actual:
        words.append(moment(m.actual.ended if m.actual.finished else m.actual.began))
    return " · ".join(words)


def forecast_of(m: Material) -> Forecast | None:
    return m.plan.decision.chosen.forecast if m.plan and m.plan.decision.chosen else None


def limit_of(m: Material) -> int | None:
    if m.actual and m.actual.limit_bytes:
        return m.actual.limit_bytes
    return m.plan.machine.memory_bytes if m.plan else None


def _where(m: Material) -> str:
    if m.plan is None:
        return ""
    machine = m.plan.machine
    name = "this machine" if machine.kind == "local" else plain(machine.name, 40)
    return f"{name} ({many(machine.cores, 'core')}, {size(machine.memory_bytes)} of memory)"


def verdict(m: Material) -> str:
    decision = m.plan.decision if m.plan else None
    if m.manifest is not None:
        what = f"Trained {many(m.manifest.models, 'model')}" if m.manifest.groups else "Trained"
        failed = f"; {m.manifest.failed:,} failed, {m.manifest.unfit:,} unfit" if m.manifest.groups else ""
        return f"{what}: {_way(m)}, on {_where(m)}{failed}." if m.plan else f"{what}{failed}."
    if decision is None or decision.chosen is None:
        return f"Nothing can run on {_where(m)}: {many(len(decision.refused) if decision else 0, 'candidate')} refused."
    begun = "Begun and not finished" if m.actual else "Planned, not trained yet"
    return f"{begun}: {decision.chosen.candidate.name} on {_where(m)}."


def _way(m: Material) -> str:
    """The architecture, and the one that finished it where memory ended the first."""
    chosen = m.plan.decision.chosen if m.plan else None
    first = chosen.candidate.name if chosen else ""
    used = [a.candidate for a in m.actual.attempts if a.kind in ("fit", "groups")] if m.actual else []
    changed = used and used[-1] != first
    return plain(f"{first}, then {used[-1]} when memory ended it" if changed and first else first, 120)


def badges(decision: Decision) -> list[tuple[str, bool]]:
    """(words, is a warning)."""
    found = [("settled", False) if decision.settled else ("not settled: the budget for probes was spent", True)]
    if decision.overridden:
        found.append(("chosen by hand (--choose)", True))
    if not decision.meets:
        found.append(("does not meet what the workload demands", True))
    return found


def _score(m: Material) -> Tile | None:
    if m.manifest is None:
        return None
    about = m.manifest
    rows = m.models.n_holdout if m.models else 0
    judged = [name for name in about.scores if name != about.metric]
    if judged:
        details = [f"mean of {len(judged)} parts"]
    elif about.groups:
        details = [f"over {rows:,} held-out rows of all models"]
    else:
        details = [f"on {rows:,} held-out rows"] if rows else []
    return Tile(plain(about.metric, 40), score(about.scores.get(about.metric)), "measured", tuple(details))


def _against(actual: float, forecast: Figure, shown: str) -> tuple[str, bool]:
    value, interval = parted(shown)
    where = "above" if actual > forecast.high else "below" if actual < forecast.low else "within"
    return (
        f"forecast {value} ({interval or 'exact'}): {error(actual, forecast.value)}, {where} the interval",
        where == "above",
    )


def _time(m: Material) -> Tile | None:
    forecast = forecast_of(m)
    limits = [" · ".join(f"{name} {seconds(at)}" for name, at in deadlines_of(m.plan).items())]
    if m.actual is None or not m.actual.finished:
        if forecast is None:
            return None
        value, interval = parted(wording.duration(forecast.time_s))
        return Tile("time", value, forecast.time_s.origin, tuple([interval and f"90 %: {interval}", *limits]))
    actual = m.actual
    details, beyond = [] if actual.fitted else ["its models had been fitted for an earlier version"], False
    if forecast and actual.fitted:
        against, beyond = _against(actual.work_s, forecast.time_s, wording.duration(forecast.time_s))
        details.append(against)
    details.append(f"{seconds(actual.wall_s)} from the command to its end, with planning")
    must = deadlines_of(m.plan).get("must") if m.plan else None
    late = must is not None and actual.wall_s > must
    return Tile("time", seconds(actual.work_s), "measured", (*details, *limits), beyond or late)


def _memory(m: Material) -> Tile | None:
    forecast = forecast_of(m)
    limit = limit_of(m)
    limits = [f"limit {size(limit)}"] if limit else []
    if m.actual is None or not m.actual.peak_bytes or not m.actual.fitted:
        if forecast is None:
            return None
        value, interval = parted(wording.size(forecast.memory_bytes))
        return Tile(
            "peak memory", value, forecast.memory_bytes.origin, tuple([interval and f"90 %: {interval}", *limits])
        )
    details, beyond = [], False
    if forecast:
        against, beyond = _against(m.actual.peak_bytes, forecast.memory_bytes, wording.size(forecast.memory_bytes))
        details.append(against)
    return Tile("peak memory", size(m.actual.peak_bytes), "measured", (*details, *limits), beyond)


def tiles(m: Material) -> list[Tile]:
    """Score, time, peak memory; those that are known."""
    return [tile for tile in (_score(m), _time(m), _memory(m)) if tile]
