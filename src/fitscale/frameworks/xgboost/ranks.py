"""Several ranks, one model: XGBoost's own collective on the address that the engine handed out."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from fitscale.contracts import Context, Stopped
from fitscale.errors import FitscaleError, UsageError

START_S = 120.0  # from the first rank to the one that opens the tracker


@contextmanager
def gathered(context: Context) -> Iterator[Context]:
    """Join the other ranks. Rank 0 opens the tracker on ``context.host`` and ``context.port``.

    When a rank dies the others raise in an allreduce, or hang: nothing is finalised then, as that hangs too, and the
    engine ends the gang (a process that ends by itself may do so by a segmentation fault, after its last event).
    """
    from xgboost import collective
    from xgboost.tracker import RabitTracker

    if not context.port:
        raise UsageError(
            f"rank {context.rank} of {context.world} was given no port: the engine chooses one for the gang"
        )
    tracker = None
    if context.rank == 0:
        # Sorted by task: the ranks are ours, whoever connects first.
        tracker = RabitTracker(n_workers=context.world, host_ip=context.host, port=context.port, sortby="task")
        tracker.start()
    else:
        _wait_for(context.host, context.port)
    collective.init(
        dmlc_communicator="rabit",
        dmlc_tracker_uri=context.host,
        dmlc_tracker_port=context.port,
        dmlc_task_id=f"{context.rank:06d}",
    )
    try:
        yield _Together(context)
    except Stopped:
        _leave(tracker)
        raise
    except BaseException:
        if tracker is not None:
            del tracker.handle  # freeing it would wait for ranks that are gone
        raise
    _leave(tracker)


def _leave(tracker: Any) -> None:
    """All ranks come here. The tracker goes last: a rank cannot take its leave from one that is gone."""
    from xgboost import collective

    collective.finalize()
    if tracker is not None:
        tracker.wait_for(timeout=60)


def _wait_for(host: str, port: int) -> None:
    """Until rank 0 listens: XGBoost's own tries wait longer each time, and count a rank that imports slowly as lost."""
    until = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection((host, port), timeout=1).close()
            return
        except OSError as e:
            if time.monotonic() > until:
                raise FitscaleError(f"rank 0 did not listen on {host}:{port} within {START_S:.0f} s: {e}") from e
            time.sleep(0.1)


class _Together:
    """A context whose ranks stop after the same round: one that went on alone would wait for the others for ever."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.rank = context.rank
        self.world = context.world
        self.host = context.host
        self.port = context.port
        self.threads = context.threads
        self.scratch: Path = context.scratch

    def phase(self, name: str) -> AbstractContextManager[None]:
        return self._context.phase(name)

    def scores(self) -> dict[str, tuple[float, ...]]:
        return self._context.scores()

    def program(self, argv: Any) -> str:
        return self._context.program(argv)

    def report(
        self,
        units: int,
        state: Callable[[], bytes] | None = None,
        scores: Mapping[str, float] | None = None,
        **about: Any,
    ) -> bytes | None:
        import numpy as np
        from xgboost import collective

        taken, stopped = None, None
        try:
            taken = self._context.report(units, state, scores, **about)
        except Stopped as stop:
            stopped = stop
        if collective.allreduce(np.array([stopped is not None], dtype=np.int32), collective.Op.MAX)[0]:
            raise stopped or Stopped(f"another rank stopped after {units} rounds")
        return taken
