"""Texts of failures are the same in every run, so that versions are equal byte by byte."""

from __future__ import annotations

import pytest

from fitscale.work.failure import describe, sanitised


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("bad object <Thing at 0x7f3a2b10>", "bad object <Thing at 0x…>"),
        ("cannot open /tmp/abc/run-17/x.bin now", "cannot open …/x.bin now"),
        ("worker pid 4711 died", "worker pid … died"),
        ("[12:30:01] Check failed: inf", "Check failed: inf"),
        ("column 'a/b' has 3 values", "column 'a/b' has 3 values"),
    ],
)
def test_what_differs_from_run_to_run_is_left_out(raw: str, said: str) -> None:
    """Addresses, paths, process ids and times; nothing else."""
    assert sanitised(raw) == said


def test_only_the_first_line_is_told() -> None:
    """A library's stack of C++ frames is no reason."""
    assert describe(ValueError("first\nsecond")) == ("ValueError", "first")
