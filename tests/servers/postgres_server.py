"""A real PostgreSQL server: started by the project's script on a free port of the loopback, ended with the tests."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "servers" / "postgres"
NOT_THERE = 3  # the script's exit code where no server is installed
START_S = 30


class Server:
    """Where it is, and SQL that is run there as its owner."""

    host = "127.0.0.1"
    user = "fitscale"
    password = "s3cret-of-tests"

    def __init__(self, port: int) -> None:
        self.port = port

    def uri(self, user: str = user, database: str = "postgres") -> str:
        return f"postgresql://{user}@{self.host}:{self.port}/{database}"

    def sql(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements, each by itself; the rows of the last."""
        import adbc_driver_postgresql.dbapi as driver

        uri = f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/postgres?connect_timeout=5"
        with closing(driver.connect(uri, autocommit=True)) as connection, closing(connection.cursor()) as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall()) if statement.lstrip().lower().startswith("select") else []

    def clear(self) -> None:
        self.sql(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where pid <> pg_backend_pid() and backend_type = 'client backend'",
            "drop schema public cascade",
            "create schema public",
            "grant usage on schema public to public",
            "drop owned by reader",
        )


@contextmanager
def started() -> Iterator[Server]:
    """A server for as long as the block lasts. Without one the tests are skipped, but not where CI runs."""
    folder = Path(tempfile.mkdtemp(prefix="fitscale-postgres-"))
    folder.chmod(0o711)  # the server is another user
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    log = folder / "log"
    env = {**os.environ, "PGPASSWORD": Server.password}
    with open(log, "wb") as said:
        process = subprocess.Popen([str(SCRIPT), str(folder / "server"), str(port)], stdout=said, stderr=said, env=env)
    server = Server(port)
    try:
        _wait(server, process, log)
        server.sql("create role reader login password 's3cret-of-tests'")
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_S
    while True:
        if process.poll() is not None:
            if process.returncode == NOT_THERE and "CI" not in os.environ:
                pytest.skip(log.read_text().strip())
            raise RuntimeError(f"the PostgreSQL server ended with {process.returncode}: {log.read_text()}")
        if "ready to accept connections" in log.read_text():
            return
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.05)
