"""How far the shares of rows in the bins of a column have moved, of many groups at once: what drift of columns is seen by."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

EXPECTED = 5.0  # rows of a bin in the smaller of both samples, below which it is pooled with the next


class Moved(NamedTuple):
    """(g,) each, of one column of g groups; NaN where one of both samples is empty.

    Attributes
    ----------
    psi
        The population stability index, less what as many rows differ by without a change; 0 at least.
    ks
        The largest difference of the cumulated shares of known values (Kolmogorov, Smirnov); NaN without an order.
    p
        The probability of shares that are as far apart, if both samples are of the same rows; 1 where too few are there to tell.
        With an order that of the values' ranks is looked at, too, which finds a shift among fewer rows; the smaller counts twice.
    """

    psi: np.ndarray
    ks: np.ndarray
    p: np.ndarray


def moved(before: np.ndarray, now: np.ndarray, *, ordered: bool) -> Moved:
    """Of (g, b) counts before and now; the first bin is that of missing values."""
    before, now = before.astype(np.float64), now.astype(np.float64)
    n, m = before.sum(axis=1), now.sum(axis=1)
    there = (n > 0) & (m > 0)
    psi = _psi(before, now, n, m)
    ks = _ks(before[:, 1:], now[:, 1:]) if ordered else np.full(len(n), np.nan)
    p = _of_shares(*_pooled(before, now, n, m))
    if ordered:
        p = np.minimum(1.0, 2 * np.minimum(p, _of_ranks(before[:, 1:], now[:, 1:])))
    return Moved(*(np.where(there, figure, np.nan) for figure in (psi, ks, p)))


def _psi(before: np.ndarray, now: np.ndarray, n: np.ndarray, m: np.ndarray) -> np.ndarray:
    """Half a row is added to each bin that has any, so that an empty one is far and not infinitely far."""
    used = (before + now) > 0
    bins = used.sum(axis=1)
    first = (before + 0.5) / (n + 0.5 * bins)[:, None]
    second = (now + 0.5) / (m + 0.5 * bins)[:, None]
    index = np.where(used, (second - first) * np.log(second / first), 0.0).sum(axis=1)
    by_chance = np.maximum(bins - 1, 0) * (1 / np.maximum(n, 1) + 1 / np.maximum(m, 1))
    less: np.ndarray = np.maximum(index - by_chance, 0.0)
    return less


def _ks(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    one, other = (np.cumsum(part, axis=1) / np.maximum(part.sum(axis=1, keepdims=True), 1) for part in (before, now))
    known = (before.sum(axis=1) > 0) & (now.sum(axis=1) > 0)
    largest: np.ndarray = np.where(known, np.abs(one - other).max(axis=1, initial=0.0), np.nan)
    return largest


def _pooled(before: np.ndarray, now: np.ndarray, n: np.ndarray, m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The counts, neighbouring bins put together until `EXPECTED` rows are in each of them. Sums alone decide it, not shares."""
    g, b = before.shape
    expected = (before + now) * (np.minimum(n, m) / np.maximum(n + m, 1))[:, None]
    pool, places = np.zeros(g, np.int64), np.empty((g, b), np.int64)
    filled = np.zeros(g)
    for k in range(b):
        places[:, k] = pool
        filled += expected[:, k]
        full = filled >= EXPECTED
        pool += full
        filled[full] = 0.0
    places = np.minimum(places, np.maximum(pool - 1, 0)[:, None])  # what is left at the end goes to the last
    flat = (np.arange(g)[:, None] * b + places).reshape(-1)
    one, other = (np.bincount(flat, part.reshape(-1), minlength=g * b).reshape(g, b) for part in (before, now))
    return one, other


def _of_shares(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Chi-square of two samples, by the smaller of Pearson's statistic and that of likelihoods.

    Among many groups it is the far tail that counts, of small numbers too. There Pearson's takes a bin that is fuller by chance
    for too rare, and the other one that is emptier; each is right, or careful, where the other is not.
    """
    from scipy.special import chdtrc, xlogy

    n, m = before.sum(axis=1, keepdims=True), now.sum(axis=1, keepdims=True)
    both = before + now
    used = both > 0
    pearson, likely = np.zeros(len(n)), np.zeros(len(n))
    for part, size in ((before, n), (now, m)):
        expected = np.where(used, both * size / np.maximum(n + m, 1), 1.0)
        expected = np.where(expected > 0, expected, 1.0)  # of a sample without a row, which is not told of
        pearson += np.where(used, (part - expected) ** 2 / expected, 0.0).sum(axis=1)
        likely += 2 * np.where(used, xlogy(part, np.where(part > 0, part / expected, 1.0)), 0.0).sum(axis=1)
    free = used.sum(axis=1) - 1
    p: np.ndarray = np.where(free > 0, chdtrc(np.maximum(free, 1), np.minimum(pearson, np.maximum(likely, 0.0))), 1.0)
    return p


def _of_ranks(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Wilcoxon's test, of bins in their order: all rows of a bin have its middle rank.

    Where most rows share a bin their sum is skewed. Its tail is taken from the gamma distribution of the same three moments, or
    from the normal one, whichever is heavier.
    """
    from scipy.special import gammainc, gammaincc, ndtr

    both = before + now
    n, m, size = before.sum(axis=1), now.sum(axis=1), np.maximum(both.sum(axis=1), 3)
    rank = (np.cumsum(both, axis=1) - both / 2) / size[:, None]
    mean = (both * rank).sum(axis=1) / size
    away = np.where(both > 0, rank - mean[:, None], 0.0)
    second, third = ((both * away**k).sum(axis=1) / size for k in (2, 3))
    drawn = m * n / (size - 1)
    told = (np.minimum(n, m) >= EXPECTED) & (second * drawn > 1e-12)
    variance = np.where(told, second * drawn, 1.0)
    z = (now * away).sum(axis=1) / np.sqrt(variance)
    skew = third * drawn * (n - m) / (size - 2) / variance**1.5
    z, skew = z * np.where(skew < 0, -1, 1), np.maximum(np.abs(skew), 1e-3)
    shape = 4 / skew**2
    at = np.maximum(shape + z * np.sqrt(shape), 0.0)
    upper, lower = np.maximum(ndtr(-z), gammaincc(shape, at)), np.maximum(ndtr(z), gammainc(shape, at))
    p: np.ndarray = np.where(told, np.minimum(1.0, 2 * np.minimum(upper, lower)), 1.0)
    return p
