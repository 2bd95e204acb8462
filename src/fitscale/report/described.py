"""The data as it was read, and the recipe by which the models can be made again."""

from __future__ import annotations

import json
import re
from typing import Any

from fitscale.planning import wording
from fitscale.records.data import ColumnProfile, Folds
from fitscale.records.run import Recipe
from fitscale.report.reading import Material
from fitscale.report.text import many, percent, plain, seconds, size

COLUMNS = 60
PARAMS = 60
_PASSWORD = re.compile(r"(//[^/@:\s]*):[^/@\s]*@")


def data_shown(m: Material) -> dict[str, Any] | None:
    """Rows, columns, what was read to know it, warnings."""
    if m.plan is None:
        return None
    about, data, traits = m.plan.profile, m.plan.workload.data, m.plan.traits
    columns = len(about.columns)
    facts = [
        ("source", plain(_PASSWORD.sub(r"\1:…@", data.uri), 200), "stated"),
        ("target", plain(f"{data.target} ({traits.target})", 80), "stated"),
        ("rows", f"{about.rows.value:,.0f}" + _interval(about.rows.low, about.rows.high), about.rows.origin),
        ("columns", f"{columns:,}, {m.plan.shape.features:,} features after encoding", "measured"),
        ("size", wording.size(float(about.bytes)), "measured"),
        ("read to plan", f"{about.read_rows:,} rows, {size(about.read_bytes)} in {seconds(about.read_s)}", "measured"),
    ]
    if about.groups:
        g = about.groups
        shown = (
            f"{g.n:,} by {', '.join(data.groups)}: {g.rows_min:,} to {g.rows_max:,} rows, half under {g.rows_median:,}"
        )
        facts.append(("groups", plain(shown, 200), "measured" if g.exact else "estimated"))
    if m.snapshot is not None:
        facts.append(("snapshot", f"{many(len(m.snapshot.pieces), 'piece')}, digest {m.snapshot.content}", "measured"))
    return {
        "facts": facts,
        "columns": [_column(column) for column in about.columns[:COLUMNS]],
        "left_out": max(0, columns - COLUMNS),
        "warnings": [plain(warning) for warning in about.warnings],
    }


def _interval(low: float, high: float) -> str:
    return "" if low == high else f" ({low:,.0f}–{high:,.0f})"


def _column(column: ColumnProfile) -> tuple[str, str, str, str, str]:
    distinct = f"{column.distinct.value:,.0f}" if column.distinct else "–"
    missing = percent(column.missing.value) if column.missing.value else "–"
    return plain(column.name, 60), column.kind, missing, distinct, plain(column.note, 120)


def recipe_shown(m: Material) -> dict[str, Any] | None:
    """What fixes the bits of the models; of a plan that is not trained yet, what is known so far."""
    if m.manifest is not None:
        recipes = m.manifest.recipes
        last = list(recipes.values())[-1]
        facts = _facts(last)
        if m.plan is not None:
            facts.insert(1, ("engine", _arranged(m)))
        return {
            "facts": facts,
            "params": _params(last.estimator.params),
            "tasks": [(plain(name, 40), recipe.digest, _folds(recipe.folds)) for name, recipe in recipes.items()],
        }
    if m.plan is None:
        return None
    model, traits = m.plan.workload.model, m.plan.traits
    return {
        "facts": [
            ("estimator", plain(model.estimator or "a live object", 120)),
            ("libraries", _versions(traits.versions)),
            ("seed", str(m.plan.workload.seed)),
        ],
        "params": _params(traits.params or model.params),
        "tasks": [],
    }


def _arranged(m: Material) -> str:
    chosen = m.plan.decision.chosen if m.plan else None
    return (
        plain(f"{chosen.candidate.engine}, {chosen.candidate.strategy}, {chosen.candidate.form}", 80) if chosen else "–"
    )


def _facts(recipe: Recipe) -> list[tuple[str, str]]:
    facts = [
        ("estimator", plain(recipe.estimator.path if not recipe.estimator.live else "a live object", 120)),
        ("libraries", _versions(recipe.versions)),
        ("seed", str(recipe.seed)),
        ("threads", str(recipe.threads) + (f", {recipe.ranks} ranks" if recipe.ranks > 1 else "")),
        ("segment", f"checkpoints fall on multiples of {recipe.segment} units"),
        ("encoding", recipe.encoding),
        ("data", recipe.data + (f", {percent(recipe.use)} of the rows" if recipe.use < 1 else "")),
    ]
    if recipe.early_stopping:
        facts.append(
            ("early stopping", plain(f"after {recipe.early_stopping} rounds without a better {recipe.metric}", 80))
        )
    if recipe.form:
        facts.append(("form", f"{recipe.form}: part of the recipe, as it changes the result"))
    return facts


def _versions(versions: dict[str, str]) -> str:
    return plain(", ".join(f"{name} {version}" for name, version in sorted(versions.items())), 200) or "–"


def _folds(folds: Folds) -> str:
    if folds.part:
        held = f"part {folds.part[0] + 1} of {folds.part[1]} held out"
    else:
        held = f"{percent(folds.holdout)} held out" if folds.holdout else "nothing held out"
    by = f" by {folds.column or folds.by}" if folds.holdout or folds.part else ""
    by += ", an earlier origin" if folds.until is not None else ""
    validation = f", {percent(folds.validation)} of the rest validates" if folds.validation else ""
    return plain(f"{held}{by}{validation}", 120)


def _params(params: dict[str, Any]) -> list[tuple[str, str]]:
    set_ones = [(name, value) for name, value in sorted(params.items()) if value is not None]
    return [
        (plain(name, 60), plain(value if isinstance(value, str) else json.dumps(value, default=str), 120))
        for name, value in set_ones[:PARAMS]
    ]
