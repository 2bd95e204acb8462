"""The LightGBM framework: see `contracts.Framework`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from fitscale.contracts import Batch, Context, Feed, Fitted, Scores
from fitscale.errors import WorkloadError
from fitscale.frameworks.lightgbm import cost
from fitscale.frameworks.lightgbm.names import OF_CLASSIFIERS, main_names
from fitscale.frameworks.lightgbm.params import PLACE, Settings, booster_params, by_rows, settings_of
from fitscale.frameworks.lightgbm.rounds import Job, State, train
from fitscale.frameworks.lightgbm.spaces import SPACES
from fitscale.frameworks.lightgbm.watch import watch_for
from fitscale.records.data import Shape
from fitscale.records.plan import Law
from fitscale.records.run import Estimator, Form, Recipe, Traits


class LightGBM:
    """Boosted trees by histogram, grown leaf by leaf. The payload is LightGBM's own text, which `lightgbm.Booster` reads.

    Where random numbers are drawn (``bagging_*``, ``feature_fraction*``, ``extra_trees``, quantised gradients) their
    seeds are set anew every ten rounds, so that a resumed run has the same trees; they differ from those of the bare
    library, which draws on. Else they are the same. What cannot be gone on with (dart, random forests, goss, penalties
    for the first use of a column) keeps no progress. Nothing is offered out of core, as bins are always in memory, nor
    over ranks, as the library's network listens on all interfaces.
    """

    name: ClassVar[str] = "lightgbm"
    handles: ClassVar[tuple[str, ...]] = ("lightgbm",)
    needs: ClassVar[tuple[str, ...]] = ("lightgbm",)
    extra: ClassVar[str] = "lightgbm"
    pickles: ClassVar[bool] = False
    # What its own imports load and its fits do not need: 0.3 s and 34 MB instead of 0.9 s and 110 MB.
    hides: ClassVar[tuple[str, ...]] = ("sklearn", "pandas", "joblib")
    warms: ClassVar[tuple[str, ...]] = ("fitscale.frameworks.lightgbm.datasets",)
    spaces: ClassVar[Mapping[str, Mapping[str, Any]]] = SPACES
    names: ClassVar[Mapping[str, str]] = main_names()

    def traits(self, estimator: Estimator) -> Traits:
        settings = settings_of(estimator)
        import lightgbm

        _try(settings)
        return Traits(
            target=settings.target,
            can={"whole": "same", "bins": "same"},
            input="codes",
            missing="ok",
            progress="rounds" if settings.keeps else "none",
            units=settings.rounds,
            units_param="n_estimators",
            segment=settings.segment,
            reload=False,
            sparse=True,
            early_stopping=settings.booster.get("boosting") != "dart",  # its later rounds change the earlier trees
            versions={"lightgbm": lightgbm.__version__},
            params=settings.resolved,
        )

    def law(self, shape: Shape, recipe: Recipe, form: Form) -> Law:
        return cost.law(shape, recipe, form)

    def fit(self, feed: Feed, recipe: Recipe, state: bytes | None, context: Context) -> Fitted:
        import lightgbm

        from fitscale.frameworks.lightgbm.datasets import datasets_of

        settings = settings_of(recipe.estimator)
        watch = None if recipe.early_stopping is None else watch_for(recipe.metric, feed.classes)
        seed = recipe.seed if settings.seed is None else settings.seed
        rows_first = by_rows(settings.booster, feed.count("train"), len(feed.names), sparse=feed.sparse)
        params = booster_params(settings, feed.classes, seed, context.threads, feed.names, rows_first=rows_first)
        if watch is not None:
            params["metric"] = watch.metric
        job = Job(
            params=params,
            rounds=settings.rounds,
            segment=settings.segment,
            draws=settings.draws,
            keeps=settings.keeps,
            patience=recipe.early_stopping,
            watch=watch,
        )
        begun = None if state is None else State.from_bytes(state)
        with context.phase("bin"):
            before = None if begun is None else lightgbm.Booster(model_str=begun.model)
            data = datasets_of(
                feed, context, params, validate=watch is not None, balanced=settings.balanced, before=before
            )
        text, rounds, booster = train(job, data, begun, before, context)
        return Fitted(text.encode(), rounds, booster)

    def load(self, payload: bytes) -> Any:
        """A `lightgbm.Booster`."""
        import lightgbm

        return lightgbm.Booster(model_str=payload.decode())

    def score(self, native: Any, batches: Iterable[Batch]) -> Iterator[Scores]:
        import numpy as np

        classifier = str(native.params["objective"]) in OF_CLASSIFIERS
        for batch in batches:
            out = np.asarray(native.predict(batch.X), np.float64)
            if not classifier:
                yield Scores(out, None, batch.row)
                continue
            proba = out if out.ndim == 2 else np.column_stack([1.0 - out, out])
            # As LGBMClassifier.predict: the first of the largest. One against the rest need not sum to 1 there.
            value = proba.argmax(axis=1).astype(np.float64)
            if out.ndim == 2:
                proba = proba / proba.sum(axis=1, keepdims=True)
            yield Scores(value, proba, batch.row)


def _try(settings: Settings) -> None:
    """Let the library look at the values: one that it refuses is refused now, and not after the data was read."""
    import lightgbm
    import numpy as np

    by_column = ("monotone_constraints", "interaction_constraints", "feature_contri", "max_bin_by_feature")
    given = {
        k: v for k, v in settings.booster.items() if k not in by_column and not k.startswith("cegb_penalty_feature")
    }
    classes = 2 if given["objective"].startswith("multiclass") else 1
    params = {**given, "verbosity": -1, "num_threads": 1, "num_class": classes}
    try:
        y = np.arange(4) % 2 + (settings.target == "regressor")  # some objectives take positive values alone
        rows = lightgbm.Dataset(np.zeros((4, 1), np.float32), y, params=params)
        lightgbm.Booster(params, rows)
    except (lightgbm.basic.LightGBMError, ValueError, TypeError) as e:
        raise WorkloadError(PLACE, _sentence(str(e))) from None


def _sentence(said: str) -> str:
    """The library's objection without the place in its source."""
    first = said.partition(" at /")[0].strip().splitlines()[0]
    if limit := re.fullmatch(r"Check failed: \((\w+)\) ?([<>=!]+) ?\(([\w.+-]+)\)", first):
        return "{} must be {} {}".format(*limit.groups())
    return first
