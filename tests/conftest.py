"""What all tests share: a home of their own, so that no key, cache or setting of the user's is touched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    os.environ["XDG_CONFIG_HOME"] = str(home / "config")
    os.environ["XDG_CACHE_HOME"] = str(home / "cache")
    for name in [name for name in os.environ if name.startswith("FITSCALE_")]:
        del os.environ[name]
    return home
