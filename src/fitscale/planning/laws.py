"""The law of a candidate at a shape: the framework's own for one model, summed over the groups' sizes for many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fitscale.planning.preparing import Prepared, recipe_of
from fitscale.records.data import Shape
from fitscale.records.plan import Candidate, Law, Term
from fitscale.registry import plugin

BUCKETS = 12


def law_of(prepared: Prepared, candidate: Candidate, shape: Shape, sizes: Sequence[int] | None = None) -> Law:
    """How the cost of the candidate's path grows. ``sizes``: rows of each group, for many models."""
    fit = prepared.fits[0]
    recipe = recipe_of(prepared, fit, threads=candidate.threads, ranks=candidate.ranks)
    framework = plugin("frameworks", candidate.framework)()
    shape = shape.but(threads=candidate.threads, ranks=candidate.ranks)
    if candidate.strategy != "many-models":
        return framework.law(shape, recipe, candidate.form)
    return _summed(framework, recipe, shape, candidate, sizes or _even(shape))


def _even(shape: Shape) -> list[int]:
    return [max(1, shape.rows // max(1, shape.groups))] * max(1, shape.groups)


def _summed(framework: object, recipe: object, shape: Shape, candidate: Candidate, sizes: Sequence[int]) -> Law:
    """Time of all groups (by buckets of size); memory of the largest, for each worker."""
    ordered = np.sort(np.asarray(sizes))
    time: dict[str, list[Term]] = {}
    law: Law | None = None
    for bucket in np.array_split(ordered, min(BUCKETS, len(ordered))):
        share = shape.but(rows=max(1, round(float(bucket.mean()))), groups=1, holdout_rows=0)
        law = framework.law(share, recipe, candidate.form)  # type: ignore[attr-defined]  # a plug-in's
        for phase, terms in law.time.items():
            time.setdefault(phase, []).extend(t.but(amount=t.amount * len(bucket)) for t in terms)
    assert law is not None
    largest = framework.law(shape.but(rows=int(ordered[-1]), groups=1), recipe, candidate.form)  # type: ignore[attr-defined]
    return law.but(
        units=len(ordered),
        passes=1.0,
        time={phase: tuple(terms) for phase, terms in time.items()},
        memory=tuple(t.but(amount=t.amount * candidate.workers) for t in largest.memory),
    )
