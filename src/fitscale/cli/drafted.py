"""What ``fitscale init`` says of the data, of its guesses and of what it wrote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fitscale.cli.shown import clipped, plural, size, tagged, tail, wrapped
from fitscale.data.starter.choices import Choices
from fitscale.data.starter.drafting import SCHEMA_FILE, Draft

if TYPE_CHECKING:
    from fitscale.data.starter.looking import Look
    from fitscale.data.starter.noticing import Notice

SHOWN = 8  # notices of a kind; the file has all


def looked_lines(look: Look, data: str, width: int) -> list[str]:
    """How much was looked at, of what."""
    rows = look.table.num_rows
    of = f" of {look.rows:,}" if look.rows is not None and not look.whole else ""
    seen = f"{'all ' if look.whole else ''}{rows:,}{of} rows of {plural(len(look.columns), 'column')}"
    bytes_ = f" ({size(look.bytes)})" if look.bytes else ""
    told = f"Looked at {seen} in {tail(data, 40)}{bytes_}, {look.seconds:.1f} s"
    lines = tagged(told, "measured", width)
    for text in look.assumed[:SHOWN]:
        lines += tagged(f"Read {text}" if text.startswith("column") else f"Read with {text}", "assumed", width)
    return [*lines, ""]


def draft_lines(made: Draft, choices: Choices, path: Path, width: int, *, asks: bool) -> list[str]:
    """The choices, what is left out and what to look at, and the next step."""
    target = choices.target
    lines = wrapped("Predict", f"{clipped(str(target.value), 40)}: {target.why}", width)
    if choices.groups.value:
        lines += wrapped("Models", f"one for each {', '.join(choices.groups.value)}: {choices.groups.why}", width)
    elif choices.apart:
        name = clipped(choices.apart[0][0], 40)
        how = "" if asks else f"; --groups '{name}' would train {choices.models_of(0)}"
        lines += wrapped("Models", f"one for all rows{how}", width)
    if choices.time.value:
        lines += wrapped("Time", f"{choices.time.value}: {choices.time.why}", width)
    lines += wrapped("Estimator", f"{choices.estimator.value}, {choices.estimator.why}", width)
    lines += _noticed("Left out", [n for n in made.notices if n.dropped], width)
    lines += _noticed("Look at", [n for n in made.notices if not n.dropped], width)
    lines += ["", *wrapped("Wrote", f"{path}, and {SCHEMA_FILE} beside it, by which an editor knows the keys", width)]
    lines += wrapped("Next", f"read it, then: fitscale plan {path}", width)
    return lines


def _noticed(head: str, found: Sequence[Notice], width: int) -> list[str]:
    lines: list[str] = []
    for notice in found[:SHOWN]:
        step = f"; {notice.step}" if notice.step else ""
        lines += wrapped("" if lines else head, f"{clipped(notice.column, 40)} {notice.says}{step}", width)
    if len(found) > SHOWN:
        lines += wrapped("", f"and {plural(len(found) - SHOWN, 'more column')}, each in the file", width)
    return lines
