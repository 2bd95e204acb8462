"""Autoregression with seasonal lags and terms of the calendar: least squares over all series of a block at once.

    y_t = c + sum_j phi_j y_(t - lag_j) + calendar_t + e_t

on values of mean 0 and deviation 1, with a penalty of 1e-8 that only shows where the terms cannot be told apart (a constant
series, an hour that never occurs). Steps without a value, or without one of their lags, are left out.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from fitscale.frameworks.residuals import SAID, before, said_of
from fitscale.frameworks.series.calendar import LEVELS, terms_of, width_of

PENALTY = 1e-8
FEW = 8  # terms
PARTS = tuple(LEVELS)


class Settings(NamedTuple):
    lags: tuple[int, ...]  # rising
    calendar: tuple[str, ...]

    @property
    def longest(self) -> int:
        return self.lags[-1] if self.lags else 0

    @property
    def terms(self) -> int:
        return 1 + len(self.lags) + width_of(self.calendar)

    @property
    def least(self) -> int:
        """Values that a series needs."""
        return self.longest + self.terms + 1

    @property
    def cells(self) -> float:
        """That are held for each value while a block is fitted."""
        return self.terms + 2.0

    @property
    def width(self) -> int:
        """Numbers of a model."""
        return SAID + 3 + len(self.lags) + 2 + self.terms + self.longest


def fit(Y: np.ndarray, ends: np.ndarray, step: int, settings: Settings) -> np.ndarray:
    """(b, width) numbers of the models of (b, t) series that end at these moments; NaN where one is too short.

    The numbers: what is said of the errors; how many lags, which parts of the calendar, how many terms; the lags; mean and scale
    of the values; the coefficients; the last values, the earliest first.
    """
    b, t = Y.shape
    longest, k, lags = settings.longest, settings.terms, len(settings.lags)
    numbers = np.full((b, settings.width), np.nan)
    if t <= longest:
        return numbers
    Z, known, mean, scale = _standard(Y)
    rows = t - longest
    X = np.empty((b, k, rows))
    X[:, 0] = 1.0
    for j, lag in enumerate(settings.lags, start=1):
        X[:, j] = Z[:, longest - lag : t - lag]
    if settings.calendar:
        X[:, 1 + lags :] = terms_of(_moments(ends, step, rows), settings.calendar)
    y, n = Z[:, longest:], np.full(b, float(rows))
    if known is not None:
        used = known[:, longest:].copy()
        for lag in settings.lags:
            used &= known[:, longest - lag : t - lag]
        X *= used[:, None, :]
        y = y * used
        n = used.sum(axis=1).astype(np.float64)
    found = _least_squares(X, y, n)
    errors = np.matmul(found[:, None], X)[:, 0]  # in place, for each new rectangle costs as much as a step
    np.subtract(y, errors, out=errors)
    sums = np.vecdot(errors, errors)
    errors *= errors
    square = scale * scale
    at = SAID + 3 + lags
    numbers[:, :SAID] = said_of(sums * square, np.vecdot(errors, errors) * (square * square), n, k)
    numbers[:, SAID : SAID + 3] = lags, _code(settings.calendar), k
    numbers[:, SAID + 3 : at] = settings.lags
    numbers[:, at], numbers[:, at + 1] = mean, scale
    numbers[:, at + 2 : at + 2 + k] = found
    last = Z[:, t - longest :]
    gone = np.zeros(0, bool) if known is None else ~known[:, t - longest :].all(axis=1)
    if known is not None and gone.any():
        last = last.copy()
        last[gone] = _filled(Z[gone], known[gone], found[gone], ends[gone], step, settings)
    numbers[:, at + 2 + k :] = last * scale[:, None] + mean[:, None]
    if n.min() <= k:
        numbers[n <= k] = np.nan
    return numbers


def _standard(Y: np.ndarray) -> tuple[np.ndarray, np.ndarray | None, np.ndarray, np.ndarray]:
    """(b, t) values of mean 0 and deviation 1, 0 where there are none; which are there, None: all; means and deviations (b,).

    Of a constant, and of no value, the deviation is 1. Of series that are whole it comes to the same bits beside any others.
    """
    n: int | np.ndarray = Y.shape[1]
    mean = np.add.reduce(Y, 1) / n
    known = None
    if math.isnan(np.add.reduce(mean)):  # some are not there
        known = ~np.isnan(Y)
        n = np.maximum(known.sum(axis=1), 1)
        mean = np.add.reduce(np.where(known, Y, 0.0), 1) / n
        Z = np.where(known, Y - mean[:, None], 0.0)
    else:
        Z = Y - mean[:, None]
    scale = np.sqrt(np.vecdot(Z, Z) / n)
    scale[scale <= 1e-12 * np.abs(mean)] = 1.0
    Z /= scale[:, None]
    return Z, known, mean, scale


def _least_squares(X: np.ndarray, y: np.ndarray, n: np.ndarray) -> np.ndarray:
    """(b, k) coefficients of (b, k, rows) terms, the first a constant, of (b, rows) values of which ``n`` (b,) are there."""
    b, k, _ = X.shape
    A, right = np.empty((b, k, k)), np.empty((b, k, 1))
    if k > FEW:
        np.matmul(X, X.transpose(0, 2, 1), out=A)
        np.matmul(X, y[:, :, None], out=right)
    else:  # one by one: that takes a quarter of the time
        for i in range(k):
            right[:, i, 0] = np.vecdot(X[:, i], y)
            for j in range(i + 1):
                A[:, i, j] = A[:, j, i] = np.vecdot(X[:, i], X[:, j])
    diagonal = A.reshape(b, k * k)[:, k + 1 :: k + 1]
    diagonal += PENALTY * np.maximum(n, 1.0)[:, None]
    A[:, 0, 0] += n == 0
    found: np.ndarray = np.linalg.solve(A, right)[:, :, 0]
    return found


def settings_of(numbers: np.ndarray) -> Settings:
    """Of a model's own numbers (width,)."""
    lags, code = int(numbers[SAID]), int(numbers[SAID + 1])
    calendar = tuple(part for j, part in enumerate(PARTS) if code >> j & 1)
    return Settings(tuple(int(lag) for lag in numbers[SAID + 3 : SAID + 3 + lags]), calendar)


class _Fitted(NamedTuple):
    """The numbers by name."""

    mean: np.ndarray
    scale: np.ndarray
    found: np.ndarray  # (b, terms)
    last: np.ndarray  # (b, longest)


def _fitted(numbers: np.ndarray, settings: Settings) -> _Fitted:
    at = SAID + 3 + len(settings.lags)
    terms = numbers[:, at + 2 : at + 2 + settings.terms]
    return _Fitted(numbers[:, at], numbers[:, at + 1], terms, numbers[:, at + 2 + settings.terms :])


def forecast(
    numbers: np.ndarray, ends: np.ndarray, step: int, settings: Settings, horizon: int
) -> tuple[np.ndarray, np.ndarray]:
    """(b, horizon) values of the next steps, and the deviation of their errors."""
    mean, scale, found, last = _fitted(numbers, settings)
    longest = settings.longest
    Z = np.empty((len(numbers), longest + horizon))
    Z[:, :longest] = (last - mean[:, None]) / scale[:, None]
    steady = _steady(found, _moments(ends + horizon * step, step, horizon), settings)
    weights = np.zeros((len(numbers), longest + horizon))  # of an error on the steps that come after it
    weights[:, longest] = 1.0
    for h in range(longest, longest + horizon):
        Z[:, h] = steady[:, h - longest]
        for j, lag in enumerate(settings.lags, start=1):
            Z[:, h] += found[:, j] * Z[:, h - lag]
            if h > longest:
                weights[:, h] += found[:, j] * weights[:, h - lag]
    spread = numbers[:, :1] * np.sqrt(np.cumsum(weights[:, longest:] ** 2, axis=1))
    return Z[:, longest:] * scale[:, None] + mean[:, None], spread


def told(
    numbers: np.ndarray, ends: np.ndarray, step: int, settings: Settings, Y: np.ndarray, starts: np.ndarray
) -> np.ndarray:
    """(b, t): what the models say of each step of (b, t) new values, one step ahead; NaN where a lag is not known."""
    mean, scale, found, last = _fitted(numbers, settings)
    t, longest = Y.shape[1], settings.longest
    known = np.concatenate([before(last, (starts - ends) // step - 1), Y], axis=1)
    Z = (known - mean[:, None]) / scale[:, None]
    value: np.ndarray = _steady(found, _moments(starts + (t - 1) * step, step, t), settings)
    for j, lag in enumerate(settings.lags, start=1):
        value += found[:, j : j + 1] * Z[:, longest - lag : longest - lag + t]
    value = value * scale[:, None] + mean[:, None]
    return value


def _steady(found: np.ndarray, moments: np.ndarray, settings: Settings) -> np.ndarray:
    """(b, t): what of a value does not hang on those before."""
    value = np.repeat(found[:, :1], moments.shape[1], axis=1)
    if settings.calendar:
        value += np.matmul(found[:, None, 1 + len(settings.lags) :], terms_of(moments, settings.calendar))[:, 0]
    return value


def _moments(ends: np.ndarray, step: int, steps: int) -> np.ndarray:
    """(b, steps) int64: the last of each row is its end."""
    moments: np.ndarray = ends[:, None] + np.arange(1 - steps, 1) * step
    return moments


def _code(calendar: tuple[str, ...]) -> int:
    return sum(1 << j for j, part in enumerate(PARTS) if part in calendar)


def _filled(
    Z: np.ndarray, known: np.ndarray, found: np.ndarray, ends: np.ndarray, step: int, settings: Settings
) -> np.ndarray:
    """(b, longest): the last values, of which those that are missing are what the model says of them, step by step."""
    t, longest = Z.shape[1], settings.longest
    begin = max(0, t - 2 * longest)
    steady = _steady(found, _moments(ends, step, t - begin), settings)
    Z = Z.copy()
    for h in range(begin, t):
        told = steady[:, h - begin].copy()
        for j, lag in enumerate(settings.lags, start=1):
            if h - lag >= 0:
                told += found[:, j] * Z[:, h - lag]
        Z[:, h] = np.where(known[:, h], Z[:, h], told)
    return Z[:, t - longest :]
