"""Package: the models of a version in a folder of their own, each in its library's format, for use without fitscale."""

from __future__ import annotations

from pathlib import Path

from fitscale.errors import UsageError
from fitscale.records.base import Record
from fitscale.registry import plugin
from fitscale.store import folder, versions
from fitscale.store.files import disk_errors


class Packaged(Record):
    """What was written, and where."""

    format: int = 1
    version: int
    models: int
    to: str
    files: int
    bytes: int


def package(run: Path, to: Path, version: int | None = None) -> Packaged:
    """Write the models, index.json (key → file) and encoding.json into a folder that is not there yet; all or none.

    Raises
    ------
    UsageError
        If there is no such version, or the folder is there already or cannot be written.
    """
    folder.check(run)
    number = version if version is not None else versions.current(run)
    if number is None:
        raise UsageError(f"{run}: has no finished version yet; 'fitscale train' goes on with it")
    about = versions.manifest(run, number)
    try:
        with disk_errors(to):
            files = plugin("exporters", "native")().export(run, number, to).files
    except OSError as error:
        raise UsageError(f"--to {to}: cannot be written ({error.strerror}); name another folder") from error
    size = sum(path.stat().st_size for path in files)
    return Packaged(version=number, models=about.models, to=str(to), files=len(files), bytes=size)
