"""``fitscale report RUN``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fitscale.cli.completing import runs_and_workloads

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def report(
    target: Annotated[
        Path | None,
        typer.Argument(metavar="RUN", help="Workload file or run folder.", autocompletion=runs_and_workloads),
    ] = None,
    run: Annotated[Path | None, typer.Option(metavar="DIR", help="The run folder.")] = None,
    version: Annotated[int | None, typer.Option(metavar="N", help="Default: the version that is served.")] = None,
    json: Annotated[bool, typer.Option("--json", help="The path as a record on stdout.")] = False,
) -> None:
    """Write a run's report, one HTML file, and say where it is."""
    from fitscale.cli.finding import run_of
    from fitscale.cli.saying import Out
    from fitscale.report import write

    out = Out(json)
    path = write(run_of(target, run), version)
    out.say(str(path))
    out.record({"format": 1, "report": str(path)})
