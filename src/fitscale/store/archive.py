"""Many small files in one: a zip whose bytes depend on its contents alone, written one file after the other."""

from __future__ import annotations

import zipfile
from pathlib import Path
from types import TracebackType
from typing import Self

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say


class Archive:
    """A context manager; ``add`` keeps nothing in memory but names and places."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def add(self, name: str, data: bytes) -> None:
        about = zipfile.ZipInfo(name, EPOCH)
        about.compress_type = zipfile.ZIP_DEFLATED
        about.external_attr = 0o644 << 16
        self._zip.writestr(about, data)
