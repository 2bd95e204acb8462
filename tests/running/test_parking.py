"""A parked attempt waits, goes on when told, and can be parked again at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fitscale import workload
from fitscale.planning import loop
from fitscale.planning.candidates import candidates
from fitscale.planning.preparing import prepare
from fitscale.records.run import Event
from fitscale.running.attempts import Attempts
from fitscale.running.command import machine_for
from fitscale.running.engines import Engines
from fitscale.running.planning import plan_only
from fitscale.running.tasks import order_for, write_tasks
from fitscale.running.training import train
from fitscale.store import folder
from fitscale.store.journal import Journal, replay
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
        attempts = Attempts(run, lock.epoch, Journal(run, lock.epoch), Engines(run))
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


@pytest.mark.parametrize("command", [plan_only, train], ids=["plan", "train"])
def test_what_was_begun_waits_while_a_rival_is_probed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Any
) -> None:
    """Two at once share the cores, and show a pace that neither has: LightGBM took 100 s of a plan that takes 10."""
    monkeypatch.setattr(loop, "NO_PROBE_S", 0.0)
    monkeypatch.setattr(loop, "SAMPLE_S", -1e9)  # every rival is worth a look
    rows = {"uri": "synthetic://?rows=20000&columns=3", "target": "y"}  # enough to take a part of them
    job = workload.parse({**JOB, "data": rows}, file=None, folder=tmp_path)
    run = tmp_path / "run"
    command(job, run)
    seen = list(replay(run))
    begun = [(event["attempt"], event["at"]) for event in seen if event["kind"] == "attempt-started"]
    ended = {event["attempt"]: event["at"] for event in seen if event["kind"] == "attempt-ended"}
    (leader, _), *rivals = [(name, at) for name, at in begun if folder.read_order(run, name).kind == "fit"]
    probes = [(at, ended[name]) for name, at in rivals if folder.read_order(run, name).samples]
    assert probes
    lines = (run / "attempts" / leader / "events.0.jsonl").read_text().splitlines()
    worked = [event.at for event in map(Event.from_json, lines) if event.kind == "units"]
    assert worked
    assert not [at for at in worked for start, end in probes if start < at < end]
