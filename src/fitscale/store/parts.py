"""Parts of one model, kept as they are grown: START-STOP holds the bytes of units START to STOP, and never changes."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from pathlib import Path

from fitscale.store import crash, files, trust

log = logging.getLogger("fitscale")

Span = tuple[int, int]  # units, the second left out


def folder(run: Path, task: str) -> Path:
    """Where the parts of a task are kept until it is committed."""
    return run / "tasks" / task / "parts"


def save(folder: Path, span: Span, payload: bytes) -> None:
    """Keep a part, whole or not at all. What is there is left: two that grew it have the same."""
    meta = {"sha256": hashlib.sha256(payload).hexdigest(), "signature": trust.signature(payload)}

    def fill(temporary: Path) -> None:
        (temporary / "payload").write_bytes(payload)
        crash.point("part.half")
        (temporary / "meta.json").write_text(json.dumps(meta, sort_keys=True))

    files.folder_whole(folder / _name(span), fill)


def kept(folder: Path) -> set[Span]:
    """The parts that are there."""
    if not folder.is_dir():
        return set()
    names = [path.name.partition("-") for path in folder.iterdir() if not path.name.startswith(".")]
    return {(int(start), int(stop)) for start, _, stop in names}


def size(folder: Path, span: Span) -> int:
    """The bytes of a part that is kept."""
    try:
        return (folder / _name(span) / "payload").stat().st_size
    except OSError:  # torn
        return 0


def read(run: Path, folder: Path, span: Span, *, pickles: bool, trusted: bool) -> bytes | None:
    """The bytes of a part; None where they are gone or torn: it is then forgotten, to be grown again.

    Raises
    ------
    Untrusted
        If they could run code and somebody else wrote them.
    """
    path = folder / _name(span)
    try:
        meta = json.loads((path / "meta.json").read_text())
        payload = (path / "payload").read_bytes()
        whole = hashlib.sha256(payload).hexdigest() == meta["sha256"]
        signature = meta["signature"]
    except (OSError, ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        log.warning("%s: the part cannot be read, or is torn; it is grown again", path)
        shutil.rmtree(path, ignore_errors=True)
        return None
    if pickles and not trusted and signature != trust.signature(payload):
        trust.check(run, str(path.relative_to(run)), payload, trust=False)
    return payload


def clear_halves(folder: Path) -> None:
    """Forget what processes that died left half-written. For the one that alone is at work here."""
    for path in folder.glob(".*.tmp"):
        shutil.rmtree(path, ignore_errors=True)


def clear(run: Path, task: str) -> None:
    """Forget the parts of a finished task."""
    shutil.rmtree(folder(run, task), ignore_errors=True)


def _name(span: Span) -> str:
    return f"{span[0]:09d}-{span[1]:09d}"
