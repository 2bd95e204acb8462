"""The choices as tables: one line for each workload, with what it is, what was chosen, and the quantities of the tree."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_type_hints

from choosing import DIGITS, Choice
from workloads import Point

from fitscale.planning.tree.measures import MEASURES

GRID = Path(__file__).parent / "grid.csv"
OUTSIDE = Path(__file__).parent / "outside.csv"
HEADER = (*Point._fields, "chosen", *MEASURES)


def write(path: Path, choices: Iterable[Choice]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(HEADER)
        for choice in choices:
            known = ("" if value is None else value for value in choice.point)
            table.writerow(
                [
                    *known,
                    choice.chosen,
                    *(f"{value:.{DIGITS}g}" for value in choice.measures),
                ]
            )


def read(path: Path) -> list[Choice]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        if tuple(next(rows)) != HEADER:
            raise SystemExit(f"{path}: has other columns than the code: python scripts/tree --choose")
        return [_choice(row) for row in rows]


def _choice(row: list[str]) -> Choice:
    fields = len(Point._fields)
    hints = get_type_hints(Point)
    values: list[Any] = [_value(text, hints[name]) for name, text in zip(Point._fields, row, strict=False)]
    return Choice(Point(*values), row[fields], tuple(float(text) for text in row[fields + 1 :]))


def _value(text: str, kind: Any) -> Any:
    if kind is bool:
        return text == "True"
    if kind in (int, str):
        return kind(text)
    return float(text) if text else None
