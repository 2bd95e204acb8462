"""``fitscale predict RUN --data NEW --out FILE.parquet``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fitscale.cli.completing import runs_and_workloads

if TYPE_CHECKING:
    from fitscale.models.opened import Run
    from fitscale.models.predict import Predicted

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def predict(
    data: Annotated[str, typer.Option(metavar="NEW", help="The rows: a path, as data.uri in a workload.")],
    out: Annotated[Path, typer.Option(metavar="FILE.parquet", help="Where the predictions go.")],
    target: Annotated[
        Path | None,
        typer.Argument(metavar="RUN", help="Workload file or run folder.", autocompletion=runs_and_workloads),
    ] = None,
    run: Annotated[Path | None, typer.Option(metavar="DIR", help="The run folder.")] = None,
    proba: Annotated[bool, typer.Option("--proba", help="The probability of each class too.")] = False,
    version: Annotated[int | None, typer.Option(metavar="N", help="Default: the version that is served.")] = None,
    trust: Annotated[bool, typer.Option("--trust", help="Pickles from elsewhere may be loaded.")] = False,
    json: Annotated[bool, typer.Option("--json", help="The counts as a record on stdout.")] = False,
) -> None:
    """Raw columns in, predictions out, by key for many models.

    Rows keep their order and number. Where there is no prediction, the column `why` says unknown key, unfit, failed, or what
    is wrong in the row.
    """
    import os

    from fitscale.cli.finding import run_of
    from fitscale.cli.saying import Out
    from fitscale.models.opened import Run
    from fitscale.models.predict import predict as predict_
    from fitscale.workload import settings

    said = Out(json)
    trusted = settings({"trust": trust or None}, os.environ, Path(".")).trust
    opened = Run(run_of(target, run), version, trust=trusted)
    found = predict_(opened, data, out, proba=proba)
    said.lines(predicted_lines(found, opened))
    said.record(found)


def predicted_lines(found: Predicted, run: Run) -> list[str]:
    """The lines that a person reads."""
    from fitscale.cli.shown import plural

    lines = [f"{plural(found.rows, 'row')} → {found.out}, by version {run.version} of {run.name}"]
    if found.why:
        lines.append(f"{found.predicted:,} with a prediction, {found.rows - found.predicted:,} without:")
        lines += [f"    {count:,} {reason}" for reason, count in sorted(found.why.items(), key=lambda item: -item[1])]
    return lines
