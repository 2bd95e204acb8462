"""Commands write no report, which takes longer than what these tests look at, but where the report is looked at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def no_report(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if not request.module.__name__.endswith("test_cli_report"):
            patch.setenv("FITSCALE_REPORT", "0")
        yield
