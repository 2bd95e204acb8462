"""How a table or query is cut into parts that several connections read at once, each in an order that stays.

By ranges of the key; a plain table without a key by ranges of its blocks; all else is read by one connection. What is
asked here are the server's own statistics: where they are old, parts are uneven, and still hold each row once.
"""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from fitscale.data.sources.postgres.connect import BY_BLOCKS
from fitscale.data.sources.postgres.statement import identifier, literal

if TYPE_CHECKING:
    from fitscale.data.sources.postgres.connect import Session

PART_BYTES = 16 << 20
MOST_PARTS = 4096
DEARER = (
    3.0  # reading in parts may cost so many times one reading, by the server's own reckoning, before it is not done
)
BLOCKS_SINCE = 140_000  # the version from which a range of blocks is read without looking at the others
WHOLE = ("int2", "int4", "int8", "oid")


class Relation(NamedTuple):
    """What is read from: a table's name or a query, the workload's filter, and the expressions of the columns."""

    sql: str  # what stands after FROM
    table: str  # the table's name in SQL; '' for a query
    where: str  # the filter in SQL, or ''
    selected: tuple[str, ...]
    key: str | None = None
    key_kind: str = ""
    lockable: bool = True  # a table or view, and not a materialised one

    @property
    def hold(self) -> str:
        """What holds the tables as they are for as long as the transaction lasts."""
        if self.table and self.lockable:
            return f"lock table {self.table} in access share mode"
        return f"select 1 from {self.sql} limit 0"


class Range(NamedTuple):
    """``low`` ≤ key < ``high``, as texts that the server reads; None is open."""

    low: str | None = None
    high: str | None = None

    def condition(self, column: str) -> str:
        found = [f"{column} >= {literal(self.low)}"] if self.low is not None else []
        found += [f"{column} < {literal(self.high)}"] if self.high is not None else []
        if self.high is None and found and column != "ctid":
            found = [f"({found[0]} or {column} is null)"]  # so that rows without a key are seen, and refused
        return " and ".join(found)


class Cut(NamedTuple):
    """The parts in their order. ``column`` is what they are ranges of: the key, ctid (blocks), or nothing."""

    column: str
    ranges: tuple[Range, ...]
    ordered: bool  # read again, a part gives its rows in the same order

    @property
    def settings(self) -> dict[str, str]:
        """Of the sessions that read: an index would give the rows of some blocks in an order of its own."""
        return BY_BLOCKS if self.column == "ctid" else {}

    def statement(self, about: Relation, part: Range, select: str | None = None, limit: str = "") -> str:
        """The SELECT of one part."""
        conditions = [text for text in (about.where, part.condition(self.column)) if text]
        where = f" where {' and '.join(conditions)}" if conditions else ""
        order = f" order by {self.column}" if select is None and self.column not in ("", "ctid") else ""
        return f"select {select or ', '.join(about.selected)} from {about.sql}{where}{order}{limit}"


class Estimate(NamedTuple):
    rows: float
    bytes: float
    cost: float


def estimated(session: Session, statement: str) -> Estimate:
    """What the server expects of a statement, by its statistics: nothing is read."""
    (plan,) = json.loads(session.rows(f"explain (format json) {statement}", copy=False)[0][0])
    top = plan["Plan"]
    return Estimate(top["Plan Rows"], top["Plan Rows"] * max(1, top["Plan Width"]), top["Total Cost"])


def cut(session: Session, about: Relation) -> Cut:
    """The parts of what is to be read."""
    if about.key is not None:
        return _by_key(session, about, identifier(about.key))
    whole = Cut("", (Range(),), False)
    if not about.table:
        return whole
    version, block, size, kind, children = session.rows(
        "select current_setting('server_version_num')::int4, current_setting('block_size')::int4, "
        f"pg_relation_size(c.oid), c.relkind::text, c.relhassubclass from pg_class c "
        f"where c.oid = {literal(about.table)}::regclass"
    )[0]
    if version < BLOCKS_SINCE or kind not in ("r", "m") or children:
        return whole
    blocks, step = size // block, PART_BYTES // block
    starts = [f"({at},0)" for at in range(step, blocks, step)]
    return Cut("ctid", _between(starts), True)


def _by_key(session: Session, about: Relation, column: str) -> Cut:
    one = Cut(column, (Range(),), True)
    whole = estimated(session, one.statement(about, Range()))
    wanted = min(MOST_PARTS, round(whole.bytes / PART_BYTES))
    if wanted < 2:
        return one
    bounds = _histogram(session, about) if about.table else []
    if not bounds and about.key_kind in WHOLE:
        ends = f"select min({column}), max({column}) from {about.sql}" + (
            f" where {about.where}" if about.where else ""
        )
        if estimated(session, ends).cost * 10 > whole.cost:
            return one  # it would be worked out twice
        low, high = session.rows(ends)[0]
        bounds = [str(low), str(high)] if low is not None else []
    bounds = _finer(bounds, wanted, whole_numbers=about.key_kind in WHOLE)
    if len(bounds) < 1:
        return one
    parts = Cut(column, _between(bounds), True)
    middle = parts.ranges[len(parts.ranges) // 2]
    if estimated(session, parts.statement(about, middle)).cost * len(parts.ranges) > DEARER * whole.cost:
        return one  # no index helps: each part would look at all rows
    return parts


def _between(bounds: list[str]) -> tuple[Range, ...]:
    ends = [None, *bounds, None]
    return tuple(Range(low, high) for low, high in pairwise(ends))


def _histogram(session: Session, about: Relation) -> list[str]:
    """Values of the key between which about as many rows lie, as the server knows them."""
    found = session.rows(
        "select s.histogram_bounds::text::text[] from pg_stats s join pg_namespace n on n.nspname = s.schemaname "
        "join pg_class c on c.relnamespace = n.oid and c.relname = s.tablename "
        f"where c.oid = {literal(about.table)}::regclass and s.attname = {literal(str(about.key))} "
        "and s.histogram_bounds is not null order by s.inherited desc limit 1"
    )
    return [str(value) for value in found[0][0]] if found else []


def _finer(bounds: list[str], wanted: int, *, whole_numbers: bool) -> list[str]:
    """About ``wanted`` − 1 bounds between the first and the last of these: some of them, or whole numbers between them."""
    if whole_numbers and 1 < len(bounds) <= wanted and all(re.fullmatch(r"-?\d+", bound) for bound in bounds):
        ends = [int(bound) for bound in bounds]
        times = -(-wanted // (len(ends) - 1))
        finer = {a + (b - a) * k // times for a, b in pairwise(ends) for k in range(times)}
        return [str(bound) for bound in sorted(finer)[1:]]
    step = max(1, round(len(bounds) / wanted))
    return list(dict.fromkeys(bounds[step:-1:step]))
