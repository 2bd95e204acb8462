"""Addresses and errors without their secrets: what is printed or kept has none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

_USER = re.compile(r"(?<=://)[^/\s]*(?=@)")
_OPTION = re.compile(r"([?&;][\w.-]*(?:password|passwd|pwd|secret|token|key|sig)[\w.-]*=)[^&;\s'\"]*", re.IGNORECASE)
VARIABLES = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
HIDDEN = "…"


def masked(text: str, uri: str = "", environ: Mapping[str, str] | None = None) -> str:
    """The text without users, passwords and secret options of addresses, and without those of ``uri`` wherever they stand."""
    for secret in _secrets(uri, environ or {}):
        text = text.replace(secret, HIDDEN)
    return _OPTION.sub(rf"\1{HIDDEN}", _USER.sub(HIDDEN, text))


def _secrets(uri: str, environ: Mapping[str, str]) -> list[str]:
    """Longest first, so that none hides a part of another."""
    found = [password for user in _USER.findall(uri) if (password := user.partition(":")[2])]
    found += [option.group(0).partition("=")[2] for option in _OPTION.finditer(uri)]
    found += [environ[name] for name in VARIABLES if environ.get(name)]
    both = {form for secret in found for form in (secret, unquote(secret)) if form}
    return sorted(both, key=len, reverse=True)
