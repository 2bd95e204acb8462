"""What was read → what the template shows: words and charts, section by section. A section without data is None."""

from __future__ import annotations

from typing import Any, NamedTuple

from fitscale.planning.decision.sure_words import told
from fitscale.planning.forecasts.trust import track_told
from fitscale.planning.trials import curve_words
from fitscale.report import charts, distributions
from fitscale.report.candidates import candidates_shown
from fitscale.report.chosen import chosen_shown
from fitscale.report.considered import considered_shown
from fitscale.report.course import attempts_shown, interrupted, late_shown
from fitscale.report.described import data_shown, recipe_shown
from fitscale.report.enough import enough_shown
from fitscale.report.headline import badges, forecast_of, limit_of, subtitle, tiles, verdict
from fitscale.report.reading import Material
from fitscale.report.scored import scored_shown
from fitscale.report.text import error, percent, plain, score, seconds
from fitscale.report.tree import tree_shown
from fitscale.report.worth import worth_shown
from fitscale.work.phases import PHASES


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
        "subtitle": subtitle(m),
        "verdict": verdict(m),
        "interrupted": interrupted(m.actual),
        "late": late_shown(m.actual),
        "tiles": tiles(m),
        "considered": considered_shown(m.plan) if m.plan else [],
        "scored": scored_shown(m.plan) if m.plan else None,
        "chosen": chosen_shown(m.plan),
        "enough": enough_shown(m.plan) if m.plan else None,
        "fewer": plain(curve_words.fewer(m.plan.fewer), 400) if m.plan and m.plan.fewer else "",
        "decision": decision,
        "sure": told(decision.sureness) if decision else (),
        "tree": tree_shown(decision) if decision else None,
        "badges": badges(decision) if decision else [],
        "candidates": candidates_shown(m.plan) if m.plan else None,
        "comparison": _comparison(m),
        "memory": charts.memory(m.memory, limit_of(m), forecast.memory_bytes if (forecast := forecast_of(m)) else None),
        "curve": charts.curves(m.curves),
        "scores": _scores(m),
        "worth": worth_shown(m.worth),
        "models": _models(m),
        "attempts": attempts_shown(m.actual) if m.actual else [],
        "data": data_shown(m),
        "recipe": recipe_shown(m),
        "plain": plain,
    }


def _comparison(m: Material) -> dict[str, Any] | None:
    """Forecast against actual by phase; what belongs to no phase is said beneath."""
    if m.actual is None or not m.actual.phases or not m.actual.fitted:
        return None
    forecast = forecast_of(m)
    expected = forecast.phases if forecast else {}
    actual = m.actual.phases
    names = [
        name for name in (*PHASES, *sorted({*actual, *expected} - {*PHASES})) if name in actual or name in expected
    ]
    rows, bars = [], []
    for name in names:
        took, cpu = (actual[name].wall_s, actual[name].cpu_s) if name in actual else (0.0, 0.0)
        wanted = expected.get(name)
        if not took and not wanted:
            continue
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
        "track": track_told(m.plan.calibration, forecast) if m.plan and forecast else "",
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
