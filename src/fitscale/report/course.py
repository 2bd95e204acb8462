"""The course of a version: its attempts one after the other, what ended them, and where the next one went on."""

from __future__ import annotations

from typing import NamedTuple

from fitscale.report.text import many, moment, plain, seconds, size
from fitscale.running.actual import CUT_OFF, Actual, AttemptActual

SHOWN = 60
IDLE_S = 1.0  # gaps between commands that are worth a line

_ENDS = {
    "done": "done",
    "stopped": "stopped, with a checkpoint",
    "failed": "failed",
    "killed": "killed",
    "memory": "ended by the memory limit",
    CUT_OFF: "cut off: its command was killed",
}


class Line(NamedTuple):
    """An attempt, or (``gap``) the time in which nothing worked on the version."""

    gap: str = ""
    name: str = ""
    what: str = ""
    at: str = ""
    took: str = ""
    peak: str = ""
    units: str = ""
    resumed: str = ""
    end: str = ""
    bad: bool = False


def attempts_shown(actual: Actual) -> list[Line]:
    """One line for each attempt, with the idle time between commands; where there are many, the first and the last."""
    lines: list[Line] = []
    gaps = [(stop, start) for (_, stop), (start, _) in zip(actual.spans, actual.spans[1:], strict=False)]
    for attempt in actual.attempts:
        while gaps and gaps[0][1] <= attempt.began:
            stop, start = gaps.pop(0)
            if start - stop >= IDLE_S:
                lines.append(Line(gap=f"{seconds(start - stop)} between two commands"))
        lines.append(_line(attempt, actual))
    if len(lines) <= SHOWN:
        return lines
    left_out = Line(gap=f"{len(lines) - SHOWN + 1} lines are left out")
    return [*lines[: SHOWN // 2], left_out, *lines[-SHOWN // 2 + 1 :]]


def _line(attempt: AttemptActual, actual: Actual) -> Line:
    end = _ENDS.get(attempt.cause, plain(attempt.cause, 60))
    if attempt.cause == CUT_OFF and not actual.finished and attempt is actual.attempts[-1]:
        end = "no end noted: killed, or still running"
    return Line(
        name=attempt.name,
        what=plain(f"{attempt.kind} · {attempt.candidate}" if attempt.candidate != attempt.kind else attempt.kind, 60),
        at=moment(attempt.began),
        took=seconds(attempt.wall_s),
        peak=size(attempt.peak_bytes) if attempt.peak_bytes else "–",
        units=f"{attempt.units:,}" if attempt.units else "–",
        resumed=f"went on from unit {attempt.resumed_units:,}" if attempt.resumed_units else "",
        end=end + (f": {plain(attempt.why, 200)}" if attempt.why else ""),
        bad=attempt.cause not in ("done", "stopped"),
    )


def late_shown(actual: Actual | None) -> list[str]:
    """A sentence for each deadline that was said to be missed while the run went on, and when that was said."""
    return [
        plain(f"{seconds(late.said_s)} after its beginning it was said: {late.sentence}.", 400)
        for late in (actual.late if actual else ())
    ]


def interrupted(actual: Actual | None) -> str:
    """A sentence where the run did not go through in one piece; '' where it did."""
    if actual is None or (not actual.killed and actual.commands == 1):
        return ""
    words = []
    if actual.killed:
        resumed = [a for a in actual.attempts if a.resumed_units]
        went_on = f", {many(len(resumed), 'attempt')} went on from a checkpoint" if resumed else ""
        words.append(f"{many(actual.killed, 'attempt')} ended before it was done{went_on}")
    if actual.commands > 1:
        idle = f" with {seconds(actual.idle_s)} between them" if actual.idle_s >= IDLE_S else ""
        words.append(f"{actual.commands} commands worked on this version{idle}")
    outcome = " What was committed was kept." if actual.finished else " The same command goes on."
    sentence = "; ".join(words)
    return sentence[0].upper() + sentence[1:] + "." + outcome
