"""Speeds are measured once, kept, and never in the way."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fitscale.machines import speed
from fitscale.machines.contention import Contention, own_cpu_s
from fitscale.machines.here import detect


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "fitscale" / "machine.json"


def test_measures_once_and_keeps_it(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All speeds are positive, nothing is left in the folder, and the second time nothing is measured."""
    folder = tmp_path / "runs"
    folder.mkdir()
    machine = speed.with_speeds(detect(), folder, budget_s=0.4)
    for value in (machine.disk_read_bytes_per_s, machine.disk_write_bytes_per_s, machine.memory_bytes_per_s):
        assert value is not None
        assert value > 1e5
    assert machine.cpu_ns is not None
    assert 0 < machine.cpu_ns < 10_000
    assert list(folder.iterdir()) == []
    assert own_cache.exists()
    monkeypatch.setattr(speed, "_disk", None)  # a second measurement would fail
    assert speed.with_speeds(detect(), folder).cpu_ns == machine.cpu_ns


@pytest.mark.parametrize("text", ["", "{", '{"version": 1, "entries": {"a": {}}}', "[]"])
def test_a_spoilt_cache_is_measured_anew(tmp_path: Path, own_cache: Path, text: str) -> None:
    """A cache that cannot be read is no error."""
    own_cache.parent.mkdir(parents=True)
    own_cache.write_text(text)
    assert speed.measure(tmp_path, 0.1).cpu_ns > 0


def test_a_cache_that_cannot_be_kept_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a place for the cache the speeds are measured all the same."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert speed.measure(tmp_path, 0.1).memory_bytes_per_s > 0


def test_own_work_is_not_contention() -> None:
    """CPU that this process and its running children use is their own."""
    code = "import time\nend = time.monotonic() + 0.6\nwhile time.monotonic() < end: pass"
    before = own_cpu_s({os.getpid()})
    with subprocess.Popen([sys.executable, "-c", code]) as child:
        time.sleep(0.3)
        running = own_cpu_s({os.getpid()}) - before
        child.wait()
    ended = own_cpu_s({os.getpid()}) - before
    assert 0 < running <= ended  # seen while it runs, and not lost when it has ended


def test_the_share_of_others_is_a_share() -> None:
    """Work of a process that is none of ours shows as contention."""
    contention = Contention().start()
    code = "import time\nend = time.monotonic() + 0.8\nwhile time.monotonic() < end: pass"
    # The shell ends at once, so that its child is nobody's: a stranger's work.
    subprocess.run(["sh", "-c", '"$0" -c "$1" &', sys.executable, code], check=True)
    time.sleep(0.6)
    assert 0.02 < contention.share() <= 1
    time.sleep(0.5)
