"""The XGBoost framework: see `contracts.Framework`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from typing import Any, ClassVar

from fitscale.contracts import Batch, Context, Feed, Fitted, Scores
from fitscale.errors import DataError, WorkloadError
from fitscale.frameworks.xgboost import cost
from fitscale.frameworks.xgboost.params import PLACE, Settings, booster_params, settings_of
from fitscale.frameworks.xgboost.rounds import SEGMENT, Job, train
from fitscale.frameworks.xgboost.spaces import NAMES, SPACES
from fitscale.frameworks.xgboost.watch import watch_for
from fitscale.records.data import Shape
from fitscale.records.plan import Law
from fitscale.records.run import Estimator, Form, Recipe, Traits


class XGBoost:
    """Boosted trees by histogram. The payload is XGBoost's own binary JSON: `XGBClassifier.load_model` reads it too.

    With sampling (``subsample``, ``colsample_*``, dart) the seed is set anew every five rounds, so that a resumed run
    has the same trees; they differ from those of the bare library, which draws on. Without sampling they are the same.
    """

    name: ClassVar[str] = "xgboost"
    handles: ClassVar[tuple[str, ...]] = ("xgboost",)
    needs: ClassVar[tuple[str, ...]] = ("xgboost",)
    extra: ClassVar[str] = "xgboost"
    pickles: ClassVar[bool] = False
    hides: ClassVar[tuple[str, ...]] = ("sklearn", "pandas")  # its own imports load them, its fits do not need them
    spaces: ClassVar[Mapping[str, Mapping[str, Any]]] = SPACES
    names: ClassVar[Mapping[str, str]] = NAMES

    def traits(self, estimator: Estimator) -> Traits:
        settings = settings_of(estimator)
        import xgboost

        _try(settings)
        return Traits(
            target=settings.target,
            can={"whole": "same", "bins": "same", "stream": "same", "ranks": "equivalent"},
            input="codes",
            missing="ok",
            progress="rounds",
            units=settings.rounds,
            units_param="n_estimators",
            segment=SEGMENT,
            reload=False,
            sparse=True,
            stream_form="cache",
            early_stopping=settings.booster.get("booster") != "dart",  # its later rounds change the earlier trees
            versions={"xgboost": xgboost.__version__},
            params=settings.resolved,
        )

    def law(self, shape: Shape, recipe: Recipe, form: Form) -> Law:
        return cost.law(shape, recipe, form)

    def fit(self, feed: Feed, recipe: Recipe, state: bytes | None, context: Context) -> Fitted:
        from fitscale.frameworks.xgboost.matrices import matrices_of
        from fitscale.frameworks.xgboost.ranks import gathered

        settings = settings_of(recipe.estimator)
        watch = None if recipe.early_stopping is None else watch_for(recipe.metric, feed.classes)
        seed = recipe.seed if settings.seed is None else settings.seed
        job = Job(
            params=booster_params(settings, feed.classes, seed, context.threads),
            rounds=settings.rounds,
            seed=seed,
            sampling=settings.sampling,
            classifier=settings.target == "classifier",
            patience=recipe.early_stopping,
            watch=watch,
        )
        if feed.form == "shard":
            feed = feed.shard(context.rank, context.world)
            if feed.count("train") == 0:
                who = f"rank {context.rank} of {context.world}"
                raise DataError(f"{who} has no training rows in batches of {feed.batch_rows}: take fewer ranks")
        with gathered(context) if feed.form == "shard" else nullcontext(context) as inner:
            named = any(name.endswith("_constraints") for name in settings.booster)
            with inner.phase("bin"):
                matrices = matrices_of(
                    feed, inner, settings.booster.get("max_bin"), validate=watch is not None, named=named
                )
            return train(job, matrices, state, feed, inner)

    def load(self, payload: bytes) -> Any:
        """An `xgboost.Booster`."""
        import xgboost

        return xgboost.Booster(model_file=bytearray(payload))

    def score(self, native: Any, batches: Iterable[Batch]) -> Iterator[Scores]:
        import numpy as np

        learner = json.loads(native.save_config())["learner"]
        objective = learner["objective"]["name"]
        classifier = json.loads(native.attr("scikit_learn") or "{}").get("_estimator_type") == "classifier"
        for batch in batches:
            # multi:softmax answers with classes; its margins have the probabilities.
            margin = objective == "multi:softmax"
            out = native.inplace_predict(batch.X, predict_type="margin" if margin else "value").astype(np.float64)
            if not classifier:
                yield Scores(out, None, batch.row)
                continue
            if margin:
                out = np.exp(out - out.max(axis=1, keepdims=True))
            if out.ndim == 2:
                out /= out.sum(axis=1, keepdims=True)  # the library's single precision misses 1 by a little
            proba = out if out.ndim == 2 else np.column_stack([1.0 - out, out])
            # As XGBClassifier.predict: above one half, or the first of the largest.
            value = proba.argmax(axis=1) if out.ndim == 2 else out > 0.5
            yield Scores(value.astype(np.float64), proba, batch.row)


def _try(settings: Settings) -> None:
    """Let the library look at the values: one that it refuses is refused now, and not after the data was read."""
    import xgboost

    params = {k: v for k, v in settings.booster.items() if not k.endswith("_constraints")}
    trial = {"num_feature": 1, "verbosity": 0, **({"num_class": 2} if "multi:" in params["objective"] else {})}
    try:
        xgboost.Booster({**params, **trial}).save_config()
    except (xgboost.core.XGBoostError, ValueError, TypeError) as e:
        first = str(e).partition("Stack trace")[0].strip().splitlines()[0]
        raise WorkloadError(PLACE, first.rpartition(".cc:")[2].partition(": ")[2] or first) from None
