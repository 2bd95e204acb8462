"""Whether the columns of new rows lie as those that each model was trained on, whatever its predictions are worth there."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fitscale.errors import UsageError
from fitscale.metrics.shares import moved
from fitscale.models.opened import Run
from fitscale.store import reference
from fitscale.store.reference import Reference

LEAST_ROWS = 8  # of a group, before and now, whose columns are tested


class Columns(NamedTuple):
    """(g,) each, of g groups; NaN, and an empty name, where nothing was tested.

    Attributes
    ----------
    rows
        New ones.
    p
        The smallest of all columns, times their number (Bonferroni).
    p_far
        The same of those columns alone whose index is not small; 1 where it is of all.
    column, psi, ks
        The one that changed most: of those that are far, or of all, that with the smallest p. See `metrics.shares.Moved`.
    """

    rows: np.ndarray
    p: np.ndarray
    p_far: np.ndarray
    column: np.ndarray
    psi: np.ndarray
    ks: np.ndarray

    @classmethod
    def none(cls, groups: int) -> Columns:
        """Nothing was tested."""
        gone: Any = np.full(groups, np.nan)
        return cls(np.zeros(groups), gone, gone, np.full(groups, "", object), gone, gone)


def reference_of(run: Run) -> Reference | None:
    """None where nobody counted.

    Raises
    ------
    UsageError
        If it is damaged.
    """
    found = reference.read(run.path, run.version)
    if found is not None and len(found.counts) != len(run.places()):
        raise UsageError(
            f"{run.path}: the reference of version {run.version} has {len(found.counts):,} rows, and its index "
            f"{len(run.places()):,}: one of both was edited; put it back, or train anew with --fresh"
        )
    return found


def columns_of(known: Reference, place: np.ndarray, now: np.ndarray, least: float) -> Columns:
    """How far the columns of each group have moved.

    Parameters
    ----------
    place
        (g,) each group's row in the reference, -1 where it has none.
    now
        (g, bins) counts of its new rows.
    least
        An index below it is none of a change.
    """
    if not len(place):
        return Columns.none(0)
    before = known.counts[np.maximum(place, 0)]
    before[place < 0] = 0
    columns, each = known.bins.columns, known.bins.slices
    found = [moved(before[:, at], now[:, at], ordered=of.ordered) for of, at in zip(columns, each, strict=True)]
    psi, ks, p = (np.stack([getattr(one, name) for one in found], axis=1) for name in ("psi", "ks", "p"))
    rows = now[:, each[0]].sum(axis=1)  # each column has all of them
    tested = (rows >= LEAST_ROWS) & (before[:, each[0]].sum(axis=1, dtype=np.int64) >= LEAST_ROWS)
    far = psi >= least
    p_far = np.where(far, p, 1.0)
    # What is far comes first, then the least p; among those that are 0 the largest index.
    most = np.lexsort((-psi, p, ~far), axis=1)[:, 0]
    every = np.arange(len(rows))
    names = np.array([*known.bins.names, ""], object)
    figures = (p.min(axis=1) * len(columns), p_far.min(axis=1) * len(columns), psi[every, most], ks[every, most])
    p, p_far, psi, ks = (np.where(tested, figure, np.nan) for figure in figures)
    return Columns(
        rows, np.minimum(p, 1.0), np.minimum(p_far, 1.0), names[np.where(tested, most, len(columns))], psi, ks
    )
