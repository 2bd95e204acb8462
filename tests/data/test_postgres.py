"""PostgreSQL as a source: the suite over tables and queries, and that what is staged is what is there."""

from __future__ import annotations

import datetime as dt
import re
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from postgres_server import Server

from fitscale.data.choosing import open_source
from fitscale.data.reader import open_reader
from fitscale.data.sources.postgres import connect, fetching, ranges, source
from fitscale.data.sources.postgres.source import Postgres
from fitscale.data.staging import staged
from fitscale.errors import MissingLibrary
from fitscale.records.data import Staging
from fitscale.records.workload import DataSpec, Features
from fitscale.testing.sources import SourceSuite

ROWS = 12_000
EVENTS = (
    "create table events as select g as id, (g * 7919) % 1000 as x, case when g % 9 > 0 then g * 0.5 end as z, "
    "'k' || g % 11 as s, g % 3 = 0 as y, timestamptz '2026-01-01 00:00+01' + g * interval '1 minute' as at "
    f"from generate_series(1, {ROWS}) g order by g < {ROWS - 200}, g"
)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "PART_BYTES", 90_000)
    monkeypatch.setattr("fitscale.data.sources.postgres.source.UNIT_ROWS", 1_000)


@pytest.fixture
def events(postgres: Server) -> Server:
    postgres.sql(EVENTS, "alter table events add primary key (id)", "vacuum analyze events")
    return postgres


def spec(server: Server, **more: Any) -> DataSpec:
    return DataSpec(
        uri=more.pop("uri", server.uri()), **{"target": "y", **({} if "query" in more else {"table": "events"}), **more}
    )


class Suite(SourceSuite):
    """The suite over one table."""

    more: dict[str, Any] = {}

    @pytest.fixture(autouse=True)
    def server(self, events: Server) -> None:
        self.events = events

    def make(self, folder: Path) -> DataSpec:
        return spec(self.events, **self.more)


class TestByKey(Suite):
    more = {"key": "id"}


class TestByBlocks(Suite):
    more = {"table": "public.events", "where": "s in ('k1', 'k2', 'k3', 'k4', 'k5') and not (x < 100)"}


class TestQuery(Suite):
    more = {"query": "select e.*, e.x * 2 as twice from events e order by at -- all of them;\n;"}


def stream(server: Server, **more: Any) -> pa.Table:
    return pa.Table.from_batches(open_source(spec(server, **more)).stream())


def stage(server: Server, folder: Path, **more: Any) -> Staging:
    data = spec(server, **more)
    return staged(open_source(data), data, folder)[1]


def files(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*/part-*.parquet"))]


@pytest.mark.parametrize(
    "more",
    [
        {"key": "id"},
        {"key": "at"},
        {},
        {"where": "x >= 500 and at > '2026-01-02' and s <> 'k''; drop table events; --'"},
        {"query": "select * from events where x < 700"},
        {"query": "select * from events", "key": "id"},
    ],
    ids=["key", "key without an index", "blocks", "filter", "query", "query by key"],
)
def test_every_row_is_there_once(events: Server, more: dict[str, Any]) -> None:
    """By as many connections as it takes: the rows that the server itself counts, each once, and nothing beside them."""
    wanted = more.get("where") or ("x < 700" if "where" in more.get("query", "") else "true")
    ids = [row[0] for row in events.sql(f"select id from events where {wanted} order by id")]
    assert sorted(stream(events, **more)["id"].to_pylist()) == ids
    assert len(ids) > 1_000


def test_rows_come_in_the_order_of_the_key(events: Server) -> None:
    """And of where they lie in the table, where no key is named."""
    assert stream(events, key="id")["id"].to_pylist() == list(range(1, ROWS + 1))
    assert stream(events)["id"].to_pylist() == [row[0] for row in events.sql("select id from events order by ctid")]


def test_the_same_data_is_staged_to_the_same_bytes(
    events: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By few or many connections and parts; and by key also when the table was written anew in another order."""
    for name, more in (("a", {"key": "id"}), ("b", {})):
        stage(events, tmp_path / name, **more)
    monkeypatch.setattr(source, "readers", lambda: 1)
    monkeypatch.setattr(ranges, "PART_BYTES", 1 << 30)
    for name, more in (("c", {"key": "id"}), ("d", {})):
        stage(events, tmp_path / name, **more)
    events.sql(
        "create table copy as select * from events order by x, id",
        "drop table events",
        "alter table copy rename to events",
    )
    stage(events, tmp_path / "e", key="id")
    assert files(tmp_path / "a") == files(tmp_path / "c") == files(tmp_path / "e")
    assert files(tmp_path / "b") == files(tmp_path / "d") != files(tmp_path / "a")


SESSIONS = "select count(*) from pg_stat_activity where application_name = 'fitscale'"


def test_several_connections_read_at_once(events: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three that read ahead, as far as they may, and one that keeps the snapshot; afterwards none."""
    monkeypatch.setattr(connect, "BATCH_BYTES", 1_000)
    monkeypatch.setattr(fetching, "HELD", 1)
    monkeypatch.setattr(source, "readers", lambda: 3)
    rows = open_source(spec(events, key="id")).stream()
    count = next(rows).num_rows
    until = time.monotonic() + 10
    while events.sql(SESSIONS) != [(4,)]:
        assert time.monotonic() < until
    assert count + sum(batch.num_rows for batch in rows) == ROWS
    assert events.sql(SESSIONS) == [(0,)]


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_fewer_connections_will_do(events: Server, limit: int) -> None:
    """Where the server lets no more in: one reads of the snapshot that another keeps, or both in one."""
    events.sql("grant select on events to reader", f"alter role reader connection limit {limit}")
    rows = pa.Table.from_batches(open_source(spec(events, uri=events.uri("reader"), key="id")).stream())
    events.sql("alter role reader connection limit -1")
    assert rows["id"].to_pylist() == list(range(1, ROWS + 1))


def test_a_reader_that_is_left_in_the_middle_leaves_no_session(events: Server) -> None:
    """What was being read ahead is ended with it."""
    rows = open_source(spec(events, key="id")).stream()
    next(rows)
    rows.close()
    assert events.sql(SESSIONS) == [(0,)]


def test_the_table_may_change_while_it_is_read(events: Server) -> None:
    """What is read is one snapshot: rows that come and go meanwhile make no difference."""
    rows = open_source(spec(events, key="id")).stream()
    first = next(rows)
    events.sql(
        "delete from events where id % 2 = 0", "update events set x = -1", "insert into events (id) values (0), (99999)"
    )
    table = pa.Table.from_batches([first, *rows])
    assert table["id"].to_pylist() == list(range(1, ROWS + 1))
    assert min(table["x"].to_pylist()) == 0


@pytest.mark.parametrize("more", [{"table": "events"}, {"table": "kept"}, {"query": "select * from events"}])
def test_a_table_is_not_emptied_while_it_is_read(events: Server, more: dict[str, Any]) -> None:
    """To an older snapshot it would look as if it had no rows: who empties it waits until it is read."""
    events.sql("create materialized view kept as select * from events")
    rows = open_source(spec(events, **more)).stream()
    count = next(rows).num_rows
    emptied = "refresh materialized view kept" if "kept" in more.values() else "truncate events"
    with pytest.raises(Exception, match="lock timeout"):
        events.sql("set lock_timeout = '50ms'", emptied)
    assert count + sum(batch.num_rows for batch in rows) == ROWS
    events.sql("set lock_timeout = '5s'", emptied)


TYPES = """create table types as select g as id, g::int2 as i2, g::float4 as f4, (g / 3.0)::numeric(12, 3) as n,
    g::numeric as plain, 'a'::varchar(9) as v, 'b'::char(5) as c, date '2026-01-31' as d,
    case g when 1 then timestamp 'infinity' else timestamp '2026-01-31 12:00' end as t,
    timestamptz '2026-01-31 12:00+02' as tz, time '12:30' as clock, gen_random_uuid() as u, 'sad'::mood as m,
    4000000000::oid as o, 12.5::money as cash, g > 1 as y, null::int4 as nothing, 5::positive as p
    from generate_series(1, 2) g"""


def test_types_become_arrows(postgres: Server) -> None:
    """Numbers of the money kinds as float64 with a word, enums and uuids as text, infinite moments as missing."""
    postgres.sql("create type mood as enum ('sad', 'glad')", "create domain positive as int4 check (value > 0)", TYPES)
    source = open_source(spec(postgres, table="types"))
    (batch,) = source.stream()
    assert {field.name: str(field.type) for field in batch.schema} == {
        "id": "int32", "i2": "int16", "f4": "float", "n": "double", "plain": "double", "v": "string", "c": "string",
        "d": "date32[day]", "t": "timestamp[us]", "tz": "timestamp[us, tz=UTC]", "clock": "time64[us]", "u": "string",
        "m": "string", "o": "int64", "cash": "double", "y": "bool", "nothing": "int32", "p": "int32",
    }  # fmt: skip
    assert tuple((field.name, str(field.type)) for field in batch.schema) == source.outline().columns
    row = batch.slice(1).to_pylist()[0]
    assert row["n"] == 0.667
    assert (row["c"], row["m"], row["o"], row["cash"]) == ("b", "sad", 4_000_000_000, 12.5)
    assert row["t"] == dt.datetime(2026, 1, 31, 12)
    assert row["tz"] == dt.datetime(2026, 1, 31, 10, tzinfo=dt.UTC)
    assert batch["t"].to_pylist()[0] is None
    assert source.assumed == (
        "column 'n' as float64, of numeric",
        "column 'plain' as float64, of numeric",
        "column 'cash' as float64, of money",
    )


def test_what_arrow_lacks_is_passed_over_where_it_is_dropped(postgres: Server, tmp_path: Path) -> None:
    """It is not read: its place is kept by a column without values."""
    postgres.sql(
        "create table t as select g as id, g % 2 as y, '{}'::jsonb as j, '{1}'::int4[] as a from generate_series(1, 5) g"
    )
    data = spec(postgres, table="t", features=Features(drop=("j", "a")))
    reader, about = staged(open_source(data), data, tmp_path)
    assert about.rows == 5
    assert dict(reader.snapshot.columns) == {"id": "int32", "y": "int32", "j": "null", "a": "null"}


@pytest.mark.parametrize("table", ["parts", "seen", 'odd."Name of it"'])
def test_other_relations_are_read_too(events: Server, table: str) -> None:
    """A partitioned table, a view, and names that need quotes."""
    events.sql(
        "create table parts (id int4, y bool) partition by range (id)",
        "create table parts1 partition of parts for values from (0) to (600)",
        "create table parts2 partition of parts for values from (600) to (9999)",
        "insert into parts select id, y from events where id < 1000",
        "create view seen as select id, y from events where id < 1000",
        "create schema if not exists odd",
        'drop table if exists odd."Name of it"',
        'create table odd."Name of it" as select * from seen',
    )
    for more in ({}, {"key": "id"}):
        assert sorted(stream(events, table=table, **more)["id"].to_pylist()) == list(range(1, 1000))
    events.sql("drop schema odd cascade")


def test_keys_may_be_of_any_type_with_an_order(events: Server) -> None:
    """Texts are cut where the server's statistics have them; numbers far apart make uneven parts, and no row is missed."""
    events.sql(
        "create table named as select md5(id::text) as id, y from events",
        "alter table named add primary key (id)",
        "create table far as select case when id = 7 then 9000000000000000 else id end as id, y from events",
        "alter table far add primary key (id)",
        "analyze named",
    )
    names = stream(events, table="named", key="id")["id"].to_pylist()
    assert names == sorted(names)
    assert len(set(names)) == ROWS
    assert stream(events, table="far", key="id")["id"].to_pylist()[-2:] == [ROWS, 9_000_000_000_000_000]


def test_how_much_is_read_is_told_before(events: Server, tmp_path: Path) -> None:
    """By the server's statistics, and that is said."""
    told: list[str] = []
    data = spec(events, key="id")
    staged(open_source(data), data, tmp_path, told=told.append)
    where = f"staging events at 127.0.0.1:{events.port}/postgres"
    assert re.fullmatch(rf"{where}: about 12,000 rows, 0\.\d MB \[estimated\]", told[0])


def test_what_was_staged_stays_until_it_is_asked_for_anew(events: Server, tmp_path: Path) -> None:
    """The same rows however the table goes on; with ``fresh`` those of now, and then these; another filter is another thing."""
    first = stage(events, tmp_path, key="id")
    events.sql("delete from events where id > 100")
    assert stage(events, tmp_path, key="id") == first
    data = spec(events, key="id")
    fresh = staged(open_source(data), data, tmp_path, fresh=True)[1]
    assert (first.rows, fresh.rows) == (ROWS, 100)
    assert stage(events, tmp_path, key="id") == fresh
    assert stage(events, tmp_path, key="id", where="id <= 50").rows == 50


def test_a_snapshot_is_counted_exactly(events: Server) -> None:
    """Filter and parts included."""
    reader = open_reader(spec(events, key="id", where="x = 3"))
    assert reader.rows == events.sql("select count(*) from events where x = 3")[0][0]


def test_without_its_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is imported to say so."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingLibrary, match=r"pip install 'fitscale\[postgres\]'"):
        Postgres.open(DataSpec(uri="postgresql://h/d", table="t", target="y"))


def test_staged_rows_are_those_of_the_table(events: Server, tmp_path: Path) -> None:
    """As Parquet they have the same values as by the driver alone."""
    about = stage(events, tmp_path, key="id")
    (path,) = tmp_path.glob("*/part-00000.parquet")
    table = pq.read_table(path)
    assert table.num_rows == about.rows == ROWS
    sums = events.sql("select sum(x), sum(z), count(z), sum(length(s)) from events")[0]
    assert sum(table["x"].to_pylist()) == sums[0]
    assert sum(table["z"].drop_null().to_pylist()) == float(sums[1])
    assert len(table["z"].drop_null()) == sums[2]
