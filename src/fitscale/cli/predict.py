"""``fitscale predict RUN --data NEW | --ahead STEPS --out FILE.parquet``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fitscale.cli.completing import runs_and_workloads
from fitscale.cli.newrows import NewData, NewQuery, NewTable, NewWhere

if TYPE_CHECKING:
    from fitscale.models.anomalies import Anomalies
    from fitscale.models.opened import Run
    from fitscale.models.predict import Predicted

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def predict(
    out: Annotated[Path, typer.Option(metavar="FILE.parquet", help="Where the predictions go.")],
    data: NewData = None,
    table: NewTable = None,
    query: NewQuery = None,
    where: NewWhere = None,
    ahead: Annotated[
        int | None, typer.Option(metavar="STEPS", help="Of series: so many steps after the end of each, without rows.")
    ] = None,
    target: Annotated[
        Path | None,
        typer.Argument(metavar="RUN", help="Workload file or run folder.", autocompletion=runs_and_workloads),
    ] = None,
    run: Annotated[Path | None, typer.Option(metavar="DIR", help="The run folder.")] = None,
    anomalies: Annotated[
        bool, typer.Option("--anomalies", help="Of series: how far each new value is from what was foretold before it.")
    ] = False,
    threshold: Annotated[
        float, typer.Option(metavar="DEVIATIONS", help="From which distance on a value is an anomaly.")
    ] = 4.0,
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
    from fitscale.errors import UsageError
    from fitscale.models.anomalies import anomalies as anomalies_
    from fitscale.models.asked import Asked
    from fitscale.models.opened import Run
    from fitscale.models.predict import foretell
    from fitscale.models.predict import predict as predict_
    from fitscale.workload import settings

    said = Out(json)
    trusted = settings({"trust": trust or None}, os.environ, Path(".")).trust
    opened = Run(run_of(target, run), version, trust=trusted)
    asked = Asked(data, ".", table, query, where)
    if (asked == Asked()) == (ahead is None):
        raise UsageError(
            "predict takes either rows, by --data (or by --table, --query or --where of where the training data is), or --ahead: "
            "how many steps of its series"
        )
    if anomalies:
        if ahead is not None:
            raise UsageError("--anomalies: are looked for in new values: give them with --data")
        seen = anomalies_(opened, asked, out, threshold=threshold)
        said.lines(anomalies_lines(seen, opened))
        said.record(seen)
        return
    found = predict_(opened, asked, out, proba=proba) if ahead is None else foretell(opened, ahead, out)
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


def anomalies_lines(found: Anomalies, run: Run) -> list[str]:
    """The lines that a person reads."""
    from fitscale.cli.shown import most_common, plural

    lines = [f"{plural(found.rows, 'row')} → {found.out}, by version {run.version} of {run.name}"]
    lines.append(
        f"{found.anomalies:,} of {found.judged:,} values are further than {found.threshold:g} deviations from what was foretold"
    )
    return [*lines, *most_common(found.why, "not judged")]
