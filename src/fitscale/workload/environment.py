"""Secrets stay in the environment: a connection string carries ``${PGPASSWORD}`` until the moment it is used."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fitscale.errors import UsageError

_VARIABLE = re.compile(r"\$\{([^}]*)(\}?)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_USER_PART = re.compile(r"://[^/\s:@]*:([^/\s@]*)@")
_SECRETS = r"(?:ssl)?password|passwd|pwd|secret|token|sig|[a-z_]*secret_access_key"
_SECRET_OPTION = re.compile(rf"[?&;](?:{_SECRETS})=([^&;\s]*)", re.IGNORECASE)


def expand(text: str, environ: Mapping[str, str]) -> str:
    """The text with each ``${NAME}`` replaced from ``environ``. Call it where the connection is made; keep no result.

    Raises
    ------
    UsageError
        If a variable is not set, or a ``${`` has no name and ``}``. The text, which may hold a secret, is not shown.
    """

    def value(found: re.Match[str]) -> str:
        name, end = found.groups()
        if not end or not _NAME.fullmatch(name):
            raise UsageError(
                "a '${' in the connection string lacks a variable's name or its '}'; write it like ${PGPASSWORD}"
            )
        if name not in environ:
            raise UsageError(f"the connection string needs ${{{name}}}, which is not set: export {name}=… first")
        return environ[name]

    return _VARIABLE.sub(value, text)


def literal_secret(uri: str) -> bool:
    """Does a connection string hold a password in plain text? It would be stored with every plan."""
    found = [*_USER_PART.findall(uri), *_SECRET_OPTION.findall(uri)]
    return any(_VARIABLE.sub("", secret) for secret in found)
