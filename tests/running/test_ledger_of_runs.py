"""A run that was trained to its end is in the ledger once, with what was forecast of it and what came, and nothing secret."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))
from doing import Interrupted, interrupted, workload_of

from fitscale.machines.here import fingerprint
from fitscale.planning.again import Changes, changed
from fitscale.records.ledger import Entry
from fitscale.running.actual import AttemptActual, actual_of
from fitscale.running.command import Told
from fitscale.running.planning import plan_only
from fitscale.running.recording import entry_of
from fitscale.running.state import state_of
from fitscale.running.training import train
from fitscale.store import folder, ledger
from past_runs import runs

JOB: dict[str, Any] = {
    "name": "secret-name",
    "data": {"uri": "synthetic://?rows=6000&columns=4", "target": "y"},
    "model": {"estimator": "baseline.Classifier", "params": {"passes": 30}},
}
MANY = {**JOB, "data": {"uri": "synthetic://?rows=6000&columns=4&groups=30", "target": "y", "groups": ["group"]}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


INLINE: dict[str, Any] = {"choose": "in-memory@inline"}  # what is looked at hangs on no process


def entries(file: Path) -> list[Entry]:
    found = ledger.read(file, fingerprint())
    assert (found.skipped, found.problem) == (0, "")
    return list(found.entries)


def test_a_finished_run_is_there_once(tmp_path: Path, file: Path) -> None:
    """What was forecast and what came of time, CPU, memory and storage; the same command again adds nothing."""
    notes: list[str] = []
    workload = workload_of(JOB, tmp_path)
    for _ in range(2):
        train(workload, tmp_path / "run", ledger=file, told=Told(note=notes.append))
    (one,) = entries(file)
    assert (one.framework, one.strategy, one.rows, one.groups) == ("baseline", "in-memory", 4800, 1)
    assert (one.features, one.cells) == (6, 4800 * 6)
    (said,) = one.said
    assert (said.by, said.kind, said.raw) == ("train", "priors", {})
    assert set(said.figures) == set(one.actual) == {"time", "cpu", "memory", "storage"}
    assert 0.01 < one.actual["time"] < 600
    assert 1e7 < one.actual["memory"] < 2e9
    assert notes == []


def test_nothing_of_it_is_secret(tmp_path: Path, file: Path) -> None:
    """No name of a column, a file, a workload or a user, and no text but the words of fitscale."""
    train(workload_of(MANY, tmp_path), tmp_path / "run", choose="many-models@inline", ledger=file)
    text = file.read_text()
    for secret in ("secret-name", "synthetic", 'group"', "target", str(tmp_path), "passes", os.uname().nodename):
        assert secret not in text
    words = {value for value in json.loads(text).values() if isinstance(value, str)}
    assert words == {"baseline", "many-models", entries(file)[0].form, fingerprint()}


def test_what_plan_said_stands_beside_what_train_decided_on(tmp_path: Path, file: Path) -> None:
    """Two forecasts of one run; what the plan fitted is kept, and is counted as if this command had done it."""
    workload = workload_of(MANY, tmp_path)
    plan_only(workload, tmp_path / "run", ledger=file)
    assert not file.exists()
    train(workload, tmp_path / "run", ledger=file)
    (one,) = entries(file)
    assert [said.by for said in one.said] == ["plan", "train"]
    assert one.commands >= 1
    assert "time" in one.actual


def test_a_run_that_went_on_has_no_time(tmp_path: Path, file: Path) -> None:
    """Killed halfway: how long it would have taken in one piece nobody knows; what it held is known."""
    run = tmp_path / "run"
    interrupted(JOB, run, "in-memory", at=2)
    train(workload_of(JOB, tmp_path), run, ledger=file)
    (one,) = entries(file)
    assert "time" not in one.actual
    assert "cpu" not in one.actual
    assert one.actual["memory"] > 1e7
    assert (one.commands, one.interrupted) == (2, 1)


@pytest.mark.parametrize(("at", "told"), [(5, True), (25, False)])
def test_what_plan_had_fitted_counts_by_the_pace_of_the_rest(tmp_path: Path, at: int, told: bool) -> None:
    """As if this command had done all passes; where more than half was done before it, the rest tells too little."""
    run = tmp_path / "run"
    slow = {**JOB, "model": {"estimator": "baseline.Classifier", "params": {"passes": 30, "sleep_s": 0.05}}}
    kept = interrupted(slow, run, "in-memory", at=at)
    train(workload_of(slow, tmp_path), run)
    begun = state_of(run).finished[1]
    entry = entry_of(run, begun, 2, began_here=True)
    assert entry is not None
    assert ("time" in entry.actual) is told
    if not told:
        return
    own = [a for a in actual_attempts(run) if a.name.startswith("2-")]
    missing = own[0].phases["iterations"].wall_s * kept / (30 - kept)
    assert missing > 0.05 * kept
    assert entry.actual["time"] == pytest.approx(sum(a.wall_s for a in own) + missing, rel=1e-4)


def actual_attempts(run: Path) -> tuple[AttemptActual, ...]:
    found = actual_of(run, 1)
    assert found is not None
    return found.attempts


def test_a_run_that_fails_is_not_there(tmp_path: Path, file: Path) -> None:
    """Nothing that is unfinished has an actual time."""

    def stop(name: str, order: object, event: Any) -> None:
        if event.kind == "units":
            raise Interrupted

    with pytest.raises(Interrupted):
        train(workload_of(JOB, tmp_path), tmp_path / "run", ledger=file, told=Told(event=stop))
    assert not file.exists()


@pytest.mark.parametrize("what", ["a directory", "under a file", "no ledger"])
def test_what_is_wrong_with_the_ledger_costs_no_run(tmp_path: Path, what: str) -> None:
    """The run ends well, and is told once why it is not in it."""
    (tmp_path / "plain").write_text("x")
    file = {"a directory": tmp_path, "under a file": tmp_path / "plain" / "ledger.jsonl", "no ledger": None}[what]
    notes: list[str] = []
    done = train(workload_of(JOB, tmp_path), tmp_path / "run", ledger=file, told=Told(note=notes.append), **INLINE)
    assert done.manifest.version == 1
    assert len(notes) == (file is not None)
    assert all("FITSCALE_LEDGER names another file" in note for note in notes)


def test_a_home_that_cannot_be_written_costs_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs this may write anywhere: the refusal is the system's, made here."""

    def refuse(path: Path, entry: Entry) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(ledger, "append", refuse)
    notes: list[str] = []
    train(
        workload_of(JOB, tmp_path),
        tmp_path / "run",
        ledger=tmp_path / "l.jsonl",
        told=Told(note=notes.append),
        **INLINE,
    )
    (note,) = notes
    assert "cannot be written (Permission denied): this run is not in it" in note


def test_a_plan_is_calibrated_on_past_runs_and_keeps_by_what(tmp_path: Path, file: Path) -> None:
    """25 runs took three times as long; --what-if decides by the same, though the ledger is gone by then."""
    machine = fingerprint()
    for one in runs([1.1] * 25, machine=machine, framework="baseline"):
        said = one.said[0].but(kind="priors")
        ledger.append(file, one.but(said=(said,)))
    workload = workload_of(JOB, tmp_path)
    bare = plan_only(workload, tmp_path / "bare")
    made = plan_only(workload, tmp_path / "run", ledger=file)
    assert bare.decision.chosen is not None
    assert made.decision.chosen is not None
    before, now = bare.decision.chosen.forecast, made.decision.chosen.forecast
    assert now.time_s.origin == "calibrated"
    assert now.calibrated == 25
    # Reading is measured anew for each plan.
    assert now.time_s.value / now.raw["time"].value == pytest.approx(3.0 ** (25 / 35), rel=0.01)
    assert before.time_s.origin == "forecast"
    file.unlink()
    kept = folder.read_plan(tmp_path / "run")
    snapshot = folder.read_snapshot(tmp_path / "run", kept.snapshot)
    supposed = changed(kept, snapshot, Changes(rows=2.0)).decision.chosen
    assert supposed is not None
    assert supposed.forecast.calibrated == 25


def test_what_was_calibrated_is_remembered_as_both(tmp_path: Path, file: Path) -> None:
    """As it was shown, for the track record; as the measurements said it, for the next calibration."""
    for one in runs([1.1] * 25, machine=fingerprint(), framework="baseline"):
        ledger.append(file, one.but(said=(one.said[0].but(kind="priors"),)))
    train(workload_of(JOB, tmp_path), tmp_path / "run", ledger=file, **INLINE)
    last = entries(file)[-1].said[0]
    assert set(last.raw) == {"time"}
    assert last.figures["time"][1] > 2 * last.raw["time"][1]


def test_models_that_were_there_already_are_no_run(tmp_path: Path, file: Path) -> None:
    """A version whose fits were all done for an earlier one: its time says nothing of a forecast."""
    run = tmp_path / "run"
    workload = workload_of(JOB, tmp_path)
    train(workload, run, ledger=file, **INLINE)
    other = workload_of({**JOB, "evaluate": {"holdout": "20%", "metric": "accuracy"}}, tmp_path)
    done = train(other, run, ledger=file, **INLINE)
    assert done.manifest.version in (1, 2)
    assert all(one.actual.get("time", 1.0) > 0.01 for one in entries(file))


def test_entry_of_needs_no_ledger(tmp_path: Path) -> None:
    """The same line can be made of any finished run, such as those of a benchmark."""
    run = tmp_path / "run"
    train(workload_of(JOB, tmp_path), run, **INLINE)
    entry = entry_of(run, state_of(run).finished[1], 1, began_here=True)
    assert entry is not None
    assert not ledger.is_absurd(entry)
