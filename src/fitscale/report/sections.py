"""What was read → what the template shows: words and charts, section by section. A section without data is None."""

from __future__ import annotations

from typing import Any, NamedTuple

from fitscale.records.base import Figure
from fitscale.records.plan import Decision, Forecast
from fitscale.report import charts, distributions
from fitscale.report.candidates import candidates_shown, deadlines_of
from fitscale.report.course import attempts_shown, interrupted
from fitscale.report.described import data_shown, recipe_shown
from fitscale.report.reading import Material
from fitscale.report.text import error, many, moment, parted, percent, plain, score, seconds, size
from fitscale.planning import wording

PHASES = ("start", "read", "encode", "bin", "iterations", "score", "export", "save")


class Tile(NamedTuple):
    """One of the three figures on top."""

    label: str
    value: str
    origin: str
    details: tuple[str, ...]
    beyond: bool = False  # outside its forecast, or over a limit


class PhaseRow(NamedTuple):
    name: str
    forecast: str
    actual: str
    error: str
    cpu: str


def sections(m: Material) -> dict[str, Any]:
    """All that the template takes."""
    decision = m.plan.decision if m.plan else None
    return {
        "title": plain(m.name, 80),
        "subtitle": _subtitle(m),
        "verdict": _verdict(m),
        "interrupted": interrupted(m.actual),
        "tiles": [tile for tile in (_score(m), _time(m), _memory(m)) if tile],
        "decision": decision,
        "badges": _badges(decision) if decision else [],
        "candidates": candidates_shown(m.plan) if m.plan else None,
        "comparison": _comparison(m),
        "memory": charts.memory(m.memory, _limit(m), forecast.memory_bytes if (forecast := _forecast(m)) else None),
        "curve": charts.curves(m.curves),
        "scores": _scores(m),
        "models": _models(m),
        "attempts": attempts_shown(m.actual) if m.actual else [],
        "data": data_shown(m),
        "recipe": recipe_shown(m),
        "plain": plain,
    }


def _subtitle(m: Material) -> str:
    words = [f"version {m.version}" if m.version else f"plan {m.plan.number}" if m.plan else ""]
    if m.actual:
        words.append(moment(m.actual.ended if m.actual.finished else m.actual.began))
    return " · ".join(words)


def _forecast(m: Material) -> Forecast | None:
    return m.plan.decision.chosen.forecast if m.plan and m.plan.decision.chosen else None


def _limit(m: Material) -> int | None:
    if m.actual and m.actual.limit_bytes:
        return m.actual.limit_bytes
    return m.plan.machine.memory_bytes if m.plan else None


def _where(m: Material) -> str:
    if m.plan is None:
        return ""
    machine = m.plan.machine
    name = "this machine" if machine.kind == "local" else plain(machine.name, 40)
    return f"{name} ({many(machine.cores, 'core')}, {size(machine.memory_bytes)} of memory)"


def _verdict(m: Material) -> str:
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


def _badges(decision: Decision) -> list[tuple[str, bool]]:
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
    return f"forecast {value} ({interval or 'exact'}): {error(actual, forecast.value)}, {where} the interval", where == "above"


def _time(m: Material) -> Tile | None:
    forecast = _forecast(m)
    limits = [" · ".join(f"{name} {seconds(at)}" for name, at in deadlines_of(m.plan).items())]
    if m.actual is None or not m.actual.finished:
        if forecast is None:
            return None
        value, interval = parted(wording.duration(forecast.time_s))
        return Tile("time", value, forecast.time_s.origin, tuple([interval and f"90 %: {interval}", *limits]))
    actual = m.actual
    details, beyond = [], False
    if forecast:
        against, beyond = _against(actual.work_s, forecast.time_s, wording.duration(forecast.time_s))
        details.append(against)
    details.append(f"{seconds(actual.wall_s)} from the command to its end, with planning")
    must = deadlines_of(m.plan).get("must") if m.plan else None
    late = must is not None and actual.wall_s > must
    return Tile("time", seconds(actual.work_s), "measured", (*details, *limits), beyond or late)


def _memory(m: Material) -> Tile | None:
    forecast = _forecast(m)
    limit = _limit(m)
    limits = [f"limit {size(limit)}"] if limit else []
    if m.actual is None or not m.actual.peak_bytes:
        if forecast is None:
            return None
        value, interval = parted(wording.size(forecast.memory_bytes))
        return Tile("peak memory", value, forecast.memory_bytes.origin, tuple([interval and f"90 %: {interval}", *limits]))
    details, beyond = [], False
    if forecast:
        against, beyond = _against(m.actual.peak_bytes, forecast.memory_bytes, wording.size(forecast.memory_bytes))
        details.append(against)
    return Tile("peak memory", size(m.actual.peak_bytes), "measured", (*details, *limits), beyond)


def _comparison(m: Material) -> dict[str, Any] | None:
    """Forecast against actual by phase; what belongs to no phase is said beneath."""
    if m.actual is None or not m.actual.phases:
        return None
    forecast = _forecast(m)
    expected = forecast.phases if forecast else {}
    actual = m.actual.phases
    names = [name for name in (*PHASES, *sorted({*actual, *expected} - {*PHASES})) if name in actual or name in expected]
    rows, bars = [], []
    for name in names:
        took, cpu = (actual[name].wall_s, actual[name].cpu_s) if name in actual else (0.0, 0.0)
        wanted = expected.get(name)
        bars.append((name, took, wanted))
        rows.append(PhaseRow(
            plain(name, 30), seconds(wanted) if wanted is not None else "–", seconds(took),
            error(took, wanted) if wanted else "–", seconds(cpu),
        ))  # fmt: skip
    if m.actual.cut_off_s >= 0.05:
        bars.append(("cut off", m.actual.cut_off_s, None))
        rows.append(PhaseRow("cut off", "–", seconds(m.actual.cut_off_s), "–", ""))
    total = PhaseRow(
        "in all", seconds(forecast.time_s.value) if forecast else "–", seconds(m.actual.work_s),
        error(m.actual.work_s, forecast.time_s.value) if forecast else "–",
        seconds(sum(phase.cpu_s for phase in actual.values())),
    )  # fmt: skip
    apart = m.actual.work_s - m.actual.cut_off_s - sum(phase.wall_s for phase in actual.values())
    beside = [
        (m.actual.probing_s, "of probes"),
        (m.actual.other_s, "of planning and between the attempts"),
    ]
    return {
        "rows": rows,
        "total": total,
        "chart": charts.phases(bars),
        "source": plain(forecast.source) if forecast else "",
        "apart": seconds(apart) if apart >= 0.05 else "",
        "cut_off": m.actual.cut_off_s >= 0.05,
        "beside": [f"{seconds(value)} {what}" for value, what in beside if value >= 0.05],
        "many": bool(m.manifest and m.manifest.groups),
    }


def _scores(m: Material) -> list[tuple[str, str]]:
    """The metric of each part, where there is more than one."""
    if m.manifest is None or len(m.manifest.scores) < 2:
        return []
    own = m.manifest.metric
    return [(plain(name.removeprefix(f"{own}: "), 60) if name != own else "mean", score(value))
            for name, value in m.manifest.scores.items()]  # fmt: skip


def _models(m: Material) -> dict[str, Any] | None:
    if m.models is None or m.manifest is None or not m.manifest.groups:
        return None
    about = m.models
    total = about.fitted + about.unfit + about.failed
    return {
        "counts": [
            (name, f"{count:,}", percent(count / total) if total else "–")
            for name, count in (("fitted", about.fitted), ("unfit", about.unfit), ("failed", about.failed))
        ],
        "scores": distributions.scores(about, m.manifest.metric),
        "rows": distributions.rows(about),
        "times": distributions.times(m.chunks),
        "names": [plain(name, 40) for name in about.names],
        "metric": plain(m.manifest.metric, 40),
        "worst": [(group.key, score(group.score), f"{group.rows:,}", f"{group.holdout:,}") for group in about.worst],
        "failures": about.failures,
        "other_kinds": about.other_kinds,
        "allowed": _allowed(m),
    }


def _allowed(m: Material) -> str:
    if m.plan is None:
        return ""
    most = m.plan.workload.needs.max_failed
    return f"{most:,.0f} may fail" if most >= 1 else f"{percent(most)} may fail"
