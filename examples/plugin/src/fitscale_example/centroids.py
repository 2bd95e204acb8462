"""Nearest centroid: a row belongs to the class whose mean is nearest, columns scaled by their spread within the classes.

    model: {estimator: fitscale_example.Centroids, params: {prior: equal}}

Two passes over the rows: the first for the means, the second for the spread. Each is a unit with a checkpoint. Sums are
of float64 in the order of the batches, so that batches of another size give an *equivalent* model and not the same bits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, ClassVar

import numpy as np

from fitscale.contracts import Batch, Context, Feed, Fitted, Scores
from fitscale.errors import WorkloadError, nearest
from fitscale.records.data import Shape
from fitscale.records.plan import Law, Term
from fitscale.records.run import Estimator, Form, Recipe, Traits
from fitscale_example import __version__

PATH = "fitscale_example.Centroids"
PARAMS: dict[str, tuple[str, ...]] = {"prior": ("shares", "equal")}  # the first is the default
SLICE = 65_536  # rows that are taken to float64 at a time


class Centroids:
    """See `fitscale.contracts.Framework`."""

    name: ClassVar[str] = "centroids"
    handles: ClassVar[tuple[str, ...]] = ("fitscale_example",)
    needs: ClassVar[tuple[str, ...]] = ("numpy", "fitscale_example")  # their versions are part of the recipe
    extra: ClassVar[str] = ""
    pickles: ClassVar[bool] = False  # a payload is JSON

    def traits(self, estimator: Estimator) -> Traits:
        if estimator.path != PATH:
            raise WorkloadError("model.estimator", f"no '{estimator.path}' in fitscale_example; there is: {PATH}")
        for name, value in estimator.params.items():
            if name not in PARAMS:
                known = ", ".join(PARAMS)
                raise WorkloadError("model.params", f"no '{name}'{nearest(name, PARAMS)}; Centroids knows: {known}")
            if value not in PARAMS[name]:
                raise WorkloadError("model.params", f"{name}: {value!r} is none of {', '.join(PARAMS[name])}")
        return Traits(
            target="classifier",
            can={"whole": "same", "stream": "equivalent"},
            input="one-hot",
            missing="impute",
            progress="passes",
            units=2,
            reload=False,  # a state is JSON of whole float64: going on from it changes nothing
            versions={"numpy": np.__version__, "fitscale_example": __version__},
            params={name: values[0] for name, values in PARAMS.items()} | estimator.params,
        )

    def law(self, shape: Shape, recipe: Recipe, form: Form) -> Law:
        stream = form == "stream"
        held = min(recipe.batch_rows or SLICE, shape.rows) if stream else shape.rows
        classes = max(2, shape.classes)
        return Law(
            units=2,
            passes=2.0 if stream else 1.0,
            time={
                "iterations": (Term(name="sums", amount=2 * shape.cells, prior=3e-9, floor=1e-10),),
                "score": (Term(name="distances", amount=shape.holdout_rows * shape.features * classes, prior=3e-9),),
            },
            memory=(
                Term(name="process", amount=1, prior=9e7, floor=3e7),
                Term(name="X", amount=held * shape.features, prior=4.0, floor=4.0),
                Term(name="slice", amount=min(SLICE, held) * shape.features, prior=24.0),
            ),
        )

    def fit(self, feed: Feed, recipe: Recipe, state: bytes | None, context: Context) -> Fitted:
        k, d = feed.classes, len(feed.names)
        done, said = json.loads(state) if state is not None else (0, {})
        whole = None if feed.form == "stream" else feed.matrix("train")
        if done < 1:
            with context.phase("iterations"):
                weight, total = np.zeros(k), np.zeros((k, d))
                for X, y, w in _slices(feed, whole):
                    weight += np.bincount(y, w, k)
                    for c in range(k):
                        total[c] += w[y == c] @ X[y == c]
            if not weight.sum():
                raise ValueError("the training rows have no weight")
            mean = total / np.where(weight, weight, 1.0)[:, None]
            said = {"weight": weight.tolist(), "mean": mean.tolist()}
            context.report(1, partial(_state, 1, said))
        if done < 2:
            with context.phase("iterations"):
                weight, mean, spread = np.array(said["weight"]), np.array(said["mean"]), np.zeros(d)
                for X, y, w in _slices(feed, whole):
                    spread += w @ (X - mean[y]) ** 2
            spread /= weight.sum()
            said = said | {"spread": np.where(spread > 0, spread, 1.0).tolist()}
            context.report(2, partial(_state, 2, said))
        weight = np.array(said["weight"])
        prior = weight / weight.sum()
        if recipe.estimator.params.get("prior") == "equal":
            prior = (weight > 0) / (weight > 0).sum()
        model = {"prior": prior.tolist(), "mean": said["mean"], "spread": said["spread"]}
        return Fitted(json.dumps(model, sort_keys=True).encode(), 2)

    def load(self, payload: bytes) -> Any:
        return json.loads(payload)

    def score(self, native: Any, batches: Iterable[Batch]) -> Iterator[Scores]:
        prior, mean, spread = (np.array(native[name]) for name in ("prior", "mean", "spread"))
        with np.errstate(divide="ignore"):
            log_prior = np.log(prior)  # −inf for a class that no training row had: its probability is 0
        for batch in batches:
            far = [((batch.X - mean[c]) ** 2 / spread).sum(axis=1) for c in range(len(prior))]
            lean = log_prior - np.column_stack(far) / 2
            proba = np.exp(lean - lean.max(axis=1, keepdims=True))
            proba /= proba.sum(axis=1, keepdims=True)
            yield Scores(proba.argmax(axis=1).astype(np.float64), proba, batch.row)


def _slices(feed: Feed, whole: Batch | None) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """(X float64, class codes, weights) of the training rows, a slice at a time."""
    for batch in [whole] if whole is not None else feed.batches("train"):
        for at in range(0, len(batch.y), SLICE):
            part = slice(at, at + SLICE)
            weight = np.ones(len(batch.y[part])) if batch.weight is None else batch.weight[part].astype(np.float64)
            yield batch.X[part].astype(np.float64), batch.y[part].astype(np.int64), weight


def _state(done: int, said: dict[str, Any]) -> bytes:
    return json.dumps([done, said]).encode()
