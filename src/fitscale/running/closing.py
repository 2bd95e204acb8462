"""An open workload is closed before it is planned: what it leaves open is settled, and kept.

What comes of it is an ordinary workload, and goes the ordinary way.
"""

from __future__ import annotations

from fitscale.planning.preparing import Prepared
from fitscale.running import choosing, sufficing
from fitscale.running.command import Command


def close(prepared: Prepared, command: Command) -> Prepared:
    """The same job with what it left open settled: which model, and then how much of the data is enough for that.

    `train` tunes, where `plan` says how long that will take. How much is enough is told in a note.

    Raises
    ------
    UsageError
        What is wrong with the workload or the data.
    """
    if choosing.is_open(prepared.workload):
        prepared = choosing.Choosing(prepared, command).settled()
    if sufficing.is_open(prepared.workload):
        prepared, how = sufficing.settled(prepared, command)
        command.told.note(how)
    return prepared
