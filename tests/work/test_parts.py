"""A model that is grown by parts: the bytes of one fit, by however many processes, and whatever happens to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fitscale.engines.inline import Inline
from fitscale.engines.process import Process
from fitscale.records.run import Estimator, Event
from fitscale.store import parts
from fitscale.testing.runs import Trial, begin
from fitscale.work.attempt import work

pytest.importorskip("sklearn")

# 3,000 rows, of which 2,400 train: 84 trees are grown together, in four parts
FOREST = Estimator(path="sklearn.ensemble.RandomForestClassifier", params={"n_estimators": 300, "max_depth": 3})


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What one fit in memory commits."""
    trial = begin(tmp_path_factory.mktemp("whole") / "run", FOREST)
    attempt(trial, Inline())
    return trial.committed()


def attempt(trial: Trial, engine: Any, **order: Any) -> list[Event]:
    return list(engine.start(trial.run, trial.attempt(**order), work))


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_processes_grow_the_model_of_one_fit(tmp_path: Path, wanted: dict[str, str], processes: int) -> None:
    """The same bytes by one, two and three; their parts are told of as they come, and gone when it is committed."""
    trial = begin(tmp_path / "run", FOREST)
    events = attempt(trial, Process(), parts=processes)
    assert events[-1].data["cause"] == "done"
    assert trial.committed() == wanted
    units = [event.data["units"] for event in events if event.kind == "units"]
    assert len(units) == len(set(units)) == 4
    assert units[-1] == 300
    assert not parts.folder(trial.run, trial.task).exists()


def test_the_users_own_process_grows_it_alone(tmp_path: Path, wanted: dict[str, str]) -> None:
    """Inline nothing is forked, and it is the same model."""
    trial = begin(tmp_path / "run", FOREST)
    attempt(trial, Inline(), parts=1, isolate=False)
    assert trial.committed() == wanted


def test_parts_that_were_kept_are_not_grown_again(tmp_path: Path, wanted: dict[str, str]) -> None:
    """A stopped attempt leaves its parts; the next says how many, and one of them that is torn is grown anew."""
    trial = begin(tmp_path / "run", FOREST)
    name = trial.attempt(parts=1)
    events = Process().start(trial.run, name, work)
    for event in events:
        if event.kind == "units":
            (trial.run / "attempts" / name / "control").write_text("stop")
            break
    assert list(events)[-1].data["cause"] == "stopped"
    folder = parts.folder(trial.run, trial.task)
    kept = parts.kept(folder)
    assert kept
    assert not trial.committed()
    (next(folder.iterdir()) / "payload").write_bytes(b"torn")
    later = attempt(trial, Process(), parts=2)
    (resumed,) = [event.data["units"] for event in later if event.kind == "resumed"][:1]
    assert resumed == sum(stop - start for start, stop in kept)
    assert trial.committed() == wanted


def test_what_the_library_raises_is_the_runs_failure(tmp_path: Path) -> None:
    """An error in a child is told under its own name, as that of a fit in one process."""
    wrong = FOREST.but(params={**FOREST.params, "bootstrap": False, "max_samples": 0.5})
    trial = begin(tmp_path / "run", wrong)
    events = attempt(trial, Process(), parts=2)
    assert events[-1].data["cause"] == "failed"
    (failed,) = [event for event in events if event.kind == "failed"]
    assert failed.data["error"] == "ValueError"
    assert "max_sample" in failed.data["message"]
    assert not trial.committed()
