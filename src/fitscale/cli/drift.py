"""``fitscale drift RUN [--data NEW]``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitscale.cli.completing import runs_and_workloads
from fitscale.cli.newrows import NewData, NewQuery, NewTable, NewWhere

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.models.drift import Found
    from fitscale.models.opened import Run

app = typer.Typer(add_completion=False, rich_markup_mode=None)
FIRST = 10


@app.command()
def drift(
    target: Annotated[
        Path | None,
        typer.Argument(metavar="RUN", help="Workload file or run folder.", autocompletion=runs_and_workloads),
    ] = None,
    data: NewData = None,
    table: NewTable = None,
    query: NewQuery = None,
    where: NewWhere = None,
    run: Annotated[Path | None, typer.Option(metavar="DIR", help="The run folder.")] = None,
    version: Annotated[int | None, typer.Option(metavar="N", help="Default: the version that is served.")] = None,
    rate: Annotated[str, typer.Option(metavar="SHARE", help="Of false alarms among alarms, at most.")] = "5%",
    least: Annotated[
        float, typer.Option(metavar="DEVIATIONS", help="By how much mean or deviation of the errors must be off.")
    ] = 0.1,
    psi: Annotated[
        float, typer.Option(metavar="INDEX", help="How far a column must have moved: its population stability index.")
    ] = 0.1,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.parquet", help="Where the table goes; default: into the run.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The counts as a record on stdout.")] = False,
) -> None:
    """Test whether new rows of each group still are what its model was fitted on. Ends with 5 where some are not.

    New are the rows of --data; without it, those that are now where the workload's data is. Each value is foretold: of a series
    one step ahead, of rows from the features. Mean and deviation of the errors are held against those of before; of rows the
    columns, too, against those that were trained on, and they alone where the target is not known yet. The rate of false alarms
    holds over all groups together.
    """
    from fitscale.cli.finding import run_of
    from fitscale.cli.saying import Out
    from fitscale.errors import DriftFound, UsageError
    from fitscale.models.asked import Asked
    from fitscale.models.drift import drift as drift_
    from fitscale.models.opened import Run
    from fitscale.workload.units import share

    said = Out(json)
    try:
        asked = share(rate)
    except UsageError as error:
        raise UsageError(f"--rate {rate}: {error}") from None
    opened = Run(run_of(target, run), version)
    found, tested = drift_(opened, Asked(data, ".", table, query, where), out, rate=asked, least=least, psi=psi)
    said.lines(drift_lines(found, tested, opened))
    said.record(found)
    if found.drifted:
        raise typer.Exit(DriftFound.exit_code)


def drift_lines(found: Found, table: pa.Table, run: Run) -> list[str]:
    """The lines that a person reads."""
    from fitscale.cli.shown import most_common, plural

    one, many = ("series", "series") if run.encoding.input == "series" else ("group", "groups")
    if not run.manifest.groups:
        one, many = "model", "models"
    lines = [f"{plural(found.tested, one, many)} tested against version {found.version}, {found.drifted:,} drifted"]
    lines += most_common(found.without, "not tested")
    lines += most_common(found.alone, "tested by columns alone")
    if run.encoding.input != "series":
        lines += _columns_lines(found)
    keys = table.column_names[: table.column_names.index("rows")]
    for row in table.slice(0, min(FIRST, found.drifted)).to_pylist():
        key = ", ".join(str(row[name]) for name in keys) or run.name
        lines.append(f"    {key}: {_told(row)}, in {row['rows']:,} rows")
    if found.drifted > FIRST:
        lines.append(f"    and {found.drifted - FIRST:,} more")
    lines.append(f"of the alarms at most {found.rate:.1%} are false; all {many}: {found.out}")
    return lines


def _told(row: dict[str, Any]) -> str:
    """What changed, that by which it was found first."""
    told = []
    if "errors" in row["by"]:
        told.append(f"errors {row['shift']:+.2f} ± {row['spread']:.2f} deviations of before")
    if "columns" in row["by"]:
        ks = "" if row["ks"] is None else f", KS {row['ks']:.2f}"
        told.append(f"column '{row['column']}' PSI {row['psi']:.2f}{ks}")
    return "; ".join(told)


def _columns_lines(found: Found) -> list[str]:
    if not found.columns:
        return [
            "columns were not looked at: the version has no counts of them (it was made before there were any, or has neither"
            " numbers nor categories)"
        ]
    if found.left_out:
        return [f"the first {found.columns} columns were looked at; {found.left_out:,} more were not"]
    return []
