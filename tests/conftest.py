"""What all tests share: a home of their own, so that no key, cache or setting of the user's is touched; servers; their order."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent / "servers"))
from postgres_server import Server, started

# Read by the libraries' threads when they are loaded, which is later: two workers share the cores, and threads that spin
# while they wait took a fit of 0.4 s to a minute.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "100000")

# How long an example takes says how busy the machine is.
settings.register_profile("patient", parent=settings(), deadline=None)
settings.load_profile("patient")

# The longest files, longest first: workers that take whole files end together when these are begun before the many short.
LONGEST = [
    "running/test_crash_points.py",
    "docs/test_docs_pages.py",
    "running/test_pairs.py",
    "running/test_promises.py",
    "running/test_changed.py",
    "models/test_worth.py",
    "cli/test_bad_input_trust.py",
    "cli/test_bad_input_workload.py",
    "cli/test_bad_input_data.py",
    "frameworks/test_sklearn_suite.py",
    "frameworks/test_xgboost_suite.py",
    "cli/test_bad_input_predict.py",
    "data/test_postgres.py",
    "running/test_disk_full.py",
    "plugin/test_plugin.py",
    "report/test_tracking.py",
    "frameworks/test_lightgbm_suite.py",
    "running/test_memory_limit.py",
    "frameworks/test_xgboost_ranks.py",
]
_RANKS = {(Path(__file__).parent / name).resolve(strict=True): rank for rank, name in enumerate(LONGEST)}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where tests are shared between workers (``pytest -n 2``, as `make test` does)."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _RANKS.get(item.path, len(_RANKS)))


@pytest.fixture(autouse=True, scope="session")
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    os.environ["XDG_CONFIG_HOME"] = str(home / "config")
    os.environ["XDG_CACHE_HOME"] = str(home / "cache")
    os.environ["XDG_STATE_HOME"] = str(home / "state")
    for name in [name for name in os.environ if name.startswith("FITSCALE_")]:
        del os.environ[name]
    os.environ["FITSCALE_LEDGER"] = os.devnull  # past runs of one test would change the forecasts of another
    return home


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A PostgreSQL server of the tests' own, gone with them. Each worker has one."""
    with started() as server:
        yield server


@pytest.fixture
def postgres(postgres_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The server with nothing in it, and its password in the environment."""
    monkeypatch.setenv("PGPASSWORD", postgres_server.password)
    yield postgres_server
    postgres_server.clear()
