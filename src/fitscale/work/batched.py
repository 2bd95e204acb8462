"""Many models at once: all groups of a chunk are fitted and scored as arrays, and what they came to is a table from the start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fitscale.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.contracts import FittedGroups, Grouped
    from fitscale.data.groups import GroupedFeed
    from fitscale.records.run import Recipe
    from fitscale.work.context import WorkContext


class Made(NamedTuple):
    """What the groups of a chunk came to: the columns of its table, the models' bytes, and predictions."""

    table: dict[str, list[Any]]
    models: bytes | bytearray
    predictions: pa.Table | None


def fit_at_once(
    framework: Grouped, feed: GroupedFeed, recipe: Recipe, context: WorkContext, *, one_by_one: bool = False
) -> Made:
    """Fit and score the groups of a chunk. Nothing of it is the user's code, so that nothing is forked for it."""
    with context.phase("iterations"):
        fitted = framework.fit_groups(feed, recipe, context, one_by_one=one_by_one)
    with context.phase("score"):
        predictions = _predictions(framework, fitted, feed)
    return Made(_table(fitted, feed), fitted.models, predictions)


def _table(fitted: FittedGroups, feed: GroupedFeed) -> dict[str, list[Any]]:
    n = len(feed)
    status, kind, why = ["fitted"] * n, [""] * n, [""] * n
    without = {**fitted.why, **{k: ("failed", DataError.__name__, told) for k, told in feed.flaws.items()}}
    for k, told in without.items():
        status[k], kind[k], why[k] = told
    return {
        "status": status,
        "kind": kind,
        "why": why,
        "offset": (np.cumsum(fitted.lengths) - fitted.lengths).tolist(),
        "length": fitted.lengths.tolist(),
        "n_train": feed.all_sizes("train").tolist(),
        "n_holdout": feed.all_sizes("holdout").tolist(),
        "units": fitted.units.tolist(),
    }


def _predictions(framework: Grouped, fitted: FittedGroups, feed: GroupedFeed) -> pa.Table | None:
    """Of the held-out rows of groups that have a model."""
    import pyarrow as pa

    if not feed.count("holdout"):
        return None
    rows, sizes = feed.matrix("holdout"), feed.sizes("holdout")
    scores = framework.score_groups(fitted.native, feed)
    model = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    told = np.repeat(fitted.lengths > 0, sizes) & ~(np.isnan(rows.y) | np.isnan(scores.value))
    columns = {"model": model, "row": rows.row, "y": rows.y}
    columns |= {} if rows.weight is None else {"weight": rows.weight}
    columns |= {"value": scores.value}
    return pa.table({name: column[told] for name, column in columns.items()})
