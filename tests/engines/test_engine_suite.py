"""The engines pass the published suite."""

from __future__ import annotations

import pytest

from fitscale.contracts import Engine
from fitscale.engines.inline import Inline
from fitscale.engines.process import Process
from fitscale.testing.engines import EngineSuite


class TestInline(EngineSuite):
    limits = False
    processes = False

    @pytest.fixture
    def engine(self) -> Engine:
        return Inline()


class TestProcess(EngineSuite):
    @pytest.fixture
    def engine(self) -> Engine:
        return Process()
