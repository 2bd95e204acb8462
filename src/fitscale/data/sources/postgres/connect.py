"""Sessions of a server: read-only, all of one snapshot; and what their errors mean, without the secrets in them."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from fitscale.errors import DataError, FitscaleError, UsageError
from fitscale.records.base import digest_of
from fitscale.workload.environment import expand

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_BYTES = 4 << 20
CONNECT_S = 10
SETTINGS = {
    "client_encoding": "UTF8",
    "standard_conforming_strings": "on",
    "datestyle": "ISO",
    "timezone": "UTC",
    "statement_timeout": "0",  # a long read is meant
    "lock_timeout": "60s",  # of somebody who alters the table
    "idle_in_transaction_session_timeout": "0",  # the session that keeps the snapshot idles
    # Rows come in the order in which they lie, the same each time.
    "synchronize_seqscans": "off",
    "max_parallel_workers_per_gather": "0",
}
BY_BLOCKS = {"enable_indexscan": "off", "enable_indexonlyscan": "off", "enable_bitmapscan": "off"}
_LOST = re.compile(
    r"server closed the connection|terminating connection|could not receive data|could not send data|connection reset"
    r"|no connection to the server|connection not open|SSL connection has been closed|SSL SYSCALL error|timed? ?out"
    r"|conflict with recovery",  # of a standby: the statement is cancelled, and may be given again
    re.IGNORECASE,
)
_FULL = re.compile(r"too many (connections|clients)|connection slots")
_NEEDS_PASSWORD = re.compile(r"password authentication failed|no password supplied|authentication failed")


class Address:
    """Where a database is: the uri with ``${NAME}`` in it, which is replaced only where a connection is made."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        rest = uri.partition("://")[2].partition("?")[0]
        users, _, self.place = rest.rpartition("@")
        self.user = users.partition(":")[0]

    @property
    def shown(self) -> str:
        """host:port/database, as it is written: never expanded."""
        return self.place or "the default server"

    @property
    def mark(self) -> str:
        """What tells two servers apart that are written alike, with variables; else nothing."""
        return f" #{digest_of(expand(self.place, os.environ))[:8]}" if "${" in self.place else ""

    def expanded(self) -> str:
        """The uri for libpq. A value that stands for a user or password may hold any character."""
        head, at, tail = self.uri.rpartition("@")
        environ = dict(os.environ)
        users = expand(head, {name: quote(value, safe="") for name, value in environ.items()})
        whole = users + at + expand(tail, {name: quote(value, safe=":/?&=,[]%") for name, value in environ.items()})
        given = whole.partition("?")[2]
        wanted = {"connect_timeout": str(CONNECT_S), "application_name": "fitscale"}
        more = "&".join(f"{name}={value}" for name, value in wanted.items() if f"{name}=" not in given)
        return whole + ("&" if given else "" if whole.endswith("?") else "?") + more if more else whole

    def scrubbed(self, text: str) -> str:
        """A message of libpq, unless a secret is in it: some repeat parts of the uri."""
        names = re.findall(r"\$\{(\w+)\}", self.uri.rpartition("@")[0] + self.uri.partition("?")[2])
        values = [os.environ.get(name, "") for name in {*names, "PGPASSWORD"}]
        secrets = {form for value in values if value for form in (value, quote(value, safe=""), unquote(value))}
        if any(secret in text for secret in secrets):
            return "(its message is not shown: it repeats a secret)"
        return text


class Lost(Exception):
    """The connection ended while something was asked or read."""


class Session:
    """One connection, in one read-only transaction.

    Parameters
    ----------
    snapshot
        The name of another session's snapshot, to see exactly what that sees.

    Raises
    ------
    DataError
        At data.uri: no connection, with the reason and the next step.
    Lost
        If the snapshot's session is gone.
    """

    def __init__(self, address: Address, snapshot: str | None = None, settings: dict[str, str] | None = None) -> None:
        self.address = address
        self.closed = False
        self._connection = _connected(address)
        try:
            chosen = {**SETTINGS, **(settings or {})}
            self.rows(
                "select " + ", ".join(f"set_config('{name}', '{value}', false)" for name, value in chosen.items())
            )
            self.do("begin isolation level repeatable read read only")
            if snapshot is not None:
                self.do(f"set transaction snapshot '{snapshot}'")
        except Failed as error:
            self.close()
            raise (Lost(error.text) if snapshot is not None else error.as_error("data.uri", address.shown)) from None
        except BaseException:
            self.close()
            raise

    def rows(self, sql: str, *, copy: bool = True) -> list[tuple[Any, ...]]:
        """A short answer as Python values. What cannot stand in a COPY (explain) needs ``copy`` false."""
        with closing(self._connection.cursor()) as cursor:
            try:
                if not copy:
                    cursor.adbc_statement.set_options(**{"adbc.postgresql.use_copy": "false"})
                cursor.execute(sql)
                return list(cursor.fetchall())
            except _errors() as error:
                raise self._failed(error) from None

    def schema(self, sql: str) -> pa.Schema:
        """The columns that a statement would give, as the driver types them."""
        with closing(self._connection.cursor()) as cursor:
            try:
                return cursor.adbc_execute_schema(sql)
            except _errors() as error:
                raise self._failed(error) from None

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """All rows of a statement as they come: COPY ends with a word of its own, so that none can be missing."""
        with closing(self._connection.cursor()) as cursor:
            try:
                cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)})
                cursor.execute(sql)
                with closing(cursor.fetch_record_batch()) as reader:
                    yield from reader
            except _errors() as error:
                raise self._failed(error) from None

    def close(self) -> None:
        self.closed = True
        self._connection.close()

    def do(self, sql: str) -> None:
        """A statement without an answer."""
        with closing(self._connection.cursor()) as cursor:
            try:
                cursor.execute(sql)
            except _errors() as error:
                raise self._failed(error) from None

    def _failed(self, error: Exception) -> Exception:
        text = self.address.scrubbed(_text(error))
        state = str(getattr(error, "sqlstate", None) or "")
        if state.startswith(("08", "57P")) or (not state and _LOST.search(text)):
            return Lost(text)
        return Failed(text, state)


def _connected(address: Address) -> Any:
    import adbc_driver_manager
    import adbc_driver_postgresql.dbapi as driver

    waits = [0.1, 0.3]  # a session that was closed a moment ago may still be counted
    while True:
        try:
            return driver.connect(address.expanded(), autocommit=True)
        except adbc_driver_manager.Error as error:
            text = _text(error)
            if not waits or not _FULL.search(text):
                raise _no_connection(address, text) from None
        time.sleep(waits.pop(0))


class Failed(Exception):
    """The server refused a statement."""

    def __init__(self, text: str, state: str) -> None:
        super().__init__(text)
        self.text = text
        self.state = state

    def as_error(self, place: str, what: str) -> FitscaleError:
        """The sentence for a user; ``what`` was asked for."""
        if self.state == "42501" or "permission denied" in self.text:
            return DataError(
                f"{place}: {self.text}; ask its owner for: grant select on {what} to the user that connects"
            )
        if self.state == "25006" or "read-only transaction" in self.text:
            return DataError(f"{place}: it writes ({self.text}); it takes a SELECT that only reads")
        return DataError(f"{place}: {self.text}")


def _errors() -> tuple[type[Exception], ...]:
    import adbc_driver_manager
    import pyarrow as pa

    # What breaks while rows are streamed comes through Arrow, as an OSError or one of its own.
    return (adbc_driver_manager.Error, OSError, pa.ArrowException)


def _text(error: Exception) -> str:
    """The server's own sentence, or what the driver made of it, in one line."""
    details = dict(getattr(error, "details", None) or ())
    primary = details.get("PG_DIAG_MESSAGE_PRIMARY") or details.get(b"PG_DIAG_MESSAGE_PRIMARY")
    if primary:
        return primary.decode() if isinstance(primary, bytes) else str(primary)
    text = str(error).partition("\n\nQuery was:")[0].partition(". SQLSTATE:")[0]
    if found := re.search(r"(?:ERROR|FATAL): +(.*)", text):
        return found[1].strip()
    text = re.sub(r"^[A-Z_]+: |\[libpq\] |Failed to connect: ", "", text)
    return " ".join(text.replace("\n", " ").split())


def _no_connection(address: Address, text: str) -> UsageError:
    where = address.shown
    if _NEEDS_PASSWORD.search(text):
        return DataError(
            f"data.uri: {where} does not let '{address.user or 'this user'}' in ({address.scrubbed(text)}): set PGPASSWORD, "
            "or write ${NAME} for the password in the uri, and set that variable"
        )
    if "could not translate host name" in text:
        return DataError(
            f"data.uri: no host is known by the name in '{where}': look at its spelling, and at the network"
        )
    if "refused" in text:
        return DataError(f"data.uri: {where} refuses connections: is the server running there, and is that its port?")
    if "timeout" in text.lower():
        return DataError(f"data.uri: {where} did not answer within {CONNECT_S} s: is it reachable from here?")
    return DataError(f"data.uri: {where} cannot be connected to: {address.scrubbed(text)}")
