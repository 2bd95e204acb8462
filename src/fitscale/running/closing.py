"""An open workload is closed before it is planned: what it leaves open is settled, and kept.

What comes of it is an ordinary workload, and goes the ordinary way.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fitscale.planning.preparing import Prepared
from fitscale.records.machine import Machine
from fitscale.records.workload import Workload
from fitscale.running import choosing, sufficing
from fitscale.running.attempts import Attempts
from fitscale.store.journal import Journal


def is_open(workload: Workload) -> bool:
    """Whether something is left to be settled before it can be planned."""
    return choosing.is_open(workload) or sufficing.is_open(workload)


def close(
    run: Path,
    prepared: Prepared,
    attempts: Attempts,
    machine: Machine,
    journal: Journal,
    *,
    goes_on: bool,
    trust: bool = False,
    choose: str | None = None,
    probe_s: float | None = None,
    fresh: bool = False,
    told: Callable[[str], None] = lambda text: None,
) -> Prepared:
    """The same job with what it left open settled: which model, and then how much of the data is enough for that.

    Parameters
    ----------
    goes_on
        `train` follows: it tunes, where `plan` says how long that will take.
    fresh
        Decide anew.
    told
        Called with a sentence on how it came to be settled.

    Raises
    ------
    UsageError
        What is wrong with the workload or the data.
    """
    if choosing.is_open(prepared.workload):
        prepared = choosing.Choosing(
            run, prepared, attempts, machine, journal,
            goes_on=goes_on, trust=trust, choose=choose, probe_s=probe_s, fresh=fresh,
        ).settled()  # fmt: skip
    if sufficing.is_open(prepared.workload):
        prepared, how = sufficing.settled(
            run, prepared, attempts, machine, journal,
            goes_on=goes_on, trust=trust, choose=choose, limit_s=probe_s, fresh=fresh,
        )  # fmt: skip
        told(how)
    return prepared
