"""How often a job runs: a word, or a cron line of five fields whose ranges are checked."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from fitscale.errors import UsageError, nearest
from fitscale.workload.units import shown

WORDS = ("daily", "weekly", "biweekly", "monthly", "ad-hoc")


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()  # from `low` on


FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")),
    _Field("day of week", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)
_ITEM = re.compile(r"(?:(\*)|([0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?)(?:/([0-9]{1,3}))?")


def frequency(value: Any) -> str:
    """The frequency, in lower case with single spaces.

    Raises
    ------
    UsageError
        If it is neither a known word nor a cron line; it names the field that is out of range.
    """
    text = " ".join(value.lower().split()) if isinstance(value, str) else ""
    if text in WORDS:
        return text
    fields = text.split(" ")
    if len(fields) != len(FIELDS):
        raise UsageError(
            f"{shown(value)} is not a frequency{nearest(text, WORDS)}; "
            f"one of {', '.join(WORDS)}, or a cron line of five fields such as '30 5 * * 1'"
        )
    for field, part in zip(FIELDS, fields, strict=True):
        for item in part.split(","):
            _check(field, item)
    return text


def _check(field: _Field, item: str) -> None:
    found = _ITEM.fullmatch(item)
    if not found:
        raise UsageError(f"cron: {field.name}: {shown(item)} is not *, a number, a range (1-5) or a step (*/2)")
    _, first, last, step = found.groups()
    low = _number(field, first) if first else field.low
    high = _number(field, last) if last else (low if first else field.high)
    if low > high:
        raise UsageError(f"cron: {field.name}: {shown(item)} runs backwards; write it as two ranges, such as 22-23,0-5")
    if step is not None and not 1 <= int(step) <= field.high:
        raise UsageError(f"cron: {field.name}: the step of {shown(item)} must be from 1 to {field.high}")


def _number(field: _Field, text: str) -> int:
    if text in field.names:
        return field.low + field.names.index(text)
    if text.isdigit() and field.low <= int(text) <= field.high:
        return int(text)
    raise UsageError(f"cron: {field.name}: {shown(text)} must be from {field.low} to {field.high}")
