"""Progress while a command works: a live line on a terminal, a plain line every five seconds elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from fitscale.cli.saying import Out
from fitscale.cli.screen import plan_screen
from fitscale.cli.shown import duration, plural, share, size
from fitscale.planning.trials.comparing import score_text
from fitscale.running.listening import hear
from fitscale.running.progress import Progress, Search, Tracker, tasks_of
from fitscale.store import folder

if TYPE_CHECKING:
    from fitscale.records.plan import Plan
    from fitscale.records.run import Event, Order
    from fitscale.records.workload import Workload
    from fitscale.running.command import Told

PLAIN_EVERY_S = 5.0
BAR = 16
LEAST_SAID_S = 1.0


class Following:
    """What a command lets its user see: `told` goes into `running.training`."""

    def __init__(self, out: Out, run: Path, workload: Workload, file: str, *, quiet: bool = False) -> None:
        self._out = out
        self._run = run
        self._file = file
        self._quiet = quiet
        self._tracker = Tracker(tasks_of(workload), time.time())
        self._live: Any = None
        self._said = time.monotonic()

    @property
    def told(self) -> Told:
        from fitscale.deploying.target import is_deployable
        from fitscale.running.command import Told

        return Told(
            plan=self.plan, event=self.event, note=self.note, file=self._file, deploys=is_deployable,
        )  # fmt: skip

    def __enter__(self) -> Self:
        if self._out.is_terminal and not self._quiet:
            from rich.console import Console
            from rich.live import Live

            self._live = Live(
                console=Console(file=self._out.stream, highlight=False),
                get_renderable=lambda: f"[dim]{_escaped(chr(10).join(bar_lines(self.progress(), self._out.width)))}[/]",
                refresh_per_second=4,
                transient=True,
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def plan(self, plan: Plan) -> None:
        """The plan's screen, and from now on its forecast beside what is measured."""
        if plan.decision.chosen is not None:
            self._tracker.forecast(plan.decision.chosen.forecast)
        if not self._quiet:
            self._print([*plan_screen(plan, self._out.width, self._file), ""])

    def note(self, text: str) -> None:
        self._print([text])
        # A version that is gone on with was promised something by its plan.
        from fitscale.running.state import state_of

        begun = state_of(self._run).unfinished
        if begun is not None and begun.plan:
            self._tracker.forecast(next((f for f in _forecasts(self._run, begun.plan, begun.candidate)), None))

    def event(self, name: str, order: Order, event: Event) -> None:
        hear(self._tracker, self._run, name, order, event)
        if self._live is None and not self._quiet and time.monotonic() - self._said >= PLAIN_EVERY_S:
            self._said = time.monotonic()
            self._out.say(progress_line(self.progress()))

    def progress(self) -> Progress:
        return self._tracker.progress(time.time())

    def _print(self, lines: Sequence[str]) -> None:
        if self._live is None:
            self._out.lines(lines)
            return
        from rich.text import Text

        from fitscale.cli.saying import paint

        for line in lines:
            self._live.console.print(Text.from_ansi(paint(line)), soft_wrap=True)


def progress_line(progress: Progress) -> str:
    """``fit: 212 of 500 rounds, 8.1/s; 42 %, 36 s left (30–44), forecast 61 s (50–75); 1.2 GB of at most 20 GB``."""
    return "; ".join(progress_parts(progress))


def progress_parts(progress: Progress) -> list[str]:
    """What is worked on and how fast; how far it is and what is left, beside the forecast; memory beside its limit."""
    parts = [_work(progress)]
    if progress.remaining_s is not None:
        parts.append(f"{share(progress.share)}, {duration(progress.remaining_s)} left{_promised(progress)}")
    elif progress.forecast is not None or progress.elapsed_s >= LEAST_SAID_S:
        parts.append(f"{duration(progress.elapsed_s)} so far{_promised(progress)}")
    if progress.memory_bytes:
        limit = f" of at most {size(progress.limit_bytes)}" if progress.limit_bytes else ""
        parts.append(f"{size(progress.memory_bytes)}{limit}")
    if progress.failed or progress.unfit:
        parts.append(f"{plural(progress.failed, 'group')} failed, {progress.unfit:,} unfit")
    return parts


def bar_lines(progress: Progress, width: int) -> list[str]:
    """The same behind a bar of the share that is done; lines end between parts."""
    filled = round(BAR * progress.share)
    first, *rest = progress_parts(progress)
    return packed(["█" * filled + "░" * (BAR - filled) + " " + first, *rest], width)


def packed(parts: Sequence[str], width: int, indent: int = 0) -> list[str]:
    """Parts with semicolons between them, as many in a line as fit; one that is longer than a line is cut short."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + 2 + len(part) <= width:
            lines[-1] += f"; {part}"
        else:
            room = width - indent
            lines.append(" " * indent + (part if len(part) <= room else part[: room - 1] + "…"))
    return lines


def _work(progress: Progress) -> str:
    head = progress.task if progress.doing == "fitting" and progress.task else progress.doing
    if progress.tasks > 1 and progress.doing == "fitting":
        head += f" ({min(progress.tasks_done + 1, progress.tasks)} of {progress.tasks})"
    if progress.search is not None:
        return _search(progress.search)
    if progress.doing != "fitting" or not progress.unit:
        return head
    rate = f", {progress.per_s:.3g}/s" if progress.per_s else ""
    return f"{head}: {progress.done:,} of {progress.total:,} {progress.unit}{rate}"


def _search(search: Search) -> str:
    """``tuning LGBMClassifier: 47 trials, 33 stopped early; best roc_auc 0.7931, your own 0.7901; 3.2 min left``."""
    parts = [f"tuning {search.name}: {plural(search.trials, 'trial')}, {search.stopped} stopped early"]
    if search.best is not None:
        own = f", your own {score_text(search.own)}" if search.own is not None else ""
        parts.append(f"best {search.metric} {score_text(search.best)}{own}")
    return "; ".join([*parts, f"{duration(search.left_s)} left to search"])


def _promised(progress: Progress) -> str:
    return f", forecast {duration(progress.forecast.time_s)}" if progress.forecast else ""


def _forecasts(run: Path, number: int, candidate: Any) -> list[Any]:
    decision = folder.read_plan(run, number).decision
    known = [*([decision.chosen] if decision.chosen else []), *decision.alternatives]
    return [a.forecast for a in known if a.candidate == candidate]


def _escaped(text: str) -> str:
    return text.replace("[", "\\[")
