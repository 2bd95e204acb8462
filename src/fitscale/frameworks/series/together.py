"""Models of one kind as arrays: fitted at once, read at once, and asked at once."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from fitscale.contracts import Batch, Judged
from fitscale.errors import DataError
from fitscale.frameworks.grid import Grid, gridded
from fitscale.frameworks.residuals import SAID
from fitscale.frameworks.series import ar, arima, level, payload, smoothing
from fitscale.frameworks.series.blocks import BLOCK_CELLS, alone, blocks
from fitscale.frameworks.series.params import Settings

KERNELS: dict[str, ModuleType] = {"ar": ar, "level": level, "smoothing": smoothing, "arima": arima}
FARTHEST = 100_000  # steps after the end of a series that are still foretold


class Together(NamedTuple):
    """Models of one kind and one length.

    Attributes
    ----------
    ends
        (g,) int64: the moments at which their series end.
    numbers
        (g, width) float64, NaN where there is no model.
    """

    kind: str
    settings: Any
    step: int
    ends: np.ndarray
    numbers: np.ndarray

    @property
    def there(self) -> np.ndarray:
        """(g,) bool: which are models."""
        there: np.ndarray = ~np.isnan(self.numbers).any(axis=1)
        return there

    def packed(self) -> np.ndarray:
        """(models, bytes) uint8: the payloads of those that are there."""
        there = self.there
        return payload.packed(self.kind, self.step, self.ends[there], self.numbers[there])

    def values(self, moments: np.ndarray, of: np.ndarray) -> np.ndarray:
        """(n,) what the models ``of`` the rows (rising) say of moments; NaN before their series end, or between steps."""
        away = moments - self.ends[of]
        ahead = away // self.step
        told = (away % self.step == 0) & (ahead >= 1) & (ahead <= FARTHEST)
        out = np.full(len(moments), np.nan)
        horizon = int(ahead[told].max(initial=0))
        if not horizon:
            return out
        size = max(1, BLOCK_CELLS // horizon)
        for first in range(0, len(self.ends), size):
            low, high = np.searchsorted(of, [first, first + size])
            there = low + np.flatnonzero(told[low:high])
            if len(there):
                found, _ = self._forecast(slice(first, first + size), horizon)
                out[there] = found[of[there] - first, ahead[there] - 1]
        return out

    def ahead(self, steps: int, interval: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(g, steps) values of the next steps, and between which so much of what may come lies, if errors are normal."""
        values, deviations = np.empty((len(self.ends), steps)), np.empty((len(self.ends), steps))
        size = max(1, BLOCK_CELLS // steps)
        for first in range(0, len(self.ends), size):
            part = slice(first, first + size)
            values[part], deviations[part] = self._forecast(part, steps)
        wide = NormalDist().inv_cdf(0.5 + interval / 2) * deviations
        return values, values - wide, values + wide

    def judge(self, rows: Batch, sizes: np.ndarray) -> Judged:
        """New rows of the groups, one group after the other, each by its own model, one step ahead."""
        grid = gridded(rows.X[:, 0], rows.y, np.concatenate([[0], np.cumsum(sizes)]), self.step)
        told = np.full(len(grid.values), np.nan)
        for which, Y in blocks(grid, exact=True):
            steps = np.arange(Y.shape[1])
            starts = grid.end[which] - steps[-1] * self.step
            said = KERNELS[self.kind].told(self.numbers[which], self.ends[which], self.step, self.settings, Y, starts)
            told[grid.starts[which][:, None] + steps] = said
        expected = grid.by_row(told)
        deviation, n, kurtosis = self.numbers[:, :SAID].T
        # Of new values errors are wider than of those that the numbers were fitted on, as each of these cost one.
        deviation = deviation * np.sqrt(1 + getattr(self.settings, "terms", 2) / np.maximum(n, 1))
        return Judged(expected, deviation, n, kurtosis, grid.why)

    def _forecast(self, part: slice, steps: int) -> tuple[np.ndarray, np.ndarray]:
        kernel = KERNELS[self.kind]
        values, deviations = kernel.forecast(self.numbers[part], self.ends[part], self.step, self.settings, steps)
        return values, deviations


def fitted(kind: str, settings: Settings, step: int, grid: Grid, *, one_by_one: bool = False) -> Together:
    """A model for each series of a grid that is long enough."""
    numbers = np.full((len(grid.end), settings.width), np.nan)
    for which, Y in alone(grid) if one_by_one else blocks(grid, settings.cells):
        numbers[which] = KERNELS[kind].fit(Y, grid.end[which], step, settings)
    return Together(kind, settings, step, grid.end, numbers)


def read_together(payloads: Sequence[bytes]) -> Together:
    """Models of one recipe, from their bytes. Empty ones are no model.

    Raises
    ------
    DataError
        For bytes that are none, or one of another kind than the first.
    """
    there = [k for k, content in enumerate(payloads) if content]
    models = [payload.read(payloads[k]) for k in there]
    first = models[0] if models else payload.Model("level", 1, 0, np.zeros(SAID + 2))
    try:
        settings = KERNELS[first.kind].settings_of(first.numbers)
        whole = settings.width == len(first.numbers) and first.step > 0
    except (ValueError, OverflowError, IndexError):
        whole = False
    if not whole or any(
        (m.kind, m.step, len(m.numbers)) != (first.kind, first.step, len(first.numbers)) for m in models
    ):
        raise DataError("these bytes are no models of series of one kind: a file was edited")
    ends, numbers = np.zeros(len(payloads), np.int64), np.full((len(payloads), len(first.numbers)), np.nan)
    if models:
        ends[there] = [model.end for model in models]
        numbers[there] = [model.numbers for model in models]
    return Together(first.kind, settings, first.step, ends, numbers)
