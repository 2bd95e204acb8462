"""Counting the values of a column: exact while they are few, and in memory that does not grow with the rows."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from fitscale.data.categories import MOST_PENDING, CategoryCounts


def test_many_blocks_of_few_values_are_summed_up() -> None:
    """A billion rows are 15,000 blocks, of which each would hold some kilobytes for its two classes."""
    counts = CategoryCounts("y", "int64", 1_000)
    most = 0
    for block in range(3 * MOST_PENDING):
        counts.add(pa.array([block % 2, 1, 1]))
        most = max(most, len(counts._pending))
    assert most <= MOST_PENDING + 1
    assert counts.result() == ((0, 1), False)


@settings(max_examples=25, deadline=None)
@given(blocks=st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=4), min_size=1, max_size=40))
def test_the_same_whenever_they_are_summed_up(blocks: list[list[int]]) -> None:
    often = CategoryCounts("c", "int64", 3)
    rarely = CategoryCounts("c", "int64", 3)
    for block in blocks:
        often.add(pa.array(block))
        often._merge()
        rarely.add(pa.array(block))
    assert often.result() == rarely.result()
