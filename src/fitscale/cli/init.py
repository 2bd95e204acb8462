"""``fitscale init DATA``"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitscale.cli.completing import data_files

if TYPE_CHECKING:
    from fitscale.cli.saying import Out
    from fitscale.data.starter.drafting import Draft

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
    from fitscale.errors import UsageError

    if schema:
        print_schema()
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


def print_schema() -> None:
    """The JSON Schema, as an editor takes it."""
    import sys

    from fitscale.workload import schema_text

    sys.stdout.write(schema_text())


def set_of(values: list[str], said: Mapping[str, Any]) -> dict[str, Any]:
    """What ``--set KEY=VALUE`` says.

    Raises
    ------
    UsageError
        If it is no pair, its key is none of the file's, or it was said by another flag too.
    """
    from fitscale.errors import UsageError, nearest
    from fitscale.workload import keys, read_value

    flags = {
        "data.uri": "DATA", "data.target": "--target", "data.time": "--time", "data.groups": "--groups",
        "data.table": "--table", "data.query": "--query", "data.key": "--key", "model.estimator": "--estimator",
        "needs.deadline": "--deadline", "name": "--out",
    }  # fmt: skip
    found: dict[str, Any] = {}
    for text in values:
        place, is_pair, value = text.partition("=")
        place = place.strip()
        if not is_pair:
            raise UsageError(f"--set {text}: write it like evaluate.cv=5")
        if place in flags:
            raise UsageError(f"--set {text}: that is what {flags[place]} is for")
        known = [name for name in keys() if name not in flags]
        if place not in known and not place.startswith("model.params."):
            raise UsageError(
                f"--set {text}: no key '{place}'{nearest(place, known)}; docs/reference/workload.md has all"
            )
        found[place] = read_value(value)
    return found


def start(screen: Out, data: str, out: Path | None, said: Mapping[str, Any], *, asks: bool, force: bool) -> Draft:
    """Look, ask where that is wanted, write, and say what was done.

    Raises
    ------
    UsageError
        What is wrong with the data or what was said, or a file that is there; nothing was written.
    """
    from fitscale.cli.asking import asked
    from fitscale.cli.drafted import draft_lines, looked_lines
    from fitscale.data.starter.drafting import choose, draft, see
    from fitscale.data.starter.looking import look
    from fitscale.workload.spec import slug

    path = out or Path(f"{slug(name_of(data, said))}.yaml")
    refuse_existing(path, force)
    said = {"data.uri": seen_from(data, path.parent), **said}
    found = look(spec_of(said, path.parent))
    columns = see(found)
    screen.lines(looked_lines(found, data, screen.width))
    if asks:
        said = asked(screen, columns, found, said)
    choices = choose(columns, found, said)
    given = f"fitscale init {data}"
    made = draft(found, columns, choices, said, name=slug(path.stem), folder=path.parent, given=given)
    write(path, made.text, force)
    screen.lines(draft_lines(made, choices, path, screen.width, asks=asks))
    return made


def name_of(data: str, said: Mapping[str, Any]) -> str:
    """What the data is called: a table, or a file or folder without its ending."""
    import re

    if table := said.get("data.table"):
        return str(table).rpartition(".")[2].strip('"')
    if "://" in data and not data.startswith("file://"):
        return "synthetic" if data.startswith("synthetic:") else data.partition("?")[0].rpartition("/")[2] or "workload"
    parts = [part for part in Path(data).absolute().parts if not re.search(r"[*?\[]", part)]
    return parts[-1].partition(".")[0] or "workload" if parts else "workload"


def seen_from(data: str, folder: Path) -> str:
    """A path as it stands in a file of that folder; an address, and what lies far away, as it is."""
    import os

    if "://" in data or data.startswith("~") or Path(data).is_absolute():
        return data
    relative = os.path.relpath(data, folder)
    return os.path.abspath(data) if relative.startswith("../../..") else relative


def spec_of(said: Mapping[str, Any], folder: Path) -> Any:
    """The data alone, as a workload file would say it.

    Raises
    ------
    WorkloadError
        What is wrong in it.
    """
    from fitscale.workload import parse

    section: dict[str, Any] = {"target": "?"}
    for place, value in said.items():
        name, _, inner = place.partition(".")[2].partition(".")
        if place.startswith("data.csv."):
            section.setdefault("csv", {})[inner] = value
        elif place in ("data.uri", "data.table", "data.query", "data.key", "data.where"):
            section[name] = value
    document = {"name": "job", "data": section, "model": {"estimator": "baseline.Classifier"}}
    return parse(document, file=None, folder=folder).data


def refuse_existing(path: Path, force: bool) -> None:
    """Raise UsageError where the file cannot be written, before anything is looked at."""
    from fitscale.errors import UsageError

    if path.is_dir():
        raise UsageError(f"{path}: is a folder; name a file in it with --out {path}/job.yaml")
    if path.exists() and not force:
        raise UsageError(f"{path}: is there already; --force writes over it, --out names another file")
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}: make it first")


def write(path: Path, text: str, force: bool) -> None:
    """The file, and the schema that its first line names beside it.

    Raises
    ------
    UsageError
        If it cannot be written.
    """
    from fitscale.data.starter.drafting import SCHEMA_FILE
    from fitscale.errors import UsageError
    from fitscale.store import files
    from fitscale.workload import schema_text

    try:
        refuse_existing(path, force)  # it may have come while the questions were answered
        files.replace(path, text)
        schema = path.parent / SCHEMA_FILE
        if not schema.exists() or schema.read_text(encoding="utf-8") != schema_text():
            files.replace(schema, schema_text())
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}); name another file with --out") from None
