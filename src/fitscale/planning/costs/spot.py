"""Spot machines: what is assumed of them, and how long a run takes that is interrupted.

No table of spot prices is shipped: they change by the hour. A table of the user's own may state them, machine by machine.
"""

from __future__ import annotations

import math

from fitscale.planning.decision.better import WORTH_S
from fitscale.records.base import Figure
from fitscale.records.machine import Machine
from fitscale.records.plan import Candidate, Forecast
from fitscale.records.run import Traits
from fitscale.work.context import checkpoint_every_s
from fitscale.work.phases import PHASES

SHARE_PAID = Figure(value=0.4, low=0.2, high=0.7, origin="assumed")  # of the price on demand
INTERRUPTIONS = Figure(value=0.05, low=0.01, high=0.2, origin="assumed")  # an hour
HOUR_S = 3600.0
LEAST_CHUNKS = 8  # that the groups are cut into, and mostly more


def usd_per_hour(machine: Machine) -> Figure | None:
    """The spot price: stated, or assumed from the price on demand; None where none can be had."""
    if machine.usd_per_hour_spot is not None:
        return Figure.exact(machine.usd_per_hour_spot, "stated")
    if machine.usd_per_hour is None or not machine.provider:
        return None
    price, paid = machine.usd_per_hour, SHARE_PAID
    return Figure(value=price * paid.value, low=price * paid.low, high=price * paid.high, origin="assumed")


def interruptions(machine: Machine) -> Figure:
    """How often such a machine is taken away, an hour."""
    stated = machine.interruptions_per_hour
    return INTERRUPTIONS if stated is None else Figure.exact(stated, "stated")


def restart_s(forecast: Forecast) -> float:
    """What each interruption costs before work goes on: another machine, and all that comes before the iterations."""
    before = PHASES[: PHASES.index("iterations")]
    return WORTH_S + sum(seconds for phase, seconds in forecast.phases.items() if phase in before)


def segment_s(candidate: Candidate, forecast: Forecast, traits: Traits) -> float:
    """Seconds between two checkpoints, or of a chunk of many models; the whole run where the framework keeps no progress."""
    if candidate.is_grouped:
        return forecast.phases.get("iterations", 0.0) / LEAST_CHUNKS
    if traits.progress == "none":
        return math.inf
    unit = forecast.phases.get("iterations", 0.0) / max(1, traits.units)
    return max(checkpoint_every_s(), unit)


def expected_s(work_s: float, an_hour: float, restart: float, segment: float) -> float:
    """The time that a run takes on average, with its interruptions; infinite where it is not to be expected to end.

    Parameters
    ----------
    work_s
        Seconds without any.
    an_hour
        Interruptions, at a constant rate.
    restart
        Seconds that each costs before work goes on.
    segment
        Seconds of work between checkpoints, of which each interruption loses a half. If it is no shorter than the work,
        nothing is kept: the run begins anew until it comes through, which takes (exp(rate × work) − 1) / rate, and a
        restart for each of the exp(rate × work) − 1 times that it does not.
    """
    rate = an_hour / HOUR_S
    if rate == 0 or work_s <= 0:
        return work_s
    if segment >= work_s:
        if rate * work_s > 30:  # 10 million interruptions
            return math.inf
        fails = math.expm1(rate * work_s)
        return max(work_s, fails / rate + fails * restart)
    lost = rate * (restart + segment / 2)  # of each second that passes
    return work_s / (1 - lost) if lost < 1 else math.inf


def expected(work: Figure, rate: Figure, restart: float, segment: float) -> Figure | None:
    """The same with both ends; None where even the middle does not end."""
    value = expected_s(work.value, rate.value, restart, segment)
    if not math.isfinite(value):
        return None
    low, high = expected_s(work.low, rate.low, restart, segment), expected_s(work.high, rate.high, restart, segment)
    return Figure(value=value, low=min(low, value), high=high if math.isfinite(high) else 1e3 * value, origin="assumed")
