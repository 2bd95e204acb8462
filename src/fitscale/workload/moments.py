"""Times of day and dates, for deadlines: ``06:00`` is the next six o'clock of this machine."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from fitscale.errors import UsageError
from fitscale.workload.units import shown

_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}.*")
MOMENTS = "a time is written like '06:00' or '2027-01-31 06:00'"


def is_moment(value: Any) -> bool:
    """Does it look like a time of day or a date, rather than a duration?"""
    return isinstance(value, str) and (":" in value or re.match(r"\s*[0-9]{4}-", value) is not None)


def moment(value: Any) -> str:
    """The ISO text of a time of day (``'06:00'``) or of a date with its time (``'2027-01-31T06:00:00'``)."""
    text = value.strip() if isinstance(value, str) else ""
    if found := _TIME.fullmatch(text):
        hour, minute, second = found.groups()
        return f"{int(hour):02}:{minute}" + (f":{second}" if second else "")
    if _DATE.fullmatch(text):
        try:
            return datetime.fromisoformat(text).isoformat()
        except ValueError as error:
            raise UsageError(f"{shown(value)} cannot be read: {error}; {MOMENTS}") from None
    raise UsageError(f"{shown(value)} cannot be read: {MOMENTS}")


def seconds_until(at: str, now: datetime | None = None) -> float:
    """Seconds from ``now`` (default: the clock) to a moment. A time of day is the next such time, so it is never past.

    Raises
    ------
    UsageError
        If the text is no moment, or its date is past.
    """
    here = (now or datetime.now()).astimezone()
    at = moment(at)
    try:
        if "T" in at:
            due = datetime.fromisoformat(at).astimezone()
        else:
            hour, minute, *second = (int(part) for part in at.split(":"))
            # by the wall clock, so that a day on which the clocks change has 23 or 25 hours
            wall = here.replace(tzinfo=None, hour=hour, minute=minute, second=sum(second), microsecond=0)
            due = wall.astimezone()
            if due <= here:
                due = (wall + timedelta(days=1)).astimezone()
        left = (due - here).total_seconds()
    except (OverflowError, ValueError, OSError):
        raise UsageError(f"{at} is out of the calendar's range; {MOMENTS}") from None
    if left <= 0:
        clock = here.isoformat(" ", "minutes")
        raise UsageError(f"{at} is past (it is {clock}): give a later time, or a duration such as '4h'")
    return left
