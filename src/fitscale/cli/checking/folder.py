"""The run folder: whether it can be written to, who works on it, and whether this version reads it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fitscale.cli.checking.finding import Finding, tried
from fitscale.cli.shown import plural, size
from fitscale.errors import FitscaleError


def folder_of(file: Path | None, run: Path | None) -> tuple[Path, Finding | None]:
    """Where a workload's run is kept, though its file cannot be read; and what is wrong with the settings, if anything."""
    from fitscale.workload import load, settings

    beside = Path(".") if file is None else file.parent
    if run is not None:
        return run, None
    try:
        runs = Path(settings({}, os.environ, beside).runs)
    except FitscaleError as error:
        return beside / "runs" / "run", Finding(what="settings", state="wrong", says=str(error))
    if file is None:
        return runs / "run", None
    try:
        return runs / load(file, check_offered=False).name, None
    except FitscaleError:  # its own line says so
        return runs / file.stem, None


def run_folder(run: Path) -> Iterator[Finding]:
    """What `train` would meet there."""
    from fitscale.store import folder

    begun, finding = tried("run", lambda: folder.is_begun(run), lambda _: "")
    if begun is None:
        yield finding
        return
    yield _writable(run)
    if begun:
        yield _state(run)
        yield from _models(run)


def _state(run: Path) -> Finding:
    from fitscale.running.status import status_of

    found, finding = tried("run", lambda: status_of(run), lambda _: "")
    if found is None:
        return finding
    told = f"{run}: " + (f"{plural(len(found.versions), 'version')}" if found.versions else "no version yet")
    if found.unfinished is not None:
        told += f", version {found.unfinished} unfinished"
    if found.working:
        who = (run / "lock").read_text().split()
        process = f" (process {who[1]})" if len(who) > 1 else ""
        return Finding(
            what="run", state="note", says=f"{told}; fitscale {found.command}{process} is writing to it",
            next_step=f"wait for it, or look with: fitscale status {run}",
        )  # fmt: skip
    return Finding(what="run", state="ok", says=told)


def _models(run: Path) -> Iterator[Finding]:
    """The files of the served version, all of them read: each is named by the digest of its contents."""
    from fitscale.store import files, lookup, versions

    served = versions.current(run)
    if served is None:
        return
    index, finding = tried("models", lambda: lookup.Index(run, served), lambda _: "")
    if index is None:
        yield finding
        return
    names = index.manifest.payloads
    wrong = [name for name in names if not files.is_whole(run / "models" / name)]
    if wrong:
        are = f"{len(wrong)} of {plural(len(names), 'file')} of version {served} {'is' if len(wrong) == 1 else 'are'}"
        which = f"{', '.join(wrong[:3])}{', …' if wrong[3:] else ''}"
        yield Finding(
            what="models", state="wrong", says=f"{are} damaged, edited or gone: {which}",
            next_step="put them back, or train anew with --fresh",
        )  # fmt: skip
        return
    told = f"version {served}: {plural(len(index), 'group')}, {plural(len(names), 'file')}, each as it was written"
    yield Finding(what="models", state="ok", says=told)


def _writable(run: Path) -> Finding:
    """Really written, linked and locked: what a run does there, and what some network disks cannot."""
    there = run
    while not there.exists():
        there = there.parent
    try:
        with tempfile.TemporaryDirectory(dir=there, prefix=".fitscale-doctor-") as name:
            path = Path(name) / "file"
            path.write_bytes(b"x")
            os.link(path, path.with_name("link"))
            _lock(path)
    except OSError as error:
        return Finding(
            what="run folder", state="wrong", says=f"{there}: cannot write, link and lock here ({error.strerror})",
            next_step="name another folder with --run, or keep runs elsewhere with FITSCALE_RUNS",
        )  # fmt: skip
    free = size(os.statvfs(there).f_bavail * os.statvfs(there).f_frsize)
    begun = "" if there == run else f", {run} is made by the first command"
    return Finding(what="run folder", state="ok", says=f"{there} can be written to, {free} free{begun}")


def _lock(path: Path) -> None:
    import fcntl

    with open(path, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
