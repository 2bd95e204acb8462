"""The law of a candidate at a shape: the framework's own for one model, summed over the groups' sizes for many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fitscale.contracts import Framework
from fitscale.planning.forecasts.sizes import BUCKETS
from fitscale.planning.preparing import Prepared, recipe_of
from fitscale.records.data import Shape
from fitscale.records.plan import Candidate, Law, Term
from fitscale.records.run import CHUNK_S, LARGE_CHUNK, LEAST_CHUNK_S, LEAST_CHUNKS, Recipe, batched_rows
from fitscale.registry import plugin

EXPORT_START_S = 2.5  # a process, its imports, and the rows that are compared
EXPORT_S = 0.05  # a model


def law_of(prepared: Prepared, candidate: Candidate, shape: Shape, sizes: Sequence[int] | None = None) -> Law:
    """How the cost of the candidate's path grows. ``sizes``: rows of each group, for many models."""
    fit = prepared.fits[0]
    recipe = recipe_of(prepared, fit, threads=candidate.threads, ranks=candidate.ranks)
    framework: Framework = plugin("frameworks", candidate.framework)()
    parts = candidate.workers if candidate.strategy == "parts-and-merge" else 0
    shape = shape.but(threads=candidate.threads, ranks=candidate.ranks, parts=parts)
    law = _of_fits(framework, recipe, shape, candidate, sizes)
    if not prepared.workload.needs.export:
        return law
    models = len(sizes) if sizes else shape.groups
    exports = (Term(name="start", amount=1, prior=EXPORT_START_S), Term(name="models", amount=models, prior=EXPORT_S))
    return law.but(time={**law.time, "export": exports})


def _of_fits(
    framework: Framework, recipe: Recipe, shape: Shape, candidate: Candidate, sizes: Sequence[int] | None
) -> Law:
    if not candidate.is_grouped:
        return framework.law(shape, recipe, candidate.form)
    return _summed(framework, recipe, shape, candidate, sizes or _even(shape))


def groups_s(prepared: Prepared, candidate: Candidate, shape: Shape, sizes: Sequence[int]) -> list[float]:
    """CPU seconds that the law says of the fit of each group, of so many rows."""
    recipe = recipe_of(prepared, prepared.fits[0], threads=candidate.threads, ranks=candidate.ranks)
    framework: Framework = plugin("frameworks", candidate.framework)()
    known: dict[int, float] = {}
    for rows in set(sizes):
        known[rows] = fits_s(_of_group(framework, recipe, shape.but(threads=candidate.threads), candidate, rows))
    return [known[rows] for rows in sizes]


def fits_s(law: Law) -> float:
    """CPU seconds of all fits, by prior."""
    return sum(
        term.amount * term.prior for phase, terms in law.time.items() if phase not in ("start", "export")
        for term in terms
    )  # fmt: skip


def _of_group(framework: Framework, recipe: Recipe, shape: Shape, candidate: Candidate, rows: int) -> Law:
    """Of the fit of one group."""
    judged = round(rows * shape.validation_rows / max(1, shape.rows))
    one = shape.but(rows=rows, groups=1, piece_bytes=0, holdout_rows=0, validation_rows=judged)
    return framework.law(one, recipe, candidate.form)


def _even(shape: Shape) -> list[int]:
    return [max(1, shape.rows // max(1, shape.groups))] * max(1, shape.groups)


def _summed(framework: Framework, recipe: Recipe, shape: Shape, candidate: Candidate, sizes: Sequence[int]) -> Law:
    """Time of all groups (by buckets of size); memory of the largest, for each worker."""
    ordered = np.sort(np.asarray(sizes))
    time: dict[str, list[Term]] = {}
    law: Law | None = None
    for bucket in np.array_split(ordered, min(BUCKETS, len(ordered))):
        law = _of_group(framework, recipe, shape, candidate, max(1, round(float(bucket.mean()))))
        for phase, terms in law.time.items():
            time.setdefault(phase, []).extend(t.but(amount=t.amount * len(bucket)) for t in terms)
    assert law is not None
    rows = int(ordered[-1])
    if candidate.strategy == "batched-models":
        rows = max(rows, _rows_of_chunk(int(ordered.sum()), shape.features))
    largest = _of_group(framework, recipe, shape, candidate, rows)
    return law.but(
        units=len(ordered),
        passes=1.0,
        time={phase: tuple(terms) for phase, terms in time.items()},
        memory=tuple(t.but(amount=t.amount * candidate.workers) for t in largest.memory),
        parallel=dict.fromkeys((*time, "read", "encode"), 1.0),  # workers wait for nothing
    )


def _rows_of_chunk(rows: int, columns: int) -> int:
    """Rows of the groups that are fitted at once, all of which are held: of a large job as many as may be, of a small one a few."""
    most = batched_rows(columns)
    return min(rows, round(LARGE_CHUNK * min(most, max(most * LEAST_CHUNK_S / CHUNK_S, rows / LEAST_CHUNKS))))
