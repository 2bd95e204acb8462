"""Which source reads what a workload names: by the uri's scheme, of paths by the endings of the names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitscale.data.sources import listing
from fitscale.errors import DataError, UsageError, WorkloadError
from fitscale.records.workload import Csv, SvmLightFiles
from fitscale.registry import names, plugin, source_of

if TYPE_CHECKING:
    from fitscale.contracts import Source
    from fitscale.records.workload import DataSpec

PATHS = ("", "file")


def source_class(data: DataSpec) -> Any:
    """The class of the source.

    Raises
    ------
    WorkloadError, DataError
        At data.uri: no source reads it, or several would: files of different kinds lie together.
    """
    scheme = scheme_of(data.uri)
    try:
        usual = source_of(scheme)
    except UsageError as error:
        raise WorkloadError("data.uri", str(error)) from None
    if scheme not in PATHS:
        return usual
    path = listing.locate(data.uri, data.base)
    owners = {
        ending: cls
        for cls in (plugin("sources", name) for name in names("sources"))
        if scheme in cls.schemes
        for ending in getattr(cls, "suffixes", ())
    }
    there = listing.endings(path, owners)
    kinds = {owners[ending].name: file for ending, file in there.items()}
    if len(kinds) > 1:
        one, two = list(kinds.values())[:2]
        raise DataError(
            f"{listing.PLACE}: {path} has files of different kinds: {one} and {two}; name a glob that matches one kind, such "
            f"as {listing.glob_of(path, next(iter(there)))}"
        )
    if not there and path.is_file() and not _is_or_was(path, b"PAR"):
        raise DataError(
            f"{listing.PLACE}: {path} is of a kind that its name does not say; names of what is read end in "
            f"{', '.join(owners)}: rename it, or convert it"
        )
    return owners[next(iter(there))] if there else usual


def _is_or_was(path: Path, magic: bytes) -> bool:
    """Whether a file begins as one of a kind does; one that cannot be read, or is empty, may have been to."""
    try:
        with open(path, "rb") as file:
            head = file.read(len(magic))
    except OSError:
        return True
    return head == magic or not head


def open_source(data: DataSpec) -> Source:
    """The source of what the workload names, looked at.

    Raises
    ------
    WorkloadError, DataError
        At data.uri: what cannot be read. At data.csv, data.svmlight: what says how to read another kind of data.
    """
    cls = source_class(data)
    for section, said, what in (
        ("csv", data.csv != Csv(), "delimited text"),
        ("svmlight", data.svmlight != SvmLightFiles(), "svmlight file"),
    ):
        if said and section not in getattr(cls, "takes", ()):
            raise WorkloadError(f"data.{section}", f"{data.uri} is no {what}: leave it out")
    source: Source = cls.open(data)
    return source


def scheme_of(uri: str) -> str:
    """``s3`` of ``s3://bucket/key``; '' of a path."""
    scheme, found, _ = uri.partition("://")
    return scheme if found else ""
