"""The smallest framework: class shares, or the mean, of the training rows. The reference for the others.

    model: {estimator: baseline.Classifier, params: {passes: 3}}  # or baseline.Regressor; `baseline` is the classifier

Its parameters are for trials. ``passes``: how often the rows are read, each a unit with a checkpoint (the model does
not depend on it). ``sleep_s``: seconds to wait in each pass, so that there is time to kill it. ``fail``: a class code
or a value; a fit raises if any of its training rows has it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, ClassVar

import numpy as np

from fitscale.contracts import Batch, Context, Feed, Fitted, Scores
from fitscale.errors import WorkloadError, nearest
from fitscale.records.base import canonical_json
from fitscale.records.data import Shape
from fitscale.records.plan import Law, Term
from fitscale.records.run import Estimator, Form, Recipe, Traits

PARAMS: dict[str, Any] = {"passes": 3, "sleep_s": 0, "fail": None}
PATHS = ("baseline", "baseline.Classifier", "baseline.Regressor")


def exact_sum(values: np.ndarray) -> int:
    """The sum of finite float64 values in units of 2 ** -1126: exact, so that no order or batch size changes a bit."""
    mantissa, exponent = np.frexp(values)
    whole = (mantissa * 2.0**53).astype(np.int64)
    high, low = whole >> 27, whole & (2**27 - 1)  # halves: their int64 sums cannot overflow below 2 ** 36 rows
    at = {int(e): exponent == e for e in np.unique(exponent)}
    return sum(((int(high[m].sum()) << 27) + int(low[m].sum())) << (e + 1073) for e, m in at.items())


class Baseline:
    name: ClassVar[str] = "baseline"
    handles: ClassVar[tuple[str, ...]] = ("baseline",)
    needs: ClassVar[tuple[str, ...]] = ("numpy",)
    extra: ClassVar[str] = ""
    pickles: ClassVar[bool] = False
    own: ClassVar[bool] = True

    def traits(self, estimator: Estimator) -> Traits:
        words = [("model.params", name, [*PARAMS]) for name in estimator.params]
        for place, word, known in [("model.estimator", estimator.path, [*PATHS]), *words]:
            if word not in known:
                raise WorkloadError(place, f"no '{word}'{nearest(word, known)}; baseline knows: {', '.join(known)}")
        params = PARAMS | estimator.params
        if type(params["passes"]) is not int or params["passes"] < 1:
            raise WorkloadError("model.params", f"passes: {params['passes']!r} is not a whole number from 1 on")
        target = "regressor" if estimator.path == "baseline.Regressor" else "classifier"
        can = {"whole": "same", "stream": "same"}
        said = {"target": target, "can": can, "input": "codes", "missing": "ok", "progress": "passes", "sparse": True}
        more = {"units": params["passes"], "versions": {"numpy": np.__version__}, "params": params}
        return Traits.model_validate(said | more)

    def law(self, shape: Shape, recipe: Recipe, form: Form) -> Law:
        passes, stream = int((PARAMS | recipe.estimator.params)["passes"]), form == "stream"
        rows = min(recipe.batch_rows or 65_536, shape.rows) if stream else shape.rows
        cells = rows * shape.features * shape.density
        memory = (Term(name="process", amount=1, prior=8e7, floor=3e7), Term(name="X", amount=cells, prior=4.0))
        score = (Term(name="rows", amount=shape.holdout_rows, prior=2e-8),)
        sums = (Term(name="sums", amount=passes * shape.rows, prior=5e-8, floor=1e-9),)
        phases: dict[str, tuple[Term, ...]] = {"iterations": sums, "score": score}
        return Law(units=passes, passes=float(passes if stream else 1), time=phases, memory=memory)

    def fit(self, feed: Feed, recipe: Recipe, state: bytes | None, context: Context) -> Fitted:
        params = PARAMS | recipe.estimator.params
        done, sums = json.loads(state) if state is not None else (0, [0] * (feed.classes or 2))
        whole = None if feed.form == "stream" else [feed.matrix("train")]
        while done < params["passes"]:
            with context.phase("iterations"):
                for _, y, weight, _ in feed.batches("train") if whole is None else whole:
                    if params["fail"] is not None and (y == params["fail"]).any():
                        raise ValueError(f"asked to fail where a row has {params['fail']}")
                    w = np.ones(len(y)) if weight is None else weight.astype(np.float64)
                    # Of values, the sums of w * y (exact: float32 products in float64) and of w; else w of each class.
                    parts = [w[y == c] for c in range(feed.classes)] or [w * y, w]
                    sums = [total + exact_sum(part) for total, part in zip(sums, parts, strict=True)]
                time.sleep(params["sleep_s"])
            taken = context.report(done + 1, partial(lambda *state: canonical_json(state).encode(), done + 1, sums))
            done, sums = json.loads(taken) if taken is not None else (done + 1, sums)
        if (of := sum(sums) if feed.classes else sums[1]) == 0:
            raise ValueError("the training rows have no weight")
        value = [total / of for total in (sums if feed.classes else sums[:1])]  # of integers: correctly rounded
        return Fitted(canonical_json({"classes": feed.classes, "value": value}).encode(), done)

    def load(self, payload: bytes) -> Any:
        return json.loads(payload)

    def score(self, native: Any, batches: Iterable[Batch]) -> Iterator[Scores]:
        value = np.array(native["value"])
        said = float(value.argmax()) if native["classes"] else value[0]
        for batch in batches:
            n = len(batch.row)
            yield Scores(np.full(n, said), np.tile(value, (n, 1)) if native["classes"] else None, batch.row)
