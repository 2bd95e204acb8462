"""ARIMA(p, d, q) without a season, by exact maximum likelihood, for many series at once.

Of a stationary x_t = sum phi_i x_(t-i) + e_t the values are y_t = mu + x_t + sum theta_j x_(t-j): the same model as the usual
one, and with a state whose covariance at the beginning is the autocovariance of x, a sum and not a system of equations. Mean
and variance are those that are best for given phi and theta. The rest, p + q numbers, climbs by Newton's method on partial
autocorrelations, so that every step is stationary and invertible; derivatives are differences of the likelihood itself.

Each series climbs from the one or two best of a grid of theta with the phi that least squares give for each, for itself: what
it comes to does not hang on what is beside it.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from fitscale.frameworks.residuals import SAID, said_of
from fitscale.frameworks.series import likelihood
from fitscale.frameworks.series.likelihood import Point, partial_to_coefficients

MOST_ORDER = 5
DIFFERENCE = 1e-3  # of a derivative
MOST_PARTIAL = 6.0  # tanh of it is 0.99999
LONGEST_STEP = 1.0
CLOSE = 1e-5  # of the log-likelihood: what a further step is foreseen to gain twice over
ROUNDS = 60
STARTS = {1: (-0.9, -0.6, -0.3, 0.0, 0.3, 0.6, 0.9), 2: (-0.7, 0.0, 0.7)}  # partial autocorrelations of theta
CONVERGED, STOPPED = 0.0, 1.0
FORGOTTEN = 1_000  # steps after which nothing is left of a state


class Settings(NamedTuple):
    p: int
    d: int
    q: int

    @property
    def least(self) -> int:
        return self.d + 2 * (self.p + self.q) + 4

    @property
    def has_mean(self) -> bool:
        return self.d == 0

    @property
    def state(self) -> int:
        return max(self.p, self.q + 1)

    @property
    def cells(self) -> float:
        return 1.0

    @property
    def width(self) -> int:
        return SAID + 6 + self.p + self.q + self.state + self.d


def fit(Y: np.ndarray, ends: np.ndarray, step: int, settings: Settings) -> np.ndarray:
    """(b, width) numbers of the models of (b, t) series; NaN where one is too short.

    The numbers: what is said of the errors; p, d, q; whether the climb ended before its top; mean, log-likelihood; phi, theta;
    the last x, the latest first; the last values of each order of differences.
    """
    b = len(Y)
    numbers = np.full((b, settings.width), np.nan)
    p, d, q = settings
    Z, last = _differences(Y, d)
    enough = np.flatnonzero((~np.isnan(Z)).sum(axis=1) >= settings.least - d)
    if not len(enough):
        return numbers
    known = ~np.isnan(Z[enough])
    n = known.sum(axis=1)
    level = np.where(known, Z[enough], 0.0).sum(axis=1) / n if settings.has_mean else np.zeros(len(enough))
    centred = Z[enough] - level[:, None]
    scale = np.sqrt(np.where(known, centred**2, 0.0).sum(axis=1) / n)
    scale = np.where(scale > 1e-12 * np.abs(level), scale, 1.0)
    T = np.ascontiguousarray((centred / scale[:, None]).T)  # by time: a step of all series lies together
    u, stopped = _climbed(T, settings)
    phi, theta = _coefficients(u[None], settings)
    found = likelihood.run(T, Point(phi, theta), with_mean=settings.has_mean)
    mean = found.mean[0] * scale + level
    at = SAID + 6
    numbers[enough, SAID : SAID + 4] = np.stack([*(np.full(len(enough), float(k)) for k in settings), stopped], axis=1)
    numbers[enough, SAID + 4] = mean
    numbers[enough, SAID + 5] = found.loglik[0] - n * np.log(scale)
    for k, part in enumerate([*phi, *theta, *(x * scale for x in found.state)]):
        numbers[enough, at + k] = part[0]
    numbers[enough, at + p + q + settings.state :] = last[enough]
    # The variance is the likelihood's; how heavy the tails are is seen from errors that begin from nothing.
    errors = Z[enough] - _foreseen(numbers[enough], settings, Z[enough], None)
    squares = np.where(known, errors**2, 0.0)
    said = said_of(squares.sum(axis=1), (squares**2).sum(axis=1), n.astype(np.float64), 0)
    numbers[enough, :SAID] = said
    numbers[enough, 0] = np.sqrt(np.maximum(found.variance[0], 0.0)) * scale
    return numbers


def settings_of(numbers: np.ndarray) -> Settings:
    """Of a model's own numbers (width,)."""
    return Settings(*(int(number) for number in numbers[SAID : SAID + 3]))


def loglik_of(numbers: np.ndarray) -> np.ndarray:
    """(b,): the log-likelihoods."""
    return numbers[:, SAID + 5]


class _Fitted(NamedTuple):
    """The numbers by name."""

    mean: np.ndarray
    phi: np.ndarray  # (b, p)
    theta: np.ndarray  # (b, q)
    state: np.ndarray  # (b, r), the latest first
    last: np.ndarray  # (b, d)


def _fitted(numbers: np.ndarray, settings: Settings) -> _Fitted:
    ends = np.cumsum([SAID + 6, settings.p, settings.q, settings.state, settings.d])
    parts = [numbers[:, start:stop] for start, stop in itertools.pairwise(ends)]
    return _Fitted(numbers[:, SAID + 4], *parts)


def forecast(
    numbers: np.ndarray, ends: np.ndarray, step: int, settings: Settings, horizon: int
) -> tuple[np.ndarray, np.ndarray]:
    """(b, horizon) values of the next steps, and the deviation of their errors."""
    p, d, q = settings
    b, r = len(numbers), settings.state
    mean, phi, theta, state, last = _fitted(numbers, settings)
    x = np.empty((b, r + horizon))
    x[:, :r] = state[:, ::-1]
    weights = np.zeros((b, r + horizon))
    weights[:, r] = 1.0
    for h in range(r, r + horizon):
        x[:, h] = sum((phi[:, i] * x[:, h - 1 - i] for i in range(p)), np.zeros(b))
        if h > r:
            weights[:, h] = sum((phi[:, i] * weights[:, h - 1 - i] for i in range(p)), np.zeros(b))
    values = mean[:, None] + x[:, r:]
    psi = weights[:, r:].copy()
    for j in range(q):
        values += theta[:, j : j + 1] * x[:, r - 1 - j : r + horizon - 1 - j]
        psi += theta[:, j : j + 1] * weights[:, r - 1 - j : r + horizon - 1 - j]
    for k in reversed(range(d)):
        values = np.cumsum(values, axis=1) + last[:, k : k + 1]
        psi = np.cumsum(psi, axis=1)
    return values, numbers[:, :1] * np.sqrt(np.cumsum(psi**2, axis=1))


def told(
    numbers: np.ndarray, ends: np.ndarray, step: int, settings: Settings, Y: np.ndarray, starts: np.ndarray
) -> np.ndarray:
    """(b, t): what the models say of each step of (b, t) new values, one step ahead; NaN where levels before are not known."""
    gap = (starts - ends) // step - 1
    fitted, levels = _fitted(numbers, settings), []
    Z, known = Y, gap == 0
    for k in range(settings.d):
        previous = np.concatenate([np.where(known, fitted.last[:, k], np.nan)[:, None], Z[:, :-1]], axis=1)
        levels.append(previous)
        Z = Z - previous
    values = _foreseen(numbers, settings, Z, gap)
    for previous in reversed(levels):
        values = values + previous
    return values


def _foreseen(numbers: np.ndarray, settings: Settings, Z: np.ndarray, gap: np.ndarray | None) -> np.ndarray:
    """(b, t) one step ahead of (b, t) values of the differences, from the models' states, or (None) from nothing before."""
    mean, phi, theta, state, _ = _fitted(numbers, settings)
    r = settings.state
    x = [state[:, k] for k in range(r)] if gap is not None else [np.zeros(len(Z))] * r
    if gap is not None and gap.any():  # what x becomes where nothing is seen; beyond that it has forgotten
        for away in range(int(min(gap.max(initial=0), FORGOTTEN))):
            moved = _dot(phi, x)
            x = [np.where(gap > away, new, old) for new, old in zip([moved, *x[:-1]], x, strict=True)]
        x = [np.where((gap < 0) | (gap > FORGOTTEN), 0.0, part) for part in x]
    values = np.empty(Z.shape)
    for t in range(Z.shape[1]):
        own, beside = _dot(phi, x), _dot(theta, x)
        values[:, t] = mean + own + beside
        seen = Z[:, t] - mean - beside
        x = [np.where(np.isnan(seen), own, seen), *x[:-1]]
    return values


def _dot(coefficients: np.ndarray, x: list[np.ndarray]) -> np.ndarray:
    total = np.zeros(len(coefficients))
    for k in range(coefficients.shape[1]):
        total = total + coefficients[:, k] * x[k]
    return total


def _differences(Y: np.ndarray, d: int) -> tuple[np.ndarray, np.ndarray]:
    """The d-th differences, and (b, d) the last value of each order before."""
    last = np.empty((len(Y), d))
    for k in range(d):
        known = ~np.isnan(Y)
        place = Y.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
        last[:, k] = Y[np.arange(len(Y)), place]
        Y = np.diff(Y, axis=1)
    return Y, last


def _coefficients(u: np.ndarray, settings: Settings) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """phi and theta, each a list of (c, b), of (c, b, p + q) points."""
    partial = np.tanh(u)
    phi = partial_to_coefficients([partial[..., k] for k in range(settings.p)])
    theta = partial_to_coefficients([partial[..., settings.p + k] for k in range(settings.q)])
    return phi, [-part for part in theta]


def _cost(T: np.ndarray, u: np.ndarray, settings: Settings) -> np.ndarray:
    """(c, b): minus the log-likelihood at (c, b, p + q) points."""
    found = likelihood.run(T, Point(*_coefficients(u, settings)), with_mean=settings.has_mean)
    return -found.loglik


def _climbed(T: np.ndarray, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """(b, p + q) where each series' likelihood is largest, and 1 for those whose climb ended before that."""
    b, m = T.shape[1], settings.p + settings.q
    if not m:
        return np.zeros((b, 0)), np.full(b, CONVERGED)
    first, second = _starts(T, settings)
    u, cost, stopped = _climb(T, first, settings)
    others = np.flatnonzero(~np.isnan(second[:, 0]))
    if len(others):
        other, other_cost, other_stopped = _climb(T[:, others], second[others], settings)
        better = other_cost < cost[others]
        u[others[better]], stopped[others[better]] = other[better], other_stopped[better]
    return u, stopped


def _climb(T: np.ndarray, u: np.ndarray, settings: Settings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Newton's method with damping, each series until it gains no more."""
    m = u.shape[1]
    u = np.clip(u, -MOST_PARTIAL, MOST_PARTIAL)
    offsets = _offsets(m)
    value, slope, bend = _derivatives(_cost(T, u[None] + offsets[:, None], settings), m)
    damping = np.full(len(u), 1e-3)
    stopped = np.full(len(u), STOPPED)
    active = np.arange(len(u))
    for _ in range(ROUNDS):
        move = _move(slope[active], bend[active], damping[active], u[active])
        gain = -sum(slope[active, k] * move[:, k] for k in range(m))
        close = gain < CLOSE
        stopped[active[close]] = CONVERGED
        stuck = damping[active] > 1e12
        active, move = active[~(close | stuck)], move[~(close | stuck)]
        if not len(active):
            break
        trial = np.clip(u[active] + move, -MOST_PARTIAL, MOST_PARTIAL)
        new = _derivatives(_cost(T[:, active], trial[None] + offsets[:, None], settings), m)
        better = new[0] < value[active]
        taken = active[better]
        u[taken], value[taken], slope[taken], bend[taken] = trial[better], *(part[better] for part in new)
        damping[active] = np.where(better, np.maximum(damping[active] / 10, 1e-9), damping[active] * 10)
    return u, value, stopped


def _move(slope: np.ndarray, bend: np.ndarray, damping: np.ndarray, u: np.ndarray) -> np.ndarray:
    """(b, m): a Newton step that goes down and not too far. Where a bound holds a number back, it stays."""
    m = slope.shape[1]
    held = (np.abs(u) >= MOST_PARTIAL) & (slope * u < 0)
    slope = np.where(held, 0.0, slope)
    size = np.abs(bend[:, range(m), range(m)])
    size = np.maximum(size, 1e-6 * size.max(axis=1, keepdims=True) + 1e-12)
    bent = bend.copy()
    bent[held] = 0.0
    bent.transpose(0, 2, 1)[held] = 0.0
    curved = np.linalg.eigvalsh(bent)[:, 0] if m > 1 else bent[:, 0, 0]
    lift = np.maximum(0.0, -1.1 * curved) + damping * size.max(axis=1)  # beyond the most negative curvature
    bent[:, range(m), range(m)] += lift[:, None] + np.where(held, 1.0, 0.0) + 1e-12
    move: np.ndarray = -np.linalg.solve(bent, slope[:, :, None])[:, :, 0]
    longest = np.abs(move).max(axis=1, keepdims=True)
    move *= np.minimum(1.0, LONGEST_STEP / np.maximum(longest, 1e-300))
    return move


def _offsets(m: int) -> np.ndarray:
    """(c, m): the point itself, both sides of it in each direction, and one corner of each two."""
    sides = [s * DIFFERENCE * np.eye(m)[i] for i in range(m) for s in (1, -1)]
    corners = [DIFFERENCE * (np.eye(m)[i] + np.eye(m)[j]) for i in range(m) for j in range(i)]
    return np.array([np.zeros(m), *sides, *corners])


def _derivatives(cost: np.ndarray, m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Value (b,), slope (b, m) and curvature (b, m, m) of the costs at `_offsets`."""
    b = cost.shape[1]
    slope, bend = np.empty((b, m)), np.empty((b, m, m))
    for i in range(m):
        above, below = cost[1 + 2 * i], cost[2 + 2 * i]
        slope[:, i] = (above - below) / (2 * DIFFERENCE)
        bend[:, i, i] = (above - 2 * cost[0] + below) / DIFFERENCE**2
    corner = 1 + 2 * m
    for i in range(m):
        for j in range(i):
            both = (cost[corner] - cost[1 + 2 * i] - cost[1 + 2 * j] + cost[0]) / DIFFERENCE**2
            bend[:, i, j] = bend[:, j, i] = both
            corner += 1
    return cost[0], slope, bend


def _starts(T: np.ndarray, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Two points each (b, p + q): those of the smallest squared errors on a grid of theta; NaN where there is no second."""
    p, q, b = settings.p, settings.q, T.shape[1]
    levels = STARTS.get(q, (-0.5, 0.5)) if q else ()
    grid = np.stack(np.meshgrid(*[levels] * q, indexing="ij"), axis=-1).reshape(-1, q) if q else np.zeros((1, 0))
    partial = [np.repeat(grid[:, k : k + 1], b, axis=1) for k in range(q)]
    theta = [-part for part in partial_to_coefficients(partial)]
    errors, phi = likelihood.least_squares(T, theta, p)
    points = np.empty((len(grid), b, p + q))
    for k, part in enumerate(likelihood.coefficients_to_partial(phi)):
        points[..., k] = np.arctanh(np.clip(part, -0.97, 0.97))
    points[..., p:] = np.arctanh(grid)[:, None, :]
    best = errors.argmin(axis=0)
    lowest = _lowest(errors) if q == 1 else np.zeros_like(errors, bool)
    lowest[best, np.arange(b)] = False
    second = np.where(lowest, errors, np.inf).argmin(axis=0)
    other = points[second, np.arange(b)]
    other[~lowest.any(axis=0)] = np.nan
    return points[best, np.arange(b)], other


def _lowest(errors: np.ndarray) -> np.ndarray:
    """(c, b): lower than both neighbours along the grid."""
    padded = np.pad(errors, ((1, 1), (0, 0)), constant_values=np.inf)
    lower: np.ndarray = (padded[1:-1] < padded[:-2]) & (padded[1:-1] < padded[2:])
    return lower
