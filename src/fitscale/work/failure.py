"""The text of a failure, the same in every run: without addresses, paths or process ids."""

from __future__ import annotations

import re
import signal

_RULES = (
    (re.compile(r"0x[0-9a-fA-F]{4,}"), "0x…"),
    (re.compile(r"(?:/[\w.+@-]+){2,}/?"), lambda m: "…/" + m.group(0).rstrip("/").rsplit("/", 1)[-1]),
    (re.compile(r"\b(pid|process|thread)[ =:]+\d+", re.IGNORECASE), r"\1 …"),
    (re.compile(r"\[\d\d:\d\d:\d\d\]\s*"), ""),  # XGBoost begins its messages with the time
)


def describe(error: BaseException) -> tuple[str, str]:
    """(kind, why): the exception's name, and its first line without what differs from run to run."""
    return type(error).__name__, first_line(str(error))


def first_line(text: str) -> str:
    """The first line of a library's words, without what differs from run to run."""
    return sanitised(text.strip().partition("\n")[0])


def sanitised(line: str) -> str:
    for pattern, into in _RULES:
        line = pattern.sub(into, line)
    return line[:300]


def of_exit(status: int) -> tuple[str, str]:
    """(kind, why) of a child that ended without a result; ``status`` as `os.waitpid` gives it."""
    import os

    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        return "killed", f"the fit was ended by {signal.Signals(-code).name}"
    return "exited", f"the fit ended its process with code {code}"
