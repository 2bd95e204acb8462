"""This machine, as far as this process may use it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

from fitscale.errors import UsageError
from fitscale.machines.cgroup import allowance
from fitscale.records.base import digest_of
from fitscale.records.machine import Machine


def require_linux() -> None:
    """Refuse to measure or limit anything elsewhere.

    Raises
    ------
    UsageError
        In one sentence.
    """
    if sys.platform != "linux":
        raise UsageError(
            f"fitscale needs Linux for its measurements and limits, this is {sys.platform}: use WSL or a container"
        )


def detect(limit_memory: int | None = None, limit_cores: int | None = None, folder: Path = Path(".")) -> Machine:
    """This machine: what of its cores, memory, disk and accelerators may be used now.

    Parameters
    ----------
    limit_memory, limit_cores
        What the workload allows, in bytes and cores; more than there is changes nothing.
    folder
        Where runs are kept: its disk is the one that counts. It need not exist yet.

    Raises
    ------
    UsageError
        Elsewhere than on Linux.
    """
    require_linux()
    group = allowance()
    notes: list[str] = []
    cores = len(os.sched_getaffinity(0))
    if group.cpus is not None and group.cpus < cores:
        notes.append(f"cores: {cores}, of which the control group allows {group.cpus:g}")
        cores = max(1, int(group.cpus))
    if limit_cores is not None:
        cores = max(1, min(cores, limit_cores))
    total, available = _memory()
    memory = min(total, available)
    notes.append(f"memory: {available / 2**30:.1f} of {total / 2**30:.1f} GiB not in use")
    if group.memory_free_bytes is not None and group.memory_free_bytes < memory:
        memory = group.memory_free_bytes
        notes.append(
            f"memory: the control group leaves {memory / 2**30:.1f} of {(group.memory_bytes or 0) / 2**30:.1f} GiB"
        )
    if limit_memory is not None and limit_memory < memory:
        memory = limit_memory
    cpu, clock = _cpu()
    gpus, gpu, gpu_memory, said = _gpus()
    return Machine(
        name="here",
        cores=cores,
        memory_bytes=memory,
        disk_free_bytes=shutil.disk_usage(_existing(folder)).free,
        cpu=cpu,
        arch=_ARCHITECTURES.get(platform.machine(), platform.machine()),
        clock_ghz=clock,
        gpus=gpus,
        gpu=gpu,
        gpu_memory_bytes=gpu_memory,
        notes=(*notes, *said),
    )


_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def fingerprint() -> str:
    """16 hexadecimal digits that name this machine: its processor, the cores that may be used, its memory in whole GiB.

    It stays: what a workload allows and what is free now are no part of it. Another quota of a container makes another machine.
    """
    group = allowance()
    cores = len(os.sched_getaffinity(0))
    cores = cores if group.cpus is None else max(1, min(cores, int(group.cpus)))
    memory = min(_memory()[0], group.memory_bytes or _memory()[0])
    return digest_of(_cpu()[0], platform.machine(), str(cores), str(round(memory / 2**30)))


def _memory() -> tuple[int, int]:
    """Installed bytes, and those that can be had without swapping."""
    fields: dict[str, str] = dict(re.findall(r"^(\w+):\s+(\d+) kB$", Path("/proc/meminfo").read_text(), re.MULTILINE))
    total = int(fields["MemTotal"]) * 1024
    return total, int(fields.get("MemAvailable") or fields["MemFree"]) * 1024


def _cpu() -> tuple[str, float | None]:
    """The model's name, and its clock in GHz: the highest where the kernel tells it, else the present one."""
    text = Path("/proc/cpuinfo").read_text()
    name = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    try:
        khz = float(Path("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq").read_text())
        clock: float | None = round(khz / 1e6, 3)
    except (OSError, ValueError):
        mhz = re.search(r"^cpu MHz\s*:\s*([\d.]+)$", text, re.MULTILINE)
        clock = round(float(mhz.group(1)) / 1e3, 3) if mhz else None
    return (name.group(1).strip() if name else platform.machine()), clock


def _gpus() -> tuple[int, str, int, tuple[str, ...]]:
    """Count, model and bytes of one accelerator as nvidia-smi tells them, and what there is to note."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return 0, "", 0, ()
    query = [program, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return 0, "", 0, (f"gpus: nvidia-smi gave no answer ({type(error).__name__}), none is used",)
    return parse_gpus(answer, os.environ.get("CUDA_VISIBLE_DEVICES"))


def parse_gpus(answer: str, visible: str | None = None) -> tuple[int, str, int, tuple[str, ...]]:
    """Read nvidia-smi's ``name, MiB`` lines; `visible` is CUDA_VISIBLE_DEVICES. Of unequal ones the smallest counts."""
    found = []
    for line in answer.strip().splitlines():
        name, _, mib = line.rpartition(",")
        if name and mib.strip().isdigit():
            found.append((int(mib) * 2**20, name.strip()))
    if visible is not None:
        found = found[: len([word for word in visible.split(",") if word.strip() not in ("", "-1")])]
    if not found:
        return 0, "", 0, ()
    memory, name = min(found)
    models = {n for _, n in found}
    notes = (f"gpus: {', '.join(sorted(models))}; counted as {len(found)} × {name}",) if len(models) > 1 else ()
    return len(found), name, memory, notes


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return folder
