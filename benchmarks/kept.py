"""results/NAME.json, row by row: a row is written as soon as it is measured, and one that is there is not measured again."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from common import Failed, about_machine, result_path, save, table

Row = dict[str, Any]


class Results:
    """The rows of one benchmark on this machine; those of another one are measured anew.

    A row is known by its values of `key`. `order`, where given, are all the keys that belong there: others are dropped.
    What fails is told and leaves no row; `done` ends with 1 then. BENCH_AGAIN=1 measures all rows anew.
    """

    def __init__(
        self,
        name: str,
        key: Sequence[str],
        *,
        order: Sequence[Row] = (),
        summary: Callable[[list[Row]], Row] | None = None,
        **about: Any,
    ) -> None:
        self.name, self.key, self.about = name, tuple(key), about
        self._order = {self._known(row): i for i, row in enumerate(order)}
        self._summary = summary
        self._failed: list[str] = []
        self._new: set[str] = set()
        self._again = os.environ.get("BENCH_AGAIN") == "1"
        path = result_path(name)
        there = json.loads(path.read_text()) if path.exists() else {}
        here = about_machine()
        same = all(there.get("machine", {}).get(part) == here[part] for part in ("cpu", "cores"))
        self.rows: list[Row] = [
            row for row in there.get("rows", []) if same and set(self.key) <= set(row) and self._belongs(row)
        ]

    def row(self, known: Row, measure: Callable[[], Row]) -> Row | None:
        """The row of this key: as it is there, or measured now; None where that failed."""
        if (found := self.kept(known)) is not None:
            print(f"{self.name}: {_said(known)} is there", file=sys.stderr, flush=True)
            return found
        self.tried(_said(known), lambda: self.put({**known, **measure()}))
        return self.kept(known)

    def kept(self, known: Row) -> Row | None:
        """The row of this key; with BENCH_AGAIN, only where it was measured by this process."""
        wanted = self._known(known)
        if self._again and wanted not in self._new:
            return None
        return next((row for row in self.rows if self._known(row) == wanted), None)

    def put(self, row: Row) -> None:
        """Write a row, in the place of the one of its key."""
        row = {**row, "measured": time.strftime("%Y-%m-%d")}
        known = self._known(row)
        at = next((i for i, other in enumerate(self.rows) if self._known(other) == known), len(self.rows))
        self.rows[at : at + 1] = [row]
        self._new.add(known)
        if self._order:
            self.rows.sort(key=lambda row: self._order[self._known(row)])
        print(json.dumps(row), file=sys.stderr, flush=True)
        self._write()

    def tried(self, name: str, measure: Callable[[], None]) -> None:
        """Measure something; where it fails, go on, and say so in the end."""
        try:
            measure()
        except Failed as error:
            self._failed.append(f"{name}: {error}")
            print(f"{self.name}: {self._failed[-1]}", file=sys.stderr, flush=True)

    def done(self, title: str, *, leave: Sequence[str] = ()) -> None:
        """Print the table and the summary, without the columns that only the file has."""
        if self.rows:
            shown = [{k: v for k, v in row.items() if k not in (*leave, "measured")} for row in self.rows]
            table(title, shown)
        if self._summary is not None:
            for part, figures in self._summary(self.rows).items():
                print(f"{part}: {figures}")
        self.failed()

    def failed(self) -> None:
        """End with 1 where something was not measured, and say what."""
        if self._failed:
            sys.exit("\n".join([f"{len(self._failed)} not measured:", *self._failed]))

    def _write(self) -> None:
        summary = {} if self._summary is None else {"summary": self._summary(self.rows)}
        save(self.name, {**self.about, "rows": self.rows, **summary})

    def _belongs(self, row: Row) -> bool:
        return not self._order or self._known(row) in self._order

    def _known(self, row: Row) -> str:
        return json.dumps([row[name] for name in self.key], sort_keys=True)


def _said(known: Row) -> str:
    """The words and numbers of a key; parameters, which are long, stand in the row."""
    words = [value for value in known.values() if not isinstance(value, dict)]
    return " ".join(value if isinstance(value, str) else json.dumps(value) for value in words)
