"""What suites proved of each plug-in, and how much work people are judged to have: shipped tables that can be replaced."""

from __future__ import annotations

from pathlib import Path

from fitscale.machines.table import rows
from fitscale.records.base import Record
from fitscale.records.scorecard import Proof


def proofs(file: Path | None = None) -> tuple[Proof, ...]:
    """The shipped table, which ``scripts/proofs.py`` writes, or a file of the same columns.

    Raises
    ------
    UsageError
        With the line of a wrong row.
    """
    found = []
    for row in rows("proofs", file, ("family", "plugin", "ability", "passed", "as_of", "source")):
        passed = row.named("passed")
        if passed not in ("yes", "no"):
            raise row.wrong("passed", "is neither yes nor no")
        found.append(
            Proof(
                family=row.named("family"),
                plugin=row.named("plugin"),
                ability=row.named("ability"),
                passed=passed == "yes",
                tests=int(row.number("tests", least=1) or 1),
                how=row.named("source"),
                on=row.named("as_of"),
                versions=row.text("versions"),
            )
        )
    return tuple(found)


class Judged(Record):
    """Hours of people a month for each of something."""

    activity: str
    hours: float
    each: str  # job | database | kind of machine
    as_of: str
    source: str


EACH = ("job", "database", "kind of machine")


def efforts(file: Path | None = None) -> tuple[Judged, ...]:
    """As `proofs`."""
    found = []
    for row in rows("efforts", file, ("activity", "hours_per_month", "each")):
        each = row.named("each")
        if each not in EACH:
            raise row.wrong("each", f"is not one of {', '.join(EACH)}")
        found.append(
            Judged(
                activity=row.named("activity"), hours=row.needed("hours_per_month"), each=each,
                as_of=row.text("as_of"), source=row.text("source"),
            )
        )  # fmt: skip
    return tuple(found)
