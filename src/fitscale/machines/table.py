"""Rows of a CSV table of facts, with errors that name file, line, column and value."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

from fitscale.errors import UsageError, nearest


class Row:
    """One row. The readers name the line in what they raise; an empty cell is None, or '' from `text`."""

    def __init__(self, place: str, cells: dict[str, str]) -> None:
        self._place = place
        self._cells = cells

    def text(self, column: str) -> str:
        return self._cells.get(column, "").strip()

    def number(self, column: str, *, least: float = 0.0) -> float | None:
        """The number there; finite and not below `least`."""
        text = self.text(column)
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            raise self.wrong(column, "is not a number") from None
        if not least <= value < float("inf"):
            raise self.wrong(column, f"must be at least {least:g}")
        return value

    def needed(self, column: str, *, least: float = 0.0) -> float:
        value = self.number(column, least=least)
        if value is None:
            raise self.wrong(column, "is needed")
        return value

    def named(self, column: str) -> str:
        text = self.text(column)
        if not text:
            raise self.wrong(column, "is needed")
        return text

    def wrong(self, column: str, problem: str) -> UsageError:
        return UsageError(f"{self._place}: {column}: '{self.text(column)}' {problem}")


FOLDER = "FITSCALE_TABLES"  # a variable: the folder of the user's own tables, by the names of the shipped ones


def own(name: str) -> Path | None:
    """The user's table in place of the shipped one, where there is one."""
    folder = os.environ.get(FOLDER)
    file = Path(folder).expanduser() / f"{name}.csv" if folder else None
    if folder and not Path(folder).expanduser().is_dir():
        raise UsageError(f"{FOLDER}: '{folder}' is not a folder; it holds tables such as roles.csv and efforts.csv")
    return file if file is not None and file.exists() else None


def rows(name: str, file: Path | None, needed: Sequence[str]) -> Iterator[Row]:
    """The rows of the user's `file`, else of the table of that name in the folder of FITSCALE_TABLES, else of the shipped one.

    Raises
    ------
    UsageError
        If it cannot be read, lacks a column, or a row has more or fewer cells than the header, or another currency than USD.
    """
    file = file or own(name)
    place = str(file) if file else f"{name}.csv"
    try:
        text = (file or files("fitscale.machines") / "tables" / f"{name}.csv").read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{place}: cannot be read: {error}") from error
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        header = [column.strip() for column in next(reader, [])]
        for column in needed:
            if column not in header:
                raise UsageError(
                    f"{place}: no column '{column}'{nearest(column, header)} columns: {', '.join(header) or 'none'}"
                )
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            line = f"{place}: line {reader.line_num}"
            if len(cells) != len(header):
                raise UsageError(f"{line}: {len(cells)} cells, the header has {len(header)}")
            row = Row(line, dict(zip(header, cells, strict=True)))
            if row.text("currency").upper() not in ("", "USD"):
                raise row.wrong(
                    "currency", "is not USD, which all prices here are in: convert them, and leave the column out"
                )
            yield row
    except csv.Error as error:
        raise UsageError(f"{place}: line {reader.line_num}: {error}") from error
