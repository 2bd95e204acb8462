"""Versions: the finished models of a run. CURRENT names one; it moves atomically."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path

from fitscale.errors import UsageError
from fitscale.records.run import Manifest
from fitscale.store import chunks, crash, files
from fitscale.store import folder as folders


def numbers(run: Path) -> list[int]:
    """The finished versions, oldest first."""
    folder = run / "versions"
    if not folder.is_dir():
        return []
    return sorted(int(path.name) for path in folder.iterdir() if path.name.isdigit())


def manifest(run: Path, version: int) -> Manifest:
    """What a version holds.

    Raises
    ------
    UsageError
        If there is no such version, or it cannot be read.
    """
    try:
        return Manifest.from_json((run / "versions" / str(version) / "manifest.json").read_bytes())
    except FileNotFoundError:
        have = ", ".join(map(str, numbers(run))) or "none yet"
        raise UsageError(f"{run}: no version {version}; there are: {have}") from None
    except ValueError as error:  # of pydantic, too
        raise UsageError(
            f"{run}: version {version} has a manifest that this fitscale does not read: it was edited, or made by a newer one"
        ) from error


def current(run: Path) -> int | None:
    """The version that is served, if there is one."""
    try:
        return int((run / "CURRENT").read_text())
    except (OSError, ValueError):
        return None


def serve(run: Path, version: int) -> None:
    """Let CURRENT name a finished version."""
    manifest(run, version)
    files.replace(run / "CURRENT", f"{version}\n")
    crash.point("version.current")


def failures(run: Path, version: int) -> list[dict[str, object]]:
    """The groups of a version that have no model, with their reasons."""
    text = (run / "versions" / str(version) / "failures.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def export_folder(run: Path, version: int, name: str) -> Path:
    """Where a run keeps a version in a format that its workload asks for."""
    return run / "exports" / str(version) / name


def prune(run: Path, keep: set[int]) -> list[str]:
    """Delete versions that are not in ``keep``, and every payload that neither a version nor a chunk of their tasks names.

    CURRENT is always kept. Returns what was deleted.
    """
    gone: list[str] = []
    kept = keep | ({current(run)} - {None})
    for number in numbers(run):
        if number not in kept:
            _remove(run / "versions" / str(number))
            gone.append(f"versions/{number}")
            shutil.rmtree(run / "exports" / str(number), ignore_errors=True)
            (run / "worth" / f"{number}.json").unlink(missing_ok=True)
    for left in (run / "versions").glob(".*"):  # by a prune or a finish that was killed
        shutil.rmtree(left)
    named: set[str] = set()
    tasks: set[str] = set()
    for number in numbers(run):
        about = manifest(run, number)
        named.update(about.payloads)
        tasks.update(recipe.digest for recipe in about.recipes.values())
    for folder in (run / "tasks").glob("*") if (run / "tasks").is_dir() else ():
        if folder.name not in tasks:
            _remove(folder)
            gone.append(f"tasks/{folder.name}")
            continue
        for k in chunks.committed(run, folder.name):
            result = chunks.read(run, folder.name, k)
            named.update(name for name in (result.table, result.models, result.predictions) if name)
    gone += _prune_staged(run, tasks)
    for path in (run / "models").glob("*") if (run / "models").is_dir() else ():
        if path.name not in named:
            path.unlink()
            (run / "signatures" / path.name).unlink(missing_ok=True)
            gone.append(f"models/{path.name}")
    return gone


def _prune_staged(run: Path, tasks: set[str]) -> list[str]:
    """Delete data that was staged for tasks that are gone; what was staged last is that of the next one."""
    staged = {path.parent: json.loads(path.read_text())["at"] for path in run.glob("data/*/staging.json")}
    if not staged:
        return []
    kept = {max(staged, key=lambda path: staged[path]).name}
    for task in tasks:
        with suppress(UsageError, OSError):  # pruned before: it has no task any more
            kept.add(Path(folders.read_snapshot(run, folders.read_task(run, task).snapshot).root).name)
    old = [path for path in staged if path.name not in kept]
    for path in old:
        _remove(path)
    return [f"data/{path.name}" for path in old]


def _remove(folder: Path) -> None:
    """Delete a folder so that half of it is never found under its name."""
    gone = folder.with_name(f".{folder.name}.gone")
    shutil.rmtree(gone, ignore_errors=True)  # of a prune that was killed
    folder.rename(gone)
    shutil.rmtree(gone)
