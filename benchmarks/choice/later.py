"""What `plan` would have said with twenty earlier runs of this machine in the ledger: figure (iii). Pure functions.

Nothing is run for it. The twenty are drawn from runs of other workloads whose forecast was of the same kind, and move this one as
`planning.forecasts.calibrating` does. Draws are several, since which twenty they are is chance.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from choice.known import Known, Of
from choice.seed import NAMES, entry_of, kind_of
from fitscale.planning.forecasts.calibrating import CROWDED, LEAST, adjusted_of, moved
from fitscale.records.base import Figure
from fitscale.records.ledger import Entry, Quantity, Range

DRAWS = 9


class Later(NamedTuple):
    """A forecast as twenty earlier runs move it, and what came."""

    said: Range
    actual: float


def later(main: Sequence[Known], every: Sequence[Known], of: Of) -> dict[str, list[Later]]:
    """By workload of ``main``, a forecast of each draw: of what `plan` chose. ``every`` must have twenty runs of the same kind."""
    past = {one.name: list(_entries(one)) for one in every}
    quantity = NAMES[of.forecast]
    found: dict[str, list[Later]] = {}
    for one in main:
        choice = one.plan["chosen"] if one.plan else None
        if one.plan is None or choice not in one.runs or not one.runs[choice][0].get(of.actual):
            continue
        forecast = one.plan["forecasts"][choice]
        if of.forecast not in forecast:
            continue
        kind = kind_of(forecast["source"])
        others = [
            entry for name in sorted(past) if name != one.name for entry in past[name] if _speaks(entry, kind, quantity)
        ]
        for draw in range(DRAWS) if len(others) >= LEAST else ():
            some = random.Random(f"{one.name}/{quantity}/{draw}").sample(others, LEAST)
            by = adjusted_of(some, kind, quantity)
            low, value, high = forecast[of.forecast]
            figure = moved(Figure(value=value, low=low, high=high, origin="forecast"), by)
            actual = float(one.runs[choice][0][of.actual])
            found.setdefault(one.name, []).append(Later((figure.low, figure.value, figure.high), actual))
    return found


def later_errors(found: dict[str, list[Later]]) -> dict[str, float]:
    """Of each workload, the median over the draws."""
    return {name: statistics.median(abs(one.said[1] / one.actual - 1) for one in some) for name, some in found.items()}


def _entries(one: Known) -> Iterator[Entry]:
    """Lines of a ledger as `plan` alone would have written them: what it said before the run, and what came."""
    for rows in one.runs.values():
        for row in rows:
            if one.plan is not None and (entry := entry_of(row, one.plan)) is not None:
                yield entry.but(said=tuple(said for said in entry.said if said.by == "plan"))


def _speaks(entry: Entry, kind: str, quantity: Quantity) -> bool:
    """Whether it has a forecast of that kind and that quantity; of time, whether it had the machine for itself."""
    known = any(said.kind == kind and quantity in said.figures for said in entry.said) and quantity in entry.actual
    return known and (quantity != "time" or entry.contention <= CROWDED)
