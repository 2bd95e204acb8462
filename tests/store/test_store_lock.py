"""One writer for each run, for as long as it lives and no longer; the epoch only grows."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fitscale.errors import Locked, StorageFull, UsageError
from fitscale.store.lock import RunLock, epoch_of, is_held

HOLD = """
import os, subprocess, sys, time
from pathlib import Path
from fitscale.store.lock import RunLock
with RunLock(Path(sys.argv[1])) as lock:
    child = 0
    if sys.argv[2] == "fork":
        child = os.fork()
        if child == 0:
            os.close(1); os.close(2)
            time.sleep(60)
            os._exit(0)
    if sys.argv[2] == "exec":
        child = subprocess.Popen(["sleep", "60"], close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid
    print(lock.epoch, child, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def ended() -> Iterator[list[int]]:
    """Processes that the test leaves behind on purpose, ended after it."""
    left: list[int] = []
    yield left
    for pid in left:
        os.kill(pid, signal.SIGKILL)


def test_a_second_command_is_refused_and_told_who_writes(tmp_path: Path, start: Callable[..., Any]) -> None:
    """The refusal names the process; it changes neither lock nor epoch."""
    process = start(HOLD, tmp_path, "")
    process.stdout.readline()
    with (
        pytest.raises(Locked, match=rf"another command \(process {process.pid}\) is writing") as error,
        RunLock(tmp_path),
    ):
        pytest.fail("two commands have the lock")
    assert error.value.exit_code == 2
    assert f"fitscale status {tmp_path}" in str(error.value)
    assert epoch_of(tmp_path) == 1
    assert is_held(tmp_path)


@pytest.mark.parametrize("child", ["", "fork", "exec"])
def test_a_kill_releases_the_lock(tmp_path: Path, start: Callable[..., Any], ended: list[int], child: str) -> None:
    """The next command has it at once, also where a forked or started child of the killed one lives on."""
    process = start(HOLD, tmp_path, child)
    epoch, pid = map(int, process.stdout.readline().split())
    if pid:
        ended.append(pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    for _ in range(100):  # a child that was just forked lets go of it in its first moments
        if not is_held(tmp_path):
            break
        time.sleep(0.02)
    assert not is_held(tmp_path)
    with RunLock(tmp_path) as lock:
        assert lock.epoch == epoch + 1
    if pid:
        os.kill(pid, 0)  # it does live on


def test_a_fork_does_not_release_its_parents_lock(tmp_path: Path) -> None:
    """A child that ends, its own end of the lock with it, leaves the parent's lock in place."""
    with RunLock(tmp_path) as lock:
        pid = os.fork()
        if pid == 0:
            lock.__exit__(None, None, None)
            os._exit(0)
        os.waitpid(pid, 0)
        assert is_held(tmp_path)
        with pytest.raises(Locked), RunLock(tmp_path):
            pass


def test_the_epoch_grows_with_each_command(tmp_path: Path) -> None:
    """Refused ones and those that only look do not count."""
    assert epoch_of(tmp_path) == 0
    for epoch in range(1, 13):
        with RunLock(tmp_path) as lock:
            assert lock.epoch == epoch
            with pytest.raises(Locked), RunLock(tmp_path):
                pass
        assert epoch_of(tmp_path) == epoch
        assert not is_held(tmp_path)


@pytest.mark.parametrize("call", ["open", "truncate", "ftruncate", "write", "pwrite", "fsync"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_the_epoch_survives_a_kill_around_any_call(
    tmp_path: Path, start: Callable[..., Any], call: str, when: str
) -> None:
    """Killed while it takes the lock, a command leaves the old epoch or the new one, never none."""
    for _ in range(3):
        with RunLock(tmp_path):
            pass
    code = """
import os, signal, sys
from pathlib import Path
from fitscale.store.lock import RunLock
name, when = sys.argv[2:]
real = getattr(os, name)
def call(*a, **k):
    if when == "before":
        signal.raise_signal(signal.SIGKILL)
    result = real(*a, **k)
    signal.raise_signal(signal.SIGKILL)
setattr(os, name, call)
with RunLock(Path(sys.argv[1])):
    pass
"""
    start(code, tmp_path, call, when).wait()
    assert epoch_of(tmp_path) in (3, 4)
    before = epoch_of(tmp_path)
    with RunLock(tmp_path) as lock:
        assert lock.epoch == before + 1


def test_looking_does_not_refuse_a_command(tmp_path: Path) -> None:
    """`is_held`, asked over and over by another thread, never makes a command think that the run is locked."""
    with RunLock(tmp_path):
        pass
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            is_held(tmp_path)
            time.sleep(0.0002)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        for _ in range(300):
            with RunLock(tmp_path):
                pass
    finally:
        over.set()
        looking.join()


def test_where_nothing_can_be_written_the_error_says_so(tmp_path: Path) -> None:
    """A folder that is none: what is wrong, and --run as the way out."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match=r"cannot write here \(Not a directory\); name another folder with --run"):
        RunLock(tmp_path / "file" / "run").__enter__()


def test_a_full_disk_leaves_the_run_unlocked(small_disk: Path, full_disk: Callable[[], Path]) -> None:
    """A first command that finds no room for the epoch ends resumably, and keeps no lock."""
    ballast = full_disk()
    with pytest.raises(StorageFull), RunLock(small_disk):
        pass
    assert not is_held(small_disk)
    ballast.unlink()
    with RunLock(small_disk) as lock:
        assert lock.epoch == 1
