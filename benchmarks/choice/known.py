"""The rows of the benchmark by workload, and the quantities that are forecast and measured. Pure functions."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

Row = dict[str, Any]


class Of(NamedTuple):
    """A quantity: of the forecast, and of what came; aims in percent, median and 90th percentile."""

    forecast: str
    actual: str
    plan: str
    train: str


QUANTITIES = {
    "wall time": Of("time_s", "actual_s", "12, 35", "4, 12"),
    "CPU time": Of("cpu_s", "cpu_s", "12, 35", "4, 12"),
    "memory": Of("memory_bytes", "peak_bytes", "8, 25", "2, 8"),
    "storage": Of("storage_bytes", "storage_bytes", "5", "5"),
}


class Known(NamedTuple):
    """The rows of one workload that were measured."""

    name: str
    plan: Row | None
    trains: tuple[Row, ...]  # by round
    runs: dict[str, tuple[Row, ...]]  # by candidate, of `train` and `choose`, those that nothing ended on the way
    failed: dict[str, Row]  # of the others, one for each candidate
    parts: dict[str, Row]
    forced: dict[str, Row]
    rows: tuple[Row, ...]


def known(rows: Iterable[Row]) -> list[Known]:
    """Rows by workload, in the order of their names."""
    of: dict[str, list[Row]] = {}
    for row in rows:
        of.setdefault(row["workload"], []).append(row)
    return [_known(name, sorted(some, key=lambda row: row["round"])) for name, some in sorted(of.items())]


def _known(name: str, rows: Sequence[Row]) -> Known:
    def under(what: str) -> dict[str, Row]:
        return {row["step"].partition(" ")[2]: row for row in rows if row["step"].startswith(f"{what} ")}

    runs: dict[str, list[Row]] = {}
    failed: dict[str, Row] = {}
    for row in rows:
        what, _, asked = row["step"].partition(" ")
        choice = row.get("choice") or asked
        if what in ("train", "choose") and row.get("actual_s") and not row["children_ended"]:
            runs.setdefault(choice, []).append(row)
        elif what in ("train", "choose"):
            failed[choice] = row
    return Known(
        name,
        next((row for row in rows if row["step"] == "plan"), None),
        tuple(row for row in rows if row["step"] == "train"),
        {choice: tuple(some) for choice, some in runs.items()},
        failed,
        under("parts"),
        under("force"),
        tuple(rows),
    )


def quantile(values: Iterable[float], share: float) -> float | None:
    """The value that this share does not pass: the nearest rank, and the mean of the middle two for a median."""
    ordered = sorted(values)
    if not ordered:
        return None
    return statistics.median(ordered) if share == 0.5 else ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def percent(value: float | None) -> float | None:
    return None if value is None else round(100 * value, 1)


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
