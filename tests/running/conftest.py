"""Commands of these tests write no report: it takes longer than what they look at."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FITSCALE_REPORT", "0")
