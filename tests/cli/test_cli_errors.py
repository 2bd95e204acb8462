"""What is wrong is said with its place, its value and the next step, without a trace, and with its own exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from commands import MANY, fitscale, write_job

from fitscale.store.lock import RunLock

SLOW = {"model": {"estimator": "baseline.Classifier", "params": {"passes": 400, "sleep_s": 0.1}}}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    job = write_job(tmp_path_factory.mktemp("trained"), "many", **MANY)
    assert fitscale("train", job, "--quiet").code == 0
    return job


@pytest.mark.parametrize(
    ("sections", "code", "sentence"),
    [
        ({"modle": {}}, 2, "did you mean 'model'?"),
        ({"data": {"uri": "synthetic://?rows=100", "target": "yy"}}, 2, "no column 'yy'"),
        ({"data": {"uri": "nowhere.parquet", "target": "y"}}, 2, "data.uri: "),
        ({"model": {"estimator": "baseline.Classifir"}}, 2, "did you mean 'baseline.Classifier'?"),
        ({"model": {"estimator": "baseline.Classifier", "params": {"passes": 0}}}, 2, "model.params: "),
        ({"model": {"estimator": "baseline.Classifier", "params": {"fail": 1}}}, 1, "asked to fail where a row has 1"),
        ({"where": [{"local": {"memory": "20 MB"}}]}, 3, "needs "),
        ({"needs": {"deadline": "1ms"}}, 2, "needs.deadline"),
        ({"needs": {"deadline": 0.01}}, 4, "deadline"),
    ],
)
def test_train_ends_with_the_code_of_what_is_wrong(
    tmp_path: Path, sections: dict[str, object], code: int, sentence: str
) -> None:
    """1 the run failed, 2 usage, 3 nothing runs, 4 nothing meets."""
    said = fitscale("train", write_job(tmp_path, "job", **sections))
    assert said.code == code, said.err
    assert sentence in said.err
    assert said.err.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in said.err


def test_plan_shows_the_refusals_when_nothing_runs(tmp_path: Path) -> None:
    """The record is there too: a refusal is a result."""
    said = fitscale("plan", write_job(tmp_path, "job", where=[{"local": {"memory": "20 MB"}}]), "--json")
    assert said.code == 3
    assert said.record["decision"]["chosen"] is None
    assert "Ruled out" in said.err


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (("plan", "mny.yml"), "mny.yml: no such file; did you mean 'many.yaml'?"),
        (("train", "."), "is a folder; give the workload file in it"),
        (("train", "runs/many"), "is a run folder"),
        (("train", "many.yaml", "--choose", "in-memry", "--fresh"), "in-memry"),
        (("train", "many.yaml", "--probe", "soon"), "--probe-s: 'soon' cannot be read"),
        (("status", "mny"), "did you mean 'many'?"),
        (("models", "show", "many.yaml"), "takes a key of group; got none"),
        (("models", "show", "many.yaml", "77"), "has no group 77"),
        (("models", "list", "many.yaml", "--status", "fited"), "did you mean 'fitted'?"),
        (("models", "list", "many.yaml", "--where", "nope = 1"), "nope"),
        (("models", "list", "many.yaml", "--version", "9"), "no version 9; there are: 1"),
        (("models", "rollback", "many.yaml", "9"), "no version 9; there are: 1"),
        (("models", "prune", "many.yaml", "--keep", "0"), "at least one version stays"),
        (("predict", "many.yaml", "--data", "synthetic://?rows=10", "--out", "p.csv"), "ends in .parquet"),
        (("predict", "many.yaml", "--data", "synthetic://?rows=10&columns=1", "--out", "p.parquet"), "no column"),
        (("plan", "many.yaml", "--what-if", "row=10x"), "did you mean 'rows'?"),
        (("plan", "many.yaml", "--explain", "many-model"), "did you mean 'many-models'?"),
        (("machines", "--catalogue", "awz"), "did you mean 'aws'?"),
        (("train", "many.yaml", "--only", "failed"), "--only failed: no group of version"),
        (("train", "many.yaml", "--only", "drifted"), "first, with 'fitscale drift --data NEW'"),
        (("train", "many.yaml", "--only", "999"), "knows no such group; give drifted, failed, or group"),
        (("plan", "many.yaml", "--team", "team.yaml"), "team.yaml: no such file"),
        (("drift", "many.yaml", "--data", "synthetic://?rows=10&columns=1"), "no column"),
        (("models", "package", "many.yaml", "--to", "runs"), "runs: is there already; name a folder that is not"),
        (("models", "package", "many.yaml", "--to", "many.yaml/m"), "cannot be written (Not a directory)"),
        (("models", "package", "many.yaml", "--to", "m", "--version", "9"), "no version 9; there are: 1"),
    ],
)
def test_bad_input_is_named(
    trained: Path, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...], sentence: str
) -> None:
    """Exit code 2, with the nearest word where there is one."""
    monkeypatch.chdir(trained.parent)
    said = fitscale(*argv)
    assert (said.code, said.out) == (2, ""), said.err
    assert sentence in said.err
    assert said.err.startswith("error: ")


def test_a_folder_without_a_run_and_one_with_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is guessed: the runs are named."""
    monkeypatch.chdir(tmp_path)
    assert "the current folder has no run; give a workload file or a run folder" in fitscale("status").err
    for name in ("a", "b"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "run.json").write_text(json.dumps({"fitscale": 1, "name": name}))
    assert "has 2 runs; name one of: runs/a, runs/b" in fitscale("status").err


def test_what_is_not_trained_yet_says_so(tmp_path: Path) -> None:
    """A plan is no version, and no run is no run."""
    job = write_job(tmp_path, "job")
    assert "is no run" in fitscale("models", "list", job).err
    assert fitscale("plan", job).code == 0
    said = fitscale("models", "list", job)
    assert (said.code, "has no finished version yet" in said.err) == (2, True)
    assert "none is finished yet" in fitscale("status", job).out


def test_too_many_failed_groups_fail_the_run_and_keep_it(tmp_path: Path) -> None:
    """Exit code 1, with the count; the version is there."""
    failing = {**MANY, "model": {"estimator": "baseline.Classifier", "params": {"fail": 1}}}
    job = write_job(tmp_path, "job", **failing)
    said = fitscale("train", job)
    assert said.code == 1
    assert "more than needs.max_failed allows" in said.err
    assert "failed: asked to fail where a row has 1" in said.out
    assert fitscale("models", "list", job, "--failed", "--json").record["found"] == 30


def test_a_locked_run_is_left_alone(trained: Path) -> None:
    """Whoever holds it is named; nothing is waited for."""
    run = trained.parent / "runs" / "many"
    with RunLock(run):
        for argv in (("train", trained, "--fresh"), ("models", "rollback", trained, 1)):
            said = fitscale(*argv)
            assert (said.code, f"process {os.getpid()}" in said.err) == (2, True)
        assert fitscale("status", trained, "--json").record["working"] is True


def test_a_flag_that_is_not_there() -> None:
    """The usage, and 2."""
    said = fitscale("train", "job.yaml", "--freshh")
    assert said.code == 2
    assert "--freshh" in said.err


def test_the_trace_is_there_for_those_who_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FITSCALE_TRACE=1."""
    monkeypatch.setenv("FITSCALE_TRACE", "1")
    said = fitscale("plan", tmp_path / "none.yaml")
    assert said.code == 2
    assert "Traceback" in said.err
    assert said.err.splitlines()[-1].startswith("error: ")


def test_doctor_ends_with_2_where_something_is_wrong(tmp_path: Path) -> None:
    """And says what, without stopping at the first."""
    said = fitscale("doctor", write_job(tmp_path, "job", data={"uri": "none.parquet", "target": "y"}))
    assert said.code == 2
    assert "WRONG  source" in said.out
    assert "estimator" in said.out


def test_a_version_that_is_unfinished_is_not_pruned(tmp_path: Path) -> None:
    """Ctrl-C ends with 130 and one line; status says what is left; prune refuses; the same command would go on."""
    job = write_job(tmp_path, "slow", **SLOW)
    child = subprocess.Popen(
        [sys.executable, "-m", "fitscale", "train", str(job)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for _ in range(300):
            said = fitscale("status", job, "--json")
            found = said.record if said.code == 0 else {}
            if found.get("unfinished") and (found.get("progress") or {}).get("done"):
                break
            time.sleep(0.1)
        else:
            raise AssertionError("it never began")
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=30)
    finally:
        child.kill()
        child.wait()
    assert child.returncode == 130
    assert err.splitlines()[-1] == "interrupted: what was finished is kept, and the same command goes on"
    assert found["working"] is True
    assert found["progress"]["total"] == 400
    assert "'fitscale train' goes on with it" in fitscale("status", job).out
    assert "is unfinished" in fitscale("models", "prune", job, "--keep", 1).err
