"""Batches that are read several times: equal to the bit, decoded once, and nothing left of them."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fitscale.contracts import Batch
from fitscale.data.spill import Spill
from fitscale.testing.arrays import ArrayFeed
from fitscale.testing.feeds import same


class Read:
    """Passes over a feed's training rows, counted."""

    def __init__(self, *, sparse: bool = False, weight: bool = True) -> None:
        random = np.random.default_rng(0)
        X = random.standard_normal((1_000, 7)).astype(np.float32)
        X[random.random(X.shape) < 0.5] = 0 if sparse else np.nan
        X[170:340] = 0  # a sparse batch without a value
        if sparse:
            from scipy.sparse import csr_matrix

            X = csr_matrix(X)
        y, w = random.integers(0, 2, 1_000), random.random(1_000)
        self.feed = ArrayFeed(X, y, weight=w if weight else None, batch_rows=170)
        self.passes = 0

    def __call__(self) -> Iterator[Batch]:
        self.passes += 1
        return self.feed.batches("train")


def equal(some: Iterator[Batch], others: Iterator[Batch]) -> bool:
    return all(same(a, b) for a, b in zip(some, others, strict=True))


@pytest.mark.parametrize("weight", [True, False])
@pytest.mark.parametrize("sparse", [True, False])
def test_later_passes_give_the_same_bits_without_reading(sparse: bool, weight: bool, tmp_path: Path) -> None:
    """Features, targets, weights and row numbers, dense and sparse."""
    read = Read(sparse=sparse, weight=weight)
    spill = Spill(read, tmp_path)
    for _ in range(3):
        assert equal(spill.batches(), read.feed.batches("train"))
    assert read.passes == 1


def test_nothing_is_left_whenever_the_process_ends(tmp_path: Path) -> None:
    """The file has no name, not even while it is written."""
    spill = Spill(Read(), tmp_path)
    for _ in range(2):
        for _ in spill.batches():
            assert list(tmp_path.iterdir()) == []


def test_a_pass_that_was_left_is_begun_again(tmp_path: Path) -> None:
    """What was kept of it is no whole."""
    read = Read()
    spill = Spill(read, tmp_path)
    next(spill.batches())
    for _ in range(2):
        assert equal(spill.batches(), read.feed.batches("train"))
    assert read.passes == 2


@pytest.mark.parametrize("batches", [0, 3])
def test_without_room_on_the_disk_every_pass_reads(
    batches: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes half of what was free at most, and gives that back at once: the run goes on, slower."""
    read = Read()
    room = (batches + 0.5) * 170 * (7 * 4 + 4 + 4 + 8)
    real, taken = os.fstatvfs, []

    class Disk:
        f_frsize = 1

        def __init__(self, file: int) -> None:
            taken.append(os.fstat(file).st_size)
            self.f_bavail = int(room)

    monkeypatch.setattr(os, "fstatvfs", Disk)
    spill = Spill(read, tmp_path)
    for _ in range(3):
        assert equal(spill.batches(), read.feed.batches("train"))
    monkeypatch.setattr(os, "fstatvfs", real)
    assert read.passes == 3
    assert max(taken) <= room


def test_a_quota_costs_time_and_not_the_run(tmp_path: Path) -> None:
    """It shows only when it is reached: the room on the disk says nothing of it."""
    read = Read()
    spill = Spill(read, tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        for _ in range(3):
            assert equal(spill.batches(), read.feed.batches("train"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert read.passes == 3
