"""Which files a path, folder or glob means, and what their folders' names say (``day=2026-01-01/``)."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from fitscale.errors import DataError, nearest

if TYPE_CHECKING:
    import pyarrow as pa

PLACE = "data.uri"
NULL = "__HIVE_DEFAULT_PARTITION__"


def locate(uri: str, base: str) -> Path:
    """The absolute path, folder or glob that a uri means."""
    path = unquote(uri.removeprefix("file://")) if uri.startswith("file://") else uri
    return Path(os.path.abspath(Path(base) / Path(path).expanduser()))


def listed(path: Path, suffixes: tuple[str, ...], kind: str) -> tuple[Path, tuple[str, ...]]:
    """(root, sorted paths relative to it) of the files there whose names end so; a file that is named is taken as it is.

    In folders hidden files and those that begin with ``_`` are passed over (``_SUCCESS``, ``_temporary/``).

    Raises
    ------
    DataError
        If there are none.
    """
    if path.is_dir():
        if files := sorted(_inside(path, path, suffixes)):
            return path, tuple(files)
        raise DataError(f"{PLACE}: folder {path} has no {kind} file in it{_others(path)}")
    if path.exists():
        return path.parent, (path.name,)
    if glob.has_magic(str(path)):
        return _globbed(path, suffixes, kind)
    folder = path.parent
    there = os.listdir(folder) if folder.is_dir() else []
    missing = f"no file {path.name} in {folder}" if folder.is_dir() else f"no folder {folder}"
    raise DataError(f"{PLACE}: {missing}{nearest(path.name, there)}; a relative path starts from the workload's folder")


def endings(path: Path, known: Collection[str]) -> dict[str, str]:
    """Of the known endings of names those that are there, each with a file; of a file, its own alone."""
    every = tuple(sorted(known, key=len, reverse=True))
    if path.exists() and not path.is_dir():
        names = [path.name]
    else:
        try:
            root, found = listed(path, every, "data")
        except DataError:
            return {}
        names = [str(root / name) for name in found]
    there: dict[str, str] = {}
    for name in names:
        ending = next((e for e in every if name.lower().endswith(e)), None)
        if ending is not None:
            there.setdefault(ending, name)
    return there


def glob_of(path: Path, ending: str) -> str:
    """The files of a folder, or of a glob's folder, that have an ending."""
    folder = path if path.is_dir() else path.parent
    return f"{folder}/*{ending}"


def hive_values(path: str) -> dict[str, str]:
    """``{'day': '2026-01-01'}`` of ``day=2026-01-01/part-0.parquet``."""
    pairs = (folder.partition("=") for folder in path.split("/")[:-1])
    return {unquote(key): unquote(value) for key, found, value in pairs if found and key}


def hive_types(paths: Mapping[str, Mapping[str, str]]) -> dict[str, pa.DataType]:
    """The types of the columns that paths name: int64 where every value is a whole number, else string.

    Raises
    ------
    DataError
        If the files do not lie under the same keys.
    """
    import pyarrow as pa

    first = next(iter(paths), "")
    for path, values in paths.items():
        if set(values) != set(paths[first]):
            raise DataError(
                f"{PLACE}: {first} lies under {_keys(paths[first])} and {path} under {_keys(values)}: "
                "all files must lie under the same key=value folders"
            )
    return {
        key: pa.int64() if _all_whole(values[key] for values in paths.values()) else pa.string()
        for key in paths.get(first, {})
    }


def _keys(values: Mapping[str, str]) -> str:
    return ", ".join(f"{key}=" for key in values) or "no key"


def _all_whole(values: Iterable[str]) -> bool:
    known = [value for value in values if value != NULL]
    return bool(known) and all(re.fullmatch(r"-?\d{1,18}", value, re.ASCII) for value in known)


def _globbed(path: Path, suffixes: tuple[str, ...], kind: str) -> tuple[Path, tuple[str, ...]]:
    parts = path.parts
    fixed = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    root = Path(*parts[:fixed])
    suffix = Path(parts[-1]).suffix
    named = bool(suffix) and not glob.has_magic(suffix)  # the pattern says which: part-*.dat
    files: set[str] = set()
    found = 0
    for match in glob.iglob("/".join(parts[fixed:]), root_dir=root, recursive=True):
        found += 1
        name = match.rsplit("/", 1)[-1]
        if (root / match).is_dir():
            files.update(_inside(root / match, root, suffixes))
        elif (named or name.lower().endswith(suffixes)) and (not name.startswith("_") or parts[-1].startswith("_")):
            files.add(match)
    if not files:
        what = f"matches no {kind} file" if found else "matches nothing"
        raise DataError(f"{PLACE}: {path} {what}{_others(root) if root.is_dir() else f': no folder {root}'}")
    return root, tuple(sorted(files))


def _inside(folder: Path, root: Path, suffixes: tuple[str, ...]) -> Iterator[str]:
    seen: set[str] = set()
    for at, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(at)
        if real in seen:  # a link to a folder above
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [name for name in folders if not _passed_over(name)]
        inside = os.path.relpath(at, root)
        for name in files:
            if name.lower().endswith(suffixes) and not _passed_over(name):
                yield name if inside == "." else f"{inside}/{name}"


def _passed_over(name: str) -> bool:
    return name.startswith(".") or (name.startswith("_") and "=" not in name)


def _others(folder: Path) -> str:
    names = sorted(name for name in os.listdir(folder) if not name.startswith("."))
    if not names:
        return ": it is empty"
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"; there are: {', '.join(names[:3])}{more}"
