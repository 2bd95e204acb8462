"""The options that say which rows a finished version is asked about: the same for every command."""

from __future__ import annotations

from typing import Annotated

import typer

NewData = Annotated[
    str | None, typer.Option("--data", metavar="NEW", help="The rows: a path or address, as data.uri in a workload.")
]
NewTable = Annotated[str | None, typer.Option("--table", metavar="NAME", help="Of a database: its table.")]
NewQuery = Annotated[str | None, typer.Option("--query", metavar="SQL", help="Of a database: a query.")]
NewWhere = Annotated[
    str | None, typer.Option("--where", metavar="SQL", help="Which of the rows, as data.where in a workload.")
]
