"""What of the data must be moved: a path is mounted where the run is, a database is asked from there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from fitscale.data.choosing import PATHS, scheme_of, source_class
from fitscale.data.sources import listing
from fitscale.records.base import Record
from fitscale.records.workload import DataSpec

THERE = "/data"
FEW = 16  # files that are mounted one by one; of more their folder is
LOOPBACK = ("localhost", "127.0.0.1", "::1", "")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Moved(Record):
    """Where the data is for the run."""

    uri: str  # in the workload file that goes there
    mounts: dict[str, str] = {}  # path there → path here
    bytes: int = 0  # of what is mounted
    secrets: tuple[str, ...] = ()  # names of variables, in the uri or read by its driver; no value is kept


def moved(data: DataSpec) -> Moved:
    """How the data is reached from another machine.

    Raises
    ------
    DataError
        At data.uri: a path that is not there (any more).
    """
    scheme = scheme_of(data.uri)
    if scheme in PATHS:
        return _mounted(data)
    secrets = tuple(dict.fromkeys(_VARIABLE.findall(data.uri)))
    if scheme in ("postgres", "postgresql"):
        secrets = secrets or tuple(name for name in ("PGPASSWORD",) if name in os.environ)
    return Moved(uri=data.uri, secrets=secrets)


def unreachable(data: DataSpec) -> str | None:
    """Why another machine cannot ask a database; None where it may."""
    if scheme_of(data.uri) not in ("postgres", "postgresql") or (host := _host(data.uri)) not in LOOPBACK:
        return None
    return f"'{host or 'a socket'}' is this machine itself: name the server as another one reaches it, and plan that"


def _host(uri: str) -> str:
    # A port may be a variable, which is no number yet.
    place = urlsplit(uri).netloc.rpartition("@")[2]
    return place[1:].partition("]")[0] if place.startswith("[") else place.partition(":")[0]


def _mounted(data: DataSpec) -> Moved:
    path = listing.locate(data.uri, data.base)
    if path.exists():
        there = f"{THERE}/{path.name}"
        return Moved(uri=there, mounts={there: str(path.resolve())}, bytes=_bytes([path]))
    cls = source_class(data)
    root, files = listing.listed(path, cls.suffixes, cls.name)
    pattern = path.relative_to(root)
    if len(files) > FEW:
        there = f"{THERE}/{root.name}"
        return Moved(uri=f"{there}/{pattern}", mounts={there: str(root.resolve())}, bytes=_bytes([root]))
    mounts = {f"{THERE}/{name}": str((root / name).resolve()) for name in files}
    return Moved(uri=f"{THERE}/{pattern}", mounts=mounts, bytes=_bytes(root / name for name in files))


def _bytes(paths: Iterable[Path]) -> int:
    """Of files, and of all files in folders: what a copy of them takes."""
    size = 0
    for path in paths:
        if path.is_dir():
            size += sum((Path(at) / name).stat().st_size for at, _, names in os.walk(path) for name in names)
        else:
            size += path.stat().st_size
    return size
