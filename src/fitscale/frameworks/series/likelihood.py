"""The exact likelihood of ARMA models at many points of many series: a Kalman filter until its gain has settled, then sums.

The state is (x_t, x_(t-1), …) of x_t = sum phi_i x_(t-i) + e_t, of which y_t = x_t + sum theta_j x_(t-j) is seen. Once all of
it is known from what was seen (after a few steps, or many where theta is near 1), x_t = y_t - sum theta_j x_(t-j) and e_t
follow without a covariance. Arrays are (c, b): c points for each of b series.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

SEGMENT = 32  # steps between two looks whether a series has settled
SETTLED = 1e-10  # of the variance that is left of the state


class Point(NamedTuple):
    """Coefficients, each a list of (c, b)."""

    phi: list[np.ndarray]
    theta: list[np.ndarray]

    def of(self, series: np.ndarray) -> Point:
        return Point([part[:, series] for part in self.phi], [part[:, series] for part in self.theta])


class Found(NamedTuple):
    """At each point (c, b): the log-likelihood with the best mean and variance, these, and the last x about the mean."""

    loglik: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    state: list[np.ndarray]


class _Sums(NamedTuple):
    """Over the steps: log of the variances, squares of the errors of y and of a constant 1, and their product."""

    logs: np.ndarray
    yy: np.ndarray
    y1: np.ndarray
    one: np.ndarray


def run(Y: np.ndarray, point: Point, *, with_mean: bool) -> Found:
    """(t, b) series of about mean 0 and deviation 1, NaN where there is no value."""
    b = Y.shape[1]
    c = (point.phi or point.theta)[0].shape[0] if point.phi or point.theta else 1
    r = max(len(point.phi), len(point.theta) + 1)
    known = ~np.isnan(Y)
    n = known.sum(axis=0)
    total = _Sums(*(np.zeros((c, b)) for _ in range(4)))
    ends = [[np.zeros((c, b)) for _ in range(r)] for _ in range(2)]
    # Of each series the step after its last gap: before that it cannot settle.
    gaps = np.where(known.all(axis=0), 0, Y.shape[0] - known[::-1].argmin(axis=0))
    left = np.arange(b)
    state = _Filter(Y, known, point, r, with_mean)
    at = 0
    while len(left) and at < len(Y):
        stop = min(at + SEGMENT, len(Y))
        state.advance(at, stop)
        at = stop
        done = (state.unsettled() <= SETTLED) & (gaps[left] <= at) if at < len(Y) else np.ones(len(left), bool)
        if not done.any():
            continue
        columns = left[done]
        sums, x, x1 = _settled(Y[at:, columns], state.part(done), with_mean)
        for whole, some in zip(total, sums, strict=True):
            whole[:, columns] = some
        for whole, some in zip(ends[0] + ends[1], x + x1, strict=True):
            whole[:, columns] = some
        left = left[~done]
        state = state.part(~done)
    mean = (
        np.where(total.one > 0, total.y1 / np.where(total.one > 0, total.one, 1.0), 0.0)
        if with_mean
        else 0.0 * total.yy
    )
    squares = np.maximum(total.yy - mean * total.y1, 1e-300)
    variance = squares / n
    loglik = -0.5 * (n * (np.log(2 * np.pi * variance) + 1) + total.logs)
    return Found(loglik, mean, variance, [x - mean * x1 for x, x1 in zip(*ends, strict=True)])


class _Filter:
    """A Kalman filter over some of the series; its sums so far."""

    def __init__(self, Y: np.ndarray, known: np.ndarray, point: Point, r: int, with_mean: bool) -> None:
        shape = (point.phi or point.theta)[0].shape if point.phi or point.theta else (1, Y.shape[1])
        self.Y, self.known, self.point, self.r, self.with_mean = Y, known, point, r, with_mean
        self.x = [np.zeros(shape) for _ in range(r)]  # foreseen for the step that comes, of y
        self.x1 = [np.zeros(shape) for _ in range(r)]  # and of a constant 1
        self.last, self.last1 = self.x, self.x1  # x of the last steps as they are known now, the latest first
        covariance = autocovariance(point.phi, r, shape)
        self.P = {(i, j): covariance[j - i].copy() for i in range(r) for j in range(i, r)}
        self.sums = _Sums(*(np.zeros(shape) for _ in range(4)))

    def part(self, columns: np.ndarray) -> _Filter:
        """The same of some of its series."""
        of = object.__new__(_Filter)
        of.r, of.with_mean = self.r, self.with_mean
        of.Y, of.known, of.point = self.Y[:, columns], self.known[:, columns], self.point.of(np.flatnonzero(columns))
        of.x, of.x1 = [a[:, columns] for a in self.x], [a[:, columns] for a in self.x1]
        of.last, of.last1 = [a[:, columns] for a in self.last], [a[:, columns] for a in self.last1]
        of.P = {place: p[:, columns] for place, p in self.P.items()}
        of.sums = _Sums(*(part[:, columns] for part in self.sums))
        return of

    def unsettled(self) -> np.ndarray:
        """(b,): the largest variance of the state but for that of the step to come, at any point."""
        rest = [self.P[i, i] for i in range(1, self.r)]
        worst = np.abs(self.P[0, 0] - 1)
        for p in rest:
            worst = np.maximum(worst, p)
        most: np.ndarray = worst.max(axis=0)
        return most

    def advance(self, start: int, stop: int) -> None:
        """Over the steps from ``start`` to ``stop``."""
        r, P, x, x1 = self.r, self.P, self.x, self.x1
        phi, theta = self.point
        product = np.ones_like(P[0, 0])
        logs, yy, y1, one = self.sums
        for t in range(start, stop):
            PZ = [P[0, i] + sum(th * P[min(j, i), max(j, i)] for j, th in enumerate(theta, 1)) for i in range(r)]
            F = PZ[0] + sum(th * PZ[j] for j, th in enumerate(theta, 1))
            inverse = 1.0 / F
            error = self.Y[t] - x[0] - sum(th * x[j] for j, th in enumerate(theta, 1))
            known = self.known[t]
            if not known.all():
                error = np.where(known, error, 0.0)
                inverse = np.where(known, inverse, 0.0)
                F = np.where(known, F, 1.0)
            product *= F
            gained = error * inverse
            yy += gained * error
            x = [a + p * gained for a, p in zip(x, PZ, strict=True)]
            if self.with_mean:
                error1 = 1.0 - x1[0] - sum(th * x1[j] for j, th in enumerate(theta, 1))
                gained1 = error1 * inverse
                y1 += gained1 * error
                one += gained1 * error1
                x1 = [a + p * gained1 for a, p in zip(x1, PZ, strict=True)]
            self.last, self.last1 = x, x1
            scaled = [p * inverse for p in PZ]
            for (i, j), p in P.items():
                P[i, j] = p - PZ[i] * scaled[j]
            ahead = [sum((f * P[min(i, j), max(i, j)] for i, f in enumerate(phi)), 0.0 * F) for j in range(r)]
            variance = sum((f * a for f, a in zip(phi, ahead, strict=False)), 1.0 + 0.0 * F)
            moved = {(i, j): P[i - 1, j - 1] for i in range(1, r) for j in range(i, r)}
            P.update(moved)
            P[0, 0] = variance
            P.update({(0, j): ahead[j - 1] for j in range(1, r)})
            x = [sum((f * a for f, a in zip(phi, x, strict=False)), 0.0 * F), *x[:-1]]
            if self.with_mean:
                x1 = [sum((f * a for f, a in zip(phi, x1, strict=False)), 0.0 * F), *x1[:-1]]
        logs += np.log(product)
        self.x, self.x1 = x, x1


def _settled(Y: np.ndarray, state: _Filter, with_mean: bool) -> tuple[_Sums, list[np.ndarray], list[np.ndarray]]:
    """The sums of the steps that are left, added to those before; the last x."""
    phi, theta = state.point
    back = state.r
    shape = state.P[0, 0].shape
    logs, yy, y1, one = (part.copy() for part in state.sums)
    X = np.zeros((back + SEGMENT, *shape))
    X1 = np.zeros((back + SEGMENT, *shape)) if with_mean else None
    for into, held in ((X, state.last), (X1, state.last1)):
        if into is not None:
            for k, x in enumerate(held):
                into[back - 1 - k] = x
    room = np.empty(shape)
    for start in range(0, len(Y), SEGMENT):
        steps = min(SEGMENT, len(Y) - start)
        for s in range(back, back + steps):
            _next(X, s, Y[start + s - back], theta, room)
            if X1 is not None:
                _next(X1, s, 1.0, theta, room)
        E = _errors(X, back, steps, phi)
        yy += summed(E, E)
        if X1 is not None:
            E1 = _errors(X1, back, steps, phi)
            y1 += summed(E, E1)
            one += summed(E1, E1)
            X1[:back] = X1[steps : steps + back].copy()
        X[:back] = X[steps : steps + back].copy()
    last = [X[back - 1 - k].copy() for k in range(state.r)]
    last1 = [X1[back - 1 - k].copy() if X1 is not None else np.zeros(shape) for k in range(state.r)]
    return _Sums(logs, yy, y1, one), last, last1


def _next(X: np.ndarray, s: int, y: np.ndarray | float, theta: list[np.ndarray], room: np.ndarray) -> None:
    """X[s] = y - sum theta_j X[s - j], without a new array."""
    out = X[s]
    out[...] = y
    for j, th in enumerate(theta, 1):
        np.multiply(th, X[s - j], out=room)
        np.subtract(out, room, out=out)


def _errors(X: np.ndarray, back: int, steps: int, phi: list[np.ndarray]) -> np.ndarray:
    E = X[back : back + steps].copy()
    for i, f in enumerate(phi, 1):
        E -= f * X[back - i : back - i + steps]
    return E


def summed(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """(c, b): the products of (t, c, b) summed step by step. One number alone would be summed in another order."""
    products = A * B
    total: np.ndarray = np.add.accumulate(products, axis=0)[-1] if products[0].size == 1 else products.sum(axis=0)
    return total


def partial_to_coefficients(partial: list[np.ndarray]) -> list[np.ndarray]:
    """Coefficients of an autoregression of its partial autocorrelations (Durbin and Levinson)."""
    found: list[np.ndarray] = []
    for k, last in enumerate(partial):
        found = [found[i] - last * found[k - 1 - i] for i in range(k)] + [last]
    return found


def coefficients_to_partial(phi: list[np.ndarray]) -> list[np.ndarray]:
    """The other way; what is not stationary is brought inside."""
    found: list[np.ndarray] = []
    left = list(phi)
    for k in reversed(range(len(phi))):
        last = np.clip(left[k], -0.97, 0.97)
        found.append(last)
        left = [(left[i] + last * left[k - 1 - i]) / (1 - last**2) for i in range(k)]
    return found[::-1]


def autocovariance(phi: list[np.ndarray], lags: int, shape: tuple[int, ...]) -> list[np.ndarray]:
    """Of lag 0 to ``lags`` - 1, for errors of variance 1 and stationary coefficients."""
    partial = _exact_partial(phi)
    first = np.ones(shape)
    for last in partial:
        first = first / (1 - last**2)
    found, variance = [first], first
    for k in range(1, lags):
        if k <= len(phi):
            before = partial_to_coefficients(partial[: k - 1])
            found.append(partial[k - 1] * variance + sum(f * found[k - 1 - i] for i, f in enumerate(before)))
            variance = variance * (1 - partial[k - 1] ** 2)
        else:
            found.append(sum((f * found[k - 1 - i] for i, f in enumerate(phi)), np.zeros(shape)))
    return found


def _exact_partial(phi: list[np.ndarray]) -> list[np.ndarray]:
    found: list[np.ndarray] = []
    left = list(phi)
    for k in reversed(range(len(phi))):
        last = left[k]
        found.append(last)
        left = [(left[i] + last * left[k - 1 - i]) / (1 - last**2) for i in range(k)]
    return found[::-1]


def least_squares(Y: np.ndarray, theta: list[np.ndarray], p: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Squared errors (c, b) and phi, each (c, b), that are best for given theta when all before the first step is 0."""
    shape = theta[0].shape if theta else (1, Y.shape[1])
    q = len(theta)
    X = np.zeros((q + len(Y), *shape))
    room = np.empty(shape)
    filled = np.where(np.isnan(Y), 0.0, Y)
    for t in range(len(Y)):
        _next(X, q + t, filled[t], theta, room)
    X = X[q:]
    squares = summed(X[p:], X[p:])
    if not p:
        return squares, []
    A, y = np.empty((*shape, p, p)), np.empty((*shape, p))
    for i in range(p):
        y[..., i] = summed(X[p:], X[p - 1 - i : len(X) - 1 - i])
        for j in range(i + 1):
            A[..., i, j] = summed(X[p - 1 - i : len(X) - 1 - i], X[p - 1 - j : len(X) - 1 - j])
            A[..., j, i] = A[..., i, j]
    A[..., range(p), range(p)] += 1e-9 * (1 + A[..., range(p), range(p)])
    found = np.linalg.solve(A, y[..., None])[..., 0]
    return squares - (found * y).sum(axis=-1), [found[..., i] for i in range(p)]
