"""What a worker has let go of goes back to the machine: malloc would keep it, and the supervisor count it."""

from __future__ import annotations

import contextlib
import ctypes

WIDE = 1_000  # columns, from which decoding takes more than what is decoded: 230 MB for 16 MB of 10,000


def trim(columns: int) -> None:
    """Give it back where tables are wide. Of others it is little, and would be asked for again."""
    if columns >= WIDE:
        with contextlib.suppress(AttributeError):  # of other C libraries than GNU's
            ctypes.CDLL(None).malloc_trim(0)
