"""The parts of a date in whole numbers, as nodes: what `data.columns.date_parts_of` computes, without a calendar.

The days since 1970 become year, month and day by the algorithm of Howard Hinnant ("chrono-Compatible Low-Level Date
Algorithms", 2013), which counts years from March on, in eras of 400 years.
"""

from __future__ import annotations

import numpy as np

from fitscale.data.columns import PER_SECOND
from fitscale.exporters.onnx.graph import Graph

DAY_S = 86_400


def parts(graph: Graph, moments: str, type: str, wanted: tuple[str, ...]) -> list[str]:
    """(n, 1) double for each part. ``moments`` is int64 in the unit of the Arrow type, with nothing missing."""
    whole = _Whole(graph)
    unit = _per_second(type)
    days = moments if unit is None else whole.div(moments, DAY_S * unit)
    within = None if unit is None else whole.mod(moments, DAY_S * unit)
    found: dict[str, str] = {"weekday": whole.mod(whole.plus(days, 3), 7)}
    found |= _civil(whole, days)
    made = []
    for part in wanted:
        if part in found:
            value = graph.cast(found[part], np.float64)
        elif within is None or unit is None:
            value = graph.cast(whole.times(days, 0), np.float64)
        elif part == "hour":
            value = graph.cast(whole.div(within, 3_600 * unit), np.float64)
        elif part == "minute":
            value = graph.cast(whole.mod(whole.div(within, 60 * unit), 60), np.float64)
        else:
            seconds = graph.cast(whole.mod(within, 60 * unit), np.float64)
            value = graph.add("Div", seconds, graph.constant(np.array([[float(unit)]])))
        made.append(value)
    return made


def _per_second(type: str) -> int | None:
    """Units of the column in a second; None for days."""
    if type.startswith("date32"):
        return None
    return (
        1_000 if type.startswith("date64") else PER_SECOND[type.partition("[")[2].partition("]")[0].partition(",")[0]]
    )


def _civil(whole: _Whole, days: str) -> dict[str, str]:
    shifted = whole.plus(days, 719_468)  # from the first of March of the year 0
    era, of_era = whole.div(shifted, 146_097), whole.mod(shifted, 146_097)
    leaps = whole.minus(whole.minus(whole.plus(whole.div(of_era, 36_524), of_era), whole.div(of_era, 1_460)),
                        whole.div(of_era, 146_096))  # fmt: skip
    year = whole.div(leaps, 365)
    before = whole.minus(whole.plus(whole.times(year, 365), whole.div(year, 4)), whole.div(year, 100))
    of_year = whole.minus(of_era, before)
    month = whole.div(whole.plus(whole.times(of_year, 5), 2), 153)  # 0: March
    day = whole.plus(whole.minus(of_year, whole.div(whole.plus(whole.times(month, 153), 2), 5)), 1)
    calendar = whole.plus(whole.mod(whole.plus(month, 2), 12), 1)
    late = whole.div(month, 10)  # January and February belong to the next year
    return {"year": whole.plus(whole.plus(whole.times(era, 400), year), late), "month": calendar, "day": day}


class _Whole:
    """Arithmetic of int64, rounded down: ONNX divides towards zero, and its Mod has the divisor's sign."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def plus(self, a: str, b: str | int) -> str:
        return self._graph.add("Add", a, self._of(b))

    def minus(self, a: str, b: str | int) -> str:
        return self._graph.add("Sub", a, self._of(b))

    def times(self, a: str, b: int) -> str:
        return self._graph.add("Mul", a, self._of(b))

    def mod(self, a: str, b: int) -> str:
        return self._graph.add("Mod", a, self._of(b))

    def div(self, a: str, b: int) -> str:
        return self._graph.add("Div", self.minus(a, self.mod(a, b)), self._of(b))

    def _of(self, value: str | int) -> str:
        return value if isinstance(value, str) else self._graph.constant(np.array([[value]], np.int64))
