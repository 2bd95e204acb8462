"""Statements of one snapshot, read ahead by several connections, and given in their order."""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from fitscale.data.sources.postgres.connect import Address, Failed, Lost, Session
from fitscale.errors import DataError, Resumable

if TYPE_CHECKING:
    import pyarrow as pa

HELD = 4  # batches that one connection has read ahead at most
TRIES = 3  # connections for one part, one after the other
WAIT_S = 0.3


def readers() -> int:
    """How many connections are to read at once: one for each core, two to four."""
    return min(4, max(2, len(os.sched_getaffinity(0))))


class Shared:
    """One snapshot for many sessions. The session that keeps it reads nothing, so that it outlives those that read.

    Parameters
    ----------
    hold
        A statement that the keeper begins with: a lock that others may read and write beside, and which lasts to the end.
        A table that is truncated or rewritten would look empty to an older snapshot.
    wanted
        How many sessions are to read. Where the server lets fewer in, ``readers`` are fewer; where none, the keeper reads.
    """

    def __init__(self, address: Address, settings: dict[str, str], hold: str, wanted: int = 1) -> None:
        self.address, self.settings = address, settings
        self.keeper = Session(address, settings=settings)
        self._idle: list[Session] = []
        self._lock = threading.Lock()
        self.name: str | None = None
        try:
            self.keeper.do(hold)
            self.name = self.keeper.rows("select pg_export_snapshot()")[0][0]
        except Failed:  # not to be had here; the keeper's transaction is over now
            self.keeper.close()
            self.keeper = Session(address, settings=settings)
        with suppress(DataError, Lost):
            while self.name is not None and len(self._idle) < wanted:
                self._idle.append(Session(address, self.name, settings))
        self.readers = len(self._idle) or 1
        if not self._idle:
            self.name = None

    def take(self) -> Session:
        if self.name is None:
            return self.keeper
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return Session(self.address, self.name, self.settings)

    def give(self, session: Session) -> None:
        if session is not self.keeper and not session.closed:
            with self._lock:
                self._idle.append(session)

    def close(self) -> None:
        for session in (*self._idle, self.keeper):
            session.close()


class Fetch:
    """One statement, read by a thread of its own. A connection that is lost is made again, where the order stays."""

    def __init__(self, shared: Shared, sql: str, ordered: bool) -> None:
        self._shared, self._sql = shared, sql
        self._ordered = ordered and shared.name is not None
        self._held: queue.Queue[pa.RecordBatch | Exception | None] = queue.Queue(HELD)
        self._stop = threading.Event()
        self._given = 0
        self._thread = threading.Thread(target=self._run, name="fitscale-postgres", daemon=True)
        self._thread.start()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All rows. Raises what went wrong."""
        while (item := self._held.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        for attempt in range(TRIES):
            session = None
            try:
                session = self._shared.take()
                if not self._read(session):
                    session.close()  # in the middle of an answer
                    return
                self._shared.give(session)
                self._put(None)
                return
            except (Lost, DataError) as error:
                if session is not None:
                    session.close()
                if isinstance(error, DataError) and not (attempt or self._given):
                    self._put(error)
                    return
                if attempt == TRIES - 1 or not self._ordered:
                    self._put(self._broken(error))
                    return
                self._stop.wait(WAIT_S * 2**attempt)
            except Exception as error:
                if session is not None:
                    session.close()
                self._put(error)
                return

    def _read(self, session: Session) -> bool:
        """Hand on all rows but those that were given before; False if nobody wants more."""
        passed = 0
        for batch in session.batches(self._sql):
            if (known := min(max(self._given - passed, 0), batch.num_rows)) < batch.num_rows:
                if not self._put(batch.slice(known)):
                    return False
                self._given += batch.num_rows - known
            passed += batch.num_rows
        return True

    def _put(self, item: pa.RecordBatch | Exception | None) -> bool:
        while not self._stop.is_set():
            try:
                self._held.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def _broken(self, error: Exception) -> Resumable:
        return Resumable(
            f"data.uri: the connection to {self._shared.address.shown} ended while rows were read ({error}); nothing of them "
            "was kept: give the same command again, and all are read of a new snapshot"
        )


def in_order(shared: Shared, statements: Sequence[str], ordered: bool) -> Generator[pa.RecordBatch, None, None]:
    """The rows of all statements, one statement after the other, while the next ones are read already."""
    waiting = iter(statements)
    ahead = deque(Fetch(shared, sql, ordered) for sql in islice(waiting, shared.readers))
    try:
        while ahead:
            yield from ahead[0].batches()
            ahead.popleft().stop()
            if (sql := next(waiting, None)) is not None:
                ahead.append(Fetch(shared, sql, ordered))
    finally:
        for fetch in ahead:
            fetch.stop()
