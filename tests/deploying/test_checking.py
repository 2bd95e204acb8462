"""A folder for another machine names only what is in it; what is amiss is said with its file."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from planned import Planned, planned

from fitscale.deploying.checking import container_problem, context_problem, task_problem
from fitscale.deploying.target import target_of
from fitscale.deploying.writing import deploy


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Planned:
    return planned(tmp_path_factory.mktemp("late"))


@pytest.fixture
def folder(late: Planned, tmp_path: Path) -> Path:
    deploy(late.plan, target_of(late.plan, late.snapshot, None), tmp_path / "there")
    return tmp_path / "there"


def test_what_deploy_writes_is_whole(late: Planned, folder: Path) -> None:
    assert container_problem(folder) is None
    assert task_problem(folder) is None
    assert context_problem(late.plan, late.snapshot) is None


def test_a_file_that_lacks_is_named(folder: Path) -> None:
    """Where the container file copies it."""
    (folder / "job.yaml").unlink()
    assert container_problem(folder) == "Dockerfile: copies job.yaml, which is not there"


def test_a_library_without_a_version_is_named(folder: Path) -> None:
    with (folder / "requirements.txt").open("a") as file:
        file.write("numpy\n")
    assert container_problem(folder) == "requirements.txt: 'numpy' is not pinned"


def test_an_instruction_that_is_none_is_named(folder: Path) -> None:
    text = (folder / "Dockerfile").read_text()
    (folder / "Dockerfile").write_text(text.replace("ENTRYPOINT", "ENTER"))
    assert container_problem(folder) == "Dockerfile: 'ENTER' is no instruction that it should have"


def test_a_task_that_mounts_nothing_is_named(folder: Path) -> None:
    task = folder / "skypilot.yaml"
    task.write_text(task.read_text() + "file_mounts:\n  /data/x: /nowhere/x\n")
    assert task_problem(folder) == "skypilot.yaml: mounts /nowhere/x, which is not there"
    task.write_text("name: late\n")
    assert task_problem(folder) == "skypilot.yaml: has no resources, setup, run"


def test_a_plan_without_a_better_place_says_so(late: Planned) -> None:
    """The reason of `deploy`, as a sentence and not as an error."""
    plan = late.plan.but(decision=late.plan.decision.but(better=None))
    assert "notably faster" in (context_problem(plan, late.snapshot) or "")
