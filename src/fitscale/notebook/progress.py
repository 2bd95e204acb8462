"""Progress while a call works: a display that goes on in a notebook's cell, plain lines in an IPython terminal.

IPython is used only where the call runs in it, and nothing beside it: a front end without HTML shows the plain text.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from fitscale.planning import wording
from fitscale.report.text import many, percent, size
from fitscale.running.listening import hear
from fitscale.running.progress import Progress, Tracker, tasks_of

if TYPE_CHECKING:
    from fitscale.records.plan import Plan
    from fitscale.records.run import Event, Order
    from fitscale.records.workload import Workload
    from fitscale.running.command import Told

EVERY_S = 0.5
PLAIN_EVERY_S = 5.0
Show = Callable[[str, float | None], None]  # the words; the share that is done, where it is known


def shell() -> Any:
    """The IPython that this runs in, or None. Imports nothing."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


class Showing:
    """Shows progress where this runs in IPython; what it is told goes into `running.training` as `told`."""

    def __init__(self, run: Path, workload: Workload, show: Show | None = None) -> None:
        self._run = run
        self._tracker = Tracker(tasks_of(workload), time.time())
        self._every_s = EVERY_S
        self._display: Any = None
        self._show = show or self._shower()
        self._shown = 0.0
        self._planned = False

    @property
    def told(self) -> Told:
        from fitscale.running.command import Told

        return Told() if self._show is None else Told(plan=self.plan, event=self.event, note=self.note)

    def _shower(self) -> Show | None:
        running = shell()
        if running is None:
            return None
        if hasattr(running, "kernel"):
            return self._in_cell
        self._every_s = PLAIN_EVERY_S
        return _in_terminal

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._display is not None:  # the last word would stand for a state that is over
            self._in_cell(
                "finished" if error is None else "interrupted" if kind is KeyboardInterrupt else "ended", None
            )

    def plan(self, plan: Plan) -> None:
        """What was decided, and from now on its forecast beside what is measured."""
        chosen = plan.decision.chosen
        self._tracker.forecast(chosen.forecast if chosen else None)
        if chosen is not None:
            self._say(f"{chosen.candidate.name}: {wording.duration(chosen.forecast.time_s)} forecast", None)

    def note(self, text: str) -> None:
        self._say(text, None)

    def event(self, name: str, order: Order, event: Event) -> None:
        hear(self._tracker, self._run, name, order, event)
        if time.monotonic() - self._shown >= self._every_s:
            progress = self._tracker.progress(time.time())
            self._say(words_of(progress), progress.share if progress.remaining_s else None)

    def _say(self, words: str, share: float | None) -> None:
        if self._show is not None:
            self._shown = time.monotonic()
            self._show(words, share)

    def _in_cell(self, words: str, share: float | None) -> None:
        import IPython.display

        from fitscale.notebook.views import progress_html

        shown = {"text/html": progress_html(words, share), "text/plain": words}
        if self._display is None:
            show: Any = IPython.display.display  # which has no types
            self._display = show(shown, raw=True, display_id=True)
        else:
            self._display.update(shown, raw=True)


def _in_terminal(words: str, share: float | None) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def words_of(progress: Progress) -> str:
    """``fit: 212 of 500 rounds; 42 %, 36 s (30–44) left, forecast 61 s (50–75); 1.2 GB of at most 20 GB``."""
    fitting = progress.doing == "fitting" and bool(progress.task)
    parts = [progress.task if fitting else progress.doing]
    if fitting and progress.unit:
        parts[0] += f": {progress.done:,} of {progress.total:,} {progress.unit}"
    forecast = f", forecast {wording.duration(progress.forecast.time_s)}" if progress.forecast else ""
    if progress.remaining_s is not None:
        parts.append(f"{percent(progress.share)}, {wording.duration(progress.remaining_s)} left{forecast}")
    elif forecast:
        parts.append(f"{wording.duration(progress.elapsed_s)} so far{forecast}")
    if progress.memory_bytes:
        limit = f" of at most {size(progress.limit_bytes)}" if progress.limit_bytes else ""
        parts.append(f"{size(progress.memory_bytes)}{limit}")
    if progress.failed or progress.unfit:
        parts.append(f"{many(progress.failed, 'group')} failed, {progress.unfit:,} unfit")
    return "; ".join(parts)
