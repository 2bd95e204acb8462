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
    spend: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Shuffle columns anew, for about so long, such as 2m; default: 20s, once."),
    ] = None,
    trust: Annotated[bool, typer.Option("--trust", help="Pickles from elsewhere may be loaded.")] = False,
    json: Annotated[bool, typer.Option("--json", help="The path and what the model is worth, on stdout.")] = False,
) -> None:
    """Write a run's report, one HTML file, and say where it is.

    What one model is worth (importance of columns, confusion, calibration, error by segment) is found out once for a
    version, in a process of its own, and kept beside the report.
    """
    import os

    from fitscale.cli.finding import run_of
    from fitscale.cli.saying import Out
    from fitscale.models import worth
    from fitscale.report import write
    from fitscale.workload import settings
    from fitscale.workload.units import duration_s

    out = Out(json)
    limit_s = worth.LIMIT_S if spend is None else duration_s(spend)
    trusted = settings({"trust": trust or None}, os.environ, Path(".")).trust
    found = run_of(target, run)
    own = str(target.parent.absolute()) if target is not None and target.is_file() else ""
    looked_at = worth.refresh(found, version, limit_s=limit_s, anew=spend is not None, trust=trusted, folder=own)
    path = write(found, version)
    out.say(str(path))
    worth_ = looked_at.model_dump(mode="json") if looked_at is not None else None
    out.record({"format": 1, "report": str(path), "worth": worth_})
