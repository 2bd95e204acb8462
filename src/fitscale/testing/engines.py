"""The suite that every engine passes: real attempts of the smallest framework, ended in every way that an attempt can end.

    class TestMine(EngineSuite):
        @pytest.fixture
        def engine(self):
            return MyEngine()

What an engine of your own cannot be asked, say: ``limits = False`` where it holds no memory limit, ``processes = False``
where its workers are no processes of this machine.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import time
from collections.abc import Generator
from pathlib import Path
from typing import ClassVar

import pytest

from fitscale.contracts import Engine
from fitscale.engines.inline import Inline
from fitscale.records.plan import Candidate
from fitscale.records.run import Estimator, Event
from fitscale.store import checkpoints, chunks
from fitscale.store.lock import RunLock
from fitscale.testing.runs import Trial, begin
from fitscale.testing.trying import free_port
from fitscale.work.attempt import work

CAUSES = frozenset({"done", "stopped", "failed", "memory", "killed"})
QUICK = Estimator(path="baseline.Classifier", params={"passes": 3})
SLOW = Estimator(path="baseline.Classifier", params={"passes": 60, "sleep_s": 0.25})  # to be ended before its end
FAILS = Estimator(path="baseline.Classifier", params={"fail": 1})
PATIENCE_S = 60.0
# The least of what a worker holds: less than this no fit can run in.
TOO_LITTLE = 24_000_000

Events = Generator[Event, None, None]


class EngineSuite:
    """Subclass it, and give the fixture ``engine``."""

    limits: ClassVar[bool] = True  # it ends an attempt that passes its memory limit
    processes: ClassVar[bool] = (
        True  # its workers are processes of this machine, with the run's path on their command line
    )
    ranked: ClassVar[Estimator] = Estimator(path="xgboost.XGBClassifier", params={"n_estimators": 8, "max_depth": 3})

    @pytest.fixture
    def engine(self) -> Engine:
        """The engine under test."""
        raise NotImplementedError("override the fixture 'engine'")

    @pytest.fixture(autouse=True)
    def every_checkpoint(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Checkpoints are written at each unit: attempts are short here."""
        monkeypatch.setenv("FITSCALE_CHECKPOINT_S", "0")

    # what it says of itself

    def test_it_fulfils_the_protocol(self, engine: Engine) -> None:
        """All that the contract names is there, and it hosts something."""
        assert isinstance(engine, Engine)
        assert engine.can
        assert engine.can <= {"tasks", "ranks", "session"}

    def test_a_refusal_is_a_sentence(self, engine: Engine) -> None:
        """It hosts a single process where it hosts tasks; whatever it refuses, it says why."""
        one = Candidate(
            name="x", framework="baseline", strategy="in-memory", engine=engine.name, machine="here", form="matrix"
        )
        if "tasks" in engine.can:
            assert engine.reason_not(one) is None
        for candidate in (one.but(workers=4), one.but(ranks=4, form="shard", strategy="data-parallel")):
            assert engine.reason_not(candidate) is None or len(str(engine.reason_not(candidate)).split()) > 3

    # how attempts end

    def test_an_attempt_that_is_done_says_so_last(self, engine: Engine, tmp_path: Path) -> None:
        """Events come in order, `ended` once and at the end, with code 0 and cause done; the chunk is committed."""
        self._tasks(engine)
        trial = begin(tmp_path / "run", QUICK)
        events = list(engine.start(trial.run, trial.attempt(), work))
        assert [event.kind for event in events].count("ended") == 1
        assert _end(events) == ("done", 0)
        kinds = [event.kind for event in events if event.kind != "memory"]
        assert kinds[0] == "started"
        assert kinds[-2:] == ["finished", "ended"]
        assert [event.data["units"] for event in events if event.kind == "units"] == [1, 2, 3]
        assert chunks.committed(trial.run, trial.task) == {0}

    def test_a_failure_is_told_with_its_reason(self, engine: Engine, tmp_path: Path) -> None:
        """A fit that raises: cause failed, a code that is not 0, and the error among the events. Nothing is committed."""
        self._tasks(engine)
        trial = begin(tmp_path / "run", FAILS)
        events = list(engine.start(trial.run, trial.attempt(), work))
        cause, code = _end(events)
        assert cause == "failed"
        assert code
        (failed,) = [event for event in events if event.kind == "failed"]
        assert failed.data["error"] == "ValueError"
        assert "asked to fail" in failed.data["message"]
        assert chunks.committed(trial.run, trial.task) == set()

    def test_an_attempt_that_is_told_to_stop_leaves_a_checkpoint(self, engine: Engine, tmp_path: Path) -> None:
        """Cause stopped and code 0; the next attempt goes on from there and ends with the bytes of an uninterrupted one."""
        self._tasks(engine)
        slow = SLOW.but(params={"passes": 12, "sleep_s": 0.25})
        trial = begin(tmp_path / "run", slow)
        first = trial.attempt()
        events = engine.start(trial.run, first, work)
        seen = _until(events, "units")
        (trial.run / "attempts" / first / "control").write_text("stop")
        seen += list(events)
        assert _end(seen) == ("stopped", 0)
        saved = checkpoints.latest(trial.run, trial.task, pickles=False, trusted=False)
        assert saved is not None
        assert 1 <= saved.units < 12
        seen = list(engine.start(trial.run, trial.attempt(), work))
        assert _end(seen) == ("done", 0)
        assert [event.data["units"] for event in seen if event.kind == "resumed"] == [saved.units]
        assert trial.committed() == self._inline(tmp_path, slow)

    def test_an_attempt_that_was_forgotten_ends(self, engine: Engine, tmp_path: Path) -> None:
        """When a newer command has taken the run, what an older one began ends by itself."""
        self._tasks(engine)
        trial = begin(tmp_path / "run", SLOW)
        events = engine.start(trial.run, trial.attempt(), work)
        seen = _until(events, "units")
        with RunLock(trial.run):
            pass
        seen += list(events)
        assert _end(seen) == ("stopped", 0)
        assert chunks.committed(trial.run, trial.task) == set()

    def test_a_paused_attempt_waits_and_goes_on(self, engine: Engine, tmp_path: Path) -> None:
        """No unit is done between paused and unpaused."""
        self._tasks(engine)
        trial = begin(tmp_path / "run", SLOW.but(params={"passes": 8, "sleep_s": 0.2}))
        name = trial.attempt()
        control = trial.run / "attempts" / name / "control"
        events = engine.start(trial.run, name, work)
        seen = _until(events, "units")
        control.write_text("pause")
        seen += _until(events, "paused")
        time.sleep(0.6)
        control.write_text("go")
        seen += list(events)
        assert _end(seen) == ("done", 0)
        kinds = [event.kind for event in seen if event.kind in ("units", "paused", "unpaused")]
        at = kinds.index("paused")
        assert kinds[at + 1] == "unpaused"
        assert kinds.count("units") == 8

    def test_closing_the_events_leaves_nothing_running(self, engine: Engine, tmp_path: Path) -> None:
        """Closed in the middle of a fit; afterwards no event is written and no process works on the run."""
        self._tasks(engine)
        trial = begin(tmp_path / "run", SLOW)
        name = trial.attempt()
        events = engine.start(trial.run, name, work)
        _until(events, "units")
        events.close()
        events.close()
        self._is_quiet(trial.run)
        written = trial.run / "attempts" / name / "events.0.jsonl"
        before = written.stat().st_size
        time.sleep(0.6)
        assert written.stat().st_size == before
        assert chunks.committed(trial.run, trial.task) == set()

    def test_an_error_of_who_follows_leaves_nothing_running(self, engine: Engine, tmp_path: Path) -> None:
        """The events are given up by an exception, as by Ctrl-C: the attempt ends with them."""
        self._tasks(engine)
        trial = begin(tmp_path / "run", SLOW)
        events = engine.start(trial.run, trial.attempt(), work)
        _until(events, "units")
        with pytest.raises(KeyboardInterrupt):
            events.throw(KeyboardInterrupt())
        self._is_quiet(trial.run)

    def test_events_that_nobody_asked_for_start_nothing(self, engine: Engine, tmp_path: Path) -> None:
        """Closing before the first event is harmless."""
        self._tasks(engine)
        trial = begin(tmp_path / "run", SLOW)
        engine.start(trial.run, trial.attempt(), work).close()
        self._is_quiet(trial.run)

    def test_a_killed_worker_is_told_so(self, engine: Engine, tmp_path: Path) -> None:
        """SIGKILL from outside: cause killed, and the next attempt goes on from the checkpoint."""
        self._tasks(engine)
        if not self.processes:
            pytest.skip("its workers are no processes of this machine")
        trial = begin(tmp_path / "run", SLOW.but(params={"passes": 8, "sleep_s": 0.25}))
        events = engine.start(trial.run, trial.attempt(), work)
        seen = _until(events, "checkpoint")
        for pid in workers_of(trial.run):
            os.kill(pid, signal.SIGKILL)
        seen += list(events)
        cause, code = _end(seen)
        assert cause == "killed"
        assert code
        seen = list(engine.start(trial.run, trial.attempt(), work))
        assert _end(seen) == ("done", 0)
        assert [event.kind for event in seen].count("resumed") == 1

    def test_the_memory_limit_ends_the_child_alone(self, engine: Engine, tmp_path: Path) -> None:
        """An attempt that passes its limit ends with cause memory and a sentence; one beside it is not disturbed."""
        self._tasks(engine)
        if not self.limits:
            pytest.skip("it holds no memory limit")
        beside = begin(tmp_path / "beside", SLOW.but(params={"passes": 4, "sleep_s": 0.5}))
        other = engine.start(beside.run, beside.attempt(), work)
        seen = _until(other, "units")
        trial = begin(tmp_path / "run", SLOW)
        ended = list(engine.start(trial.run, trial.attempt(memory_bytes=TOO_LITTLE), work))[-1]
        assert ended.data["cause"] == "memory"
        assert "memory" in ended.data["why"]
        self._is_quiet(trial.run)
        assert _end(seen + list(other)) == ("done", 0)

    # the same on every engine

    def test_one_model_is_that_of_the_reference(self, engine: Engine, tmp_path: Path) -> None:
        """One task, one recipe: the bytes are those of the inline engine."""
        self._tasks(engine)
        trial = begin(tmp_path / "run", QUICK)
        assert _end(list(engine.start(trial.run, trial.attempt(), work))) == ("done", 0)
        assert trial.committed() == self._inline(tmp_path, QUICK)

    @pytest.mark.parametrize("workers", [1, 2])
    def test_many_models_are_those_of_the_reference(self, engine: Engine, tmp_path: Path, workers: int) -> None:
        """However many workers share the chunks: each is committed, with the bytes of the inline engine."""
        self._tasks(engine)
        one = Candidate(
            name="x", framework="baseline", strategy="many-models", engine=engine.name, machine="here", form="matrix"
        )
        if why := engine.reason_not(one.but(workers=workers)):
            pytest.skip(why)
        trial = begin(tmp_path / "run", QUICK, groups=14)
        isolate = not isinstance(engine, Inline)  # a process with threads does not fork
        events = list(engine.start(trial.run, trial.attempt(workers=workers, isolate=isolate), work))
        assert _end(events) == ("done", 0)
        claimed = [event.data["k"] for event in events if event.kind == "chunk"]
        assert sorted(claimed) == sorted(chunks.committed(trial.run, trial.task))
        assert {event.rank for event in events} <= set(range(workers))
        assert trial.committed() == self._inline(tmp_path, QUICK, groups=14)

    # ranks

    def test_ranks_commit_one_model(self, engine: Engine, tmp_path: Path) -> None:
        """A gang of two ends done; one of them committed, once, and the same again from a gang of its own."""
        found = []
        for k in range(2):
            trial, name = self._gang(engine, tmp_path / str(k))
            events = list(engine.start(trial.run, name, work))
            assert _end(events) == ("done", 0)
            assert {event.rank for event in events if event.kind == "finished"} == {0, 1}
            assert chunks.committed(trial.run, trial.task) == {0}
            found.append(trial.committed())
        assert found[0] == found[1]

    def test_a_gang_that_lost_one_ends(self, engine: Engine, tmp_path: Path) -> None:
        """When a rank dies the others are ended too, and nothing is committed."""
        if not self.processes:
            pytest.skip("its workers are no processes of this machine")
        trial, name = self._gang(engine, tmp_path, n_estimators=2_000)
        events = engine.start(trial.run, name, work)
        seen = _until(events, "units")
        os.kill(max(workers_of(trial.run)), signal.SIGKILL)
        seen += list(events)
        assert _end(seen)[0] in ("killed", "failed")
        self._is_quiet(trial.run)
        assert chunks.committed(trial.run, trial.task) == set()

    # helpers

    def _tasks(self, engine: Engine) -> None:
        if "tasks" not in engine.can:
            pytest.skip("it hosts no tasks")

    def _gang(self, engine: Engine, folder: Path, **params: int) -> tuple[Trial, str]:
        if "ranks" not in engine.can:
            pytest.skip("it hosts no ranks")
        library = self.ranked.path.partition(".")[0]
        if importlib.util.find_spec(library) is None:
            pytest.skip(f"a fit that ranks share needs {library}")
        trial = begin(folder / "run", self.ranked.but(params={**self.ranked.params, **params}), ranks=2)
        name = trial.attempt(form="shard", ranks=2, address="127.0.0.2", port=free_port("127.0.0.2"), batch_rows=200)
        return trial, name

    def _inline(self, folder: Path, estimator: Estimator, groups: int = 0) -> dict[str, str]:
        """What the reference engine commits."""
        trial = begin(folder / "reference", estimator, groups=groups)
        events = list(Inline().start(trial.run, trial.attempt(isolate=False), work))
        assert _end(events) == ("done", 0)
        return trial.committed()

    def _is_quiet(self, run: Path) -> None:
        if self.processes:
            assert workers_of(run) == []


def workers_of(run: Path) -> list[int]:
    """Processes of this machine that have the run on their command line, this one left out."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue  # it ended meanwhile
            if str(run).encode() in words:
                found.append(int(entry.name))
    return sorted(found)


def _until(events: Events, kind: str) -> list[Event]:
    """The events up to the first of this kind."""
    seen: list[Event] = []
    late = time.monotonic() + PATIENCE_S
    for event in events:
        seen.append(event)
        if event.kind == kind:
            return seen
        assert event.kind != "ended", f"it ended before an event '{kind}': {event.data}"
        assert time.monotonic() < late, f"no event '{kind}' in {PATIENCE_S:.0f} s"
    raise AssertionError(f"the events are over, and none was '{kind}'")


def _end(events: list[Event]) -> tuple[str, int]:
    """(cause, code) of the last event."""
    assert events[-1].kind == "ended"
    data = events[-1].data
    assert data["cause"] in CAUSES
    return data["cause"], data["code"]
