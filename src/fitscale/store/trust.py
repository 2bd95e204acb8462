"""Signatures of what could run code when loaded: pickles are loaded only if this user's own fitscale wrote them.

The key is the user's, in the configuration folder, readable by the user alone. Signatures lie beside the payloads, not in
versions: the same version is the same bytes for everybody.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

from fitscale.errors import Untrusted, UsageError
from fitscale.store import files

KEY_BYTES = 32


def config_folder() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "fitscale"


def _key() -> bytes:
    path = config_folder() / "signing.key"
    try:
        if not path.exists():
            _make_key(path)
        key = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path}: the signing key cannot be kept here ({error.strerror}); let XDG_CONFIG_HOME name a folder of yours"
        ) from error
    if len(key) != KEY_BYTES:
        raise UsageError(  # anybody could sign with an empty one
            f"{path}: has {len(key)} bytes and should have {KEY_BYTES}; delete it: what was signed with it then needs --trust"
        )
    return key


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".signing.")  # readable by its owner alone
    try:
        with open(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process was faster: its key is the key
            os.link(temporary, path)
    finally:
        os.unlink(temporary)


def signature(data: files.Bytes) -> str:
    """The keyed digest of some bytes."""
    return hmac.new(_key(), hashlib.sha256(data).digest(), hashlib.sha256).hexdigest()


def sign(run: Path, name: str, data: files.Bytes) -> None:
    """Leave a signature for the payload ``name``."""
    files.replace(run / "signatures" / name, signature(data))


def is_signed(run: Path, name: str, data: files.Bytes) -> bool:
    """Whether this user signed the payload."""
    path = run / "signatures" / name
    # Bytes: a stranger's signature can hold anything.
    return path.exists() and hmac.compare_digest(path.read_bytes(), signature(data).encode())


def check(run: Path, name: str, data: files.Bytes, *, trust: bool) -> None:
    """Refuse bytes that could run code and that this user did not write.

    Raises
    ------
    Untrusted
        Naming the file and ``--trust``.
    """
    if not (trust or is_signed(run, name, data)):
        raise Untrusted(
            f"{run}: {name} is a pickle that was not written by you on this machine, and loading it can run any code; "
            "if you trust who made it, say --trust"
        )
