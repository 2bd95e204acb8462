"""What all tests share: a home of their own, so that no key, cache or setting of the user's is touched; and servers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "servers"))
from postgres_server import Server, started


@pytest.fixture(autouse=True, scope="session")
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    os.environ["XDG_CONFIG_HOME"] = str(home / "config")
    os.environ["XDG_CACHE_HOME"] = str(home / "cache")
    for name in [name for name in os.environ if name.startswith("FITSCALE_")]:
        del os.environ[name]
    return home


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A PostgreSQL server of the tests' own, gone with them."""
    with started() as server:
        yield server


@pytest.fixture
def postgres(postgres_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The server with nothing in it, and its password in the environment."""
    monkeypatch.setenv("PGPASSWORD", postgres_server.password)
    yield postgres_server
    postgres_server.clear()
