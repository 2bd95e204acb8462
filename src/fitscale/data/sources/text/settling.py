"""What the columns of text files are, settled over all of their rows; and the words on what was assumed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from fitscale.data.sources.listing import PLACE
from fitscale.data.sources.text import kinds as K
from fitscale.data.sources.text.files import TextFile
from fitscale.data.sources.text.records import Block
from fitscale.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

FILES = 8  # at least so many, where there are more, are looked at for a guess


class Settled:
    """The kinds of all columns by the rows that were looked at; ``notes`` on text columns that are mostly numbers."""

    def __init__(self) -> None:
        self.kinds: dict[str, str] = {}
        self.notes: list[str] = []
        self._other: dict[str, tuple[TextFile, Block, pa.ChunkedArray]] = {}

    @classmethod
    def over(
        cls, files: Sequence[TextFile], missing: Sequence[str], size: int, before: Settled, offset: int | None = None
    ) -> Settled:
        """By all rows of the files, in the first of them from an offset on; ``before`` holds those that came before."""
        tables = (
            (file, *each)
            for k, file in enumerate(files)
            for each in file.tables(None, missing, size, offset if k == 0 else None)
        )
        return cls._of(tables, before)

    @classmethod
    def guessed(cls, files: Sequence[TextFile], missing: Sequence[str]) -> Settled:
        """By parts of the files: never wider than by all of their rows."""
        some = files[:: max(1, len(files) // FILES)]
        return cls._of(((file, *each) for file in some for each in file.spots(missing)), cls())

    @classmethod
    def _of(cls, tables: Iterable[tuple[TextFile, Block, pa.Table]], before: Settled) -> Settled:
        found = cls()
        found.kinds, found._other = dict(before.kinds), dict(before._other)
        for file, block, table in tables:
            for name, column in zip(table.column_names, table.columns, strict=True):
                kind = K.seen(column)
                found.kinds[name] = K.join(found.kinds.get(name, "null"), kind)
                if kind == K.TEXT and name not in found._other and K.is_mostly_numbers(column):
                    found._other[name] = file, block, column
        for name, (file, block, column) in found._other.items():
            row = K.first_other(column)
            line, _ = file.record(block, row)
            found.notes.append(f"column '{name}' as text: line {line:,} of {file.path.name} has '{column[row]}'")
        return found


def resolved(kinds: Mapping[str, str], delimiter: str, decimal: str | None) -> dict[str, str]:
    others = frozenset(kinds.values())
    return {name: K.resolved(kind, delimiter, decimal, others) for name, kind in kinds.items()}


def decided(
    kinds: Mapping[str, str], delimiter: str, decimal: str | None, expects: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """What the columns are read as, and a word on numbers with separators.

    Raises
    ------
    DataError
        Where 1,234 may be either.
    """
    found = resolved(kinds, delimiter, decimal)
    for name, type in expects.items():
        kind = type.replace("[ms", "[s")
        if name in found and (kind == K.TEXT or (found[name] == "null" and kind in K.KNOWN)):
            found[name] = kind
    notes = []
    for kind, told in (("us", "commas between thousands"), ("eu", "decimal commas")):
        names = [name for name in found if found[name] == kind]
        if names and not decimal:
            notes.append(f"{told} in {_some(names)}")
    if either := [name for name, kind in found.items() if kind == "any"]:
        raise DataError(
            f"{PLACE}: column '{either[0]}' has numbers such as 1,234, with a comma that is decimal or between thousands; say "
            'data.csv.decimal: "," or data.csv.decimal: "."'
        )
    points = [name for name in found if kinds[name] == "double" and found[name] == "double"]
    if "eu" in found.values() and points:
        notes.append(f"decimal points in {_some(points)}, where other columns have decimal commas")
    return found, notes


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more columns" if len(names) > 3 else ""
    return ", ".join(f"'{name}'" for name in names[:3]) + more
