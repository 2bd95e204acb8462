"""One line of `doctor`: what was looked at, how it is, and the next step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from fitscale.errors import FitscaleError
from fitscale.records.base import Record

State = Literal["ok", "note", "missing", "wrong"]


class Finding(Record):
    """``wrong`` is needed and does not work, ``missing`` may be needed one day, ``note`` works and is worth knowing."""

    what: str
    state: State
    says: str
    next_step: str = ""


def tried(what: str, action: Callable[[], Any], told: Callable[[Any], str]) -> tuple[Any, Finding]:
    """What an action gives, and the finding that it makes: our errors name their next step themselves."""
    try:
        made = action()
    except FitscaleError as error:
        return None, Finding(what=what, state="wrong", says=str(error))
    return made, Finding(what=what, state="ok", says=told(made))
