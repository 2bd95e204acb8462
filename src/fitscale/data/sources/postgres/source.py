"""A table or query of PostgreSQL as a source: looked at, counted or streamed."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar

from fitscale.contracts import Part
from fitscale.data.sources import matching
from fitscale.data.sources.postgres import statement
from fitscale.data.sources.postgres.columns import Column, arrow_type, as_read, columns_of
from fitscale.data.sources.postgres.connect import Address, Failed, Lost, Session
from fitscale.data.sources.postgres.fetching import Shared, in_order, readers
from fitscale.data.sources.postgres.keys import in_key_order
from fitscale.data.sources.postgres.ranges import Cut, Range, Relation, cut, estimated
from fitscale.data.sources.postgres.sampling import FASTER, Sampling, sampling
from fitscale.data.sources.where import parse
from fitscale.errors import DataError, Resumable, WorkloadError, nearest
from fitscale.records.data import Piece, Snapshot
from fitscale.registry import require

if TYPE_CHECKING:
    import pyarrow as pa

    from fitscale.records.workload import DataSpec

T = TypeVar("T")
UNIT_ROWS = 65_536  # of what one connection reads
PEEK_S = 60  # a query may have to be worked out before its first row
NAMES = 10  # of tables that a sentence gives
# Bytes of a value as Arrow has it; the length of texts is not known before they are read.
_WIDTHS = {"bool": 1, "int16": 2, "int32": 4, "float": 4, "date32[day]": 4, "string": 24, "null": 0}


class Postgres:
    """Rows of a server, of one snapshot of it. They may be other ones in a moment: they are staged to Parquet once."""

    name: ClassVar[str] = "postgres"
    schemes: ClassVar[tuple[str, ...]] = ("postgresql", "postgres")
    needs: ClassVar[tuple[str, ...]] = ("adbc_driver_postgresql",)
    stable: ClassVar[bool] = False

    def __init__(self, address: Address, data: DataSpec) -> None:
        self._address = address
        self._data = data
        self._table = statement.table_of(data.table) if data.table else None
        self._query = statement.reading(data.query) if data.query else ""
        self._place = "data.table" if self._table else "data.query"
        self.shown = self._table.shown if self._table else "a query"
        self._shared: Shared | None = None
        with closing(self._session()) as session:
            self._columns = self._described(session)
            self._relation = self._related(self._asked(lambda: self._lockable(session)))
            everything = Cut("", (Range(),), False)
            self._about = self._asked(lambda: estimated(session, everything.statement(self._relation, Range())))

    @classmethod
    def open(cls, data: DataSpec) -> Self:
        require("source 'postgres'", "adbc_driver_postgresql", "postgres")
        if not data.table and not data.query:
            raise WorkloadError("data.table", "is missing: name the table that is read, or give a data.query")
        return cls(Address(data.uri), data)

    @property
    def assumed(self) -> tuple[str, ...]:
        """What reading rests on beyond what was said, in words."""
        return tuple(f"column '{column.name}' {column.note}" for column in self._columns if column.note)

    def volume(self) -> str:
        """How much is to be read, as the server's statistics have it."""
        rows, size = self._about.rows, _size(self._about.bytes)
        return f"{self.shown} at {self._address.shown}: about {rows:,.0f} rows, {size} [estimated]"

    def sample(self) -> Part | None:
        """A part of the rows, where they are many; see `contracts.Source`."""
        with closing(self._session()) as session:
            how = self._asked(lambda: sampling(session, self._relation, self._about))
        if how is None:
            return None
        share = min(1.0, how.wanted / max(1.0, self._about.rows))
        told = f"about {how.wanted:,} rows ({share:.1%}) of {self.volume()}".replace("%", " %")
        return Part(self._sampled(how), how.rows, told, FASTER)

    def _sampled(self, how: Sampling) -> Iterator[pa.RecordBatch]:
        with closing(self._session()) as session:
            try:
                for statement_ in how.statements:
                    for batch in session.batches(statement_):
                        yield as_read(batch, self._columns)
            except Failed as error:
                raise self._refused(error) from None
            except Lost as error:
                raise self._ended(error) from None

    def outline(self) -> Snapshot:
        """The columns. What lies on a server cannot be pinned."""
        return self._pinned((Piece(path=self._path, bytes=0, pin="", parts=()),))

    def stream(self) -> Iterator[pa.RecordBatch]:
        """All rows of one snapshot in order, by several connections; see `contracts.Source`."""
        with closing(self._session()) as session:
            parts = self._asked(lambda: cut(session, self._relation))
        statements = [parts.statement(self._relation, part) for part in parts.ranges]
        wanted = min(readers(), len(statements))
        with (
            closing(Shared(self._address, parts.settings, self._relation.hold, wanted)) as shared,
            closing(in_order(shared, statements, parts.ordered)) as rows,
        ):
            batches = (as_read(batch, self._columns) for batch in rows)
            try:
                yield from in_key_order(batches, self._data.key) if self._data.key else batches
            except Failed as error:
                raise self._refused(error) from None

    def peek(self, rows: int, seed: int) -> Iterator[pa.RecordBatch]:
        """About so many rows: of a table from blocks all over it, of a query or view its first, within a minute."""
        selected = f"select {', '.join(self._relation.selected)} from"
        where = f" where {self._relation.where}" if self._relation.where else ""
        with closing(self._session()) as session:
            self._asked(lambda: session.do(f"set local statement_timeout = '{PEEK_S}s'"))
            share = self._share(session, rows)
            ways = [f"tablesample system ({share:.6f}) repeatable ({seed})"] if share < 100 else []
            for way in (*ways, ""):  # of few blocks, none may be drawn
                found = 0
                try:
                    for batch in session.batches(f"{selected} {self._from} {way}{where} limit {rows}"):
                        found += batch.num_rows
                        yield as_read(batch, self._columns)
                except Failed as error:
                    raise self._refused(error) from None
                if found:
                    return

    def _share(self, session: Session, rows: int) -> float:
        """Per cent of a table's blocks that hold about so many rows; 100 of what no blocks can be drawn of."""
        if self._table is None or self._about.rows <= rows:
            return 100.0
        kind = f"select relkind::text from pg_class where oid = {statement.literal(self._table.sql)}::regclass"
        drawable = self._asked(lambda: session.rows(kind))[0][0] in ("r", "p", "m")
        return 100 * 1.2 * rows / self._about.rows if drawable else 100.0

    def snapshot(self) -> Snapshot:
        """As outlined, with the rows of each part counted: reads the key or more of all rows."""
        with closing(self._session()) as session:
            parts = self._asked(lambda: cut(session, self._relation))
        shared = self._keep(parts.settings)
        session = shared.take()
        counts = self._asked(lambda: [self._counted(session, parts, part) for part in parts.ranges])
        shared.give(session)
        width = sum(_WIDTHS.get(column.type, 8) for column in self._columns)
        path = self._path
        pieces = [
            Piece(
                path=path if len(counts) == 1 else f"{path}, part {k}", bytes=rows * width, pin=parts.column or "rows",
                parts=tuple((n, n * width) for n in _units(rows, cut_up=len(counts) == 1)),
                values={name: value for name, value in (("from", part.low), ("to", part.high)) if value is not None},
            )
            for k, (part, rows) in enumerate(zip(parts.ranges, counts, strict=True))
        ]  # fmt: skip
        return self._pinned(tuple(pieces))

    def read(
        self, snapshot: Snapshot, piece: int, part: int, columns: Sequence[str], batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        pinned = snapshot.pieces[piece]
        column = "" if pinned.pin == "rows" else pinned.pin
        one = Cut(column, (Range(pinned.values.get("from"), pinned.values.get("to")),), True)
        start = sum(rows for rows, _ in pinned.parts[:part])
        limit = f" offset {start} limit {pinned.parts[part][0]}" if len(pinned.parts) > 1 else ""
        sql = one.statement(self._relation, one.ranges[0], limit=limit)
        shared = self._shared or self._keep(one.settings)
        session = shared.take()
        try:
            for batch in session.batches(sql):
                asked = as_read(batch, self._columns).select(list(columns))
                for at in range(0, asked.num_rows, batch_rows):
                    yield asked.slice(at, batch_rows)
        except Failed as error:
            session.close()
            raise self._refused(error) from None
        except Lost as error:
            session.close()
            raise Resumable(f"data.uri: the connection to {self._address.shown} ended ({error})") from None
        finally:
            shared.give(session)  # if what is left of an answer is not wanted, the driver passes over it

    def _keep(self, settings: dict[str, str]) -> Shared:
        """The snapshot that is counted and read part by part, for as long as this source lives."""
        if self._shared is None:
            self._shared = Shared(self._address, settings, self._relation.hold)
            weakref.finalize(self, self._shared.close)
        return self._shared

    @property
    def _path(self) -> str:
        return f"{self._address.shown} {self.shown}{self._address.mark}"

    def _session(self) -> Session:
        return Session(self._address)

    def _described(self, session: Session) -> tuple[Column, ...]:
        """The columns, as a statement that is not run would give them."""
        return columns_of(self._asked(lambda: session.schema(f"select * from {self._from}")), self._data)

    @property
    def _from(self) -> str:
        return self._table.sql if self._table else f"(\n{self._query}\n) as q"

    def _lockable(self, session: Session) -> bool:
        return self._table is not None and session.rows(
            f"select relkind::text from pg_class where oid = {statement.literal(self._table.sql)}::regclass"
        )[0][0] in ("r", "p", "v")

    def _related(self, lockable: bool) -> Relation:
        import pyarrow as pa

        kinds = {column.name: column.kind for column in self._columns}
        if (key := self._data.key) is not None and key not in kinds:
            raise WorkloadError(
                "data.key", f"no column '{key}'{nearest(key, kinds) or ';'} columns: {', '.join(kinds)}"
            )
        where = ""
        if self._data.where:
            asked = parse(self._data.where)
            matching.check(asked, pa.schema([(column.name, arrow_type(column.type)) for column in self._columns]))
            where = statement.condition(asked)
        return Relation(
            sql=self._from,
            table=self._table.sql if self._table else "",
            where=where,
            selected=tuple(f"{c.sql} as {statement.identifier(c.name)}" for c in self._columns if c.sql),
            key=key,
            key_kind=kinds.get(key or "", ""),
            lockable=lockable,
        )

    def _counted(self, session: Session, parts: Cut, part: Range) -> int:
        return int(session.rows(parts.statement(self._relation, part, select="count(*)"))[0][0])

    def _pinned(self, pieces: tuple[Piece, ...]) -> Snapshot:
        columns = tuple((column.name, column.type) for column in self._columns)
        return Snapshot(source=self.name, root="", columns=columns, pieces=pieces, where=self._data.where)

    def _asked(self, question: Callable[[], T]) -> T:
        """What a session answers, or why it does not in a sentence for the user."""
        try:
            return question()
        except Failed as error:
            raise self._refused(error) from None
        except Lost as error:
            raise self._ended(error) from None

    def _ended(self, error: Lost) -> Resumable:
        return Resumable(
            f"data.uri: the connection to {self._address.shown} ended ({error}): give the same command again"
        )

    def _refused(self, error: Failed) -> Exception:
        if self._table is not None and error.state in ("42P01", "3F000"):
            return self._no_table(self._table)
        return error.as_error(self._place, self.shown)

    def _no_table(self, table: statement.Table) -> Exception:
        with closing(self._session()) as session:
            found = session.rows(
                "select n.nspname, c.relname, pg_table_is_visible(c.oid) from pg_class c "
                "join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'm', 'f') "
                "and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_' order by 1, 2 limit 2000"
            )
        known = [f"{schema}.{name}" for schema, name, _ in found]
        seen = known if table.schema else [*(name for _, name, visible in found if visible), *known]
        there = (
            f"; there are: {', '.join(known[:NAMES])}{', …' if len(known) > NAMES else ''}"
            if known
            else "; there is none"
        )
        return DataError(
            f"data.table: no table '{table.shown}' at {self._address.shown}{nearest(table.shown, seen) or there}"
        )


def _size(n_bytes: float) -> str:
    return f"{n_bytes / 1e9:,.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:,.1f} MB"


def _units(rows: int, *, cut_up: bool) -> list[int]:
    """The rows of each unit of reading: of a part as it is, or, where there is one part alone, of pieces of it."""
    if not cut_up:
        return [rows]
    return [min(UNIT_ROWS, rows - start) for start in range(0, rows, UNIT_ROWS)]
