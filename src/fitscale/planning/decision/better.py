"""The second verdict: which rented machine would be better than this one."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fitscale.records.plan import Assessed

FASTER = 1.5
WORTH_S = 300.0  # renting, copying the data there and starting take minutes


def better_of(
    chosen: Assessed | None, meets: bool, elsewhere: Sequence[Assessed], must: float | None
) -> Assessed | None:
    """The cheapest run that is notably faster; where nothing meets the musts here, the cheapest that does there.

    ``elsewhere`` has passed the gates of its machines.
    """
    in_time = [a for a in elsewhere if must is None or a.forecast.time_s.value <= must]
    if chosen is not None and meets:
        here = chosen.forecast.time_s.value
        in_time = [
            a for a in in_time
            if a.forecast.time_s.value * FASTER <= here and here - a.forecast.time_s.value >= WORTH_S
        ]  # fmt: skip
    return min(in_time, key=_price, default=None)


def _price(a: Assessed) -> tuple[float, float, str, str]:
    cost = a.forecast.cost_usd.value if a.forecast.cost_usd is not None else math.inf
    return (cost, a.forecast.time_s.value, a.candidate.machine, a.candidate.name)
