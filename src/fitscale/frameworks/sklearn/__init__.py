"""scikit-learn, and every estimator class that follows its API.

    model:
      estimator: sklearn.pipeline.Pipeline
      params:
        steps:
          - [scale, {sklearn.preprocessing.StandardScaler: }]
          - [clf, {sklearn.linear_model.LogisticRegression: {C: 0.1}}]

A mapping of one dotted import path stands for an object (see `building`). Bare estimators get the encoded matrix,
pipelines the raw columns as a pandas frame. A payload is a pickle of the fitted estimator, and loads without fitscale.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from fitscale.contracts import Batch, Context, Feed, Fitted, Scores
from fitscale.frameworks.sklearn.spaces import SPACES

if TYPE_CHECKING:
    from fitscale.records.data import Shape
    from fitscale.records.plan import Law
    from fitscale.records.run import Estimator, Form, Recipe, Traits


class ScikitLearn:
    """Estimators with fit and predict, by import path; the fallback for paths that no other framework handles."""

    name: ClassVar[str] = "sklearn"
    handles: ClassVar[tuple[str, ...]] = ("sklearn", "")
    needs: ClassVar[tuple[str, ...]] = ("sklearn",)
    extra: ClassVar[str] = "sklearn"
    pickles: ClassVar[bool] = True
    warms: ClassVar[tuple[str, ...]] = (
        "fitscale.frameworks.sklearn.fitting",
        "fitscale.frameworks.sklearn.scoring",
        "sklearn.compose",
        "sklearn.pipeline",
    )
    spaces: ClassVar[Mapping[str, Mapping[str, Any]]] = SPACES

    def traits(self, estimator: Estimator) -> Traits:
        from fitscale.frameworks.sklearn.abilities import traits

        return traits(estimator)

    def law(self, shape: Shape, recipe: Recipe, form: Form) -> Law:
        from fitscale.frameworks.sklearn.laws import law

        return law(shape, recipe, form)

    def fit(self, feed: Feed, recipe: Recipe, state: bytes | None, context: Context) -> Fitted:
        from fitscale.frameworks.sklearn.fitting import fit

        return fit(feed, recipe, state, context)

    def spans(self, feed: Feed, recipe: Recipe) -> list[tuple[int, int]]:
        from fitscale.frameworks.sklearn.families import rounds_said, trees_together
        from fitscale.frameworks.sklearn.forests import spans

        path, params = recipe.estimator.path, recipe.estimator.params
        rows = feed.count("train")
        together = trees_together(path.rpartition(".")[2], params, rows, len(feed.names))
        return spans(rounds_said(path, params), rows, together)

    def grow(self, feed: Feed, recipe: Recipe, span: tuple[int, int]) -> bytes:
        from fitscale.frameworks.sklearn.fitting import grow

        return grow(feed, recipe, span)

    def merge(self, feed: Feed, recipe: Recipe, parts: Iterator[bytes]) -> Fitted:
        from fitscale.frameworks.sklearn.fitting import merge

        return merge(feed, recipe, parts)

    def load(self, payload: bytes) -> Any:
        import pickle

        return pickle.loads(payload)

    def score(self, native: Any, batches: Iterable[Batch]) -> Iterator[Scores]:
        from fitscale.frameworks.sklearn.scoring import score

        return score(native, batches)
