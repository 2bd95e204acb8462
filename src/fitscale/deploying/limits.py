"""What a machine is asked for, and when its run is ended: from the upper ends of what is forecast."""

from __future__ import annotations

import math

from fitscale.planning import wording
from fitscale.planning.costs.storing import SYSTEM_GB
from fitscale.planning.decision.gates import p99_bytes
from fitscale.planning.forecasts.spread import quantile
from fitscale.records.base import Record
from fitscale.records.plan import Forecast

ENDED = 0.99
LEAST_S = 600  # a minute more or less of a short run is a matter of starting, which nothing was measured of
GIB = 2**30


class Limits(Record):
    time_s: int
    disk_gb: int
    memory_gib: int

    @property
    def ended(self) -> str:
        """``2.7 h (P99 of the modelled time)``."""
        why = "the least that is given" if self.time_s == LEAST_S else "P99 of the modelled time"
        return f"{wording.duration(float(self.time_s))} ({why})"


def limits_of(forecast: Forecast, moved_bytes: int) -> Limits:
    """Time at P99, in whole minutes; a disk for system, data and what the run keeps; memory at P99, as it was admitted."""
    return Limits(
        time_s=max(LEAST_S, math.ceil(quantile(forecast.time_s, ENDED) / 60) * 60),
        disk_gb=SYSTEM_GB + math.ceil((moved_bytes + forecast.storage_bytes.high) / 1e9),
        memory_gib=max(1, math.ceil(p99_bytes(forecast) / GIB)),
    )
