"""A worker that waits for its order, having imported what every worker of a pool needs. See `engines.waiting`."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def name_told(run: Path) -> str:
    """The name of the attempt, once it is known; what this process says goes to the attempt's log from then on."""
    _import()
    name = sys.stdin.readline().strip()
    if not name:
        os._exit(0)  # nobody needed it
    attempt, _, rank = name.partition(".")
    log = run / "attempts" / attempt / f"log.{rank}.txt"
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    null = os.open(os.devnull, os.O_RDONLY)
    for stream, to in ((0, null), (1, file), (2, file)):
        os.dup2(to, stream)
    return name


def _import() -> None:
    """What cutting the rows, fitting the groups and putting the version together have in common."""
    import pyarrow.compute
    import pyarrow.parquet  # noqa: F401

    import fitscale.data.encoding
    import fitscale.data.groups
    import fitscale.data.rowcheck
    import fitscale.work.attempt
    import fitscale.work.context
    import fitscale.work.finish
    import fitscale.work.groups
    import fitscale.work.partitioning  # noqa: F401
