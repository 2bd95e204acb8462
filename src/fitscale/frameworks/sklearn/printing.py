"""What a fit prints of its progress, heard as it comes: some estimators have no other way to tell."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import TextIO


@contextmanager
def heard_by(hear: Callable[[str], None], *, silent: bool, all_threads: bool = False) -> Iterator[None]:
    """Hand every text that this thread (or any) writes to the standard output to ``hear``, which may raise to end the fit.

    ``silent``: it is not printed beside. Other threads print as before.
    """
    with redirect_stdout(_Heard(hear, sys.stdout, silent, None if all_threads else threading.get_ident())):
        yield


class _Heard(io.TextIOBase):
    def __init__(self, hear: Callable[[str], None], beyond: TextIO, silent: bool, thread: int | None) -> None:
        self._hear = hear
        self._beyond = beyond
        self._silent = silent
        self._thread = thread
        self._one = threading.Lock()

    def write(self, text: str) -> int:
        mine = self._thread in (None, threading.get_ident())
        if not (mine and self._silent):
            self._beyond.write(text)
        if mine:
            with self._one:
                self._hear(text)
        return len(text)

    def flush(self) -> None:
        self._beyond.flush()
