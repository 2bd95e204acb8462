"""What must hold between keys: each rule yields the place and the sentence of what does not."""

from __future__ import annotations

from collections.abc import Iterator

from fitscale.records.workload import Features, Workload
from fitscale.workload.units import duration_text


def problems(w: Workload) -> Iterator[tuple[str, str]]:
    """The places that contradict others, with what to do. Nothing for a sound workload."""
    data, features, target = w.data, w.data.features, w.data.target
    for name, columns in (("groups", data.groups), ("time", (data.time,)), ("weight", (data.weight,))):
        if target in columns:
            yield f"data.{name}", f"'{target}' is the target; it cannot be {_ROLES[name]} too"
    if data.weight in data.groups:
        yield "data.weight", f"'{data.weight}' is one of the groups; the weight needs a column of its own"
    for name, columns in (("keep", features.keep), ("categorical", features.categorical)):
        if target in columns:
            yield f"data.features.{name}", f"'{target}' is the target; it cannot be a feature"
    for column in features.drop:
        if column in features.keep:
            yield "data.features.drop", f"'{column}' stands in 'keep' too; remove it from one of them"
        if column in features.categorical:
            yield "data.features.drop", f"'{column}' stands in 'categorical' too; remove it from one of them"
    if data.table and data.query:
        yield "data.query", "there is a 'table' too; keep one of them"
    if "://" not in data.uri or data.uri.startswith(_NO_DATABASE):
        for name in ("table", "query", "key"):
            if getattr(data, name):
                yield (
                    f"data.{name}",
                    f"'{data.uri}' is no database; leave it out, or give an address such as {DATABASE}",
                )
    if (data.step_s or data.horizon) and not data.time:
        yield "data.time", "is missing: a series needs the column of its times"
    if data.horizon and not data.step_s:
        yield "data.step", "is missing: a series needs the spacing of its times, such as 1h"
    if w.model.fallback and not data.groups:
        yield (
            "model.fallback",
            "is for groups that are too small, and there are none: leave it out, or give data.groups",
        )
    if w.evaluate.by == "time" and not data.time:
        yield "evaluate.by", "splitting by time needs data.time, the column that says when"
    if w.evaluate.by == target:
        yield "evaluate.by", f"'{target}' is the target; split by a column of the features, random or time"
    if not w.where:
        yield "where", "is empty: nothing may be used; leave it out for this machine, or name local"


def problems_of_series(w: Workload) -> Iterator[tuple[str, str]]:
    """What a series cannot have, where the workload is one."""
    if not w.data.is_series:
        return
    if w.data.features != Features():
        yield "data.features", "a series is forecast from its own past: leave it out"
    if w.data.weight:
        yield "data.weight", "the values of a series have no weights: leave it out"
    if isinstance(w.data.use, float) and w.data.use < 1:
        yield "data.use", "rows drawn from a series leave gaps in it: take all, or fewer groups with data.where"
    if w.model.fallback:
        yield "model.fallback", "a series is forecast from its own past, which no other has: leave it out"
    if w.evaluate.by != "time":
        yield (
            "evaluate.by",
            f"'{w.evaluate.by}' splits rows: a series is judged on its last ones; leave it out, or say time",
        )
    if w.evaluate.cv and not w.data.horizon:
        yield (
            "data.horizon",
            "is missing: evaluate.cv judges a series from several origins, each by so many steps after it",
        )


def problems_of_choice(w: Workload) -> Iterator[tuple[str, str]]:
    """What contradicts itself where estimators are to be compared or tuned."""
    model, entries = w.model, w.model.any_of
    if len(entries) == 1:
        yield (
            "model.any_of",
            f"has one entry, which leaves nothing to choose: write it as estimator: {entries[0].estimator}",
        )
    if entries:
        for name in ("params", "framework"):
            if getattr(model, name):
                yield f"model.{name}", "stands beside 'any_of': give it to the entries that it is for, each its own"
        if model.search and model.search.space:
            yield "model.search.space", "stands beside 'any_of': give each entry its own, as 'search: {space: …}' in it"
    beside = model.search.budget_s if model.search else None
    if model.search and beside is None:
        yield "model.search.budget", "is missing: the time for tuning"
    budgets = [
        (f"model.any_of[{k}].search.budget", entry.search.budget_s) for k, entry in enumerate(entries) if entry.search
    ]
    for place, own in budgets:
        if own is None and beside is None:
            yield place, "is missing: the time for tuning; one in 'model.search' is shared by the entries"
    must = w.needs.deadline.must_s if w.needs.deadline else None
    whole = (beside or 0.0) + sum(own or 0.0 for _, own in budgets)
    if must is not None and whole >= must:
        yield (
            "model.search.budget",
            f"{duration_text(whole)} of tuning leave nothing of needs.deadline.must ({duration_text(must)}): give one of "
            "them less, or the other more",
        )


DATABASE = "postgresql://user@host/db"
_NO_DATABASE = ("file://", "synthetic://")
_ROLES = {"groups": "a group", "time": "the time", "weight": "the weight"}
