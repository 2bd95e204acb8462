"""Small regressions of rows, many groups at once: ridge and plain least squares, and the baselines that they are to beat.

    model: {estimator: batched.Ridge, params: {alpha: 1.0}}   # or batched.Linear, batched.Mean, batched.Quantile

One model alone is fitted as well. See `contracts.Framework` and `contracts.Grouped`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np

from fitscale.contracts import Batch, Context, Feed, Fitted, FittedGroups, Groups, Scores, Unfit
from fitscale.errors import DataError, WorkloadError, nearest
from fitscale.frameworks.batched import kernels
from fitscale.records.data import Shape
from fitscale.records.plan import Law, Term
from fitscale.records.run import Estimator, Form, Recipe, Traits

MAGIC = b"FLIN"
PLACE = "model.params"
ROW_S, MODEL_S, ALONE_S = 3e-9, 5e-6, 2.5e-4  # CPU seconds: of a cell and column, of a model among others, and alone


class _Asked(NamedTuple):
    defaults: Mapping[str, Any]
    made: Callable[[Mapping[str, Any]], kernels.Kernel]


def _number(params: Mapping[str, Any], name: str, low: float, high: float) -> float:
    value = params[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise WorkloadError(PLACE, f"{name}: {value!r} is no number from {low:g} to {high:g}")
    return float(value)


ESTIMATORS = {
    "Ridge": _Asked({"alpha": 1.0}, lambda p: kernels.Ridge(_number(p, "alpha", 0, 1e12))),
    "Linear": _Asked({}, lambda p: kernels.Ridge(0.0)),
    "Mean": _Asked({}, lambda p: kernels.Quantile(None)),
    "Quantile": _Asked({"quantile": 0.5}, lambda p: kernels.Quantile(_number(p, "quantile", 0, 1))),
}


class Batched:
    """The payload is FLIN, an intercept and a coefficient for each column, float64 little-endian.

    Kernels work on rectangles of groups of about one size, group by group: a model is the same to the bit, however many are
    fitted with it.
    """

    name: ClassVar[str] = "batched"
    handles: ClassVar[tuple[str, ...]] = ("batched",)
    needs: ClassVar[tuple[str, ...]] = ("numpy",)
    extra: ClassVar[str] = ""
    pickles: ClassVar[bool] = False
    own: ClassVar[bool] = True
    hides: ClassVar[tuple[str, ...]] = ("pandas",)

    def traits(self, estimator: Estimator) -> Traits:
        kernel, params = _asked(estimator)
        return Traits(
            target="regressor",
            can={"whole": "same", "groups": "same"},
            input="one-hot",
            missing="impute",
            progress="none",
            weights=not (isinstance(kernel, kernels.Quantile) and kernel.quantile is not None),
            versions={"numpy": np.__version__},
            params=params,
        )

    def law(self, shape: Shape, recipe: Recipe, form: Form) -> Law:
        columns = shape.features + 1.0
        work = Term(name="products", amount=shape.rows * columns**2, prior=ROW_S, floor=ROW_S / 30)
        each = MODEL_S if form == "groups" else ALONE_S
        model = Term(name="model", amount=1.0, prior=each + 1e-9 * columns**3, floor=each / 30)
        held = Term(name="X", amount=shape.rows * columns, prior=16.0, floor=4.0)
        judged = Term(name="holdout", amount=float(shape.holdout_rows) * columns, prior=4.0, floor=4.0)
        return Law(
            time={
                "iterations": (work, model),
                "score": (Term(name="rows", amount=float(shape.holdout_rows), prior=1e-8 * columns),),
            },
            memory=(Term(name="process", amount=1, prior=9e7, floor=3e7), held, judged),
            storage=(Term(name="model", amount=columns, prior=8.0),),
            error=(1.0, 0.3, 0.12),
        )

    def fit(self, feed: Feed, recipe: Recipe, state: bytes | None, context: Context) -> Fitted:
        kernel, _ = _asked(recipe.estimator)
        rows = feed.matrix("train")
        with context.phase("iterations"):
            found = kernels.fitted(kernel, rows, np.array([len(rows.y)]))
        if np.isnan(found[0]).any():
            raise Unfit(_why(rows, 0, len(rows.y)))
        context.report(1)
        return Fitted(_packed(found)[0].tobytes(), 1, found[0])

    def load(self, payload: bytes) -> np.ndarray:
        """(1 + d,) float64: intercept and coefficients.

        Raises
        ------
        DataError
            For bytes that are none.
        """
        if payload[:4] != MAGIC or len(payload) < 12 or (len(payload) - 4) % 8:
            raise DataError("these bytes are no linear model: the file was cut off, or edited")
        return np.frombuffer(payload, "<f8", offset=4)

    def score(self, native: np.ndarray, batches: Iterable[Batch]) -> Iterator[Scores]:
        for batch in batches:
            yield Scores(kernels.values(native[None], batch.X, np.zeros(len(batch.row), np.int64)), None, batch.row)

    def fit_groups(self, feed: Groups, recipe: Recipe, context: Context, *, one_by_one: bool = False) -> FittedGroups:
        """See `contracts.Grouped`."""
        kernel, _ = _asked(recipe.estimator)
        rows, sizes = feed.matrix("train"), feed.sizes("train")
        found = kernels.fitted(kernel, rows, sizes, one_by_one=one_by_one)
        there = ~np.isnan(found).any(axis=1)
        starts = np.cumsum(sizes) - sizes
        why: dict[int, Any] = {
            k: ("unfit", "unfit", _why(rows, int(starts[k]), int(sizes[k]))) for k in np.flatnonzero(~there).tolist()
        }
        content = _packed(found[there])
        lengths = np.where(there, content.shape[1], 0)
        return FittedGroups(content.tobytes(), lengths, why, there.astype(np.int32), found)

    def score_groups(self, native: Any, feed: Groups) -> Scores:
        """See `contracts.Grouped`."""
        rows, sizes = feed.matrix("holdout"), feed.sizes("holdout")
        return Scores(kernels.values(native, rows.X, np.repeat(np.arange(len(sizes)), sizes)), None, rows.row)


def _asked(estimator: Estimator) -> tuple[kernels.Kernel, dict[str, Any]]:
    name = estimator.path.partition(".")[2]
    if name not in ESTIMATORS:
        known = [f"batched.{each}" for each in ESTIMATORS]
        told = f"no '{estimator.path}'{nearest(estimator.path, known)}; there are: {', '.join(known)}"
        raise WorkloadError("model.estimator", told)
    defaults, made = ESTIMATORS[name]
    for param in estimator.params:
        if param not in defaults:
            takes = f"; {estimator.path} takes {', '.join(defaults) or 'none'}"
            raise WorkloadError(PLACE, f"no '{param}'{nearest(param, [*defaults])}{takes}")
    params = {**defaults, **estimator.params}
    return made(params), params


def _packed(found: np.ndarray) -> np.ndarray:
    """(models, bytes) uint8."""
    head = np.tile(np.frombuffer(MAGIC, np.uint8), (len(found), 1))
    body = np.ascontiguousarray(found, "<f8").view(np.uint8).reshape(len(found), 8 * found.shape[1])
    return np.concatenate([head, body], axis=1)


def _why(rows: Batch, start: int, n: int) -> str:
    """Why a group has no model, in the words of those that are fitted one by one."""
    if n == 0:
        return "no training rows"
    if rows.weight is not None and not rows.weight[start : start + n].any():
        return f"data.weight is 0 in all {n} training rows"
    return "one training row"
