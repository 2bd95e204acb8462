"""What a search may try: the workload's own space, or the published one of the estimator; with whose budget."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from fitscale.errors import UsageError, WorkloadError
from fitscale.records.run import Estimator, Traits
from fitscale.records.workload import ModelSpec, Range, Search, Workload
from fitscale.registry import framework_of, plugin, require
from fitscale.work.describe import describe
from fitscale.workload.spaces import FORMS, space_of

PLACE = "model.search.space"


class Space(NamedTuple):
    """The ranges by the library's main names of the parameters; whether they are the published ones."""

    ranges: dict[str, Range]
    published: bool


def entries_of(model: ModelSpec) -> tuple[ModelSpec, ...]:
    """The estimators of a workload, each with its search: of the budget beside ``any_of`` each without one has an equal share."""
    if not model.any_of:
        return (model,)
    beside = model.search
    if beside is None:
        return model.any_of
    sharing = sum(entry.search is None or entry.search.budget_s is None for entry in model.any_of)
    each_s = (beside.budget_s or 0.0) / max(1, sharing)

    def with_search(entry: ModelSpec) -> ModelSpec:
        own = entry.search or Search()
        budget = each_s if own.budget_s is None else own.budget_s
        trials = beside.trials if own.trials is None else own.trials
        return entry.but(search=own.but(budget_s=budget, trials=trials))

    return tuple(with_search(entry) for entry in model.any_of)


def space_for(model: ModelSpec, units_param: str = "", *, stops_early: bool = False) -> Space:
    """The space of an estimator.

    Parameters
    ----------
    units_param
        The parameter that sets how many rounds there are; with early stopping the published space leaves it as it is.

    Raises
    ------
    WorkloadError
        At model.search.space: none is given, and none is published for the estimator.
    """
    if model.search is None or model.search.trials == 0:  # it is compared as it is
        return Space({}, False)
    path = model.estimator or ""
    cls = plugin("frameworks", model.framework) if model.framework else framework_of(path)
    names: Mapping[str, str] = getattr(cls, "names", {})
    if model.search.space:
        return Space({names.get(name, name): one for name, one in model.search.space.items()}, False)
    head, _, name = path.rpartition(".")
    known: Mapping[str, Any] = getattr(cls, "spaces", {}) if head.partition(".")[0] in cls.needs else {}
    if name not in known:
        raise WorkloadError(
            PLACE, f"is missing: there is no published space of {path}; say for each parameter what it may be: {FORMS}"
        )
    table = {n: one for n, one in known[name].items() if not (stops_early and n == units_param)}
    return Space({names.get(n, n): one for n, one in space_of(table).items()}, True)


def check_search(workload: Workload, estimator: Estimator, traits: Traits) -> None:
    """Refuse a search that cannot be: no Optuna, no space, or parameters and values that the estimator does not take.

    Raises
    ------
    MissingLibrary
        If Optuna is not installed.
    WorkloadError
        At model.search.space.
    """
    model = workload.model
    if model.search is None:
        return
    require("model.search", "optuna", "search")
    space = space_for(model, traits.units_param, stops_early=workload.evaluate.early_stopping is not None)
    if space.published:
        return
    for ends in ({n: _end(r, 0) for n, r in space.ranges.items()}, {n: _end(r, -1) for n, r in space.ranges.items()}):
        try:
            describe(estimator.but(params={**model.params, **ends}), workload.folder, model.framework)
        except WorkloadError as error:
            raise WorkloadError(PLACE, error.problem) from None
        except UsageError as error:
            raise WorkloadError(PLACE, str(error)) from None


def _end(one: Range, at: int) -> Any:
    if one.choices:
        return one.choices[at]
    end = one.low if at == 0 else one.high
    return int(end) if one.whole and end is not None else end


def own_in(space: Mapping[str, Range], params: Mapping[str, Any]) -> dict[str, Any]:
    """Of the user's own parameters those that the space has, with their values in it: where a search begins to look."""
    return {name: params[name] for name, one in space.items() if name in params and _holds(one, params[name])}


def _holds(one: Range, value: Any) -> bool:
    if one.choices:
        return any(value == choice and type(value) is type(choice) for choice in one.choices)
    if isinstance(value, bool) or not isinstance(value, int | float) or one.low is None or one.high is None:
        return False
    return one.low <= value <= one.high and (not one.whole or value == int(value))
