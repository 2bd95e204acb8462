"""A bounded part of a table or query that stands for the whole: pages drawn by the server, ranges of a key, or the first rows.

How many rows there are is what the drawn share says, or else the server's statistics.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from fitscale.data.sources.postgres.ranges import Estimate, Relation, cut
from fitscale.data.sources.postgres.statement import literal

if TYPE_CHECKING:
    from fitscale.data.sources.postgres.connect import Session

ROWS = 100_000  # that a part has, about
BYTES = 64 << 20
WORTH = 4  # below so many times that all rows are read: it takes a moment, and `train` has them then
PLACES = 8  # of a key, spread over its values
DRAWN = ("r", "m", "p")  # tables, materialised views and partitioned tables can be sampled by their pages
PAGE_ROWS = 200.0  # of narrow rows on one page: pages are drawn, so that so many count as one
FASTER = 1.5  # two connections or more, against the one that reads the part: measured 1.4 to 2
UNSURE, VAGUE = 1.3, 3.0  # by what statistics of a table, of anything else, may be wrong


class Sampling(NamedTuple):
    """What is asked of the server, one statement after the other. ``share`` is None where it draws no known part."""

    statements: tuple[str, ...]
    wanted: int
    share: float | None
    whole: Estimate
    filtered: bool
    plain: bool  # a table

    def rows(self, found: int) -> tuple[float, float, float]:
        """(number, least, most) of all rows, when so many were found."""
        if self.share is not None:
            wide = max(0.1 if self.filtered else 0.05, 2 / math.sqrt(found / PAGE_ROWS))
            number = found / self.share
            if not self.filtered and number / (1 + wide) <= self.whole.rows <= number * (1 + wide):
                number = self.whole.rows  # pages counted, times rows of a page
            return number, max(found, number / (1 + wide)), number * (1 + wide)
        if len(self.statements) == 1 and found < self.wanted:
            return found, found, found  # there are no more
        wide = UNSURE if self.plain and not self.filtered else VAGUE
        number = max(self.whole.rows, found)
        return number, max(found, number / wide), number * wide


def sampling(session: Session, about: Relation, whole: Estimate) -> Sampling | None:
    """How a part is to be read; None where all rows are few."""
    if whole.rows <= WORTH * ROWS and whole.bytes <= WORTH * BYTES:
        return None
    wanted = max(1_000, min(ROWS, round(whole.rows * BYTES / max(1.0, whole.bytes))))
    where = f" where {about.where}" if about.where else ""
    if about.table and _kind(session, about) in DRAWN:
        share = min(1.0, wanted / max(1.0, whole.rows))
        drawn = f"{about.sql} tablesample system ({100 * share:.6f}) repeatable (0)"
        statements: tuple[str, ...] = (f"select {', '.join(about.selected)} from {drawn}{where}",)
        return Sampling(statements, wanted, share, whole, bool(where), True)
    parts = cut(session, about) if about.key is not None else None
    if parts is not None and len(parts.ranges) >= PLACES:
        some = [parts.ranges[k * len(parts.ranges) // PLACES] for k in range(PLACES)]
        statements = tuple(parts.statement(about, part, limit=f" limit {wanted // PLACES}") for part in some)
    else:
        statements = (_first(about, wanted),)
    return Sampling(statements, wanted, None, whole, bool(where), bool(about.table))


def _first(about: Relation, wanted: int) -> str:
    where = f" where {about.where}" if about.where else ""
    return f"select {', '.join(about.selected)} from {about.sql}{where} limit {wanted}"


def _kind(session: Session, about: Relation) -> str:
    kind = session.rows(f"select relkind::text from pg_class where oid = {literal(about.table)}::regclass")[0][0]
    return str(kind)
