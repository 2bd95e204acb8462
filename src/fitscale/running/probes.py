"""What planning may do with attempts (`planning.loop.Attempts`): sample, begin, park, resume, stop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from fitscale.errors import FitscaleError, UsageError
from fitscale.planning.loop import Live
from fitscale.planning.preparing import Prepared
from fitscale.records.machine import Machine
from fitscale.records.plan import Candidate
from fitscale.records.run import Event, Order, Sample
from fitscale.running.attempts import Attempt, Attempts
from fitscale.running.completing import failure_of
from fitscale.running.tasks import order_for, write_tasks


class Probes:
    """See `planning.loop.Attempts`."""

    def __init__(
        self,
        run: Path,
        prepared: Prepared,
        attempts: Attempts,
        machine: Machine,
        *,
        sizes: Sequence[int] | None,
        partition: str | None,
        trust: bool,
        most_s: float = math.inf,
    ) -> None:
        self._run = run
        self._prepared = prepared
        self._attempts = attempts
        self._machine = machine
        self._sizes = sizes
        self._partition = partition
        self._trust = trust
        self._most_s = most_s  # of a probe's parts together, wherever the fit is then
        self.wrong: FitscaleError | None = None  # the workload or the data, as a probe found them

    def sample(
        self, candidate: Candidate, samples: tuple[Sample, ...], thought_s: Sequence[float], within_s: float
    ) -> Live:
        if candidate.ranks > 1:  # a gang meets at one port, once: the larger part alone
            samples, thought_s = samples[-1:], thought_s[-1:]
        order = self._order(candidate).but(samples=samples, resume=False)
        parked = sum(attempt.peak_bytes for attempt in self._attempts.all if attempt.ended is None)
        if order.memory_bytes is not None:  # what a parked attempt holds is not there twice
            order = order.but(memory_bytes=order.memory_bytes - parked // candidate.limits)
        attempt = self._attempts.start(candidate, order)
        self._attempts.follow(attempt, _NextTooLong(thought_s, within_s, self._most_s))
        self._attempts.kill(attempt)  # of which the next part would take too long
        if attempt.cause == "failed" and isinstance(failure := failure_of(attempt), UsageError):
            self.wrong = failure
        return attempt

    def begin(self, candidate: Candidate, enough: Callable[[Sequence[Event]], bool]) -> Live:
        attempt = self._attempts.start(candidate, self._order(candidate))
        self._attempts.follow(attempt, lambda a: enough(a.events))
        if attempt.cause == "failed":  # at full size this is the run's own failure, whoever tries it
            raise failure_of(attempt)
        return attempt

    def park(self, live: Live) -> bool:
        return self._attempts.park(_own(live))

    def resume(self, live: Live) -> None:
        self._attempts.unpark(_own(live))

    def stop(self, live: Live) -> None:
        self._attempts.stop(_own(live))

    def _order(self, candidate: Candidate) -> Order:
        tasks = write_tasks(self._run, self._prepared, candidate, self._sizes, self._partition)
        first = tasks[self._prepared.fits[0].name]
        seed = self._prepared.workload.seed
        return order_for(self._run, first, candidate, self._machine, seed, trust=self._trust)


class _NextTooLong:
    """Whether the next part would end later than may be, by what the last one took: once the last one's memory is known.

    Or whether ``most_s`` is over.
    """

    def __init__(self, thought_s: Sequence[float], within_s: float, most_s: float = math.inf) -> None:
        self._most_s = most_s
        self._thought_s = thought_s
        self._within_s = within_s
        self._began = self._last = time.monotonic()
        self._done = 0
        self._too_long = False

    def __call__(self, attempt: Attempt) -> bool:
        now, kind = time.monotonic(), attempt.events[-1].kind
        if kind == "sampled":
            self._done += 1
            if self._done < len(self._thought_s):
                next_s = (now - self._last) * self._thought_s[self._done] / self._thought_s[self._done - 1]
                self._too_long = now - self._began + next_s > self._within_s
        if kind in ("started", "sampled"):
            self._last = now
        return (self._too_long and kind == "memory") or now - self._began > self._most_s


def _own(live: Live) -> Attempt:
    assert isinstance(live, Attempt)
    return live
