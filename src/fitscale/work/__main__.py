"""``python -P -m fitscale.work RUN NAME``: a worker. It is told where the run is and which attempt it works on, nothing else."""

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
    run, name = Path(sys.argv[1]), sys.argv[2]
    _quiet_memory()
    _limit_threads(run, name)
    from fitscale.engines.supervisor import die_with_parent

    die_with_parent(os.getppid())
    from fitscale.work.attempt import work

    return work(run, name)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Not through the interpreter's shutdown: libraries' threads and finalisers have nothing left to do, and can hang.
    os._exit(code)
