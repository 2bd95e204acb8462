"""Groups are cut into chunks by what they are thought to cost; a few small ones are there to probe."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from fitscale.running.tasks import PROBED, PROBES, bounds_of


@given(
    sizes=st.lists(st.integers(1, 50), min_size=1, max_size=300).flatmap(
        lambda few: st.integers(1, 60).map(lambda times: few * times)
    ),
    large=st.lists(st.tuples(st.integers(0, 10_000), st.integers(1_000, 1_000_000)), max_size=3),
    fixed=st.floats(0, 0.1),
)
@settings(max_examples=60, deadline=None)
def test_chunks_hold_each_group_once_and_probes_are_small(
    sizes: list[int], large: list[tuple[int, int]], fixed: float
) -> None:
    """In key order, none left out; what is there to probe is at most half a hundredth of the groups, and of their cost each."""
    for place, size in large:
        sizes[place % len(sizes)] = size

    def seconds(rows: int) -> float:
        return fixed + rows * 1e-4

    found = bounds_of(sizes, seconds, probed=PROBED)
    assert (found[0].start, found[-1].stop) == (0, len(sizes))
    assert all(one.stop == other.start for one, other in itertools.pairwise(found))
    assert [chunk.rows for chunk in found] == [sum(sizes[chunk.start : chunk.stop]) for chunk in found]
    probes = [chunk for chunk in found if chunk.probe]
    assert len(probes) <= PROBES
    assert sum(chunk.stop - chunk.start for chunk in probes) <= PROBED * len(sizes)
    whole = sum(map(seconds, sizes))
    for chunk in probes:
        assert sum(map(seconds, sizes[chunk.start : chunk.stop])) <= PROBED * whole * (1 + 1e-9)


def test_many_groups_of_one_size_have_all_their_probes() -> None:
    """Eight, spread over the keys; few groups have none: a chunk of those is soon done."""
    found = [chunk for chunk in bounds_of([100] * 10_000, lambda rows: rows * 1e-5, probed=PROBED) if chunk.probe]
    assert [round(chunk.start / 1250 - 0.5, 2) for chunk in found] == list(range(8))
    assert not any(chunk.probe for chunk in bounds_of([100] * 1_000, lambda rows: rows * 1e-5, probed=PROBED))
