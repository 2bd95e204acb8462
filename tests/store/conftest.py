"""What the store's tests share: processes to be killed, a disk that is really full, records with nothing in them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fitscale.records.data import Folds
from fitscale.records.run import Chunk, Estimator, Recipe, Task, Traits
from fitscale.records.workload import DataSpec

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """``start(code, *argv, **env)``: Python code in a process of its own, which ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(code: str, *argv: object, **env: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, argv)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 128 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill_up(folder: Path) -> Path:
    """Leave no byte free; the file that took it all."""
    path = folder / "ballast"
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return path


@pytest.fixture
def full_disk(small_disk: Path) -> Callable[[], Path]:
    """``full_disk()`` fills the disk up and returns the file to delete, to make room again."""
    return lambda: fill_up(small_disk)


def make_task(seed: int = 0, groups: tuple[str, ...] = (), n_chunks: int = 1) -> Task:
    """A task that nobody fits."""
    recipe = Recipe(
        framework="baseline",
        estimator=Estimator(path="baseline.Classifier"),
        encoding="none",
        data="none",
        target="y",
        groups=groups,
        folds=Folds(seed=0),
        seed=seed,
    )
    traits = Traits(target="classifier", can={"whole": "same"}, input="codes", missing="ok", progress="passes")
    return Task(
        recipe=recipe,
        name="fit",
        data=DataSpec(uri="synthetic://", target="y", groups=groups),
        traits=traits,
        snapshot="none",
        chunks=tuple(Chunk(start=k, stop=k + 1) for k in range(n_chunks)),
    )


@pytest.fixture
def task_of() -> Callable[..., Task]:
    return make_task
