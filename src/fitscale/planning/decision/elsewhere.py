"""A candidate on a machine that it was never measured on: the one place where that is forecast, and put to that machine's gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fitscale.planning.decision.gates import gate
from fitscale.planning.forecasts import forecasting
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Law, Refusal
from fitscale.records.workload import Workload

STANDS_FOR = ("data-parallel", "parts-and-merge")  # in-memory stands for them on one machine


class There(NamedTuple):
    """What is forecast there, and the first gate of that machine that refuses it."""

    assessed: Assessed
    refusal: Refusal | None


def there(one: Assessed, law: Law, workload: Workload, here: Machine, machine: Machine) -> There:
    """The candidate on another machine, begun anew: what was done of it here stays here."""
    own = one.but(forecast=one.forecast.but(done_s=0.0))
    assessed = forecasting.moved(own, law, here, machine)
    return There(assessed, gate(assessed, workload, machine, surely=False))


def comparable(found: Sequence[Assessed]) -> list[Assessed]:
    """Those that are compared on other machines: without the ones that in-memory stands for, unless there is nothing else."""
    own = [one for one in found if one.candidate.strategy not in STANDS_FOR]
    return own or list(found)
