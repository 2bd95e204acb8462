"""Baselines: the mean or a quantile of a series, or what was seen one season before."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fitscale.frameworks.residuals import SAID, before, said_of


class Settings(NamedTuple):
    quantile: float | None = None  # None: the mean
    season: int = 0  # steps; 0: no season, the level alone

    @property
    def least(self) -> int:
        return self.season + 2

    @property
    def cells(self) -> float:
        return 4.0

    @property
    def width(self) -> int:
        return SAID + 1 + max(1, self.season)


def fit(Y: np.ndarray, ends: np.ndarray, step: int, settings: Settings) -> np.ndarray:
    """(b, width): what is said of the errors; the season; the level, or the values of the last season, the earliest first."""
    b, t = Y.shape
    season = settings.season
    numbers = np.full((b, settings.width), np.nan)
    if t < settings.least:
        return numbers
    known = ~np.isnan(Y)
    if not season:
        n = known.sum(axis=1)
        if settings.quantile is None:
            level = np.where(known, Y, 0.0).sum(axis=1) / np.maximum(n, 1)
        else:
            level = _quantile(Y, n, settings.quantile)
        errors = np.where(known, Y - level[:, None], 0.0)
        last = level[:, None]
    else:
        both = known[:, season:] & known[:, :-season]
        errors = np.where(both, Y[:, season:] - Y[:, :-season], 0.0)
        n = both.sum(axis=1)
        last = _last_known(Y, season)
    squares = errors**2
    numbers[:, :SAID] = said_of(squares.sum(axis=1), (squares**2).sum(axis=1), n.astype(np.float64), 1)
    numbers[:, SAID] = season
    numbers[:, SAID + 1 :] = last
    numbers[(n < 2) | np.isnan(last).any(axis=1)] = np.nan
    return numbers


def settings_of(numbers: np.ndarray) -> Settings:
    """Of a model's own numbers: how its level was found no longer matters."""
    return Settings(season=int(numbers[SAID]))


def forecast(
    numbers: np.ndarray, ends: np.ndarray, step: int, settings: Settings, horizon: int
) -> tuple[np.ndarray, np.ndarray]:
    """(b, horizon) values of the next steps, and the deviation of their errors."""
    steps = np.arange(horizon)
    last = numbers[:, SAID + 1 :]
    if not settings.season:
        return np.repeat(last, horizon, axis=1), np.repeat(numbers[:, :1], horizon, axis=1)
    return last[:, steps % settings.season], numbers[:, :1] * np.sqrt(1 + steps // settings.season)


def told(
    numbers: np.ndarray, ends: np.ndarray, step: int, settings: Settings, Y: np.ndarray, starts: np.ndarray
) -> np.ndarray:
    """(b, t): what the models say of each step of (b, t) new values, one step ahead; NaN where it is not known."""
    last, t = numbers[:, SAID + 1 :], Y.shape[1]
    if not settings.season:
        return np.repeat(last, t, axis=1)
    return np.concatenate([before(last, (starts - ends) // step - 1), Y], axis=1)[:, :t]


def _quantile(Y: np.ndarray, n: np.ndarray, q: float) -> np.ndarray:
    """Between the two nearest values, as numpy's; NaN sorts last."""
    ordered = np.sort(Y, axis=1)
    at = q * np.maximum(n - 1, 0)
    low = np.floor(at).astype(np.int64)
    rows = np.arange(len(Y))
    below, above = ordered[rows, low], ordered[rows, np.minimum(low + 1, np.maximum(n - 1, 0))]
    found: np.ndarray = below + (above - below) * (at - low)
    return found


def _last_known(Y: np.ndarray, season: int) -> np.ndarray:
    """(b, season): of each place in the season the last value that is there, as the last season would have them."""
    b, t = Y.shape
    last = np.full((b, season), np.nan)
    for place in range(season):
        column = Y[:, t - season + place :: -season] if t - season + place >= 0 else Y[:, :0]
        known = ~np.isnan(column)
        there = known.any(axis=1)
        last[there, place] = column[there, known[there].argmax(axis=1)]
    return last
