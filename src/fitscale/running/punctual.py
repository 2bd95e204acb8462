"""Follows a run that has a deadline: a miss is said once, to the user and in the journal."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from fitscale.records.plan import Candidate, Forecast, Plan
from fitscale.records.run import Event, Order
from fitscale.running.late import Late, Looks, dues_of, offers_of, sentence_of
from fitscale.running.listening import hear
from fitscale.running.progress import Tracker, tasks_of
from fitscale.store.journal import Journal

LOOK_S = 1.0


class Way(NamedTuple):
    """What is on its way: a version, by which plan and candidate, and what that promised."""

    version: int
    plan: Plan
    candidate: Candidate
    promised: Forecast | None


class Punctual:
    """Hears the events of a command's attempts; `deploys` says whether a plan's better place can be deployed to."""

    def __init__(
        self,
        run: Path,
        way: Way,
        journal: Journal,
        began: float,
        *,
        note: Callable[[str], None],
        deploys: Callable[[Plan], bool],
        file: str,
    ) -> None:
        workload = way.plan.workload
        self._run, self._way, self._journal, self._began = run, way, journal, began
        self._note, self._deploys, self._file = note, deploys, file
        self._may_stop = workload.evaluate.early_stopping is not None
        self._looks = Looks(dues_of(workload.needs.deadline, began), may_stop_early=self._may_stop)
        self._tracker = Tracker(tasks_of(workload), began)
        self._tracker.forecast(way.promised)
        self._looked = 0.0

    def hear(self, name: str, order: Order, event: Event) -> None:
        """Take one event; once a second, look how far the run is."""
        hear(self._tracker, self._run, name, order, event)
        if time.monotonic() - self._looked < LOOK_S:
            return
        self._looked = time.monotonic()
        progress = self._tracker.progress(time.time())
        missed = self._looks.miss(progress)
        if missed is None:
            return
        due, finish = missed
        plan, now = self._way.plan, progress.elapsed_s
        late = Late(
            name=due.name,
            said_s=round(now, 3),
            due_s=round(due.due_s, 3),
            finish_s=finish,
            sentence=sentence_of(due, finish, now, self._began, may_stop_early=self._may_stop),
            offers=offers_of(plan, self._way.candidate, progress, due, self._file, deployable=self._deploys(plan)),
        )
        self._journal.append("late", version=self._way.version, late=late.model_dump(mode="json"))
        self._note("; ".join([late.sentence, *late.offers]))
