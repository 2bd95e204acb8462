"""The exact data of a run: taken, and held to what is there now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fitscale.data.checks import check_columns
from fitscale.errors import DataError

if TYPE_CHECKING:
    from fitscale.contracts import Source
    from fitscale.records.data import Snapshot
    from fitscale.records.workload import DataSpec

SHOWN = 3  # names of files that a sentence gives


def take(source: Source, data: DataSpec) -> Snapshot:
    """Pin what is there now, and hold the workload's column names to it.

    Raises
    ------
    WorkloadError, DataError
        At data.uri, data.where, data.target, …
    """
    snapshot = source.snapshot()
    check_columns(snapshot, data)
    return snapshot


def verify(source: Source, snapshot: Snapshot) -> str | None:
    """The sentence that says what is no longer as pinned, or None. Reads footers, not rows."""
    look = getattr(source, "glance", source.snapshot)
    try:
        now: Snapshot = look()
    except DataError as error:
        return str(error)
    return compare(snapshot, now)


def compare(old: Snapshot, new: Snapshot) -> str | None:
    """What differs between two looks at a source: filter, columns, files added, removed, changed; None if nothing.

    Of what was staged, the looks at what it was staged from.
    """
    if old.origin is not None and new.origin is not None and (at_origin := compare(old.origin, new.origin)):
        return at_origin
    if old.where != new.where:
        return f"data.where was {_quoted(old.where)} and is {_quoted(new.where)}"
    before = {piece.path: piece for piece in old.pieces}
    now = {piece.path: piece for piece in new.pieces}
    changes = {
        "added": [path for path in now if path not in before],
        "removed": [path for path in before if path not in now],
        "changed": [p for p in now if p in before and (now[p].bytes, now[p].pin) != (before[p].bytes, before[p].pin)],
    }
    told = [f"{_files(paths)} {what}: {_some(paths)}" for what, paths in changes.items() if paths]
    was, is_ = dict(old.columns), dict(new.columns)
    differing = [name for name in {**was, **is_} if was.get(name) != is_.get(name)]
    if differing:
        name = differing[0]
        told.append(f"column '{name}' was {was.get(name, 'not there')} and is {is_.get(name, 'not there')}")
    return "; ".join(told) or None


def _files(paths: Sequence[str]) -> str:
    return f"{len(paths):,} file{'' if len(paths) == 1 else 's'}"


def _some(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - SHOWN:,} more" if len(paths) > SHOWN else ""
    return ", ".join(paths[:SHOWN]) + more


def _quoted(text: str | None) -> str:
    return f'"{text}"' if text else "not given"
