"""What the control groups of this process allow: memory and CPU, version 1 or 2, whichever is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

UNLIMITED = 1 << 60  # version 1 writes 2^63 less a page


class Allowance(NamedTuple):
    """The tightest of the group and its parents. None: not limited."""

    memory_bytes: int | None  # the limit
    memory_free_bytes: int | None  # what is left of it; file pages that can be dropped count as free
    cpus: float | None  # CPU seconds a second


def allowance(root: Path = Path("/")) -> Allowance:
    """Read it, under `root` for tests. Files that are missing or cannot be read limit nothing."""
    limits: list[int] = []
    free: list[int] = []
    cpus: list[float] = []
    for folder in _groups(root, "memory"):
        limit = _number(folder / "memory.max") or _number(folder / "memory.limit_in_bytes")
        if limit is not None and limit < UNLIMITED:
            used = _number(folder / "memory.current") or _number(folder / "memory.usage_in_bytes") or 0
            limits.append(limit)
            free.append(max(0, limit - max(0, used - _droppable(folder))))
    for folder in _groups(root, "cpu"):
        words = _text(folder / "cpu.max").split()
        if len(words) == 2 and words[0] != "max":
            cpus.append(int(words[0]) / int(words[1]))
        quota, period = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
        if quota is not None and quota > 0 and period:
            cpus.append(quota / period)
    return Allowance(min(limits, default=None), min(free, default=None), min(cpus, default=None))


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """The folders of the group of this process and of its parents, innermost first."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, names, path = line.split(":", 2)
        if names and controller not in names.split(","):
            continue
        for top, inside in _mounts(root, controller if names else ""):
            # In a container the mount shows the group itself, or the path is that of the host: then the mount's top.
            relative = path[len(inside) :] if inside != "/" and path.startswith(inside) else path
            folder = top / relative.strip("/")
            while folder != top:
                yield folder
                folder = folder.parent
            yield top


def _mounts(root: Path, controller: str) -> Iterator[tuple[Path, str]]:
    """Where the controller ('': version 2) is mounted, and which group the mount shows."""
    for line in _text(root / "proc/self/mountinfo").splitlines():
        left, _, right = line.partition(" - ")
        words, kind = left.split(), right.split()
        version2 = kind[:1] == ["cgroup2"]
        if (version2 and not controller) or (
            kind[:1] == ["cgroup"] and controller and controller in kind[2].split(",")
        ):
            yield root / words[4].lstrip("/"), words[3]


def _droppable(folder: Path) -> int:
    """File pages charged to the group, which the kernel drops before it ends a process."""
    figures = dict(line.split(" ", 1) for line in _text(folder / "memory.stat").splitlines() if " " in line)
    for prefix in ("total_", ""):  # version 1 tells the group without its children apart
        if f"{prefix}inactive_file" in figures:
            return int(figures[f"{prefix}inactive_file"]) + int(figures.get(f"{prefix}active_file", 0))
    return 0


def _number(file: Path) -> int | None:
    text = _text(file).strip()
    return int(text) if text.lstrip("-").isdigit() else None


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError):
        return ""
