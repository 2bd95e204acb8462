"""Commands that are given bad input write no report: it takes longer than what these tests look at."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def no_report(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.module.__name__.startswith("test_bad_input"):
        monkeypatch.setenv("FITSCALE_REPORT", "0")
