"""What a run promises its user: one writer, nothing done twice, nothing left running, interruptions that cost little."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from doing import Interrupted, events_of, interrupted, orders_of, results_of, trained, units_of
from killing import bytes_of, command, processes_of, train, wait_until_quiet, write_job

from fitscale.errors import FitscaleError
from fitscale.records.run import Event, Order
from fitscale.running.command import Told
from fitscale.running.state import state_of
from fitscale.store import folder, versions

ROWS = "synthetic://?rows=4000&columns=4"
SLOW = {
    "name": "slow",
    "data": {"uri": ROWS, "target": "y"},
    "model": {"estimator": "baseline.Classifier", "params": {"passes": 20, "sleep_s": 0.3}},
}
TREES = {
    "name": "trees",
    "data": {"uri": ROWS + "&categorical=1&missing=0.1", "target": "y"},
    "evaluate": {"holdout": "20%", "early_stopping": {"rounds": 8, "validation": "10%"}},
    "model": {
        "estimator": "xgboost.XGBClassifier",
        "params": {"n_estimators": 20, "max_depth": 4, "subsample": 0.7, "colsample_bytree": 0.7},
    },
}
LONG = {
    "name": "long",
    "data": {"uri": ROWS + "&categorical=1&missing=0.1", "target": "y"},
    "model": {
        "estimator": "xgboost.XGBClassifier",
        "params": {"n_estimators": 150, "max_depth": 4, "subsample": 0.7, "colsample_bytree": 0.7},
    },
}


def until(true: Callable[[], object], seconds: float = 30) -> None:
    over = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < over, "it did not come to that"
        time.sleep(0.02)


@pytest.fixture
def started() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `fitscale train`; ends what the test leaves of it."""
    children: list[subprocess.Popen[str]] = []

    def start(job: Path, run: Path, *flags: str) -> subprocess.Popen[str]:
        env = {**os.environ, "FITSCALE_CHECKPOINT_S": "0"}
        child = subprocess.Popen(
            command(job, run, *flags), env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        children.append(child)
        return child

    yield start
    for child in children:
        child.kill()
        child.communicate()


def has_checkpoint(run: Path) -> bool:
    return any(path.name.isdigit() for path in run.glob("tasks/*/ckpt/*"))


# One writer.


def test_the_second_command_on_a_run_is_refused_and_the_first_goes_on(tmp_path: Path, started: Any) -> None:
    """It ends with 2 and names the process that has the run; the first is not disturbed. Looking is allowed."""
    job, run = write_job(tmp_path, SLOW), tmp_path / "run"
    first = started(job, run)
    until(lambda: has_checkpoint(run))
    code, said = train(job, run)
    assert code == 2
    assert f"another command (process {first.pid}) is writing to this run" in said
    looked = subprocess.run([sys.executable, "-m", "fitscale", "status", str(run)], capture_output=True, check=False)
    assert looked.returncode == 0
    _, told = first.communicate(timeout=60)
    assert first.returncode == 0, told
    assert [event["command"] for event in events_of(run, "command")] == ["train"]


# Nothing is done twice.


def test_nothing_to_do_ends_with_0_and_says_so(tmp_path: Path) -> None:
    """The second command starts no attempt and makes no version."""
    job, run = write_job(tmp_path, TREES), tmp_path / "run"
    code, said = train(job, run)
    assert code == 0, said
    done = subprocess.run(command(job, run), capture_output=True, text=True, check=False)
    assert (done.returncode, "Nothing to do: version 1" in done.stdout) == (0, True)
    assert versions.numbers(run) == [1]
    assert {path.name.partition("-")[0] for path in folder.attempts(run)} == {"1"}


def test_fresh_trains_a_version_anew(tmp_path: Path) -> None:
    """All of its fits begin at their first round again, the final one too; the result is the same, the old version stays."""
    job = {**TREES, "evaluate": {**TREES["evaluate"], "refit": True}}
    run = tmp_path / "run"
    trained(job, run, "in-memory")
    before = bytes_of(run)
    trained(job, run, "in-memory", fresh=True)
    assert versions.numbers(run) == [1, 2]
    assert versions.current(run) == 2
    begun = [units for attempt, units in units_of(run) if attempt.startswith("2-") and units == 1]
    assert len(begun) == 2  # the judged fit and the final one
    assert bytes_of(run) == before
    ours, theirs = (versions.manifest(run, number).but(version=0) for number in (1, 2))
    assert ours == theirs


def test_only_what_changed_is_trained_after_an_edit(tmp_path: Path) -> None:
    """A finished run whose workload was edited makes the next version; edited back, the first recipe is not trained again."""
    run = tmp_path / "run"
    trained(TREES, run, "in-memory")
    deeper = {**TREES, "model": {**TREES["model"], "params": {**TREES["model"]["params"], "max_depth": 3}}}
    assert trained(deeper, run, "in-memory").manifest.version == 2
    again = trained(TREES, run, "in-memory")
    assert again.manifest.version == 3
    assert not [units for attempt, units in units_of(run) if attempt.startswith("3-")]
    assert versions.manifest(run, 1).but(version=3) == again.manifest


@pytest.mark.parametrize(
    ("section", "change"),
    [
        ("data", {"time": "d1"}),
        ("data", {"weight": "w"}),
        ("data", {"use": "50%"}),
        ("data", {"features": {"drop": ["x1"]}}),
        ("evaluate", {"holdout": "30%"}),
        ("model", {"params": {"passes": 2}}),
    ],
)
def test_what_makes_another_model_is_something_to_do(tmp_path: Path, section: str, change: dict[str, Any]) -> None:
    """Any key that changes rows, folds, features or the estimator makes another version."""
    job = {
        "name": "edits",
        "data": {"uri": "synthetic://?rows=2000&columns=3&dates=2&weight=true", "target": "y", "time": "d0"},
        "evaluate": {"holdout": "20%", "by": "time"},
        "model": {"estimator": "baseline.Classifier"},
    }
    run = tmp_path / "run"
    trained(job, run, "in-memory@inline")
    assert trained(job, run, "in-memory@inline").nothing_to_do
    edited = {**job, section: {**job[section], **change}}
    assert trained(edited, run, "in-memory@inline").manifest.version == 2


def test_a_workload_edited_while_unfinished_begins_a_new_recipe_and_says_so(tmp_path: Path) -> None:
    """What was begun stays where it is, and edited back the run goes on with it from its checkpoint."""
    run, said = tmp_path / "run", []
    units = interrupted(LONG, run, "in-memory")
    unfinished = state_of(run).unfinished
    assert unfinished is not None
    told = Told(note=said.append)
    deeper = {**LONG, "model": {**LONG["model"], "params": {**LONG["model"]["params"], "max_depth": 3}}}
    assert trained(deeper, run, "in-memory", told=told).manifest.version == 1
    assert any("the workload was edited" in line for line in said)
    assert int(max((run / "tasks" / unfinished.tasks["fit"] / "ckpt").iterdir()).name) == units
    assert trained(LONG, run, "in-memory").manifest.version == 2
    assert units_of(run, "resumed") == [("3-1", units)]


def test_an_edit_after_a_kill_at_the_very_end_is_a_version_of_its_own(tmp_path: Path) -> None:
    """The version was there, and not yet written down: what was edited since is not taken for it."""
    job, run = write_job(tmp_path, TREES), tmp_path / "run"
    code, _ = train(job, run, "--choose", "in-memory", crash="version.current")
    assert code == -9
    assert (versions.numbers(run), list(state_of(run).finished)) == ([1], [])
    before = bytes_of(run)
    shallow = {**TREES, "model": {**TREES["model"], "params": {"n_estimators": 5, "max_depth": 2}}}
    about = trained(shallow, run, "in-memory").manifest
    assert about.version == 2
    assert about.recipes["fit"].estimator.params["n_estimators"] == 5
    assert versions.current(run) == 2
    assert bytes_of(run) == before


# Interruptions.


def test_ctrl_c_ends_with_130_and_the_same_command_goes_on(tmp_path: Path, started: Any) -> None:
    """One SIGINT ends the command and all its workers; what was done is kept."""
    job, run = write_job(tmp_path, SLOW), tmp_path / "run"
    first = started(job, run)
    until(lambda: has_checkpoint(run))
    first.send_signal(signal.SIGINT)
    _, told = first.communicate(timeout=30)
    assert first.returncode == 130
    assert "the same command goes on" in told
    wait_until_quiet(run)
    code, said = train(job, run)
    assert code == 0, said
    assert units_of(run, "resumed")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_workers_die_with_their_command(tmp_path: Path, started: Any, number: int) -> None:
    """However the command ends: the workers of a pool, their forked children, and programs that these started."""
    shutil.copy(Path(__file__).with_name("moody.py"), tmp_path)
    sleep_s = 1000 + os.getpid()  # by this the programs are found
    rows = {
        "mark": pa.array([5.0] * 80, pa.float32()),
        "g": [k % 4 for k in range(80)],
        "y": [k // 4 % 2 for k in range(80)],
    }
    pq.write_table(pa.table(rows), tmp_path / "rows.parquet")
    document = {
        "name": "sleepers",
        "data": {"uri": "rows.parquet", "target": "y", "groups": ["g"]},
        "model": {"estimator": "moody.Moody", "params": {"program_s": sleep_s}},
        "where": [{"local": {"cores": 2}}],
    }
    run = tmp_path / "run"
    first = started(write_job(tmp_path, document), run)
    until(lambda: sleepers(sleep_s))
    assert len(processes_of(run)) >= 3  # the command, a worker, its forked child
    first.send_signal(number)
    first.wait(timeout=30)
    wait_until_quiet(run)
    until(lambda: not sleepers(sleep_s))


def sleepers(sleep_s: float) -> list[int]:
    wanted = ["sleep", str(sleep_s)]
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().decode(errors="replace").split("\0")[:2] == wanted:
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_a_cross_validation_goes_on_in_its_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ended in its second part: the first is not trained again, the second goes on from its checkpoint; same bytes."""
    monkeypatch.setenv("FITSCALE_CHECKPOINT_S", "0")
    model = {**LONG["model"], "params": {**LONG["model"]["params"], "n_estimators": 40}}
    judged = {**LONG, "model": model, "evaluate": {"cv": 3, "early_stopping": {"rounds": 40, "validation": "10%"}}}
    run, seen = tmp_path / "run", []

    def see(name: str, order: Order, event: Event) -> None:
        if event.kind == "checkpoint" and order.task not in seen:
            seen.append(order.task)
            if len(seen) == 2:
                raise Interrupted

    with pytest.raises(Interrupted):
        trained(judged, run, "in-memory", told=Told(event=see))
    about = trained(judged, run, "in-memory").manifest
    tasks = [order.task for order in orders_of(run) if order.kind == "fit"]
    assert len(tasks) == 5  # the second part in two attempts
    assert (tasks[0], tasks[1]) == (seen[0], tasks[2])
    assert [attempt for attempt, _ in units_of(run, "resumed")] == ["2-1"]
    found = sorted(results[0].units or 0 for results in list(results_of(run).values())[:3])
    assert about.recipes["final"].estimator.params["n_estimators"] == found[1]
    trained(judged, tmp_path / "undisturbed", "in-memory")
    assert bytes_of(run) == bytes_of(tmp_path / "undisturbed")


def test_a_worker_that_is_killed_goes_on_from_its_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command notices and starts another, which does not begin anew: same bytes."""
    monkeypatch.setenv("FITSCALE_CHECKPOINT_S", "0")
    trained(LONG, tmp_path / "undisturbed", "in-memory")
    run, killed = tmp_path / "run", []

    def see(name: str, order: Order, event: Event) -> None:
        if event.kind == "checkpoint" and not killed:
            killed.extend(processes_of(run, f"{name}.0"))
            os.kill(killed[0], signal.SIGKILL)

    trained(LONG, run, "in-memory", told=Told(event=see))
    ends = [event["cause"] for event in events_of(run, "attempt-ended")]
    assert (ends, len(killed)) == (["killed", "done", "done"], 1)
    assert min(units for _, units in units_of(run, "resumed")) >= 5
    assert bytes_of(run) == bytes_of(tmp_path / "undisturbed")


def test_a_worker_of_a_pool_that_is_killed_costs_its_chunk(tmp_path: Path) -> None:
    """What the others committed stays, no chunk is done twice, and the bytes are those of the undisturbed run."""
    many = {
        "name": "many",
        "data": {"uri": "synthetic://?rows=20000&columns=3&groups=20", "target": "y", "groups": ["group"]},
        "model": {"estimator": "baseline.Classifier", "params": {"passes": 200}},
    }
    trained(many, tmp_path / "undisturbed", "many-models")
    run, killed = tmp_path / "run", []

    def see(name: str, order: Order, event: Event) -> None:
        if event.kind == "chunk" and not killed:
            killed.extend(sorted(processes_of(run, f"{name}.{event.rank}")))
            os.kill(killed[0], signal.SIGKILL)  # the worker; its forked child, if there is one, dies with it

    trained(many, run, "many-models", told=Told(event=see))
    (digest,) = results_of(run)
    assert killed
    assert [event["cause"] for event in events_of(run, "attempt-ended")] == ["done", "killed", "done", "done"]
    lines = [line for path in run.glob("attempts/*/events.*.jsonl") for line in path.read_text().splitlines()]
    done = [event.data["k"] for event in map(Event.from_json, lines) if event.kind == "chunk"]
    assert len(done) == len(set(done))
    assert set(done) <= set(range(len(folder.read_task(run, digest).chunks)))
    assert bytes_of(run) == bytes_of(tmp_path / "undisturbed")


def test_a_fit_that_ends_its_process_each_time_is_an_error_with_its_reason(tmp_path: Path) -> None:
    """Not for ever: after three times in a row without progress the command says how it ended, and where to look."""
    shutil.copy(Path(__file__).with_name("moody.py"), tmp_path)
    rows = {"mark": pa.array([2.0] * 80, pa.float32()), "y": [k % 2 for k in range(80)]}
    pq.write_table(pa.table(rows), tmp_path / "rows.parquet")
    document = {
        "name": "ends",
        "data": {"uri": "rows.parquet", "target": "y"},
        "model": {"estimator": "moody.Moody"},
    }
    with pytest.raises(
        FitscaleError, match=r"ended 3 times in a row: worker 0 ended with code 7; see .*attempts"
    ) as raised:
        trained(document, tmp_path / "run", "in-memory")
    assert raised.value.exit_code == 1
    assert len(folder.attempts(tmp_path / "run")) == 3
