"""Whole or not at all: files appear under their name complete and synced, or do not appear."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import mmap
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from fitscale.errors import FitscaleError, StorageFull
from fitscale.store import crash

Bytes = bytes | bytearray | memoryview
FULL = (errno.ENOSPC, errno.EDQUOT)
LEAST_ROOM = 64 << 10


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a full disk into the error that says so."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise storage_full(path) from error
        raise


def is_full(error: BaseException) -> bool:
    """Whether this is how a full disk shows: libraries say it in their own errors, in the system's words."""
    if isinstance(error, StorageFull):
        return False  # it says so already, and where
    return getattr(error, "errno", None) in FULL or any(os.strerror(code) in str(error) for code in FULL)


def has_no_room(path: Path) -> bool:
    """Whether so little is left on the disk that what was being written did not fit."""
    about = os.statvfs(path)
    return about.f_bavail * about.f_frsize < LEAST_ROOM


def storage_full(path: Path) -> StorageFull:
    return StorageFull(
        f"{path}: the disk is full; what was committed is kept: make room, then give the same command again"
    )


def _beside(path: Path) -> Path:
    # Drawn, not numbered: in a container every process can have the same id, and what a killed one left under this name
    # may be the same file as the one that it had committed.
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_synced(path: Path, data: Bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())  # before it gets its name: a power cut must not leave an empty file


def replace(path: Path, data: Bytes | str) -> None:
    """Write a file, over what was there."""
    temporary = _beside(path)
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write_synced(temporary, data.encode() if isinstance(data, str) else data)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)


def create(path: Path, data: Bytes | str, *, before: str | None = None) -> bool:
    """Write a file that must not change once it is there; True if this call made it.

    Losing the race to equal bytes is success (False); ``before`` is the crash point between writing and naming.

    Raises
    ------
    FitscaleError
        If it is there with other bytes.
    """
    raw = data.encode() if isinstance(data, str) else data
    temporary = _beside(path)
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write_synced(temporary, raw)
            if before:
                crash.point(before)
            os.link(temporary, path)
        except FileExistsError:
            if path.read_bytes() != raw:
                raise FitscaleError(
                    f"{path}: is there already, with other contents: two fits of one recipe differ"
                ) from None
            return False
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)
    return True


def mapped(path: Path) -> memoryview:
    """The bytes of a file, which are read from the disk when they are looked at."""
    with open(path, "rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return memoryview(b"")
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def store_content(folder: Path, data: Bytes) -> str:
    """Keep bytes under the digest of their contents; the digest. What has this name and other bytes is replaced."""
    digest = _named(data)
    path = folder / digest
    if not path.exists():
        create(path, data)
    elif path.read_bytes() != data:  # damaged, or put there by somebody else
        replace(path, data)
    return digest


def is_whole(path: Path) -> bool:
    """Whether a file is there, and has the contents that its name is the digest of."""
    return path.exists() and _named(mapped(path)) == path.name


def _named(data: Bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def folder_whole(path: Path, fill: Callable[[Path], None], *, after: str | None = None) -> bool:
    """Fill a folder under another name, then give it its own; False if it was there."""
    if path.exists():
        return False
    temporary = _beside(path)
    with disk_errors(path):
        temporary.mkdir(parents=True)
        try:
            fill(temporary)
            for at, _, names in os.walk(temporary):
                for name in names:
                    with open(os.path.join(at, name), "rb") as file:
                        os.fsync(file.fileno())
                sync_folder(Path(at))
            try:
                os.rename(temporary, path)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
                return False  # another process was faster
            sync_folder(path.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    if after:
        crash.point(after)
    return True
