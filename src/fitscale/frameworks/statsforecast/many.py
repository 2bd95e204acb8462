"""Models of many series, each read when it is asked: what tells their next steps, and judges new rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np

from fitscale.contracts import Batch, Judged
from fitscale.errors import DataError
from fitscale.frameworks.grid import gridded
from fitscale.frameworks.statsforecast import payload
from fitscale.frameworks.statsforecast.filling import ends_of, filled, foretellable
from fitscale.frameworks.statsforecast.names import LONGEST, MODELS, class_of, parameters, wrong
from fitscale.frameworks.statsforecast.onestep import foretold, is_told, one_step
from fitscale.frameworks.statsforecast.state import whole

FARTHEST = LONGEST  # steps after the end of a series that are still foretold


class Many:
    """The models of one recipe.

    Attributes
    ----------
    ends
        (g,) int64: the moments at which their series end.
    step
        Between neighbours of a series.
    """

    def __init__(self, payloads: Sequence[bytes]) -> None:
        self._payloads = payloads
        self._one = lru_cache(maxsize=1)(self._read)
        said = [payload.read(content) if content else None for content in payloads]
        self.ends = np.array([0 if one is None else one.end for one in said], np.int64)
        self.step = next((one.step for one in said if one is not None), 1)
        self.said = np.array([(np.nan,) * 4 if one is None else one.said for one in said]).reshape(-1, 4)
        if any(one.step != self.step for one in said if one is not None):
            raise DataError("these bytes are no models of series of one kind: a file was edited")

    def native(self, k: int) -> Any:
        """The library's own object of a series, fitted."""
        return self._one(k)[1]

    def values(self, moments: np.ndarray, of: np.ndarray) -> np.ndarray:
        """(n,) what the models ``of`` the rows say of moments; NaN before their series end, or between steps."""
        away = moments - self.ends[of]
        ahead = away // self.step
        told = (away % self.step == 0) & (ahead >= 1) & (ahead <= FARTHEST)
        out = np.full(len(moments), np.nan)
        for k in np.unique(of[told]).tolist():
            rows = np.flatnonzero(told & (of == k)) if len(self.ends) > 1 else np.flatnonzero(told)
            out[rows] = self._foretold(k, int(ahead[rows].max()))["mean"][ahead[rows] - 1]
        return out

    def ahead(self, steps: int, interval: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(g, steps) values of the next steps, and between which so much of what may come lies."""
        out = np.full((3, len(self.ends), steps), np.nan)
        for k, content in enumerate(self._payloads):
            if content:
                out[:, k] = self._with_interval(k, steps, interval)
        return out[0], out[1], out[2]

    def judge(self, rows: Batch, sizes: np.ndarray) -> Judged:
        """New rows of the groups, one group after the other, each by its own model, one step ahead."""
        grid = gridded(rows.X[:, 0], rows.y, np.concatenate([[0], np.cumsum(sizes)]), self.step)
        told, why = np.full(len(grid.values), np.nan), dict(grid.why)
        for k, content in enumerate(self._payloads):
            part = slice(int(grid.starts[k]), int(grid.starts[k] + grid.lengths[k]))
            if not content or part.stop == part.start:
                continue
            found = self._one_step(k, grid.values[part], int(grid.end[k]))
            if isinstance(found, str):
                why[k] = found
            else:
                told[part] = found
        expected = grid.by_row(told)
        deviation, n, kurtosis, spent = self.said.T
        # Of new values errors are wider than of those that the numbers were fitted on, as each of these cost one.
        return Judged(expected, deviation * np.sqrt(1 + spent / np.maximum(n, 1)), n, kurtosis, why)

    def _read(self, k: int) -> tuple[payload.Model, Any]:
        return made_of(payload.read(self._payloads[k]))

    def _foretold(self, k: int, steps: int, level: float | None = None) -> dict[str, np.ndarray]:
        found, made = self._one(k)
        try:
            return foretold(made, steps, level)
        except Exception as error:
            raise DataError(f"this model of {found.name} does not answer ({error}): a file was edited") from None

    def _with_interval(self, k: int, steps: int, interval: float) -> np.ndarray:
        found, _ = self._one(k)
        if not MODELS[found.name].intervals:
            value = self._foretold(k, steps)["mean"]
            wide = NormalDist().inv_cdf(0.5 + interval / 2) * found.said[0]
            return np.stack([value, value - wide, value + wide])
        level = round(100 * interval, 6)
        told = self._foretold(k, steps, level)
        return np.stack([told["mean"], told[f"lo-{level}"], told[f"hi-{level}"]])

    def _one_step(self, k: int, values: np.ndarray, end: int) -> np.ndarray | str:
        """(n,) what is foretold of each new value, NaN where it is not; or why nothing is."""
        found, made = self._one(k)
        if not is_told(found.name):
            return f"{found.name} does not say what it foretells of each value from those before it"
        away = end - (len(values) - 1) * self.step - found.end
        if away % self.step:
            return "its times lie between the steps of those that its model was fitted on"
        first, stop = ends_of(values)
        between = away // self.step - 1 + first  # steps from the end of what was fitted to the first new value
        if between > FARTHEST:
            return f"its values begin {between:,} steps after those that its model was fitted on"
        before = found.history[: max(0, len(found.history) + between)] if between < 0 else found.history
        if between > 0:  # as if what the model says of them had come
            before = np.concatenate([before, self._foretold(k, between)["mean"]])
        out = np.full(len(values), np.nan)
        if stop > first:
            new = values[first:stop]
            y = np.concatenate([before, filled(new)])
            try:
                told = one_step(found.name, made, y, between + 1 - len(before))
            except Exception as error:  # of values that it has no room for: this series' own matter
                return f"{found.name} cannot be asked for these values: {error or type(error).__name__}"
            assert told is not None
            out[first:stop] = np.where(foretellable(new), told[len(before) :], np.nan)
        return out


def made_of(model: payload.Model) -> tuple[payload.Model, Any]:
    """A payload's model, and the library's own object, fitted as it was.

    Raises
    ------
    DataError
        For a class that is not among those that are taken, or a state that is none of it.
    """
    taken = model.name in MODELS and set(model.params) <= set(parameters(model.name)) and not wrong(model.params)
    if not taken:
        raise DataError(
            f"these bytes are a model of '{model.name}', which is none of statsforecast's that are taken: a file was edited"
        )
    state = whole(model.name, model.state, model.history)
    try:
        made = class_of(model.name)(**model.params)
    except Exception as error:
        raise DataError(f"these bytes are no model of {model.name}: {error}") from None
    made.model_ = state
    return model, made
