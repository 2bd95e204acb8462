"""The next batch is read and encoded by a thread while its user works on the last."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from fitscale.data.rowfeed import Phase

T = TypeVar("T")


def ahead(items: Iterator[T], phase: Phase | None = None) -> Generator[T, None, None]:
    """The items, in their order; waiting for the next is counted to the phase ``read``.

    One more than before is held. The thread ends with the iterator, also where it is left early.
    """
    with ThreadPoolExecutor(1, "ahead") as thread:
        coming = thread.submit(next, items, None)
        while True:
            with phase("read") if phase else nullcontext():
                item = coming.result()
            if item is None:
                return
            coming = thread.submit(next, items, None)
            yield item
