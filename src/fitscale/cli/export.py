"""``fitscale export RUN --to FORMAT --out FOLDER``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fitscale.cli.completing import formats, runs_and_workloads
from fitscale.records.base import Record
from fitscale.records.run import Compared

if TYPE_CHECKING:
    from fitscale.models.opened import Run

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class ExportedRecord(Record):
    """What ``--json`` prints."""

    format: int = 1
    to: str
    version: int
    models: int
    files: tuple[str, ...]
    bytes: int
    compared: Compared | None = None


@app.command()
def export(
    to: Annotated[
        str, typer.Option(metavar="FORMAT", help="native or onnx, or what a plug-in brings.", autocompletion=formats)
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the files go; not there yet.")],
    target: Annotated[
        Path | None,
        typer.Argument(metavar="RUN", help="Workload file or run folder.", autocompletion=runs_and_workloads),
    ] = None,
    run: Annotated[Path | None, typer.Option(metavar="DIR", help="The run folder.")] = None,
    version: Annotated[int | None, typer.Option(metavar="N", help="Default: the version that is served.")] = None,
    trust: Annotated[bool, typer.Option("--trust", help="Pickles from elsewhere may be loaded.")] = False,
    json: Annotated[bool, typer.Option("--json", help="What was written as a record on stdout.")] = False,
) -> None:
    """Write a finished version for elsewhere: native (the library's own files) or onnx (raw columns in, predictions out).

    ONNX is compared with the run's own models on held-out rows first. Where it predicts otherwise nothing is written, and
    the command ends with 1. Many models become one archive, with index.json from key to file.
    """
    import os

    from fitscale.cli.finding import run_of
    from fitscale.cli.saying import Out
    from fitscale.errors import UsageError
    from fitscale.models.exporting import exporter_of
    from fitscale.models.opened import Run
    from fitscale.store.files import disk_errors
    from fitscale.workload import settings

    said = Out(json)
    exporter = exporter_of(to)
    if out.suffix in (".onnx", ".zip"):
        raise UsageError(f"--out {out}: names a folder, and the model is a file in it; leave out {out.suffix}")
    trusted = settings({"trust": trust or None}, os.environ, Path(".")).trust
    opened = Run(run_of(target, run), version, trust=trusted)
    with disk_errors(out):
        made = exporter.export(opened.path, opened.version, out, trust=trusted)
    found = ExportedRecord(
        to=to,
        version=opened.version,
        models=opened.manifest.models,
        files=tuple(str(path) for path in made.files),
        bytes=sum(path.stat().st_size for path in made.files),
        compared=made.compared,
    )
    said.lines(exported_lines(found, opened, out))
    said.record(found)


def exported_lines(found: ExportedRecord, run: Run, out: Path) -> list[str]:
    """The lines that a person reads."""
    from fitscale.cli.shown import plural, size

    what = f"{plural(found.models, 'model')} of version {found.version} of {run.name} → {out}, {size(found.bytes)}"
    return [what, *compared_lines(found.compared)]


def compared_lines(compared: Compared | None) -> list[str]:
    """How what was exported compares with the run's own predictions."""
    from fitscale.cli.shown import plural

    if compared is None:
        return []
    if not compared.rows:
        return ["compared on no rows: the data has none for these models"]
    through = f", through {plural(compared.models, 'model')}" if compared.models > 1 else ""
    lines = [
        f"compared on {plural(compared.rows, 'held-out row')}{through}: the largest difference of {compared.of} is "
        f"{compared.largest:.2g}"
    ]
    if compared.ties:
        lines.append(
            f"{plural(compared.ties, 'label')} that differ are ties: the model gives both the same probability"
        )
    return lines
