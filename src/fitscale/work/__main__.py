"""``python -P -m fitscale.work RUN NAME``: a worker. It is told where the run is and which attempt it works on, nothing else.

Without NAME it waits for that on its standard input: see `engines.waiting`.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from pathlib import Path


def _quiet_memory() -> None:
    # Before anything allocates much: one arena and Arrow on the system's allocator cut the peak by a quarter.
    mallopt_arena_max = -8
    ctypes.CDLL(None).mallopt(mallopt_arena_max, 1)
    os.environ.setdefault("MALLOC_ARENA_MAX", "1")
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


def _limit_threads(run: Path, name: str) -> None:
    # Read at import by OpenMP and BLAS, so it must stand before numpy is loaded; the order itself is read again later.
    order = json.loads((run / "attempts" / name.partition(".")[0] / "order.json").read_text())
    os.environ["OMP_NUM_THREADS"] = str(order["threads"])
    os.environ["OPENBLAS_NUM_THREADS"] = "1" if order["kind"] == "groups" else str(order["threads"])
    # Waiting threads must not burn what others need; but those that sleep at once cost histograms a tenth of their time.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("GOMP_SPINCOUNT", "100000")  # a tenth of a millisecond


def main() -> int:
    run = Path(sys.argv[1])
    _quiet_memory()
    name = sys.argv[2] if len(sys.argv) > 2 else None
    if name is None:
        os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as it is for a pool, the only orders that are waited for
    else:
        _limit_threads(run, name)
    from fitscale.machines.processes import die_with_parent

    die_with_parent(os.getppid())
    if name is None:
        from fitscale.work.waiting import name_told

        name = name_told(run)
        _limit_threads(run, name)
    from fitscale.work.attempt import work

    return work(run, name)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Not through the interpreter's shutdown: libraries' threads and finalisers have nothing left to do, and can hang.
    os._exit(code)
