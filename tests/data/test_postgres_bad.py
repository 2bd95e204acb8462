"""What can be wrong with a database: each has a sentence with the place, the value and the next step, and no secret."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from postgres_server import Server

from fitscale.data import staging
from fitscale.data.choosing import open_source
from fitscale.data.sources.postgres import connect, fetching, ranges
from fitscale.data.sources.postgres.connect import Address
from fitscale.data.staging import staged
from fitscale.errors import DataError, FitscaleError, Resumable, StorageFull, WorkloadError
from fitscale.records.workload import DataSpec

TABLE = "create table events as select g as id, g % 3 = 0 as y, repeat('x', 20) as s from generate_series(1, 9000) g"


@pytest.fixture
def events(postgres: Server) -> Server:
    postgres.sql(TABLE, "alter table events add primary key (id)", "analyze events")
    return postgres


def spec(server: Server, **more: Any) -> DataSpec:
    return DataSpec(
        uri=more.pop("uri", server.uri()), **{"target": "y", **({} if "query" in more else {"table": "events"}), **more}
    )


def said(error: type[FitscaleError], act: Callable[[], object]) -> str:
    """The sentence of the error, which has no secret in it."""
    with pytest.raises(error) as caught:
        act()
    text = str(caught.value)
    assert Server.password not in text
    assert caught.value.__cause__ is None
    assert "\n" not in text
    return text


def test_a_wrong_password_is_said(events: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the user and how to give another one; the password itself is in no message."""
    monkeypatch.setenv("PGPASSWORD", "wr0ng-one")
    text = said(DataError, lambda: open_source(spec(events)))
    assert text.startswith(f"data.uri: 127.0.0.1:{events.port}/postgres does not let 'fitscale' in")
    assert "set PGPASSWORD, or write ${NAME}" in text
    assert "wr0ng-one" not in text


def test_a_password_of_any_characters_comes_from_its_variable(events: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would mean something in an address means nothing there; a variable that is not set is named."""
    hard = "p@ss:w/o?r#d%20'&="
    events.sql("drop role if exists hard", "create role hard login password '" + hard.replace("'", "''") + "'")
    events.sql("grant select on events to hard")
    monkeypatch.delenv("PGPASSWORD")
    uri = f"postgresql://hard:${{SECRET}}@127.0.0.1:{events.port}/postgres"
    try:
        with pytest.raises(FitscaleError, match=r"needs \$\{SECRET\}, which is not set"):
            open_source(spec(events, uri=uri))
        monkeypatch.setenv("SECRET", hard)
        assert "hard" not in open_source(spec(events, uri=uri)).outline().to_json().replace("hardware", "")
    finally:
        events.sql("drop owned by hard", "drop role hard")


def test_an_address_that_libpq_refuses_repeats_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its message would: it is not shown then."""
    monkeypatch.setenv("SECRET", "s3cret")
    where = Address("postgresql://me:${SECRET}@host/db")
    assert where.shown == "host/db"
    assert where.scrubbed('invalid token: "s3cret"') == "(its message is not shown: it repeats a secret)"
    assert where.scrubbed("no such thing") == "no such thing"
    assert where.expanded() == "postgresql://me:s3cret@host/db?connect_timeout=10&application_name=fitscale"


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("postgresql://fitscale@nowhere.invalid/db", "no host is known by the name in 'nowhere.invalid/db'"),
        ("postgresql://fitscale@127.0.0.1:1/db", "127.0.0.1:1/db refuses connections: is the server running there"),
        ("postgresql://fitscale@127.0.0.1:{port}/gone", 'cannot be connected to: database "gone" does not exist'),
        ("postgresql://fitscale@127.0.0.1:{port}/postgres?nonsense=1", 'invalid URI query parameter: "nonsense"'),
    ],
    ids=["unknown host", "refused port", "no such database", "unknown option"],
)
def test_a_server_that_is_not_there_is_said(events: Server, uri: str, told: str) -> None:
    """Name, port and database."""
    assert told in said(DataError, lambda: open_source(spec(events, uri=uri.format(port=events.port))))


def test_a_table_that_is_gone_has_its_nearest_name(events: Server) -> None:
    """With or without a schema; where nothing is near, the tables that are there."""
    where = f"at 127.0.0.1:{events.port}/postgres"
    for table, near in (("evnts", "events"), ("public.event", "public.events")):
        text = said(DataError, lambda table=table: open_source(spec(events, table=table)))
        assert text == f"data.table: no table '{table}' {where}; did you mean '{near}'?"
    assert said(DataError, lambda: open_source(spec(events, table="zz"))).endswith("there are: public.events")
    assert said(DataError, lambda: open_source(spec(events, table="none.events"))).startswith(
        "data.table: no table 'none.events'"
    )


def test_a_table_that_may_not_be_read_says_what_to_ask_for(events: Server) -> None:
    """Before anything is read."""
    text = said(DataError, lambda: open_source(spec(events, uri=events.uri("reader"), table="public.events")))
    assert text.startswith("data.table: permission denied for table events")
    assert "grant select on public.events" in text


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("delete from events", "is no SELECT but DELETE"),
        ("with gone as (delete from events returning *) select * from gone", "writes: 'DELETE FROM events"),
        ("select * into other from events", "writes (select into)"),
        ("select * from events for update", "locks rows (for update)"),
        ("select 1; drop table events", "has 2 statements"),
        ("select * from events) to stdout; drop table events; --", "cannot be read as one SELECT"),
        ("copy events to '/tmp/x'", "is no SELECT but COPY"),
    ],
)  # fmt: skip
def test_a_query_that_writes_is_refused(events: Server, query: str, told: str) -> None:
    """Before it is sent."""
    text = said(WorkloadError, lambda: open_source(spec(events, query=query)))
    assert text.startswith("data.query: ")
    assert told in text
    assert events.sql("select count(*) from events") == [(9000,)]


def test_a_function_that_writes_is_stopped_by_the_server(events: Server) -> None:
    """What a SELECT hides: the transaction is read-only."""
    events.sql(
        "create sequence s", "create function gone() returns int language sql as 'delete from events returning 1'"
    )
    for query in ("select nextval('s') as id, true as y", "select gone() as id, true as y"):
        source = open_source(spec(events, query=query))
        text = said(DataError, lambda source=source: list(source.stream()))
        assert "data.query: it writes (cannot execute" in text
    assert events.sql("select count(*) from events") == [(9000,)]


def test_a_query_with_an_error_is_told_by_the_server(events: Server) -> None:
    """Its own words."""
    assert said(DataError, lambda: open_source(spec(events, query="select nope from events"))) == (
        'data.query: column "nope" does not exist'
    )
    assert "two columns named 'y'" in said(
        DataError, lambda: open_source(spec(events, query="select y, y from events"))
    )


@pytest.mark.parametrize(
    ("type", "value", "told"),
    [
        ("jsonb", "{}", "is of type jsonb, which is no number, text, truth value or date: add it to drop, or give a"),
        ("int4[]", "{1}", "is of type int4[], which"),
        ("interval", "1 day", "data.query that makes one of it, such as extract(epoch from odd)"),
        ("int4range", "[1,2)", "is of type the server's own, which"),
        ("point", "(1,2)", "is of type point, which"),
        ("bytea", "x", "is of type bytea, which"),
    ],
)
def test_a_type_that_arrow_lacks_names_its_column(events: Server, type: str, value: str, told: str) -> None:
    """And what to do; as the target it is said there."""
    events.sql(f"create table odd as select id, y, '{value}'::{type} as odd from events")
    text = said(WorkloadError, lambda: open_source(spec(events, table="odd")))
    assert text.startswith("data.features.drop: column 'odd' ")
    assert told in text
    assert said(WorkloadError, lambda: open_source(spec(events, table="odd", target="odd"))).startswith(
        "data.target: column 'odd'"
    )


def test_a_filter_is_held_to_the_columns(events: Server) -> None:
    """As with files."""
    assert "data.where: no column 'idd'; did you mean 'id'?" in said(
        WorkloadError, lambda: open_source(spec(events, where="idd > 3"))
    )
    assert "cannot be compared with 'x'" in said(WorkloadError, lambda: open_source(spec(events, where="id > 'x'")))


def test_a_key_must_be_there_filled_and_unique(events: Server, tmp_path: Path) -> None:
    """Each has its sentence; nothing that was staged until then is left."""
    assert said(WorkloadError, lambda: open_source(spec(events, key="idd"))) == (
        "data.key: no column 'idd'; did you mean 'id'? columns: id, y, s"
    )
    events.sql(
        "create table twice as select case when id = 4000 then 4001 else id end as id, y, s from events",
        "create table holes as select nullif(id, 4000) as id, y, s from events",
        "create index on twice (id)",
        "create index on holes (id)",
        "analyze twice",
        "analyze holes",
    )
    for table, told in (
        ("twice", "data.key: column 'id' has the value 4001 in more than one row: name a column"),
        ("holes", "data.key: column 'id' has no value in some rows: leave them out with data.where"),
    ):
        for size in (20_000, 1 << 30):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(ranges, "PART_BYTES", size)
                data = spec(events, table=table, key="id")
                assert told in said(DataError, lambda data=data: staged(open_source(data), data, tmp_path / "data"))
    assert not list((tmp_path / "data").iterdir())
    assert (
        sum(b.num_rows for b in open_source(spec(events, table="holes", key="id", where="id is not null")).stream())
        == 8_999
    )


ALL = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'fitscale'"
READING = ALL + """ and query like 'COPY (select "%'"""


@pytest.fixture
def slow(events: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Rows so many, in batches so small, that a connection is in the middle of them for as long as nobody takes them."""
    monkeypatch.setattr(connect, "BATCH_BYTES", 100_000)
    monkeypatch.setattr(fetching, "HELD", 1)
    monkeypatch.setattr(fetching, "WAIT_S", 0.01)
    events.sql(
        "insert into events select g, true, repeat('x', 900) from generate_series(9001, 30000) g",
        "vacuum analyze events",
    )
    return events


@pytest.mark.parametrize("more", [{"key": "id"}, {}], ids=["by key", "by blocks"])
@pytest.mark.parametrize("parts", [4_000_000, 1 << 30])
def test_a_connection_that_is_lost_is_made_again(
    slow: Server, more: dict[str, Any], parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the same snapshot, from the row where it ended: every row once, in the same order, though the table changed."""
    monkeypatch.setattr(ranges, "PART_BYTES", parts)
    wanted = pa.Table.from_batches(open_source(spec(slow, **more)).stream())
    rows = open_source(spec(slow, **more)).stream()
    got = [next(rows), next(rows)]
    assert slow.sql("delete from events where id % 2 = 0", READING)
    got += rows
    assert pa.Table.from_batches(got).equals(wanted)


@pytest.mark.parametrize("query", [False, True], ids=["the snapshot is gone too", "a query without a key has no order"])
def test_what_cannot_go_on_says_so(slow: Server, tmp_path: Path, query: bool) -> None:
    """Never a shorter table: 75, nothing is kept, and the same command reads all rows."""
    data = spec(slow, query="select * from events") if query else spec(slow, key="id")
    source = open_source(data)
    rows = source.stream()
    killed = READING if query else ALL

    class Interrupted:
        def __getattr__(self, name: str) -> Any:
            return getattr(source, name)

        def stream(self) -> Any:
            yield next(rows)
            assert slow.sql(killed)
            yield from rows

    text = said(Resumable, lambda: staged(Interrupted(), data, tmp_path / "data"))  # type: ignore[arg-type]
    assert text.startswith(f"data.uri: the connection to 127.0.0.1:{slow.port}/postgres ended while rows were read (")
    assert text.endswith("give the same command again, and all are read of a new snapshot")
    assert not list((tmp_path / "data").iterdir())
    assert staged(open_source(data), data, tmp_path / "data")[1].rows == 30_000


def test_a_value_that_cannot_be_converted_ends_with_its_place(events: Server) -> None:
    """In the middle of the rows, by the server."""
    events.sql("create table big as select id, y, case when id = 8000 then 1e400 else 1 end as n from events")
    assert "data.table: " in said(DataError, lambda: list(open_source(spec(events, table="big")).stream()))


def test_a_full_disk_leaves_nothing(events: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file, and no session on the server."""

    def full(batches: Any, folder: Path) -> int:
        (folder / "part-00000.parquet").write_bytes(b"half")
        next(iter(batches))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(staging, "written", full)
    data = spec(events)
    assert "the disk is full" in said(StorageFull, lambda: staged(open_source(data), data, tmp_path / "data"))
    assert not list((tmp_path / "data").iterdir())
    until = time.monotonic() + 5
    while events.sql("select count(*) from pg_stat_activity where application_name = 'fitscale'") != [(0,)]:
        assert time.monotonic() < until


def test_an_empty_table_is_said(events: Server, tmp_path: Path) -> None:
    """As with files; so is a filter that keeps nothing."""
    events.sql("truncate events")
    data = spec(events, key="id")
    assert "no rows" in said(DataError, lambda: staged(open_source(data), data, tmp_path / "data"))
