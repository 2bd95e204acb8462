"""This machine, as far as it may be used."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitscale.errors import UsageError
from fitscale.machines.cgroup import allowance
from fitscale.machines.here import detect, parse_gpus, require_linux

GIB = 2**30


def test_detects_what_may_be_used(tmp_path: Path) -> None:
    """Cores, memory and disk are there, and never more than is installed."""
    machine = detect(folder=tmp_path / "not" / "yet")
    assert 1 <= machine.cores <= len(os.sched_getaffinity(0))
    assert 0 < machine.memory_bytes <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert machine.disk_free_bytes is not None
    assert machine.disk_free_bytes > 0
    assert machine.cpu
    assert machine.kind == "local"
    assert any(note.startswith("memory:") for note in machine.notes)


def test_limits_of_the_workload_hold_and_never_add() -> None:
    """A limit below what is there is kept; one above it changes nothing."""
    small = detect(limit_memory=10**8, limit_cores=1)
    assert (small.memory_bytes, small.cores) == (10**8, 1)
    large = detect(limit_memory=10**16, limit_cores=10**6)
    assert large.cores <= len(os.sched_getaffinity(0))
    assert large.memory_bytes < 10**15


def test_affinity_counts() -> None:
    """Cores that this process may not run on do not count."""
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert detect().cores == 1
    finally:
        os.sched_setaffinity(0, allowed)


def test_elsewhere_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere than on Linux there is one sentence and exit code 2."""
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(UsageError, match=r"needs Linux.*darwin") as caught:
        require_linux()
    assert caught.value.exit_code == 2


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


V2 = "30 23 0:26 {shown} /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"
V1 = (
    "33 31 0:28 {shown} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "34 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
)


def test_version_2_takes_the_tightest_of_the_group_and_its_parents(tmp_path: Path) -> None:
    """A limit on a parent group holds for its children; file pages that can be dropped count as free."""
    root = tree(
        tmp_path,
        {
            "proc/self/cgroup": "0::/user/job\n",
            "proc/self/mountinfo": V2.format(shown="/"),
            "sys/fs/cgroup/user/memory.max": f"{4 * GIB}\n",
            "sys/fs/cgroup/user/memory.current": f"{3 * GIB}\n",
            "sys/fs/cgroup/user/memory.stat": f"anon 1\ninactive_file {GIB}\nactive_file {GIB}\n",
            "sys/fs/cgroup/user/job/memory.max": "max\n",
            "sys/fs/cgroup/user/job/cpu.max": "150000 100000\n",
            "sys/fs/cgroup/cpu.max": "max 100000\n",
        },
    )
    assert allowance(root) == (4 * GIB, 3 * GIB, 1.5)


def test_version_1_is_read_too(tmp_path: Path) -> None:
    """Quota, limit and the figures of the whole group, where controllers are mounted apart."""
    root = tree(
        tmp_path,
        {
            "proc/self/cgroup": "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n0::/\n",
            "proc/self/mountinfo": V1.format(shown="/docker/abc"),
            "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{2 * GIB}\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{GIB}\n",
            "sys/fs/cgroup/memory/memory.stat": f"inactive_file 0\ntotal_inactive_file {GIB // 2}\n",
            "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us": "50000\n",
            "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us": "100000\n",
        },
    )
    assert allowance(root) == (2 * GIB, 3 * GIB // 2, 0.5)


def test_no_limit_is_no_limit(tmp_path: Path) -> None:
    """The 2^63 of version 1, a quota of -1, and no groups at all limit nothing."""
    root = tree(
        tmp_path,
        {
            "proc/self/cgroup": "5:memory:/\n4:cpu,cpuacct:/\n",
            "proc/self/mountinfo": V1.format(shown="/"),
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        },
    )
    assert allowance(root) == (None, None, None)
    assert allowance(tmp_path / "empty") == (None, None, None)


def test_gpus_are_read() -> None:
    """Count, model and memory of one; the smallest where they differ; only those that are visible."""
    two = "NVIDIA A100-SXM4-40GB, 40960\nNVIDIA A100-SXM4-40GB, 40960\n"
    assert parse_gpus(two) == (2, "NVIDIA A100-SXM4-40GB", 40 * GIB, ())
    assert parse_gpus(two, visible="1")[0] == 1
    assert parse_gpus(two, visible="")[0] == 0
    count, name, memory, notes = parse_gpus("NVIDIA L4, 23034\nTesla T4, 15360\n")
    assert (count, name, memory) == (2, "Tesla T4", 15 * GIB)
    assert notes


@given(st.text())
def test_any_answer_about_gpus_is_survived(answer: str) -> None:
    """Whatever nvidia-smi says, a count that fits its memory comes out."""
    count, _, memory, _ = parse_gpus(answer)
    assert (count == 0) == (memory == 0) or memory == 0
