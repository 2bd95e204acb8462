"""Helpers of the kill tests: run the command in a process of its own, end it, compare what is left."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def write_job(folder: Path, document: dict[str, Any]) -> Path:
    path = folder / f"{document['name']}.yaml"
    path.write_text(json.dumps(document))  # JSON is YAML
    return path


def command(job: Path, run: Path, *flags: str) -> list[str]:
    return [sys.executable, "-m", "fitscale", "train", str(job), "--run", str(run), *flags]


def train(job: Path, run: Path, *flags: str, crash: str | None = None, timeout: float = 180) -> tuple[int, str]:
    """(exit code, stderr) of `fitscale train`; checkpoints are written at every segment."""
    env = {**os.environ, "FITSCALE_CHECKPOINT_S": "0"}
    if crash:
        env["FITSCALE_CRASH"] = crash
    done = subprocess.run(
        command(job, run, *flags), env=env, capture_output=True, text=True, timeout=timeout, check=False
    )
    return done.returncode, done.stderr


def kill_after(job: Path, run: Path, seconds: float, *flags: str) -> int | None:
    """Start `fitscale train`, end it with SIGKILL after some time; its exit code if it was faster."""
    env = {**os.environ, "FITSCALE_CHECKPOINT_S": "0"}
    child = subprocess.Popen(command(job, run, *flags), env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return child.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGKILL)
        child.wait()
        return None


def bytes_of(run: Path, version: int = 1) -> dict[str, str]:
    """Digest of each file of a version, and of the payloads that it names."""
    folder = run / "versions" / str(version)
    manifest = json.loads((folder / "manifest.json").read_text())
    files = [*sorted(folder.iterdir()), *(run / "models" / name for name in manifest["payloads"])]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def processes_of(run: Path, worker: str = "") -> list[int]:
    """Processes, but for this one, with the run's path on their command line; those that write this worker's log alone."""
    found = [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and int(pid) != os.getpid()]
    ours = [pid for pid in found if str(run).encode() in _cmdline(str(pid))]
    if not worker:
        return ours
    attempt, _, rank = worker.partition(".")
    log = run / "attempts" / attempt / f"log.{rank}.txt"
    return [pid for pid in ours if _writes_to(pid) == str(log)]


def wait_until_quiet(run: Path) -> None:
    """Until no process works on the run any more: workers end with their command, within moments."""
    for _ in range(200):
        if not processes_of(run):
            return
        time.sleep(0.05)
    raise AssertionError(f"processes of {run} outlive their command")


def _writes_to(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/fd/1")
    except OSError:
        return ""


def _cmdline(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
