"""A table in PostgreSQL, from beginning to end: looked at, trained on, gone on with, read anew; and its password nowhere."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from postgres_server import Server

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
from commands import fitscale

from fitscale.report import actual_of
from fitscale.store import folder, journal, versions

TABLE = (
    "create table events as select g as id, (g * 7919) % 1000 as x, (g % 7)::numeric as z, 'k' || g % 5 as s, "
    "(g * 7919) % 1000 + g % 13 * 20 > 600 as y from generate_series(1, 3000) g"
)


@pytest.fixture
def job(postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    postgres.sql(TABLE, "alter table events add primary key (id)", "analyze events")
    monkeypatch.delenv("PGPASSWORD")
    monkeypatch.setenv("EVENTS_PASSWORD", postgres.password)
    uri = postgres.uri().replace("fitscale@", "fitscale:${EVENTS_PASSWORD}@")
    path = tmp_path / "job.yaml"
    data = {"uri": uri, "table": "events", "key": "id", "where": "id > 10", "target": "y"}
    path.write_text(json.dumps({"name": "late", "data": data, "model": {"estimator": "baseline.Classifier"}}))
    return path


def test_a_table_is_trained_on(job: Path, postgres: Server) -> None:
    """The plan says what was staged and of when; the same command has nothing to do, and with --fresh trains on the rows of now."""
    said = fitscale("plan", job)
    assert said.code == 0, said.err
    where = f"127.0.0.1:{postgres.port}/postgres"
    told = " ".join((said.out + said.err).split())
    assert f"staging events at {where}: about 2,990 rows, 0.1 MB [estimated]" in told
    assert f"{where} once as" in told
    assert "Data as of 20" in told
    assert "--fresh reads it as it is now" in told
    assert "Read column 'z' as float64, of numeric" in told
    assert fitscale("train", job).code == 0
    run = job.parent / "runs" / "late"
    staging = folder.read_plan(run).staging
    assert staging is not None
    assert staging.rows == 2_990
    assert [name for name, _ in staging.origin.columns] == ["id", "x", "z", "s", "y"]
    postgres.sql("delete from events where id <= 1000")
    assert "Nothing to do" in fitscale("train", job).out
    said = fitscale("train", job, "--fresh")
    assert said.code == 0, said.err
    assert versions.numbers(run) == [1, 2]
    staging = folder.read_plan(run).staging
    assert staging is not None
    assert staging.rows == 2_000


def test_the_password_is_nowhere(job: Path, postgres: Server) -> None:
    """Not in what is printed, nor in any file of the run, its report included; the variable's name is."""
    said = [fitscale("train", job), fitscale("report", job), fitscale("doctor", job), fitscale("plan", job, "--json")]
    assert [one.code for one in said] == [0, 0, 0, 0]
    assert postgres.password not in "".join(one.out + one.err for one in said)
    files = [path for path in (job.parent / "runs").rglob("*") if path.is_file()]
    assert len(files) > 10
    assert not [path for path in files if postgres.password.encode() in path.read_bytes()]
    assert any(b"${EVENTS_PASSWORD}" in path.read_bytes() for path in files)


def test_doctor_really_connects(job: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says how much is there; with another password it says what is wrong, and ends with 2."""
    said = fitscale("doctor", job)
    assert said.code == 0
    assert "about 2,990 rows, 0.1 MB [estimated], 5 columns; it is staged to Parquet once" in " ".join(said.out.split())
    monkeypatch.setenv("EVENTS_PASSWORD", "wr0ng-one")
    said = fitscale("doctor", job)
    assert said.code == 2
    assert "does not let 'fitscale' in" in " ".join(said.out.split())
    assert "wr0ng-one" not in said.out


def test_a_password_in_the_file_is_refused(job: Path) -> None:
    """It would be stored with every plan; what is refused does not repeat it."""
    job.write_text(job.read_text().replace("${EVENTS_PASSWORD}", "pl41n"))
    for command in ("plan", "train", "doctor"):
        said = fitscale(command, job)
        assert said.code == 2
        assert "write ${PGPASSWORD} there" in " ".join((said.out + said.err).split())
        assert "pl41n" not in said.out + said.err
    assert not (job.parent / "runs").exists()


def test_what_is_wrong_leaves_no_run(job: Path, postgres: Server) -> None:
    """The table is gone, before and while the run is begun."""
    postgres.sql("drop table events")
    said = fitscale("train", job)
    assert said.code == 2
    assert "no table 'events'" in said.err
    assert not (job.parent / "runs").exists()


def test_a_large_table_is_planned_by_a_part_of_it(job: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """`plan` reads a bounded part and forecasts what staging takes; `train` stages all, and the table at its end has it."""
    monkeypatch.setattr("fitscale.data.sources.postgres.sampling.ROWS", 500)
    said = fitscale("plan", job)
    assert said.code == 0, said.err
    told = " ".join((said.out + said.err).split())
    assert "sampling about 1,000 rows (33.4 %) of events at" in told
    assert "rows of …" in told or "of about" in told
    assert "'train' stages all of it once:" in told
    assert "stage " in told.partition("Where the time of A goes")[2]
    run = job.parent / "runs" / "late"
    plan = folder.read_plan(run)
    assert plan.staging is None
    assert plan.stage is not None
    assert plan.stage.sampled < 2_000
    assert plan.profile.rows.low <= 2_990 <= plan.profile.rows.high
    assert 0.8 * plan.shape.rows <= 0.8 * 2_990 <= 1.3 * plan.shape.rows
    assert plan.decision.chosen is not None
    assert plan.decision.chosen.forecast.phases["stage"] == plan.stage.seconds.value
    assert not list(run.glob("data/*/staging.json"))
    assert fitscale("plan", job, "--what-if", "rows=10x").code == 0
    said = fitscale("train", job)
    assert said.code == 0, said.err
    assert not list(run.glob("data/sample-*"))
    plan = folder.read_plan(run)
    assert plan.staging is not None
    assert plan.stage is not None
    assert plan.stage.seconds.value == plan.staging.seconds
    actual = actual_of(run, 1)
    assert actual is not None
    assert actual.phases["stage"].wall_s == plan.staging.seconds
    assert actual.work_s > plan.staging.seconds
    assert [event["rows"] for event in journal.replay(run) if event["kind"] == "staged"] == [2_990]
