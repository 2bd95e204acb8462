"""Commands of these tests write no report: it takes longer than what they look at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def no_report() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FITSCALE_REPORT", "0")
        yield
