"""The series framework: forecasts of a series from its own past, many series at once. See `contracts.Framework`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from fitscale.contracts import Batch, Context, Feed, Fitted, FittedGroups, Groups, Scores, Unfit
from fitscale.errors import DataError
from fitscale.frameworks.grid import Grid, gridded, gridded_spans
from fitscale.frameworks.series import cost
from fitscale.frameworks.series.params import Settings, asked
from fitscale.frameworks.series.together import Together, fitted, read_together
from fitscale.records.data import Shape
from fitscale.records.plan import Law
from fitscale.records.run import Estimator, Form, Recipe, Traits

KERNELS = "2"  # of what fits them: one more with each change that gives other bits


class Series:
    """Autoregression, ARIMA, exponential smoothing and baselines. The payload is a head of 24 bytes and the numbers.

    Each kernel works on rectangles of series of about one length, row by row: a model is the same to the bit, however many
    are fitted with it. A step without a value is a gap; times that occur twice or lie between steps are an error.
    """

    name: ClassVar[str] = "series"
    handles: ClassVar[tuple[str, ...]] = ("series",)
    needs: ClassVar[tuple[str, ...]] = ("numpy",)
    extra: ClassVar[str] = ""
    pickles: ClassVar[bool] = False
    own: ClassVar[bool] = True
    hides: ClassVar[tuple[str, ...]] = ("pandas",)

    def traits(self, estimator: Estimator) -> Traits:
        found = asked(estimator)
        return Traits(
            target="regressor",
            can={"whole": "same", "groups": "same"},
            input="series",
            missing="ok",
            progress="none",
            weights=False,
            versions={"numpy": np.__version__, "fitscale.series": KERNELS},
            params=found.params,
        )

    def law(self, shape: Shape, recipe: Recipe, form: Form) -> Law:
        found = asked(recipe.estimator)
        return cost.law(found.kind, found.settings, shape, form)

    def fit(self, feed: Feed, recipe: Recipe, state: bytes | None, context: Context) -> Fitted:
        rows = feed.matrix("train")
        found = asked(recipe.estimator)
        step = _step(recipe)
        grid = gridded(rows.X[:, 0], rows.y, np.array([0, len(rows.y)]), step)
        if grid.why:
            raise DataError(grid.why[0])
        with context.phase("iterations"):
            made = fitted(found.kind, found.settings, step, grid)
        if not made.there[0]:
            raise Unfit(too_short(grid, 0, found.settings))
        context.report(1)
        return Fitted(made.packed().tobytes(), 1, made)

    def load(self, payload: bytes) -> Together:
        """A `Together` of one model.

        Raises
        ------
        DataError
            For bytes that are none.
        """
        if not payload:
            raise DataError("no bytes are no model of a series: the file was cut off")
        return read_together([payload])

    def score(self, native: Together, batches: Iterable[Batch]) -> Iterator[Scores]:
        for batch in batches:
            yield Scores(native.values(batch.X[:, 0], np.zeros(len(batch.row), np.int64)), None, batch.row)

    def fit_groups(self, feed: Groups, recipe: Recipe, context: Context, *, one_by_one: bool = False) -> FittedGroups:
        """See `contracts.Grouped`."""
        found = asked(recipe.estimator)
        rows, (starts, sizes) = feed.rows, feed.spans("train")
        grid = gridded_spans(rows.X[:, 0], rows.y, starts, sizes, _step(recipe))
        made = fitted(found.kind, found.settings, _step(recipe), grid, one_by_one=one_by_one)
        without = np.flatnonzero(~made.there).tolist()
        why: dict[int, Any] = {k: ("unfit", "unfit", too_short(grid, k, found.settings)) for k in without}
        why |= {k: ("unfit", "unfit", "no training rows") for k in np.flatnonzero(sizes == 0).tolist()}
        why |= {k: ("failed", "DataError", told) for k, told in grid.why.items()}
        content = made.packed()
        lengths = np.where(made.there, content.shape[1], 0)
        return FittedGroups(content.tobytes(), lengths, why, made.there.astype(np.int32), made)

    def score_groups(self, native: Any, feed: Groups) -> Scores:
        """See `contracts.Grouped`."""
        rows, sizes = feed.matrix("holdout"), feed.sizes("holdout")
        return Scores(native.values(rows.X[:, 0], np.repeat(np.arange(len(sizes)), sizes)), None, rows.row)

    def together(self, payloads: Sequence[bytes]) -> Together:
        """Models of one recipe as arrays: what tells their next steps, and judges new rows. Empty bytes: there is none.

        Raises
        ------
        DataError
            For bytes that are no model, or one of another kind than the first.
        """
        return read_together(payloads)


def too_short(grid: Grid, k: int, settings: Settings) -> str:
    """Why a series has no model, that is one."""
    values = grid.values[grid.starts[k] : grid.starts[k] + grid.lengths[k]]
    there = int((~np.isnan(values)).sum())
    return f"{there:,} values in {len(values):,} steps are too few: at least {settings.least:,} are needed, one after the other"


def _step(recipe: Recipe) -> int:
    assert recipe.step is not None, "the workload of a series has data.step"
    return recipe.step
