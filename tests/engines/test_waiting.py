"""Workers that wait: they do what those do that are started for their order, and nothing is left of them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fitscale.engines import process, supervisor
from fitscale.engines.process import Process
from fitscale.engines.supervisor import Child
from fitscale.engines.waiting import Waiting
from fitscale.machines import processes
from fitscale.records.run import Estimator
from fitscale.testing.runs import Trial, begin
from fitscale.work.attempt import work

MANY = Estimator(path="baseline.Classifier", params={"passes": 3})


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return begin(tmp_path / "run", MANY, groups=12)


@pytest.fixture
def waiting() -> Iterator[Waiting]:
    made = Waiting()
    yield made
    made.close()


def test_a_pool_does_with_them_what_it_does_without(tmp_path: Path, trial: Trial) -> None:
    """The order's workers are those that waited, and what is committed is the same to the last byte."""
    other = begin(tmp_path / "other", MANY, groups=12)
    plain, engine = Process(), Process()
    list(plain.start(other.run, other.attempt(workers=2), work))
    engine.ready(trial.run, 2)
    waited = {child.pid for child in seen(2)}
    events = []
    for event in engine.start(trial.run, trial.attempt(workers=2), work):
        events.append(event)
        assert {child.pid for child in children()} <= waited
    assert events[-1].data["cause"] == "done"
    assert {event.rank for event in events if event.kind == "finished"} == {0, 1}
    assert trial.committed() == other.committed()
    engine.close()
    assert children() == set()


def test_no_more_wait_than_were_asked_for(trial: Trial, waiting: Waiting) -> None:
    """Asked for again, those that wait count; closed, none is left."""
    for workers in (2, 1, 2):
        waiting.start(trial.run, workers)
        assert len(seen(2)) == 2
    waiting.close()
    assert children() == set()


def test_what_it_says_is_in_its_attempts_log(trial: Trial, waiting: Waiting) -> None:
    """As is the trace of what it raises."""
    waiting.start(trial.run, 1)
    name = trial.attempt(kind="finish")  # which names no version
    assert taken(waiting, trial.run, f"{name}.0").wait(60) == 1
    assert "names no version" in (trial.run / "attempts" / name / "log.0.txt").read_text()


def test_its_limit_and_its_clock_begin_with_its_order(trial: Trial, waiting: Waiting) -> None:
    """However long it waited, and whatever it held meanwhile."""
    waiting.start(trial.run, 1)
    began = time.monotonic()
    time.sleep(1.0)
    child = taken(waiting, trial.run, f"{trial.attempt()}.0", memory_bytes=24_000_000)
    child.wait(60)
    assert child.ended_by == "memory"
    assert child.wall_s <= time.monotonic() - began - 1.0


def test_one_that_died_is_passed_over(trial: Trial, waiting: Waiting) -> None:
    """The next takes the order; when nobody is left, whoever asks starts one."""
    waiting.start(trial.run, 2)
    first, second = seen(2)
    os.kill(first.pid, signal.SIGKILL)
    while first.pid in {process.pid for process in children()}:
        time.sleep(0.01)
    assert taken(waiting, trial.run, f"{trial.attempt()}.0").pid == second.pid
    assert waiting.take(trial.run, "1-9.0", None) is None


def test_orders_of_another_run_are_not_theirs(tmp_path: Path, trial: Trial, waiting: Waiting) -> None:
    """They were told where their run is when they were started."""
    waiting.start(trial.run, 1)
    assert waiting.take(tmp_path / "other", "1-1.0", None) is None


def taken(waiting: Waiting, run: Path, name: str, memory_bytes: int | None = None) -> Child:
    child = waiting.take(run, name, memory_bytes)
    assert child is not None
    return child


def seen(count: int) -> list[processes.Process]:
    """As many workers as are awaited: a moment ago one may still have been a copy of this process."""
    for _ in range(1_000):
        if len(found := children()) >= count:
            break
        time.sleep(0.01)
    assert len(found) == count
    return sorted(found, key=lambda process: (process.started, process.pid))


def children() -> set[processes.Process]:
    """Workers of this process that are alive."""
    table = processes.everyone()
    return {p for p in table.values() if p.ppid == os.getpid() and p.state not in "ZX" and _is_worker(p.pid)}


def _is_worker(pid: int) -> bool:
    try:
        return b"fitscale.work" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def test_one_that_is_killed_before_it_has_a_log_is_told_all_the_same(tmp_path: Path) -> None:
    """Its log is made by the worker itself; the run must go on without."""
    child = supervisor.start(["/bin/sleep", "60"], memory_bytes=None)
    child.kill()
    assert process._killed([child], [0], tmp_path) == "worker 0 ended with signal 9"
