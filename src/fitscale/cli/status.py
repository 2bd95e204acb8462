"""``fitscale status RUN``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fitscale.cli.completing import runs_and_workloads

if TYPE_CHECKING:
    from fitscale.running.status import Status

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def status(
    target: Annotated[
        Path | None,
        typer.Argument(metavar="RUN", help="Workload file or run folder.", autocompletion=runs_and_workloads),
    ] = None,
    run: Annotated[Path | None, typer.Option(metavar="DIR", help="The run folder.")] = None,
    json: Annotated[bool, typer.Option("--json", help="The status as a record on stdout.")] = False,
) -> None:
    """What a run is doing, and what is left of it; from any terminal, at any time."""
    from fitscale.cli.finding import run_of
    from fitscale.cli.saying import Out
    from fitscale.running.status import status_of

    out = Out(json)
    found = status_of(run_of(target, run))
    out.lines(status_lines(found, out.width))
    out.record(found)


def status_lines(found: Status, width: int) -> list[str]:
    """The lines that a person reads."""
    from fitscale.cli.following import packed, progress_parts
    from fitscale.cli.shown import wrapped

    lines = wrapped("Run", f"{found.name}, {found.run}", width)
    done = ", ".join(f"{number}{' (served)' if number == found.serving else ''}" for number in found.versions)
    lines += wrapped("Versions", done or "none is finished yet", width)
    if found.working:
        lines += wrapped("Now", f"fitscale {found.command} is at work{_since(found)}", width)
        if found.progress is not None:
            lines += packed(progress_parts(found.progress), width, 12)
    elif found.command is not None:
        how = f"; its last attempt: {found.last_end}" if found.last_end else ""
        lines += wrapped(
            "Now", f"nothing works; the last command was fitscale {found.command}{_since(found)}{how}", width
        )
    for late in found.late if found.unfinished is not None else ():
        lines += wrapped("Late", "; ".join([late.sentence, *late.offers]), width)
    if found.unfinished is not None:
        told = f"version {found.unfinished} by {found.candidate}"
        told += f", of {found.model}" if found.model else ""
        lines += wrapped("Unfinished", told + ("" if found.working else "; 'fitscale train' goes on with it"), width)
        for task in found.tasks:
            # Of a model that works now, the last checkpoint: a restart would begin there.
            state = "finished" if task.finished else f"{task.done:,} of {task.total:,} {task.unit} kept"
            lines += wrapped("", f"{task.name}: {state}", width)
    elif not found.working and found.versions:
        lines += wrapped("", "nothing is unfinished", width)
    return lines


def _since(found: Status) -> str:
    import time

    from fitscale.cli.shown import duration

    if found.command_at is None:
        return ""
    return f", begun {duration(max(0.0, time.time() - found.command_at))} ago"
