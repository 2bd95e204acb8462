"""``fitscale doctor [FILE]``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fitscale.cli.completing import workload_files

if TYPE_CHECKING:
    from fitscale.cli.checking import Finding

app = typer.Typer(add_completion=False, rich_markup_mode=None)
MARKS = {"ok": "ok", "note": "note", "missing": "–", "wrong": "WRONG"}


@app.command()
def doctor(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="A workload file, to try what it needs.", autocompletion=workload_files),
    ] = None,
    run: Annotated[Path | None, typer.Option(metavar="DIR", help="The run folder, where it is another one.")] = None,
    json: Annotated[bool, typer.Option("--json", help="The findings as records on stdout.")] = False,
) -> None:
    """What is here, what is missing, and the next step for each.

    Looks at the machine, at the libraries and their versions, and at the disk where runs are kept. With FILE it also reads
    the workload, opens its data, reads rows of it, imports its estimator and tries its run folder, really; counts what
    must be stood up around a run, and reads the catalogues that are named. Nothing is kept. Ends with 2 if something that
    is needed does not work.
    """
    from fitscale.cli.checking import findings_of
    from fitscale.cli.saying import Out

    out = Out(json)
    found = []
    for finding in findings_of(file, run):
        found.append(finding)
        out.lines(finding_lines(finding, out.width))
    wrong = sum(finding.state == "wrong" for finding in found)
    out.lines(["", *summed_lines(found, file, out.width)])
    out.record({"format": 1, "findings": [finding.model_dump(mode="json") for finding in found]})
    if wrong:
        raise typer.Exit(2)


def finding_lines(finding: Finding, width: int) -> list[str]:
    """The finding, and under it its next step."""
    from fitscale.cli.shown import wrapped

    lines = wrapped(f"{MARKS[finding.state]:<7}{finding.what}", finding.says, width, 24)
    return [*lines, *wrapped("", f"→ {finding.next_step}", width, 24)] if finding.next_step else lines


def summed_lines(found: list[Finding], file: Path | None, width: int) -> list[str]:
    """What it comes to."""
    from fitscale.cli.shown import plural, wrapped

    wrong = [finding.what for finding in found if finding.state == "wrong"]
    if wrong:
        verb = "does" if len(wrong) == 1 else "do"
        return wrapped("", f"{plural(len(wrong), 'thing')} that {verb} not work: {', '.join(wrong)}", width, 0)
    missing = sum(finding.state == "missing" for finding in found)
    told = f"; {plural(missing, 'extra')} not installed, needed by none of this" if missing else ""
    if file is None:
        return wrapped(
            "", f"Nothing is wrong{told}. With a workload file it is tried too: fitscale doctor FILE", width, 0
        )
    return wrapped("", f"Nothing is wrong{told}. Next: fitscale plan {file}", width, 0)
