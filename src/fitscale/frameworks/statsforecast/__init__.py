"""statsforecast's models, one series at a time. See `contracts.Framework`.

    model: {estimator: statsforecast.models.AutoETS, params: {season_length: 24}}

with ``data.time``, ``data.step`` and, for many series, ``data.groups``. The library is Nixtla's, under Apache-2.0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fitscale.contracts import Batch, Context, Feed, Fitted, Scores
from fitscale.errors import DataError

if TYPE_CHECKING:
    from fitscale.frameworks.statsforecast.many import Many
    from fitscale.records.data import Shape
    from fitscale.records.plan import Law
    from fitscale.records.run import Estimator, Form, Recipe, Traits


class StatsForecast:
    """AutoARIMA, AutoETS, AutoCES, AutoTheta and their like. The payload is JSON and arrays, and runs no code when it is read.

    A model says what the library's own says, to the bit. It takes no missing values: gaps are filled by straight lines up to
    a fifth of a series, and a series with more of them is unfit. Times that occur twice or lie between steps are an error.
    """

    name: ClassVar[str] = "statsforecast"
    handles: ClassVar[tuple[str, ...]] = ("statsforecast",)
    needs: ClassVar[tuple[str, ...]] = ("statsforecast",)
    extra: ClassVar[str] = "statsforecast"
    pickles: ClassVar[bool] = False
    warms: ClassVar[tuple[str, ...]] = (
        "fitscale.frameworks.statsforecast.fitting",
        "fitscale.frameworks.statsforecast.many",
        "statsforecast.models",
        "statsforecast.simulation",
    )

    def traits(self, estimator: Estimator) -> Traits:
        import statsforecast

        from fitscale.frameworks.statsforecast.names import asked
        from fitscale.records.run import Traits

        _, params = asked(estimator)
        return Traits(
            target="regressor",
            can={"whole": "same"},
            input="series",
            missing="ok",
            progress="none",
            weights=False,
            versions={"statsforecast": statsforecast.__version__},
            params=params,
        )

    def law(self, shape: Shape, recipe: Recipe, form: Form) -> Law:
        from fitscale.frameworks.statsforecast.cost import law

        return law(_name(recipe), recipe.estimator.params, shape, form)

    def fit(self, feed: Feed, recipe: Recipe, state: bytes | None, context: Context) -> Fitted:
        from fitscale.frameworks.grid import gridded
        from fitscale.frameworks.statsforecast.fitting import fitted
        from fitscale.frameworks.statsforecast.payload import packed

        assert recipe.step is not None, "the workload of a series has data.step"
        rows = feed.matrix("train")
        grid = gridded(rows.X[:, 0], rows.y, np.array([0, len(rows.y)]), recipe.step)
        if grid.why:
            raise DataError(grid.why[0])
        with context.phase("iterations"):
            made = fitted(_name(recipe), recipe.estimator.params, grid.values, int(grid.end[0]), recipe.step)
        context.report(1)
        return Fitted(packed(made), 1)

    def load(self, payload: bytes) -> Many:
        """A `Many` of one model.

        Raises
        ------
        DataError
            For bytes that are none.
        """
        if not payload:
            raise DataError("no bytes are no model of statsforecast: the file was cut off")
        found = self.together([payload])
        found.native(0)
        return found

    def score(self, native: Many, batches: Iterable[Batch]) -> Iterator[Scores]:
        for batch in batches:
            yield Scores(native.values(batch.X[:, 0], np.zeros(len(batch.row), np.int64)), None, batch.row)

    def together(self, payloads: Sequence[bytes]) -> Many:
        """Models of one recipe: what tells their next steps, and judges new rows. Empty bytes: there is none.

        Raises
        ------
        DataError
            For bytes that are no model.
        """
        from fitscale.frameworks.statsforecast.many import Many

        return Many(payloads)


def _name(recipe: Recipe) -> Any:
    return recipe.estimator.path.rpartition(".")[2]
