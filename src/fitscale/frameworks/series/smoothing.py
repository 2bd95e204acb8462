"""Exponential smoothing: a level, a trend and an additive season, whose rates are searched for all series at once.

The rates of the smallest squared error one step ahead: of a grid first, and then of finer ones around the best. A step without
a value leaves the state as it was foreseen.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np

from fitscale.frameworks.residuals import SAID, said_of

COARSE = (0.05, 0.2, 0.5, 0.9)  # of the level
SEASON_RATES = (0.02, 0.1, 0.4)
TREND_RATES = (0.01, 0.1, 0.3)
REFINED = 4  # times, each twice as fine
LEAST_RATE, MOST_RATE = 1e-4, 0.9999


class Settings(NamedTuple):
    season: int = 0  # steps; 0: none
    trend: bool = False

    @property
    def least(self) -> int:
        return max(2 * self.season, 3) + self.rates

    @property
    def rates(self) -> int:
        return 1 + self.trend + bool(self.season)

    @property
    def cells(self) -> float:
        return 2.0 + 3.0**self.rates

    @property
    def width(self) -> int:
        return SAID + 7 + self.season


class _State(NamedTuple):
    """Level, trend, and the season's terms in a ring: (b,) and (period, b) at the start, (c, b) and (period, c, b) after a run."""

    level: np.ndarray
    trend: np.ndarray
    season: np.ndarray


def fit(Y: np.ndarray, ends: np.ndarray, step: int, settings: Settings) -> np.ndarray:
    """(b, width): what is said of the errors; season, trend or not; three rates, level, trend, the season's next terms."""
    b, t = Y.shape
    numbers = np.full((b, settings.width), np.nan)
    known = ~np.isnan(Y)
    enough = known.sum(axis=1) >= settings.least
    if t < settings.least:
        return numbers
    begun = known.argmax(axis=1)  # a series that is padded begins later
    start = _started(Y, begun, settings)
    axes = [COARSE, TREND_RATES if settings.trend else (0.0,), SEASON_RATES if settings.season else (0.0,)]
    rates = np.repeat(np.array(list(product(*axes)))[:, None, :], b, axis=1)  # (c, b, 3)
    best = _best_of(Y, begun, start, rates, settings)
    width = np.array([0.25, 0.1 if settings.trend else 0.0, 0.15 if settings.season else 0.0])
    moves = np.array(list(product(*[(-1, 0, 1) if w else (0,) for w in width])), float)
    for _ in range(REFINED):
        width = width / 2
        rates = np.clip(best[None] + moves[:, None, :] * width, LEAST_RATE, MOST_RATE) * (width > 0)
        best = _best_of(Y, begun, start, rates, settings)
    done = _run(Y, begun, start, best[None], settings)
    numbers[:, :SAID] = said_of(done.squares[0], done.fourths[0], done.n, settings.rates)
    numbers[:, SAID], numbers[:, SAID + 1] = settings.season, settings.trend
    numbers[:, SAID + 2 : SAID + 5] = best
    numbers[:, SAID + 5], numbers[:, SAID + 6] = done.state.level[0], done.state.trend[0]
    for place in range(settings.season):
        numbers[:, SAID + 7 + place] = done.state.season[(t + place) % settings.season, 0]
    numbers[~enough] = np.nan
    return numbers


def settings_of(numbers: np.ndarray) -> Settings:
    """Of a model's own numbers (width,)."""
    return Settings(int(numbers[SAID]), bool(numbers[SAID + 1]))


def forecast(
    numbers: np.ndarray, ends: np.ndarray, step: int, settings: Settings, horizon: int
) -> tuple[np.ndarray, np.ndarray]:
    """(b, horizon) values of the next steps, and the deviation of their errors (Hyndman et al., 2008, class 1)."""
    steps = np.arange(1, horizon + 1)
    alpha, beta, gamma, level, trend = (numbers[:, SAID + j : SAID + j + 1] for j in range(2, 7))
    values = level + trend * steps
    weights = alpha * (1 + beta * steps[:-1])
    if settings.season:
        values = values + numbers[:, SAID + 7 + (steps - 1) % settings.season]
        weights = weights + gamma * (1 - alpha) * (steps[:-1] % settings.season == 0)
    spread = np.cumsum(np.concatenate([np.ones((len(numbers), 1)), weights**2], axis=1), axis=1)
    return values, numbers[:, :1] * np.sqrt(spread)


def told(
    numbers: np.ndarray, ends: np.ndarray, step: int, settings: Settings, Y: np.ndarray, starts: np.ndarray
) -> np.ndarray:
    """(b, t): what the models say of each step of (b, t) new values, one step ahead, going on from where they ended."""
    gap = (starts - ends) // step - 1
    level, trend = numbers[:, SAID + 5] + gap * numbers[:, SAID + 6], numbers[:, SAID + 6]
    terms = numbers[:, SAID + 7 :]
    if settings.season:  # the first new step's term at place 0
        terms = np.take_along_axis(terms, (np.arange(settings.season) + gap[:, None]) % settings.season, axis=1)
    season = np.ascontiguousarray(terms.T) if settings.season else np.zeros((1, len(numbers)))
    rates = numbers[None, :, SAID + 2 : SAID + 5]
    values = np.empty(Y.shape)
    _run(Y, np.zeros(len(Y), np.int64), _State(level, trend, season), rates, settings, values)
    return values


def _started(Y: np.ndarray, begun: np.ndarray, settings: Settings) -> _State:
    """From the first season, or the first values."""
    b, t = Y.shape
    span = max(settings.season, 2)
    first = Y[np.arange(b)[:, None], np.minimum(begun[:, None] + np.arange(2 * span), t - 1)]
    known = ~np.isnan(first)
    sums = np.where(known, first, 0.0)
    level = sums[:, :span].sum(axis=1) / np.maximum(1, known[:, :span].sum(axis=1))
    after = sums[:, span:].sum(axis=1) / np.maximum(1, known[:, span:].sum(axis=1))
    trend = (after - level) / span if settings.trend else np.zeros(b)
    season = np.zeros((max(1, settings.season), b))
    for k in range(settings.season):
        place = (begun + k) % settings.season
        season[place, np.arange(b)] = np.where(known[:, k], first[:, k] - level, 0.0)
    return _State(level, trend, season)


def _best_of(Y: np.ndarray, begun: np.ndarray, start: _State, rates: np.ndarray, settings: Settings) -> np.ndarray:
    """(b, 3): of (c, b, 3) rates those of the smallest error."""
    squares = _run(Y, begun, start, rates, settings).squares
    best: np.ndarray = rates[squares.argmin(axis=0), np.arange(len(Y))]
    return best


class _Run(NamedTuple):
    """Sums of second and fourth powers of the errors (c, b), the state after the last step, how many values there were (b,)."""

    squares: np.ndarray
    fourths: np.ndarray
    state: _State
    n: np.ndarray


def _run(
    Y: np.ndarray,
    begun: np.ndarray,
    start: _State,
    rates: np.ndarray,
    settings: Settings,
    values: np.ndarray | None = None,
) -> _Run:
    """Step by step. ``values`` (b, t) gets what is said of each step before it is seen, where there is one point alone."""
    c, b, _ = rates.shape
    alpha, beta, gamma = rates[..., 0], rates[..., 1], rates[..., 2]
    level, trend = np.repeat(start.level[None], c, axis=0), np.repeat(start.trend[None], c, axis=0)
    season = np.repeat(start.season[:, None, :], c, axis=1)
    squares, fourths = np.zeros((c, b)), np.zeros((c, b))
    n = np.zeros(b)
    known = ~np.isnan(Y)
    every = bool(known.all())
    for at in range(Y.shape[1]):
        place = at % settings.season if settings.season else 0
        told = level + trend
        whole = told + season[place] if settings.season else told
        if values is not None:
            values[:, at] = whole[0]
        error = Y[:, at] - whole
        if not every:
            error = np.where(known[:, at], error, 0.0)
        move = alpha * error
        square = error * error
        squares += square
        if c == 1:  # the best: nobody asks it of the others
            fourths += square * square
        if every:
            level = told + move
        else:
            seen = at >= begun
            level = np.where(seen, told + move, level)
        if settings.trend:
            trend = trend + beta * move
        if settings.season:
            season[place] += gamma * (error - move)
        n += known[:, at]
    return _Run(squares, fourths, _State(level, trend, season), n)
