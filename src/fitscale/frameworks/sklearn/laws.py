"""How the cost of each family of estimators grows. Pure: names and parameters only, nothing is imported.

Priors are CPU seconds of one thread, measured at 4,000 and 40,000 rows of 5 to 20 columns (scikit-learn 1.9). Between
the two, ``n log² n`` held within 5 % for trees and classifier forests, and within 25 % for regressor forests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from fitscale.frameworks.sklearn.families import MANY, epochs_said, family_of, rounds_said, steps_by_row
from fitscale.frameworks.sklearn.streams import passes_of
from fitscale.records.plan import Law, Term

if TYPE_CHECKING:
    from fitscale.records.data import Shape
    from fitscale.records.run import Form, Recipe


# A cell of a CSR matrix against one of a dense matrix: looked up by its index, and copied with it (a float64 and its int32
# index, for 8 bytes). Descent took 21 to 27 ns a cell and epoch, 34 to 50 in batches (11 and 12 dense), with 100,000 and
# 400,000 rows of 20 cells in 5,000 and 25,000 columns.
SPARSE_SLOWER, SPARSE_COPY = 3.0, 1.5
SPARSE_PIECE = 2.5  # of a row group's bytes on disk: its lists of pairs, and the matrix that they become
PREDICTION_BYTES = (
    66.0  # of a held-out row that was scored: number, truth, label, probability, and again while it is written
)


def law(shape: Shape, recipe: Recipe, form: Form) -> Law:
    """See `contracts.Framework.law`."""
    path, params, fits = main_part(recipe.estimator.path, recipe.estimator.params)
    name = path.rpartition(".")[2]
    # Of a sparse matrix what is there is worked through.
    cost = family_of(name)(max(shape.rows, 2), max(shape.features * shape.density, 1), models(shape), name, params)
    if shape.density < 1:
        cost = cost._replace(
            prior=cost.prior * SPARSE_SLOWER, stream_s=cost.stream_s * SPARSE_SLOWER,
            fit_bytes=cost.fit_bytes * SPARSE_COPY,
            model_bytes=cost.model_bytes + 8.0 * shape.features * models(shape),
        )  # fmt: skip
    own = path == recipe.estimator.path and path.startswith("sklearn.")
    epochs = epochs_said(name, params) if own and form != "stream" else 0
    units = epochs or rounds_said(recipe.estimator.path, recipe.estimator.params)
    process = Term(name="process", amount=1, prior=150e6, floor=100e6)
    nonzero = shape.cells * shape.density
    if form == "stream":
        passes = passes_of(name, recipe.estimator.params)
        rows = recipe.batch_rows or 65_536
        held = min(rows, shape.rows) * shape.features * shape.density
        batch = Term(name="batches", amount=held, prior=20.0 if steps_by_row(name) else 28.0, floor=4.0)
        steps = Term(name="steps", amount=passes * nonzero * models(shape), prior=cost.stream_s, floor=2e-10)
        predictions = Term(name="predictions", amount=float(shape.holdout_rows), prior=PREDICTION_BYTES, floor=28.0)
        return Law(
            units=passes * max(1, -(-shape.rows // rows)),
            passes=float(passes),
            time={"iterations": (steps,), "score": (_score(shape, cost.score_s),)},
            memory=(process, batch),
            end=(process, batch, predictions),
            error=(2.0, 0.3, 0.12),
            memory_error=(0.5, 0.2, 0.05),
        )
    if form == "frame":
        X = Term(name="frame", amount=shape.cells, prior=24.0, floor=8.0)
    elif shape.density < 1:
        X = Term(name="X", amount=nonzero, prior=8.0, floor=8.0)
    else:
        X = Term(name="X", amount=shape.cells, prior=4.0, floor=4.0)
    # The feed fills the matrices of all views in one pass, and keeps that of the held-out rows for scoring.
    judged = float(shape.holdout_rows + shape.validation_rows) * shape.features * shape.density
    holdout = Term(name="holdout", amount=0.0 if form == "frame" else judged, prior=X.prior, floor=X.floor)
    size = cost.model_bytes * (1 if fits < 2 else min(fits, 100))
    model = Term(name="model", amount=size, prior=2.0)  # twice its bytes when it is written and read again
    grown = model.but(prior=1.0)  # while it grows, beside the rows, which are let go before it is written
    held = cost.fit_bytes * ((shape.parts or shape.threads) if cost.apart else 1)
    # Before anything is fitted, rows are read into the matrix: the peak is the one or the other.
    piece = shape.piece_bytes * (SPARSE_PIECE if shape.density < 1 else 1.0)
    fit = Term(name="fit", amount=max(held, piece), prior=1.0)
    written = 2 if shape.parts else 1  # parts, and the whole
    iterations = (Term(name=cost.unit, amount=cost.amount * fits, prior=cost.prior, floor=cost.prior / 20),)
    # Parts are kept in files while others grow, and are put together once the rows are gone.
    fitting = (process, X, holdout, fit)
    growing = fitting if shape.parts else (*fitting, grown)
    writing = (process, model)
    binned = {"bin": (Term(name="cells", amount=shape.cells, prior=cost.bin_s),)} if cost.bin_s and units > 1 else {}
    return Law(
        units=units,
        keeps=not epochs,
        later=cost.later,
        settling=cost.settling,
        time={
            **binned,
            "iterations": iterations,
            "score": (_score(shape, cost.score_s),),
            "save": (Term(name="pickle", amount=cost.model_bytes * written, prior=2e-9),),
        },
        memory=growing if units > 1 else (*fitting, model),
        late=(grown,) if units > 1 and not (shape.parts or epochs) else (),
        end=writing if units > 1 else (),
        storage=(Term(name="model", amount=cost.model_bytes, prior=1.0),),
        parallel=dict(cost.parallel),
        error=cost.error if path == recipe.estimator.path else (10.0, *cost.error[1:]),
        memory_error=cost.memory_error,
    )


def models(shape: Shape) -> int:
    """How many score columns are fitted: one for values and two classes, else one for each class."""
    return shape.classes if shape.classes > 2 else 1


def _score(shape: Shape, per_row: float) -> Term:
    return Term(name="rows", amount=shape.holdout_rows + shape.validation_rows, prior=per_row)


class Part(NamedTuple):
    path: str
    params: Mapping[str, Any]
    fits: float


def main_part(path: str, params: Mapping[str, Any]) -> Part:
    """What the time goes into: of a pipeline or a search, the last predictor inside, and how often it is fitted."""
    name = path.rpartition(".")[2]
    inside = list(_objects(params))
    if name not in MANY or not inside:
        return Part(path, params, 1.0)
    inner = main_part(*inside[-1])
    return Part(inner.path, inner.params, inner.fits * MANY[name](params))


def _objects(value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The objects that parameters name, in order (see `building`)."""
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _objects(item)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if len(value) == 1 and "." in key and (item is None or isinstance(item, Mapping)):
                yield key, item or {}
            else:
                yield from _objects(item)
