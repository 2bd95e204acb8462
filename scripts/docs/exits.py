"""docs/reference/exit-codes.md: what a command ends with, from the error tree."""

from __future__ import annotations

from collections.abc import Iterator

from text import code, prose, table

from fitscale import errors
from fitscale.cli.main import INTERRUPTED

HEAD = """
# Exit codes

A command ends with 0, or writes one line `error: PLACE: PROBLEM; NEXT STEP` to stderr and ends with the code of its error.
`FITSCALE_TRACE=1` shows the Python trace too. From Python the same errors are raised; they stand in `fitscale.errors`, and
each has its `exit_code`.
"""
LAST = """
A script that starts a run again needs one rule: after {again} the same command goes on where it stopped, or says in its error what
stands in the way; after 2, 3 and 4 something must be changed first. A command that was killed (137 for `kill -9`) goes on too.
"""


def page() -> str:
    codes: dict[int, list[type[errors.FitscaleError]]] = {}
    for error in _tree(errors.FitscaleError):
        codes.setdefault(error.exit_code, []).append(error)
    rows = [["0", "", "Done; also where there was nothing to do."]]
    rows += [
        [str(exit_code), code(error.__name__), prose(error.__doc__).splitlines()[0]]
        for exit_code, several in sorted(codes.items())
        for error in several
    ]
    rows.append(
        [str(INTERRUPTED), code("KeyboardInterrupt"), "Ctrl-C. What was committed is kept; the same command goes on."]
    )
    again = f"{errors.Resumable.exit_code} and {INTERRUPTED}"
    return "\n\n".join([HEAD.strip(), table(["code", "error", "when"], rows), LAST.format(again=again).strip()])


def _tree(error: type[errors.FitscaleError]) -> Iterator[type[errors.FitscaleError]]:
    yield error
    for inner in error.__subclasses__():
        if inner.__module__ == errors.__name__:
            yield from _tree(inner)
