"""What all candidates of a plan are measured against."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, get_args

from fitscale.planning.decision.curves import score
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed
from fitscale.records.scorecard import Anchors, Entry, Facts, Measure
from fitscale.records.workload import Workload

MEASURES: tuple[Measure, ...] = get_args(Measure)


class Ground(NamedTuple):
    workload: Workload
    machine: Machine  # this one
    facts: Facts
    floor_s: float = 0.0  # the least that physics allows any of them
    others: tuple[Assessed, ...] = ()  # that are told of beside each; no score hangs on them


def floor_of(assessed: Iterable[Assessed]) -> float:
    """Seconds that none of them can beat; 0 where there is none."""
    return min((a.forecast.floor_s or a.forecast.time_s.low for a in assessed), default=0.0)


def entry(name: Measure, value: float | None, anchors: Anchors | None, **about: object) -> Entry:
    """One measurement, with its place among the eight and its score."""
    known = score(value, anchors) if value is not None and anchors is not None else None
    given = {"counted": known is not None, "number": MEASURES.index(name) + 1, "name": name, "value": value}
    return Entry.model_validate({**given, "anchors": anchors, "score": known, **about})
