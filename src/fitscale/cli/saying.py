"""Where a command's words go: what a person reads to stdout, or to stderr where stdout is for the record (``--json``)."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from fitscale.records.base import Record

WIDTHS = (60, 140)
_HEADING = re.compile(r"^[A-Z][A-Za-z ]*?(?=  )|^(?:Run here|VERDICT)\b")
_TAG = re.compile(r"\[(?:measured|forecast|calibrated|modelled|stated|looked up|assumed|estimated)\]$")


class Out:
    """One command's output."""

    def __init__(self, json: bool = False) -> None:
        self._json = json
        self.stream: TextIO = sys.stderr if json else sys.stdout
        self.is_terminal = self.stream.isatty()

    @property
    def width(self) -> int:
        """Columns: of the terminal (COLUMNS wins), 100 where there is none."""
        least, most = WIDTHS
        return max(least, min(most, shutil.get_terminal_size((100, 24)).columns))

    def say(self, text: str = "") -> None:
        self.stream.write(text + "\n")
        self.stream.flush()

    def lines(self, lines: Iterable[str]) -> None:
        """A screen: headings bold and tags dim on a terminal."""
        paints = self.is_terminal and "NO_COLOR" not in os.environ
        self.say("\n".join(paint(line) if paints else line for line in lines))

    def record(self, record: Record | Any) -> None:
        """The record, as one line of JSON, if it was asked for."""
        if self._json:
            from fitscale.records.base import Record, canonical_json

            text = record.to_json() if isinstance(record, Record) else canonical_json(record)
            sys.stdout.write(text + "\n")
            sys.stdout.flush()


def paint(line: str) -> str:
    line = _HEADING.sub("\x1b[1m\\g<0>\x1b[0m", line, count=1)
    return _TAG.sub("\x1b[2m\\g<0>\x1b[0m", line)
