"""What is logged of a version: the plan's figures, the scores, what it took, what its model is worth. Imports no MLflow."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any, NamedTuple

from fitscale.models import worth
from fitscale.records.base import Figure, digest_of
from fitscale.records.plan import Forecast, Plan
from fitscale.records.run import Manifest
from fitscale.report.tracking.masking import masked
from fitscale.running.actual import Actual, actual_of
from fitscale.running.state import Begun, state_of
from fitscale.store import folder, journal, versions

LONGEST = 500  # of a value, in characters
_NAME = re.compile(r"[^\w./ :-]", re.ASCII)


class Logged(NamedTuple):
    """``identity`` is that of the version in its run folder: by it the run is found again."""

    experiment: str
    name: str
    identity: str
    began: float  # seconds since 1970
    ended: float
    params: dict[str, str]
    metrics: dict[str, float]
    plan: str  # JSON


def logged_of(run: Path, version: int) -> Logged:
    """Read it from the run folder.

    Raises
    ------
    UsageError
        If there is no such version.
    """
    about = versions.manifest(run, version)
    actual = actual_of(run, version)
    begun = state_of(run).finished.get(version)
    plan = folder.read_plan(run, begun.plan if begun else None)
    at = [e["at"] for e in journal.replay(run) if e["kind"] == "version-begun" and e["begun"]["version"] == version]
    forecast = _forecast(plan, begun)
    metrics = {
        **_scores(about),
        **(_promised(forecast) if forecast else {}),
        **(_taken(actual) if actual else {}),
        **_worth(run, version),
    }
    return Logged(
        experiment=about.name,
        name=f"{about.name} version {version}",
        identity=digest_of(about.to_json(), str(at[-1] if at else "")),
        began=actual.began if actual else 0.0,
        ended=actual.ended if actual else 0.0,
        params={_named(k): _short(v) for k, v in _params(about, plan, begun).items() if v not in ("", None)},
        metrics={_named(k): float(v) for k, v in metrics.items() if v is not None and math.isfinite(v)},
        plan=_without_secrets(plan).to_json(),
    )


def _params(about: Manifest, plan: Plan, begun: Begun | None) -> dict[str, Any]:
    recipe = list(about.recipes.values())[-1]
    candidate = begun.candidate if begun else None
    return {
        "estimator": "a live object" if recipe.estimator.live else recipe.estimator.path,
        "framework": recipe.framework,
        "libraries": ", ".join(f"{name} {version}" for name, version in sorted(recipe.versions.items())),
        "data": masked(plan.workload.data.uri),
        "data digest": recipe.data,
        "target": recipe.target,
        "groups": ", ".join(recipe.groups),
        "rows": f"{plan.profile.rows.value:.0f}",
        "features": plan.shape.features,
        "seed": recipe.seed,
        "metric": about.metric,
        "architecture": candidate.name if candidate else None,
        "strategy": candidate.strategy if candidate else None,
        "engine": candidate.engine if candidate else None,
        "threads": candidate.threads if candidate else None,
        "workers": max(candidate.workers, candidate.ranks) if candidate else None,
        "machine cores": plan.machine.cores,
        "machine memory bytes": plan.machine.memory_bytes,
        **{f"param.{name}": value for name, value in sorted(recipe.estimator.params.items()) if value is not None},
    }


def _scores(about: Manifest) -> dict[str, float | None]:
    return {**about.scores, "models": about.models, "failed": about.failed, "unfit": about.unfit}


def _forecast(plan: Plan, begun: Begun | None) -> Forecast | None:
    decision = plan.decision
    known = [*([decision.chosen] if decision.chosen else []), *decision.alternatives]
    return next((a.forecast for a in known if begun is not None and a.candidate == begun.candidate), None)


def _promised(forecast: Forecast) -> dict[str, float | None]:
    def spread(name: str, unit: str, figure: Figure) -> dict[str, float | None]:
        ends = (("", figure.value), ("_low", figure.low), ("_high", figure.high))
        return {f"forecast_{name}{end}_{unit}": value for end, value in ends}

    cost = spread("cost", "usd", forecast.cost_usd) if forecast.cost_usd else {}
    return {**spread("time", "s", forecast.time_s), **spread("memory", "bytes", forecast.memory_bytes), **cost}


def _taken(actual: Actual) -> dict[str, float | None]:
    return {
        "actual_time_s": actual.work_s,
        "actual_wall_s": actual.wall_s,
        "actual_memory_bytes": actual.peak_bytes or None,
        "probing_s": actual.probing_s,
    }


def _worth(run: Path, version: int) -> dict[str, float | None]:
    found = worth.kept(run, version)
    if found is None:
        return {}
    calibration = {"brier": found.calibration.brier, "ece": found.calibration.ece} if found.calibration else {}
    drops = found.importance.columns[:20] if found.importance else ()
    return {**calibration, **{f"importance/{column.column}": column.drop for column in drops}}


def _without_secrets(plan: Plan) -> Plan:
    data = plan.workload.data
    return plan.but(workload=plan.workload.but(data=data.but(uri=masked(data.uri))))


def _named(name: str) -> str:
    """A name that MLflow takes: it is a path too."""
    plain = _NAME.sub("_", name)[:200]
    return "/".join(part for part in plain.split("/") if part not in ("", ".", "..")) or "_"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
