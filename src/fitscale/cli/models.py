"""``fitscale models list | show | compare | package | rollback | prune``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from fitscale.cli.completing import runs_and_workloads

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

Target = Annotated[
    Path | None, typer.Argument(metavar="RUN", help="Workload file or run folder.", autocompletion=runs_and_workloads)
]
Needed = Annotated[
    Path, typer.Argument(metavar="RUN", help="Workload file or run folder.", autocompletion=runs_and_workloads)
]
Json = Annotated[bool, typer.Option("--json", help="Records on stdout.")]
Version = Annotated[int | None, typer.Option(metavar="N", help="Default: the version that is served.")]
RunFolder = Annotated[Path | None, typer.Option(metavar="DIR", help="The run folder.")]


@app.callback()
def models() -> None:
    """List, show, compare and package models; roll back and prune versions."""


@app.command("list")
def list_(
    target: Target = None,
    run: RunFolder = None,
    version: Version = None,
    status: Annotated[str | None, typer.Option(metavar="STATUS", help="Only fitted, unfit or failed ones.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only groups without a model: failed or unfit.")] = False,
    where: Annotated[
        str | None, typer.Option(metavar="SQL", help="Only these: \"dest = 'SEA' and score < 0.6\".")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", help="At most so many rows; 0: all.")] = 50,
    json: Json = False,
) -> None:
    """One line for each model: its key, status, rows, score, and why there is none."""
    from fitscale.cli.listing import listed, listed_lines, picked
    from fitscale.cli.saying import Out

    opened, out = _opened(target, run, version), Out(json)
    table = picked(opened.models(), status=status, failed=failed, where=where)
    shown = table if limit <= 0 else table.slice(0, limit)
    out.lines(listed_lines(shown, opened, out.width if out.is_terminal else None))
    if shown.num_rows < table.num_rows:
        out.say(f"and {table.num_rows - shown.num_rows:,} more: --limit 0 lists all")
    out.record({"format": 1, "version": opened.version, "found": table.num_rows, "models": listed(shown)})


@app.command()
def show(
    target: Needed,
    key: Annotated[list[str] | None, typer.Argument(metavar="KEY", help="The group's key; none for one model.")] = None,
    run: RunFolder = None,
    version: Version = None,
    json: Json = False,
) -> None:
    """One model: its recipe, score and rows, or why there is none."""
    from fitscale.cli.listing import about, about_lines
    from fitscale.cli.saying import Out

    opened, out = _opened(target, run, version), Out(json)
    found = about(opened, tuple(key or ()))
    out.lines(about_lines(found, out.width))
    out.record(found)


@app.command()
def compare(
    target: Needed,
    before: Annotated[int, typer.Argument(metavar="V1", help="A version.")],
    after: Annotated[int, typer.Argument(metavar="V2", help="Another version.")],
    limit: Annotated[int, typer.Option(metavar="N", help="How many of the largest changes are shown.")] = 10,
    json: Json = False,
) -> None:
    """Two versions: how many groups are better, worse, new or gone, and the largest changes."""
    from fitscale.cli.finding import run_of
    from fitscale.cli.listing import compared_lines
    from fitscale.cli.saying import Out
    from fitscale.models.comparing import compare as compare_

    out = Out(json)
    found = compare_(run_of(target), before, after, limit)
    out.lines(compared_lines(found))
    out.record(found)


@app.command()
def package(
    target: Needed,
    to: Annotated[Path, typer.Option(metavar="DIR", help="A folder that is not there yet.")],
    run: RunFolder = None,
    version: Version = None,
    by: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="An archive for each value of a column of the key.")
    ] = None,
    json: Json = False,
) -> None:
    """Copy the models of a version into a folder of their own, each in its library's own format.

    What is there loads without fitscale: index.json leads from key to file (in models.zip, where there are many),
    encoding.json says what the columns become. With --by (again for further columns) manifest.json leads from value to archive.
    """
    from fitscale.cli.finding import run_of
    from fitscale.cli.saying import Out
    from fitscale.cli.shown import plural, size
    from fitscale.models.packaging import package as package_

    out = Out(json)
    found = package_(run_of(target, run), to, version, by or ())
    models = plural(found.models, "model")
    out.say(f"{models} of version {found.version} → {found.to}, {plural(found.files, 'file')}, {size(found.bytes)}")
    out.record(found)


@app.command()
def rollback(
    target: Needed,
    version: Annotated[int, typer.Argument(metavar="V", help="The version to be served from now on.")],
    json: Json = False,
) -> None:
    """Serve an earlier version. Nothing is deleted; `rollback` to a later one takes it back."""
    from fitscale.cli.finding import run_of
    from fitscale.cli.saying import Out
    from fitscale.store import versions
    from fitscale.store.lock import RunLock

    found, out = run_of(target), Out(json)
    with RunLock(found):
        before = versions.current(found)
        versions.serve(found, version)
    out.say(f"{found}: version {version} is served now; it was {before if before is not None else 'none'}")
    out.record({"format": 1, "serving": version, "before": before})


@app.command()
def prune(
    target: Needed,
    keep: Annotated[int, typer.Option(metavar="N", help="How many of the latest versions stay.")],
    json: Json = False,
) -> None:
    """Delete older versions, and what no version names any more. The served version always stays."""
    from fitscale.cli.finding import run_of
    from fitscale.cli.saying import Out
    from fitscale.errors import UsageError
    from fitscale.running.state import state_of
    from fitscale.store import versions
    from fitscale.store.lock import RunLock

    if keep < 1:
        raise UsageError(f"--keep {keep}: at least one version stays; delete the folder to delete a run")
    found, out = run_of(target), Out(json)
    with RunLock(found):
        unfinished = state_of(found).unfinished
        if unfinished is not None:
            raise UsageError(
                f"{found}: version {unfinished.version} is unfinished, and its work would be pruned; finish it with "
                "'fitscale train' first"
            )
        gone = versions.prune(found, set(versions.numbers(found)[-keep:]))
    left = ", ".join(map(str, versions.numbers(found)))
    out.say(f"{found}: {len(gone):,} deleted; versions left: {left}")
    out.lines([f"    {name}" for name in gone if name.startswith("versions/")])
    out.record({"format": 1, "deleted": gone, "versions": versions.numbers(found)})


def _opened(target: Path | None, run: Path | None, version: int | None) -> Any:
    from fitscale.cli.finding import run_of
    from fitscale.models.opened import Run

    return Run(run_of(target, run), version)
