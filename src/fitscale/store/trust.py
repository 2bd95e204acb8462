"""Signatures of what could run code when loaded: pickles are loaded only if this user's own fitscale wrote them.

The key is the user's, in the configuration folder, readable by the user alone. Signatures lie beside the payloads, not in
versions: the same version is the same bytes for everybody.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from fitscale.errors import Untrusted
from fitscale.store import files


def config_folder() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "fitscale"


def _key() -> bytes:
    path = config_folder() / "signing.key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_name(f".signing.{os.getpid()}.tmp")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.write(handle, secrets.token_bytes(32))
        os.close(handle)
        try:
            os.link(temporary, path)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    return path.read_bytes()


def signature(data: bytes) -> str:
    """The keyed digest of some bytes."""
    return hmac.new(_key(), hashlib.sha256(data).digest(), hashlib.sha256).hexdigest()


def sign(run: Path, name: str, data: bytes) -> None:
    """Leave a signature for the payload ``name``."""
    files.replace(run / "signatures" / name, signature(data))


def is_signed(run: Path, name: str, data: bytes) -> bool:
    """Whether this user signed the payload."""
    path = run / "signatures" / name
    return path.exists() and hmac.compare_digest(path.read_text(), signature(data))


def check(run: Path, name: str, data: bytes, *, trust: bool) -> None:
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
