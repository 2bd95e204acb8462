"""What the planner chooses at a point, and the quantities that a tree may ask for there: by its own functions, from priors."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from workloads import Point, machine_of, prepared_of

from fitscale.machines.catalogue import catalogue
from fitscale.planning.loop import Loop
from fitscale.planning.tree.measures import MEASURES, measured
from fitscale.planning.tree.path import class_of
from fitscale.records.machine import Machine

RULES = {
    "memory": "memory at P99, for each way alone",
    "storage": "the disk",
    "deadline": "the deadline, for each way alone",
    "budget": "the budget, for each machine alone",
    "functions": "the functions that are asked for",
    "ability": "what the framework can do",
    "other": "what gives another model is only taken where allow_other says so",
}
DIGITS = 6  # of a quantity, as the table has it


class Choice(NamedTuple):
    point: Point
    chosen: str
    measures: tuple[float, ...]  # in the order of `MEASURES`


@cache
def rented() -> tuple[Machine, ...]:
    """The better places: all of the catalogue that is shipped."""
    return catalogue()


def choice_of(point: Point) -> Choice:
    prepared, sizes = prepared_of(point)
    loop = Loop(prepared, None, machine_of(point), sizes=sizes)
    found, decision = loop.decided()
    if decision.chosen is None or not decision.meets:  # only then does another place change what is recommended
        loop = Loop(prepared, None, machine_of(point), sizes=sizes, elsewhere=rented())
        found, decision = loop.decided()
    asked = loop.circumstances(found)._replace(machines=rented())
    return Choice(point, class_of(decision), tuple(rounded(measured(name, asked).value) for name in MEASURES))


def rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def reason_of(point: Point, leaf: str) -> str:
    """Which rule of the planner a tree does not have that leads this point to another leaf."""
    prepared, sizes = prepared_of(point)
    decision = Loop(prepared, None, machine_of(point), sizes=sizes, elsewhere=rented()).decided()[1]
    refusal = next((r for r in decision.refused if r.candidate.strategy == leaf), None)
    if refusal is not None:
        return RULES[refusal.gate]
    if class_of(decision) in ("rented", "nothing") or leaf in ("rented", "nothing"):
        return "each machine of the catalogue has a forecast of its own: memory, time and price must meet on one"
    return "what is equal to a twentieth in time and memory is told apart by further digits"
