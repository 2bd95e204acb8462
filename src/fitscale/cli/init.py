"""``fitscale init DATA``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from fitscale.cli.completing import data_files

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def init(
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA", help="A file, folder or glob, or postgresql://user@host/db.", autocompletion=data_files
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the workload file goes; default: NAME.yaml of the data.")
    ] = None,
    target: Annotated[str | None, typer.Option(metavar="COLUMN", help="What is to be predicted.")] = None,
    time: Annotated[str | None, typer.Option(metavar="COLUMN", help="When each row happened; 'none' for none.")] = None,
    groups: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="One model for each of its values; may be repeated.")
    ] = None,
    estimator: Annotated[str | None, typer.Option(metavar="CLASS", help="What is fitted, by its import path.")] = None,
    deadline: Annotated[
        str | None, typer.Option(metavar="TIME", help="When it must be done: 30m, 4h, or a time of day.")
    ] = None,
    table: Annotated[str | None, typer.Option(metavar="TABLE", help="Of a database: its table.")] = None,
    query: Annotated[str | None, typer.Option(metavar="SQL", help="Of a database: a query instead of a table.")] = None,
    key: Annotated[str | None, typer.Option(metavar="COLUMN", help="Of a database: what its rows are read by.")] = None,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any other key: evaluate.cv=5; may be repeated."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing, also on a terminal.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of workload files, and end.")] = False,
    json: Annotated[bool, typer.Option("--json", help="What was seen and written as a record on stdout.")] = False,
) -> None:
    """Write a workload file by looking at the data.

    Looks at a bounded part of the rows, guesses what is to be predicted, and warns of columns that give it away, of keys,
    constants and whatever else spoils a model. On a terminal it asks, with its guess as the answer that Enter gives;
    elsewhere it takes flags, and says what it assumed. Each line of the file says where its value came from.
    """
    import sys

    from fitscale.cli.saying import Out
    from fitscale.cli.starting import set_of, start
    from fitscale.errors import UsageError

    if schema:
        from fitscale.workload import schema_text

        sys.stdout.write(schema_text())
        return
    if data is None:
        raise UsageError("DATA is missing: name a file, a folder, a glob or postgresql://user@host/db")
    said: dict[str, Any] = {"data.table": table, "data.query": query, "data.key": key}
    said |= {"data.target": target, "model.estimator": estimator, "needs.deadline": deadline}
    said = {place: value for place, value in said.items() if value is not None}
    said |= {"data.time": None if time == "none" else time} if time is not None else {}
    said |= {"data.groups": tuple(name for name in groups if name != "none")} if groups else {}
    said |= set_of(values or [], said)
    screen = Out(json)
    asks = not (yes or json) and screen.is_terminal and sys.stdin.isatty()
    made = start(screen, data, out, said, asks=asks, force=force)
    screen.record(made)
