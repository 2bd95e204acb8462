"""Reading ahead changes when batches are made, never which: same order, same errors, no thread left."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitscale.data.ahead import ahead


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("ahead")]


@given(st.lists(st.integers()))
def test_the_same_items_in_the_same_order(items: list[int]) -> None:
    assert list(ahead(iter(items))) == items
    assert not _threads()


def test_one_is_made_while_another_is_used() -> None:
    made: list[int] = []

    def numbers() -> Iterator[int]:
        for i in range(4):
            made.append(i)
            yield i

    coming = ahead(numbers())
    assert next(coming) == 0
    until = time.monotonic() + 10
    while made != [0, 1] and time.monotonic() < until:
        time.sleep(0.001)
    time.sleep(0.01)
    assert made == [0, 1]  # and no more than one: each is a batch in memory
    assert list(coming) == [1, 2, 3]


def test_an_error_comes_where_its_item_would_have_come() -> None:
    def numbers() -> Iterator[int]:
        yield 1
        raise ValueError("row 7")

    coming = ahead(numbers())
    assert next(coming) == 1
    with pytest.raises(ValueError, match="row 7"):
        next(coming)
    assert not _threads()


def test_left_early_nothing_stays() -> None:
    coming = ahead(iter(range(100)))
    assert next(coming) == 0
    assert _threads()
    coming.close()
    assert not _threads()
