"""Package: the models of a version in a folder of their own, each in its library's format, for use without fitscale.

Many models may be packed apart, by one or several of the columns of their keys: one archive for each place that they go to.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from fitscale.errors import UsageError, nearest
from fitscale.records.base import Record
from fitscale.registry import plugin
from fitscale.store import folder, lookup, versions
from fitscale.store.archive import Archive
from fitscale.store.files import disk_errors, folder_whole

MANIFEST = "manifest.json"


class Packaged(Record):
    """What was written, and where."""

    format: int = 1
    version: int
    models: int
    to: str
    files: int
    bytes: int


def package(run: Path, to: Path, version: int | None = None, by: Sequence[str] = ()) -> Packaged:
    """Write the models, index.json (key → file) and encoding.json into a folder that is not there yet; all or none.

    With ``by`` an archive of such files for each value of these columns of the key, and manifest.json, which leads from
    value to archive and says how many models it has and what its digest is.

    Raises
    ------
    UsageError
        If there is no such version or column, or the folder is there already or cannot be written.
    """
    folder.check(run)
    number = version if version is not None else versions.current(run)
    if number is None:
        raise UsageError(f"{run}: has no finished version yet; 'fitscale train' goes on with it")
    about = versions.manifest(run, number)
    for name in by:
        if name not in about.groups:
            has = f"they are found by {', '.join(about.groups)}" if about.groups else "it has one model, and no key"
            raise UsageError(f"--by {name}: no column of the models' key{nearest(name, about.groups)}; {has}")
    try:
        with disk_errors(to):
            files = _apart(run, to, number, by) if by else _in_one(run, to, number)
    except OSError as error:
        raise UsageError(f"--to {to}: cannot be written ({error.strerror}); name another folder") from error
    size = sum(path.stat().st_size for path in files)
    return Packaged(version=number, models=about.models, to=str(to), files=len(files), bytes=size)


def _in_one(run: Path, to: Path, version: int) -> list[Path]:
    return list(plugin("exporters", "native")().export(run, version, to).files)


def _apart(run: Path, to: Path, version: int, by: Sequence[str]) -> list[Path]:
    if to.exists():
        raise UsageError(f"{to}: is there already; name a folder that is not")
    index = lookup.Index(run, version)
    about = index.manifest

    def fill(draft: Path) -> None:
        packages = []
        for number, (key, models) in enumerate(_packages(index, by)):
            # Numbered: a key may be a path, or longer than a name can be.
            path = draft / f"{number:06d}.zip"
            _write(path, models, run, index)
            content = path.read_bytes()
            packages.append(
                {
                    "key": dict(zip(by, key, strict=True)),
                    "file": path.name,
                    "models": len(models),
                    "bytes": len(content),
                    "sha256": hashlib.sha256(content).hexdigest(),
                }
            )
        said = {"format": 1, "name": about.name, "version": version, "by": list(by), "packages": packages}
        (draft / MANIFEST).write_text(json.dumps(said, default=str, indent=1))

    folder_whole(to, fill)
    return sorted(to.iterdir())


Named = tuple[tuple[Any, ...], str, bytes]


def _packages(index: lookup.Index, by: Sequence[str]) -> Iterator[tuple[tuple[Any, ...], list[Named]]]:
    """(value, its models), in the order of the values' first models."""
    from fitscale.exporters.native import named

    places = [index.manifest.groups.index(name) for name in by]

    def value(model: Named) -> tuple[Any, ...]:
        return tuple(model[0][place] for place in places)

    if places == list(range(len(places))):  # the first columns of the key: its models lie together
        for key, models in groupby(named(index), value):
            yield key, list(models)
        return
    found: dict[tuple[Any, ...], list[Named]] = {}
    for model in named(index):
        found.setdefault(value(model), []).append(model)
    yield from found.items()


def _write(path: Path, models: list[Named], run: Path, index: lookup.Index) -> None:
    from fitscale.exporters.native import contents, encoding_of

    with Archive(path) as archive:
        for name, data in contents(models, encoding_of(run, index)):
            archive.add(name, data)
