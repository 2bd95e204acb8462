"""The ten considerations that lead a plan: each with its value, where that is from, and what it changed in this decision.

A pure function over the plan's records, and the team's where there is one. What a consideration changed is found and never
told by rote: by the refusals that name it, and by deciding again without it (`planning.considered.causes`).
"""

from __future__ import annotations

from typing import Any

from fitscale.planning import wording
from fitscale.planning.considered import bands, causes
from fitscale.planning.decision.gates import RUNS_A_MONTH, must_s, runs_a_month
from fitscale.planning.trials import curve_words
from fitscale.records.base import Origin
from fitscale.records.plan import Consideration, Plan
from fitscale.records.workload import Budget, Deadline, ModelSpec, Needs, Team
from fitscale.workload.offered import offers
from fitscale.workload.units import duration_text

NAMES = {
    causes.LEARNING: "ML, DL or both",
    causes.FRAMEWORK: "framework",
    causes.MODELS: "models at once",
    causes.FEATURES: "features",
    causes.DATA: "data of a model",
    causes.USERS: "users",
    causes.TIME: "how often, when",
    causes.PLACE: "place of data",
    causes.BUDGET: "budget",
    causes.EXPORT: "export",
}
DEEP = ("torch", "tensorflow", "keras", "lightning", "sklearn.neural_network")
COMPOSED = (
    "sklearn.pipeline",
    "sklearn.compose",
    "sklearn.model_selection",
)  # whose steps a live object keeps to itself
PLACES = {
    "local files": ("", "file"),
    "database": ("postgresql", "postgres", "mysql", "mariadb", "oracle", "mssql"),
    "object storage": ("s3", "gs", "gcs", "az", "abfs", "abfss"),
    "Hadoop": ("hdfs", "webhdfs"),
    "edge device": ("edge",),
}


def considered(plan: Plan, team: Team | None = None) -> tuple[Consideration, ...]:
    """All ten, in their order.

    Parameters
    ----------
    team
        Whose users, environments and platform budget count. None: one user and one environment are assumed.
    """
    return (
        _learning(plan),
        _framework(plan),
        _models(plan),
        _features(plan),
        _data(plan),
        _users(plan, team),
        _time(plan),
        _place(plan),
        _budget(plan, team),
        _export(plan),
    )


def for_team(plan: Plan, team: Team) -> Plan:
    """The plan with what its team shares among what was considered."""
    return plan.but(team=team, considerations=considered(plan, team))


def _made(
    number: int, plan: Plan, value: str, origin: Origin, band: str = "", changed: tuple[str, ...] = ()
) -> Consideration:
    return Consideration(
        number=number, name=NAMES[number], value=value, band=band, origin=origin,
        removes=causes.ruled_out(number, plan), changed=changed,
    )  # fmt: skip


# What is fitted, and with what.


def _learning(plan: Plan) -> Consideration:
    model = plan.workload.model
    deep = {
        any(_is_of(text, DEEP) for text in _texts([one.estimator, one.framework, one.params]))
        for one in _compared(plan) or model.any_of or (model,)
    }
    value = "both" if len(deep) > 1 else "DL" if True in deep else "ML"
    if True in deep and not plan.machine.gpus:
        value += ", and no accelerator is here"
    unseen = model.live is not None and True not in deep and _is_of(model.estimator or "", COMPOSED)
    return _made(causes.LEARNING, plan, value, "assumed" if unseen else "stated")


def _compared(plan: Plan) -> tuple[ModelSpec, ...]:
    """The estimators of which one was chosen, where there were several."""
    return tuple(entrant.model for entrant in plan.contest.entrants) if plan.contest is not None else ()


def _texts(value: Any) -> list[str]:
    """All texts of what was given: a pipeline names the classes of its steps among its parameters."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [value] if isinstance(value, str) else [text for item in items for text in _texts(item)]


def _is_of(path: str, modules: tuple[str, ...]) -> bool:
    return any(path == name or path.startswith(name + ".") for name in modules)


def _framework(plan: Plan) -> Consideration:
    workload = plan.workload
    what = workload.model.estimator or workload.model.function or "an estimator of this session"
    versions = ", ".join(f"{name} {version}" for name, version in sorted(plan.traits.versions.items()))
    value = f"{what}, by {versions}" if versions else what
    changed = causes.worth_of_abilities(plan)
    if plan.contest is not None:
        value = f"any of {len(plan.contest.entrants)}: {value}"
        changed = (f"takes {plan.contest.reason}", *changed)
    if functions := workload.needs.functions:
        value += f"; {' and '.join(functions)} asked for"
        freed = workload.needs.but(functions=())
        changed += _without(plan, freed, "functions", "without that")
        if lacking := [name for name in functions if not offers(name, workload)]:
            value += f"; not offered: {', '.join(lacking)}"
    origin: Origin = "stated" if plan.contest is None else "measured"
    return _made(causes.FRAMEWORK, plan, value, origin, changed=changed)


# How much of it.


def _models(plan: Plan) -> Consideration:
    groups, chosen = plan.profile.groups, plan.decision.chosen
    if groups is None:
        fits = plan.workload.evaluate.cv
        again = f", fitted {fits + 1} times (cv)" if fits else ", fitted twice (refit)" if plan.workload.refits else ""
        return _made(causes.MODELS, plan, f"1{again}", "stated", bands.MODELS.band(1))
    value, changed = f"{groups.n:,}", causes.worth_of_size(causes.MODELS, plan)
    if chosen is not None:
        candidate = chosen.candidate
        several = f"{candidate.workers} process{'es' * (candidate.workers != 1)}"
        batched = candidate.strategy == "batched-models"
        value += f", in blocks by {several}" if batched else f", {candidate.workers} at a time"
        changed = (f"a model for each group: {candidate.name} in place of one fit", *changed)
    if both := bands.scales_of(plan):
        value += f"; {both}"
    return _made(
        causes.MODELS, plan, value, "measured" if groups.exact else "estimated", bands.MODELS.band(groups.n), changed
    )


def _features(plan: Plan) -> Consideration:
    features, traits = plan.shape.features, plan.traits
    if traits.input == "series":
        return _made(causes.FEATURES, plan, "none but a series' own past", "stated", bands.FEATURES.band(0))
    units = f", {traits.units:,} {traits.progress}" if traits.progress != "none" and traits.units > 1 else ""
    changed = causes.worth_of_size(causes.FEATURES, plan)
    band = bands.FEATURES.band(features)
    return _made(causes.FEATURES, plan, f"{features:,}{units}", "measured", band, changed)


def _data(plan: Plan) -> Consideration:
    size, use, groups = bands.bytes_of_a_model(plan), plan.workload.data.use, plan.profile.groups
    rows = groups.rows_max if groups else plan.profile.rows.value
    largest = "the largest: " if groups else ""
    needed = f"{wording.share(use)} of it" if isinstance(use, float) else "all of it"
    if plan.curve is not None and plan.curve.levels:
        needed += ", by a learning curve"
    both = bands.scales_of(plan) if groups is None else ""  # of many models it stands beside their number
    value = f"{largest}{wording.size(size)}, {wording.rows(rows)} rows, {needed}" + (f"; {both}" if both else "")
    changed = causes.worth_of_size(causes.DATA, plan)
    if plan.curve is not None:
        changed = (*curve_words.left_out(plan.curve), *changed)
    return _made(causes.DATA, plan, value, plan.profile.rows.origin, bands.BYTES.band(size), changed)


# For whom, when, where, at what price, and where to.


def _users(plan: Plan, team: Team | None) -> Consideration:
    users, environments = (team.users, team.environments) if team is not None else (None, None)
    said = users is not None or environments is not None
    n, m = (1 if count is None else count for count in (users, environments))
    value = f"{n:,} user{'s' * (n != 1)}, {m:,} environment{'s' * (m != 1)} at once"
    return _made(causes.USERS, plan, value, "stated" if said else "assumed", bands.USERS.band(n))


def _time(plan: Plan) -> Consideration:
    needs, chosen = plan.workload.needs, plan.decision.chosen
    often, deadline = needs.frequency, needs.deadline
    named = often or "ad hoc"
    if often is not None and often not in RUNS_A_MONTH:
        named = f"{bands.FREQUENCY.band(runs_a_month(plan.workload))} ({named})"
    limits = _limits(deadline) if deadline else ["no deadline"]
    limit = (must_s(plan.workload) or deadline.want_s) if deadline else None
    seconds = limit or (chosen.forecast.time_s.value if chosen else None)
    band = bands.SECONDS.band(seconds) if seconds is not None else ""
    changed: tuple[str, ...] = ()
    if deadline is not None:
        freed = needs.but(deadline=None)
        changed = _without(plan, freed, "deadline", "without the deadline")
    if often is not None:
        changed += _without(plan, needs.but(frequency=None), "budget", "run once a month")
    origin: Origin = "stated" if often or deadline else "assumed"
    return _made(causes.TIME, plan, ", ".join([named, *limits]), origin, band, changed)


def _limits(deadline: Deadline) -> list[str]:
    found = [f"{name} {_duration(at)}" for name, at in (("want", deadline.want_s), ("must", deadline.must_s)) if at]
    return [*found, *([f"by {deadline.at}"] if deadline.at else [])]


def _duration(seconds: float) -> str:
    text = duration_text(seconds)
    return text if isinstance(text, str) else wording.duration(seconds)


def _place(plan: Plan) -> Consideration:
    head, found, _ = plan.workload.data.uri.partition("://")
    scheme = head.lower() if found else ""
    changed: tuple[str, ...] = ()
    if plan.stage is not None:
        seconds, size = wording.duration(plan.stage.seconds), wording.size(plan.stage.bytes)
        changed = (f"is read once into {size} of Parquet: {seconds} of every forecast",)
    value = next((place for place, schemes in PLACES.items() if scheme in schemes), f"others ({scheme})")
    return _made(causes.PLACE, plan, value, "stated", changed=changed)


def _budget(plan: Plan, team: Team | None) -> Consideration:
    needs, chosen = plan.workload.needs, plan.decision.chosen
    budget = needs.budget or Budget()
    said = {
        "hardware": budget.hardware_usd_month,
        "software": budget.software_usd_month,
        "platform": team.platform_usd_month if team is not None else None,
    }
    words = [f"{name} {usd:,g} USD/month" for name, usd in said.items() if usd is not None]
    value = ", ".join(words) or "none"
    changed: tuple[str, ...] = ()
    if budget.hardware_usd_month is not None:
        if chosen is not None and chosen.forecast.cost_usd is None:
            value += "; this machine has no price"
        freed = needs.but(budget=budget.but(hardware_usd_month=None))
        changed = _without(plan, freed, "budget", "without the budget")
    return _made(causes.BUDGET, plan, value, "stated" if words else "assumed", changed=changed)


def _export(plan: Plan) -> Consideration:
    needs = plan.workload.needs
    formats = " and ".join(needs.export) + ("" if causes.ruled_out(causes.EXPORT, plan) else ": can be had")
    to = f"deployed to {needs.deploy}" if needs.deploy else ""
    value = "; ".join(filter(None, (formats if needs.export else "", to))) or "none but the library's own format"
    return _made(causes.EXPORT, plan, value, "stated" if needs.export or needs.deploy else "assumed")


def _without(plan: Plan, needs: Needs, gate: str, otherwise: str) -> tuple[str, ...]:
    """What would be chosen if the workload needed this alone, and no more."""
    workload = plan.workload.but(needs=needs)
    return causes.difference(plan, causes.without(plan, workload, gate), otherwise)
