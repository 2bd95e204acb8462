"""A parked attempt waits, goes on when told, and can be parked again at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fitscale import workload
from fitscale.planning.candidates import candidates
from fitscale.planning.preparing import prepare
from fitscale.running.attempts import Attempts
from fitscale.running.tasks import order_for, write_tasks
from fitscale.running.training import machine_for
from fitscale.store import folder
from fitscale.store.journal import Journal
from fitscale.store.lock import RunLock

JOB = {
    "name": "parked",
    "data": {"uri": "synthetic://?rows=3000&columns=3", "target": "y"},
    "model": {"estimator": "baseline.Classifier", "params": {"passes": 60, "sleep_s": 0.05}},
}


def test_parked_and_parked_again(tmp_path: Path) -> None:
    """Ten times in a row, without a pause between: each time it says that it waits, and at the end it is done."""
    job = workload.parse(JOB, file=None, folder=tmp_path)
    run = tmp_path / "run"
    folder.create(run, job.name)
    with RunLock(run) as lock:
        prepared = prepare(job, run)
        machine = machine_for(job, run)
        found, _ = candidates(prepared, machine)
        candidate = next(c for c in found if c.name == "in-memory")
        tasks = write_tasks(run, prepared, candidate, None, None)
        attempts = Attempts(run, lock.epoch, Journal(run, lock.epoch))
        try:
            order = order_for(run, tasks["fit"], candidate, machine, 0, trust=False)
            attempt: Any = attempts.start(candidate, order)
            attempts.follow(attempt, lambda a: any(e.kind == "units" for e in a.events))
            for _ in range(10):
                assert attempts.park(attempt)
                attempts.unpark(attempt)
            attempts.follow(attempt)
            assert attempt.cause == "done"
            assert [e.kind for e in attempt.events].count("unpaused") == 10
        finally:
            attempts.kill_all()
