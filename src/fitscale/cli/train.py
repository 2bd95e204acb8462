"""``fitscale train FILE``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fitscale.cli.completing import strategies, workload_files

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def train(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The workload file.", autocompletion=workload_files)],
    run: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The run folder; default: runs/NAME beside FILE.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Train a version anew, on the data as it is now.")] = False,
    only: Annotated[
        str | None,
        typer.Option(metavar="WHICH", help="Only groups that drifted or failed, or one key: drifted, failed, KEY."),
    ] = None,
    where: Annotated[
        str | None, typer.Option(metavar="SQL", help="Only these rows, in place of the file's data.where.")
    ] = None,
    choose: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="This candidate, whatever the plan says.", autocompletion=strategies),
    ] = None,
    probe: Annotated[str | None, typer.Option(metavar="TIME", help="How long to probe, such as 10m.")] = None,
    trust: Annotated[bool, typer.Option("--trust", help="Pickles from elsewhere may be loaded.")] = False,
    mlflow: Annotated[
        str | None, typer.Option(metavar="URI", help="Log the finished version to MLflow, such as sqlite:///mlflow.db.")
    ] = None,
    report: Annotated[
        bool,
        typer.Option(
            "--report/--no-report", envvar="FITSCALE_REPORT", help="Write the report too, as `report` does later."
        ),
    ] = True,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say what came of it, and nothing before.")] = False,
    json: Annotated[bool, typer.Option("--json", help="What came of it as a record on stdout.")] = False,
) -> None:
    """Train; after any interruption the same command goes on where it stopped.

    Plans first, unless there is an unfinished version. Ends with a summary of forecast against actual, and the report.

    With `--mlflow` a finished version becomes one run in MLflow, once: with many models too. Where that fails there is a
    warning, the version is there all the same, and the same command logs it later.
    """
    import time

    from fitscale.cli.finding import for_training, named
    from fitscale.cli.following import Following
    from fitscale.cli.saying import Out
    from fitscale.cli.summary import check_deadline, summary_lines, summary_of
    from fitscale.running.training import train as train_
    from fitscale.work.hiding import hide

    if mlflow is not None:
        from fitscale.report.tracking import check

        check(mlflow)
    if "@inline" not in (choose or ""):
        hide(("pandas",))  # Arrow would import it for conveniences: half a second, before anything is read
    out = Out(json)
    found = for_training(file, run, trust=trust, probe=probe, where=where)
    began = time.time()
    name = named(file, run, where)
    with Following(out, found.run, found.workload, name, quiet=quiet) as following:
        trained = train_(
            found.workload,
            found.run,
            fresh=fresh,
            choose=choose,
            probe_s=found.settings.probe_s,
            trust=found.settings.trust,
            only=only,
            ledger=Path(found.settings.ledger),
            told=following.told,
        )
    ended = time.time()
    if report and out.is_terminal and not quiet and not trained.nothing_to_do and not trained.manifest.groups:
        out.say("looking at what the model is worth …")
    summary = summary_of(trained, found.workload, trust=found.settings.trust, mlflow=mlflow, report=report)
    out.lines(summary_lines(summary, trained, out.width, name))
    out.record(summary)
    trained.check(found.workload.needs.max_failed)
    if not trained.nothing_to_do:
        check_deadline(found.workload, began, ended)
