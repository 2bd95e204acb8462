"""A run that was killed, wherever and however often, ends with the same bytes as the uninterrupted one."""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from doing import events_of
from killing import bytes_of, kill_after, train, wait_until_quiet, write_job

from fitscale.store import crash

ONE = {
    "name": "one",
    "data": {"uri": "synthetic://?rows=4000&columns=4", "target": "y"},
    "model": {"estimator": "baseline.Classifier", "params": {"passes": 4}},
}
MANY = {
    "name": "many",
    "data": {"uri": "synthetic://?rows=4000&columns=4&groups=20", "target": "y", "groups": ["group"]},
    "model": {"estimator": "baseline.Classifier", "params": {"passes": 500}},  # so much work that it is two chunks
}
TREES = {
    "name": "trees",
    "data": {"uri": "synthetic://?rows=6000&columns=5&categorical=1&missing=0.1", "target": "y"},
    "evaluate": {"holdout": "20%", "early_stopping": {"rounds": 8, "validation": "10%"}},
    "model": {
        "estimator": "xgboost.XGBClassifier",
        "params": {"n_estimators": 20, "max_depth": 4, "subsample": 0.7, "colsample_bytree": 0.7},
    },
}
LEAVES = {
    **TREES,
    "name": "leaves",
    "model": {
        "estimator": "lightgbm.LGBMClassifier",
        "params": {"n_estimators": 35, "num_leaves": 7, "subsample": 0.7, "subsample_freq": 1, "colsample_bytree": 0.7},
    },
    "evaluate": {"holdout": "20%", "early_stopping": {"rounds": 30, "validation": "10%"}},
}
FORESTS = {**MANY, "name": "forests", "model": {"estimator": "xgboost.XGBClassifier", "params": {"n_estimators": 5}}}
GROWN = {  # five or six pieces of a forest, for two processes
    "name": "grown",
    "data": {"uri": "synthetic://?rows=6000&columns=4&categorical=1&missing=0.1", "target": "y"},
    "model": {"estimator": "sklearn.ensemble.RandomForestClassifier", "params": {"n_estimators": 180, "max_depth": 3}},
}
# The command's points, in the order in which a run passes them; many models are cut before they are planned.
IN_ORDER = (
    "run.created", "journal.half", "journal.appended", "snapshot.written", "plan.written", "task.written", "order.written",
    "attempt.ended", "version.current", "version.journalled",
)  # fmt: skip
MANY_IN_ORDER = (
    "run.created", "journal.half", "journal.appended", "snapshot.written", "order.written", "attempt.ended", "plan.written",
    "task.written", "version.current", "version.journalled",
)  # fmt: skip
# Those of its workers: one model cuts no rows, and many have no checkpoints.
OF_ALL = ("encoding.written", "payload.written", "chunk.temporary", "chunk.linked", "finish.payloads", "finish.renamed")
OF_ONE = ("checkpoint.half", "checkpoint.written")
OF_MANY = ("partition.written",)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The bytes of each job that nothing interrupted, trained once."""
    known: dict[str, dict[str, str]] = {}

    def of(job: dict[str, Any], choose: str) -> dict[str, str]:
        if job["name"] not in known:
            folder = tmp_path_factory.mktemp(job["name"])
            code, said = train(write_job(folder, job), folder / "run", "--choose", choose)
            assert code == 0, said
            known[job["name"]] = bytes_of(folder / "run")
        return known[job["name"]]

    return of


def _walk(tmp_path: Path, job: dict[str, Any], choose: str, point: str, wanted: dict[str, str]) -> None:
    """A worker is killed where it passes the point; the command, or the same once more, ends with the same bytes."""
    path, run = write_job(tmp_path, job), tmp_path / "run"
    code, said = train(path, run, "--choose", choose, crash=point)
    wait_until_quiet(run)
    killed = [event for event in events_of(run, "attempt-ended") if event["cause"] == "killed"]
    assert killed or code == -9 or "SIGKILL" in said, f"{point} was not passed: {said}"
    if code != 0:  # each worker was killed, or the command itself
        code, said = train(path, run, "--choose", choose)
        assert code == 0, said
    assert bytes_of(run) == wanted


def _killed_again_and_again(
    tmp_path: Path, job: dict[str, Any], choose: str, points: Sequence[str], wanted: dict[str, str]
) -> None:
    """In one run the command is killed at each point in turn, always later than before."""
    path, run = write_job(tmp_path, job), tmp_path / "run"
    for point in points:
        code, said = train(path, run, "--choose", choose, crash=point)
        assert code == -9, f"{point} was not passed: {said}"
        wait_until_quiet(run)
    code, said = train(path, run, "--choose", choose)
    assert code == 0, said
    assert bytes_of(run) == wanted


@pytest.mark.parametrize(
    ("job", "choose", "points"),
    [(ONE, "in-memory", IN_ORDER), (MANY, "many-models", MANY_IN_ORDER)],
    ids=["one model", "many models"],
)
def test_a_command_that_is_killed_at_every_point_loses_nothing(
    tmp_path: Path, uninterrupted: Any, job: dict[str, Any], choose: str, points: tuple[str, ...]
) -> None:
    """Each time the same command goes on to the next point, and in the end there are the same bytes."""
    assert sorted(points) == sorted(crash.COMMAND)
    _killed_again_and_again(tmp_path, job, choose, points, uninterrupted(job, choose))


def test_every_point_of_a_worker_is_walked() -> None:
    """By one of the jobs below."""
    assert {*OF_ALL, *OF_ONE, *OF_MANY, "bins.written", "part.half", "part.kept"} == set(crash.WORKER)


@pytest.mark.parametrize("point", [*OF_ALL, *OF_ONE])
def test_one_model_survives_a_kill_of_its_worker(tmp_path: Path, uninterrupted: Any, point: str) -> None:
    """One baseline model: the same bytes, wherever its worker is killed."""
    _walk(tmp_path, ONE, "in-memory", point, uninterrupted(ONE, "in-memory"))


@pytest.mark.parametrize("point", [*OF_ALL, *OF_MANY])
def test_many_models_survive_a_kill_of_a_worker(tmp_path: Path, uninterrupted: Any, point: str) -> None:
    """Twenty baseline models in two chunks: the same bytes, and none twice."""
    _walk(tmp_path, MANY, "many-models", point, uninterrupted(MANY, "many-models"))


@pytest.mark.parametrize(
    "point",
    ["checkpoint.half", "checkpoint.written:2", "payload.written", "chunk.linked", "attempt.ended", "finish.payloads"],
)
def test_boosted_trees_survive_a_kill(tmp_path: Path, uninterrupted: Any, point: str) -> None:
    """XGBoost with sampling of rows and columns, categories, missing values and early stopping."""
    _walk(tmp_path, TREES, "in-memory", point, uninterrupted(TREES, "in-memory"))


@pytest.mark.parametrize("point", ["bins.written", "checkpoint.half", "checkpoint.written:2", "attempt.ended"])
def test_leafwise_trees_survive_a_kill(tmp_path: Path, uninterrupted: Any, point: str) -> None:
    """LightGBM with draws of rows and columns, categories, missing values and early stopping; quantised."""
    _walk(tmp_path, LEAVES, "quantised", point, uninterrupted(LEAVES, "quantised"))


@pytest.mark.parametrize("point", ["part.half", "part.kept:2"])
def test_a_forest_of_parts_survives_a_kill(tmp_path: Path, uninterrupted: Any, point: str) -> None:
    """A child that grows, the worker that starts it, or the command: the same bytes, those of one fit in memory."""
    _walk(tmp_path, GROWN, "parts-and-merge", point, uninterrupted(GROWN, "in-memory"))


def test_kills_at_random_moments(tmp_path: Path, uninterrupted: Any) -> None:
    """Five kills at moments that nobody chose, one after the other, in one run."""
    path, run = write_job(tmp_path, TREES), tmp_path / "run"
    seed = 20261123
    moments = random.Random(seed)
    for _ in range(5):
        if kill_after(path, run, moments.uniform(0.5, 6.0), "--choose", "in-memory") is not None:
            break
        wait_until_quiet(run)
    code, said = train(path, run, "--choose", "in-memory")
    assert code == 0, said
    assert bytes_of(run) == uninterrupted(TREES, "in-memory")
