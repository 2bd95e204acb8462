"""``fitscale doctor [FILE]``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def doctor(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A workload file, to try what it needs.")] = None,
    json: Annotated[bool, typer.Option("--json", help="The findings as records on stdout.")] = False,
) -> None:
    """What is here, what is missing, and the next step for each.

    With FILE: reads the workload, opens its data and imports its estimator, really. Ends with 2 if something that is
    needed does not work.
    """
    from fitscale.cli.findings import findings_of
    from fitscale.cli.saying import Out
    from fitscale.cli.shown import wrapped

    out = Out(json)
    found = list(findings_of(file))
    marks = {"ok": "ok", "missing": "–", "wrong": "WRONG"}
    for finding in found:
        out.lines(wrapped(f"{marks[finding.state]:<7}{finding.what}", finding.says, out.width, 24))
        if finding.next_step:
            out.lines(wrapped("", f"→ {finding.next_step}", out.width, 24))
    wrong = [finding for finding in found if finding.state == "wrong"]
    out.record({"format": 1, "findings": [finding.model_dump(mode="json") for finding in found]})
    if wrong:
        raise typer.Exit(2)
