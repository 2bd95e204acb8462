"""What many fits take, from a few that were timed one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitscale.planning.forecasts.pacing import pace_of


@given(
    by_law=st.lists(st.floats(1e-4, 10), min_size=3, max_size=60),
    times=st.floats(0, 100),
    seconds=st.floats(0, 1),
)
@settings(deadline=None)
def test_what_is_exact_is_found(by_law: list[float], times: float, seconds: float) -> None:
    """And foretells the sum of all; of groups of one size both are not told apart, and the sum is."""
    law = np.array(by_law)
    took = times * law + seconds
    found = pace_of(law, took)
    assert min(found) >= 0
    assert found[0] * law.sum() + found[1] * len(law) == pytest.approx(took.sum(), rel=0.2, abs=1e-9)
    if law.std() > 0.5 * law.mean() and took.min() > 1e-3:
        assert found == pytest.approx((times, seconds), rel=1e-3, abs=1e-3 * took.max())


def test_what_stands_around_small_fits_is_told_from_their_size() -> None:
    """Noise of a fifth; the sample has more large groups than there are, and the sum of all is found within a tenth."""
    rng = np.random.default_rng(0)
    rows = np.maximum(40, 150_000 / np.arange(1, 10_001) ** 0.7)
    law, true = rows * 1e-6, rows * 2e-6 + 5e-3
    off = []
    for _ in range(50):
        drawn = rng.choice(len(rows), 48, p=rows / rows.sum())
        took = true[drawn] * rng.lognormal(-0.02, 0.2, 48)
        times, seconds = pace_of(law[drawn], took)
        off.append(abs((times * law.sum() + seconds * len(law)) / true.sum() - 1))
    assert np.median(off) < 0.05
    assert max(off) < 0.15
