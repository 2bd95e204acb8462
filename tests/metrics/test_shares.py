"""How far shares have moved: nothing where nothing changed, also far out in the tail, and what they are where something did."""

from __future__ import annotations

import numpy as np
import pytest

from fitscale.metrics.shares import moved

FLAT = np.ones(11) / 11
SKEWED = np.array([0.002, 0.9] + [0.098 / 9] * 9)


@pytest.mark.parametrize("shares", [FLAT, SKEWED], ids=["flat", "skewed"])
@pytest.mark.parametrize(
    ("before", "now"), [(240, 300), (240, 60), (10_000, 60), (60, 10_000), (1_000, 1_000), (30, 30)]
)
def test_without_a_change_p_is_no_smaller_than_it_says(shares: np.ndarray, before: int, now: int) -> None:
    """Of 100,000 groups, down to one in 10,000, whatever the sizes of both samples; the index is small on average."""
    rng = np.random.default_rng(0)
    g = 100_000
    found = moved(rng.multinomial(before, shares, g), rng.multinomial(now, shares, g), ordered=True)
    for least, more in ((0.1, 1.0), (0.01, 1.1), (0.001, 1.3), (0.0001, 2.5)):
        assert (found.p <= least).mean() <= more * least
    assert found.psi.mean() < 0.06


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01])
@pytest.mark.parametrize(("before", "now"), [(240, 300), (10_000, 60), (60, 10_000), (2_000, 8)])
def test_nor_of_two_values(share: float, before: int, now: int) -> None:
    """One of them rare: the sum of ranks is skewed then, and far from normal where it counts."""
    rng = np.random.default_rng(2)
    parts = [rng.binomial(size, share, 200_000) for size in (before, now)]
    counts = [np.stack([0 * part, size - part, part], axis=1) for size, part in zip((before, now), parts, strict=True)]
    p = moved(*counts, ordered=True).p
    assert all((p <= least).mean() <= least for least in (0.1, 0.01, 0.001, 0.0001))


def test_the_index_and_the_distance_are_their_formulas() -> None:
    """Of so many rows that chance and the half row hardly count."""
    before, now = np.array([[0, 500_000, 300_000, 200_000]]), np.array([[0, 300_000, 300_000, 400_000]])
    found = moved(before, now, ordered=True)
    p, q = before[0, 1:] / 1e6, now[0, 1:] / 1e6
    assert found.psi[0] == pytest.approx(((q - p) * np.log(q / p)).sum(), abs=1e-4)
    assert found.ks[0] == pytest.approx(0.2)
    assert np.isnan(moved(before, now, ordered=False).ks[0])


def test_half_a_deviation_is_found() -> None:
    """Of 240 and 300 normal values in nearly all groups, with an index above a tenth."""
    rng = np.random.default_rng(1)
    edges = np.array([-1.28, -0.84, -0.52, -0.25, 0, 0.25, 0.52, 0.84, 1.28])

    def counts(n: int, mean: float) -> np.ndarray:
        code = np.searchsorted(edges, rng.normal(mean, 1, (2_000, n))) + 1
        return np.stack([(code == k).sum(axis=1) for k in range(11)], axis=1)

    found = moved(counts(240, 0.0), counts(300, 0.5), ordered=True)
    assert (found.p < 1e-3).mean() > 0.97
    assert (found.psi > 0.1).mean() > 0.93
    assert 0.15 < np.median(found.ks) < 0.25


def test_where_there_is_too_little_nothing_is_told() -> None:
    """No rows: no figures. A handful against many: no alarm, whatever they are."""
    found = moved(
        np.array([[0, 0, 0], [1_000, 0, 0], [0, 3, 0]]), np.array([[1, 2, 3], [0, 8, 0], [3, 0, 0]]), ordered=True
    )
    assert np.isnan([found.psi[0], found.p[0], found.ks[0]]).all()
    assert found.p.tolist()[1:] == [1.0, 1.0]
    assert moved(np.empty((0, 3)), np.empty((0, 3)), ordered=True).p.shape == (0,)
