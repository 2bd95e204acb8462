"""What a plan looks at of a large table: a bounded part that stands for all rows, and how many these are."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
from postgres_server import Server

from fitscale.data import staging
from fitscale.data.choosing import open_source
from fitscale.data.sources.postgres import ranges, sampling
from fitscale.data.staging import sampled, staged
from fitscale.errors import DataError, Resumable, StorageFull
from fitscale.records.workload import DataSpec

ROWS = 40_000
TABLE = f"create table events as select g as id, g % 3 = 0 as y, g * 7919 % 1000 as x from generate_series(1, {ROWS}) g"


@pytest.fixture
def events(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A table that counts as large."""
    monkeypatch.setattr(sampling, "ROWS", 4_000)
    monkeypatch.setattr(ranges, "PART_BYTES", 30_000)
    postgres.sql(TABLE, "alter table events add primary key (id)", "create view seen as select * from events")
    postgres.sql("analyze events")
    return postgres


def spec(server: Server, **more: Any) -> DataSpec:
    return DataSpec(uri=server.uri(), **{"target": "y", **({} if "query" in more else {"table": "events"}), **more})


@pytest.mark.parametrize(
    ("more", "all_rows"),
    [
        ({}, ROWS),
        ({"where": "id > 10000"}, 30_000),
        ({"table": "seen"}, ROWS),
        ({"table": "seen", "key": "id"}, ROWS),
        ({"query": "select * from events"}, ROWS),
        ({"query": "select * from events where x < 500", "key": "id"}, 20_000),
    ],
    ids=["a table", "filtered", "a view", "a view by key", "a query", "a query by key"],
)
def test_a_part_stands_for_all_rows(events: Server, tmp_path: Path, more: dict[str, Any], all_rows: int) -> None:
    """A tenth of the rows is read, the number of all lies in its interval, and what was kept is such a part."""
    data, notes = spec(events, **more), []
    found = sampled(open_source(data), data, tmp_path / "data", notes.append)
    assert found is not None
    reader, stage = found
    assert reader.rows == stage.sampled
    assert 2_000 <= reader.rows <= 6_000
    assert stage.rows.low <= all_rows <= stage.rows.high
    assert stage.seconds.low < stage.seconds.value < stage.seconds.high
    assert stage.bytes.value > 0
    assert notes[0].startswith("sampling about 4,000 rows (")
    assert [path.name for path in (tmp_path / "data").iterdir()] == [f"sample-{reader.snapshot.content}"]
    assert reader.snapshot.columns == staged(open_source(data), data, tmp_path / "whole")[0].snapshot.columns
    # Pages are drawn from all of the table, and an index of the key finds rows of all of its values.
    if ("query" not in more and more.get("table") != "seen") or ("key" in more and "query" not in more):
        column = [value for _, batch in reader.batches(["id"]) for value in batch.column(0).to_pylist()]
        assert max(column) > 0.8 * ROWS


def test_few_rows_are_all_of_them(events: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where they take a moment there is no part; a query that the server thinks large, and is not, is counted."""
    monkeypatch.setattr(sampling, "ROWS", 10_001)
    data = spec(events)
    assert sampled(open_source(data), data, tmp_path / "data") is None
    monkeypatch.setattr(sampling, "ROWS", 100)
    data = spec(events, query="select * from events where x + 1 < id * 0 + 3")
    found = sampled(open_source(data), data, tmp_path / "data")
    assert found is None or found[1].rows.value >= found[0].rows


def test_staging_takes_the_part_away_and_is_within_what_was_forecast(events: Server, tmp_path: Path) -> None:
    """Size by 20 %; a second sample takes the place of the first."""
    data = spec(events)
    for _ in range(2):
        found = sampled(open_source(data), data, tmp_path / "data")
        assert found is not None
        assert len(list((tmp_path / "data").iterdir())) == 1
    _, about = staged(open_source(data), data, tmp_path / "data")
    assert found[1].bytes.low <= about.bytes <= found[1].bytes.high
    assert [path.name for path in (tmp_path / "data").iterdir()] == [staging._name(about)]


def test_what_is_wrong_leaves_no_part(events: Server, tmp_path: Path) -> None:
    """A value that the server cannot convert, in the middle of the rows."""
    events.sql("create table big as select id, y, case when id > 30000 then 1e400 else 1 end as n from events")
    events.sql("analyze big")
    data = spec(events, table="big")
    with pytest.raises(DataError, match=r"data\.table: "):
        sampled(open_source(data), data, tmp_path / "data")
    assert not list((tmp_path / "data").iterdir())


def test_a_full_disk_and_a_lost_connection_leave_no_part(
    events: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with its sentence; the same command goes on then."""

    def full(batches: Any, folder: Path, **_: Any) -> int:
        next(iter(batches))
        raise OSError(errno.ENOSPC, "No space left on device")

    def cut_off(batches: Any, folder: Path, **_: Any) -> int:
        return sum(batch.num_rows for batch in batches)

    data = spec(events)
    for write, error, words in (
        (full, StorageFull, "the disk is full"),
        (cut_off, Resumable, "give the same command again"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(staging, "written", write)
            source = open_source(data)
            if write is cut_off:
                lost(source, events)
            with pytest.raises(error, match=words):
                sampled(source, data, tmp_path / "data")
        assert not list((tmp_path / "data").iterdir())


def lost(source: Any, server: Server) -> None:
    """End its sessions as soon as one is asked for rows."""
    made = source._session

    def session() -> Any:
        found = made()
        asked = found.batches

        def batches(sql: str) -> Any:
            server.sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'fitscale'")
            yield from asked(sql)

        found.batches = batches
        return found

    source._session = session
