"""The rule by which speed is carried over to a machine that was never measured. All that comes of it is *modelled*.

Per core: the ratio of the fixed loop (`Machine.cpu_ns`) where both were measured, else the ratio of the clocks, else
1. Each has a stated interval, because clocks say nothing of caches, vector units and what a virtual core is.
For threads: Amdahl's law with a parallel fraction that the caller gives (measured, or by the family's prior). Past the
number of threads that was measured, memory bandwidth may be short, so the slow end widens with each doubling.
"""

from __future__ import annotations

import math

from fitscale.records.base import Figure
from fitscale.records.machine import Machine

BY_LOOP = 0.15
BY_CLOCK = 0.3  # 2.6 GHz against 3.5 GHz may be nominal against boosted
BY_NOTHING = 0.6
PER_DOUBLING = 0.1


def relative_speed(here: Machine, there: Machine) -> Figure:
    """How many times as fast a core of `there` is; 2 means half the CPU time. Exactly 1 for the same machine."""
    if here == there:
        return Figure.exact(1.0, "measured")
    if here.cpu_ns and there.cpu_ns:
        return Figure.around(here.cpu_ns / there.cpu_ns, BY_LOOP, "modelled")
    if here.clock_ghz and there.clock_ghz:
        return Figure.around(there.clock_ghz / here.clock_ghz, BY_CLOCK, "modelled")
    return Figure.around(1.0, BY_NOTHING, "assumed")


def wall_scale(
    here: Machine,
    there: Machine,
    *,
    parallel: float,
    threads_here: int | None = None,
    threads_there: int | None = None,
) -> Figure:
    """By what the wall time measured `here` is multiplied `there`; 0.5 means half as long.

    Parameters
    ----------
    parallel
        The part of the work that threads share, from 0 to 1.
    threads_here, threads_there
        Threads measured with, and to be run with; default: all cores of each.
    """
    if not 0 <= parallel <= 1:
        raise ValueError(f"parallel: {parallel} is not between 0 and 1")
    measured, wanted = threads_here or here.cores, threads_there or there.cores
    speed = relative_speed(here, there)
    if here == there and measured == wanted:
        return Figure.exact(1.0, "measured")
    amdahl = (1 - parallel + parallel / wanted) / (1 - parallel + parallel / measured)
    widening = (1 + PER_DOUBLING * parallel) ** max(0.0, math.log2(wanted / measured))
    return Figure(
        value=amdahl / speed.value,
        low=amdahl / speed.high,
        high=amdahl / speed.low * widening,
        origin="assumed" if speed.origin == "assumed" else "modelled",
    )
