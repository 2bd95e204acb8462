"""The smallest engine, and the reference: the work is done in this process.

It can neither limit memory nor outlive a fit that ends its process; it is for tests, for objects that only this process
has, and to say what every other engine must give.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import ClassVar, Literal

from fitscale.engines.following import Follower, cause_of
from fitscale.records.plan import Candidate
from fitscale.records.run import Event


class Inline:
    """See `contracts.Engine`."""

    name: ClassVar[str] = "inline"
    needs: ClassVar[tuple[str, ...]] = ()
    can: ClassVar[frozenset[Literal["tasks", "ranks", "session"]]] = frozenset({"tasks"})

    def reason_not(self, candidate: Candidate) -> str | None:
        if candidate.ranks > 1 or candidate.workers > 1:
            return f"{max(candidate.ranks, candidate.workers)} processes are asked for, and inline is this one"
        return None

    def start(self, run: Path, attempt: str, work: Callable[[Path, str], int]) -> Generator[Event, None, None]:
        codes: list[int] = []
        # In a thread of its own, so that progress is seen while it works.
        worker = threading.Thread(target=lambda: codes.append(work(run, attempt)), name=f"attempt {attempt}")
        follower = Follower(run / "attempts" / attempt, ranks=1)
        worker.start()
        try:
            while worker.is_alive():
                worker.join(0.02)
                yield from follower.new()
            yield from follower.new()
        finally:
            if worker.is_alive():
                (run / "attempts" / attempt / "control").write_text("stop")
                worker.join()
        code = codes[0] if codes else 1
        cause = cause_of(follower.last, code)
        yield Event(kind="ended", at=time.time(), data={"code": code, "cause": cause})
