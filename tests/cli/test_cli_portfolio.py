"""``fitscale plan`` of several jobs: each planned by itself, one platform for all, and nothing that one job costs another."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from commands import fitscale, write_job

from fitscale.cli import plan as planning
from fitscale.cli.portfolio_screen import portfolio_screen
from fitscale.planning.considered.considerations import NAMES
from fitscale.records.plan import Plan
from fitscale.records.portfolio import Portfolio
from fitscale.store.lock import RunLock

EXAMPLE = Path(__file__).parents[2] / "examples" / "team"


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Portfolio, str]:
    """The example's jobs, planned for its team: the folder, the record, and the screen."""
    folder = tmp_path_factory.mktemp("team") / "team"
    shutil.copytree(EXAMPLE, folder)
    said = fitscale("plan", *sorted((folder / "jobs").glob("*.yaml")), "--team", folder / "team.yaml", "--json")
    assert said.code == 0, said.err
    return folder, Portfolio.from_json(said.out), said.err


def test_the_example_has_one_platform(planned: tuple[Path, Portfolio, str]) -> None:
    """Each job has its plan in its own run, as `fitscale plan` writes it, and nothing is trained."""
    folder, found, screen = planned
    assert [job.name for job in found.jobs] == ["churn", "risk", "shops"]
    for job in found.jobs:
        run = folder / "jobs" / "runs" / job.name
        assert Plan.from_json((run / "plans" / "001.json").read_text()).workload.name == job.name
        assert not (run / "versions").exists()
    assert [job.frequency for job in found.jobs] == ["daily", "ad-hoc", "weekly"]
    assert [job.at_once for job in found.jobs] == [1, 4, 1]
    assert found.meets
    assert found.recommended is not None
    assert found.recommended.is_here
    assert found.recommended.needed == 1
    assert 0 < found.recommended.usd_month.value < 1
    assert [platform.is_here for platform in found.platforms] == [True, False, False, False]
    for sentence in (
        "1 of 3  ",
        "VERDICT  this machine for all 3 jobs",
        "Assumed",
        "modelling: 18 h",
        "Best alone",
        "from priors",
    ):
        assert sentence in screen


def test_what_the_team_shares_is_considered_in_each_plan(planned: tuple[Path, Portfolio, str]) -> None:
    """Its users, environments and budget: in the run's plan, in the portfolio's record, on the screen, and in a what-if."""
    folder, found, screen = planned
    said = {"users": "4 users, 1 environment at once", "budget": "platform 50 USD/month"}
    for job in found.jobs:
        plan = Plan.from_json((folder / "jobs" / "runs" / job.name / "plans" / "001.json").read_text())
        assert job.considerations == plan.considerations
        assert len(job.considerations) == 10
        assert {one.name: one.value for one in job.considerations if one.name in said} == said
        assert {one.origin for one in job.considerations if one.name in said} == {"stated"}
    assert "Considered, alike for all 3 jobs" in screen
    assert all(value in screen for value in said.values())
    assert "shops: models at once: a model for each group: many-models in place of one fit" in screen
    supposed = Plan.from_json(fitscale("plan", folder / "jobs" / "churn.yaml", "--what-if", "rows=2x", "--json").out)
    assert supposed.considerations[5].value == said["users"]


def test_one_job_of_a_team_has_all_ten_on_the_screen(tmp_path: Path) -> None:
    """And without a team one user is assumed, also for several jobs."""
    job, other = write_job(tmp_path, "one"), write_job(tmp_path, "two")
    (tmp_path / "team.yaml").write_text("users: 60\nenvironments: 3\nplatform_budget: 0 USD/month\n")
    screen = fitscale("plan", job, "--team", tmp_path / "team.yaml").out
    assert all(name in screen for name in NAMES.values())
    assert "50–100" in screen
    assert "60 users, 3 environments at once" in screen
    assert "platform 0 USD/month" in screen
    several = fitscale("plan", job, other, "--json")
    assert "1 user, 1 environment at once" in several.err
    assert Portfolio.from_json(several.out).jobs[0].considerations[5].origin == "assumed"


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_no_line_is_longer_than_the_terminal(planned: tuple[Path, Portfolio, str], width: int) -> None:
    """On narrow ones intervals go first."""
    assert max(map(len, portfolio_screen(planned[1], width))) <= width


def test_every_amount_of_people_and_machines_adds_up(planned: tuple[Path, Portfolio, str]) -> None:
    """The parts that are shown are the whole that is shown."""
    found = planned[1]
    assert found.people_usd_month == pytest.approx(sum(effort.usd_month for effort in found.efforts))
    for platform in found.platforms:
        assert platform.usd_month.value == pytest.approx(sum(one.usd_month.value for one in platform.jobs))
        assert platform.busy_hours == pytest.approx(sum(one.busy_hours for one in platform.jobs))


def test_a_wrong_job_is_named_and_the_others_are_planned(tmp_path: Path) -> None:
    """A misspelt key, a column that is not there, a file that is not there: 2, and the third job has its place."""
    good = write_job(tmp_path, "good", needs={"frequency": "weekly"})
    (tmp_path / "typo.yaml").write_text("name: typo\ndat: {}\n")
    column = write_job(tmp_path, "column", data={"uri": "synthetic://?rows=6000&columns=4", "target": "gone"})
    said = fitscale("plan", tmp_path / "typo.yaml", good, column, tmp_path / "none.yaml", "--json")
    assert said.code == 2
    found = Portfolio.from_json(said.out)
    assert [job.name for job in found.jobs] == ["good"]
    assert [failed.exit_code for failed in found.failed] == [2, 2, 2]
    for sentence, failed in zip(
        ("dat: unknown key", "no column 'gone'", "none.yaml: no such file"), found.failed, strict=True
    ):
        assert sentence in failed.sentence
        assert sentence in " ".join(said.err.split())
    assert "error: 3 of 4 jobs could not be planned: " in said.err
    assert not (tmp_path / "runs" / "column").exists()
    assert found.meets


def test_two_jobs_of_one_name_are_one_too_many(tmp_path: Path) -> None:
    """They would share a run folder: the first is planned, the second is told whose name it has."""
    first = write_job(tmp_path, "job")
    second = tmp_path / "other.yaml"
    second.write_text(first.read_text())
    said = fitscale("plan", first, second, first, "--json")  # a file that is given twice is one job
    assert said.code == 2
    found = Portfolio.from_json(said.out)
    assert [job.file for job in found.jobs] == [str(first)]
    assert [failed.file for failed in found.failed] == [str(second)]
    assert f"name: 'job' is the name of {first} too; give each job one of its own" in found.failed[0].sentence


def test_without_a_frequency_it_is_once_a_month_and_said(tmp_path: Path) -> None:
    """On the line of the job, and among what was assumed."""
    said = fitscale("plan", write_job(tmp_path, "a"), write_job(tmp_path, "b", needs={"frequency": "daily"}))
    assert said.code == 0, said.err
    assert "monthly (assumed)" in said.out
    assert "a: no frequency is stated, so once a month" in said.out
    assert "Team: nothing said" in said.out


def test_the_team_file_may_lie_among_the_jobs(tmp_path: Path) -> None:
    """``fitscale plan *.yaml --team team.yaml``: it is no job; alone it is an error."""
    job = write_job(tmp_path, "job", needs={"frequency": "ad-hoc"})
    team = tmp_path / "team.yaml"
    team.write_text("users: 0\nplatform_budget: 0\n")
    said = fitscale("plan", job, team, "--team", team, "--json")
    assert said.code == 0, said.err
    found = Portfolio.from_json(said.out)
    assert (len(found.jobs), len(found.failed), found.jobs[0].at_once) == (1, 0, 0)
    assert found.recommended is not None
    assert (found.recommended.is_here, found.recommended.needed, found.recommended.busy_hours) == (True, 0, 0)
    assert "ad hoc, and there are no users, so never" in said.err
    alone = fitscale("plan", team, "--team", team)
    assert (alone.code, "is the team file; give the workload files beside it" in alone.err) == (2, True)


def test_a_deadline_that_nothing_keeps_ends_with_4(tmp_path: Path) -> None:
    """The nearest platform is shown, with what it does not keep."""
    job = write_job(tmp_path, "job", needs={"deadline": 0.01, "frequency": "daily"})
    said = fitscale("plan", job, write_job(tmp_path, "b"), "--json")
    assert said.code == 4, said.err
    found = Portfolio.from_json(said.out)
    assert not found.meets
    assert "over your 0.01 s" in found.reasons[0]
    assert "error: no platform keeps every frequency, deadline and budget" in said.err


CATALOGUE = "machine,vcpus,memory_gib,usd_per_hour\nbig,4,16,0.2\nsmall,2,0.2,0.05\n"


def too_large(folder: Path, machines: str) -> Path:
    """A job that is allowed less memory than it takes here, beside machines of the user's own table."""
    (folder / "own.csv").write_text(machines)
    where = [{"local": {"memory": "150 MB"}}, {"catalogue": str(folder / "own.csv")}]
    data = {"uri": "synthetic://?rows=60000&columns=40", "target": "y"}
    model = {"estimator": "sklearn.linear_model.LogisticRegression"}
    return write_job(folder, "large", data=data, model=model, where=where, needs={"frequency": "weekly"})


def test_what_does_not_fit_here_is_rented(tmp_path: Path) -> None:
    """From a table of the user's own: the machine that holds both jobs, its month's price, and why not this one."""
    said = fitscale("plan", too_large(tmp_path, CATALOGUE), write_job(tmp_path, "b"), "--json")
    assert said.code == 0, said.err
    found = Portfolio.from_json(said.out)
    assert found.recommended is not None
    assert (found.recommended.machine.name, found.recommended.pay, found.recommended.cores) == ("big", "by the run", 4)
    hours = 4.35 * found.recommended.jobs[0].time_s.value / 3600 + found.recommended.jobs[1].time_s.value / 3600
    assert found.recommended.jobs[0].time_s.value > 300  # its start
    assert found.recommended.usd_month.value == pytest.approx(0.2 * hours)
    assert [(one.job, one.example) for one in found.refused] == [("large", "this machine"), ("large", "small")]
    assert "needs" in found.refused[0].sentence
    assert any(reason.startswith("not this machine: large: ") for reason in found.reasons)
    assert [best.machine for best in found.best] == ["big", "here"]


def test_what_runs_nowhere_ends_with_3(tmp_path: Path) -> None:
    """No machine of two holds it; the other job has its place all the same."""
    job = too_large(tmp_path, "\n".join([CATALOGUE.splitlines()[0], CATALOGUE.splitlines()[2]]))
    said = fitscale("plan", job, write_job(tmp_path, "b"), "--json")
    assert said.code == 3, said.err
    found = Portfolio.from_json(said.out)
    assert found.recommended is None
    assert found.reasons == ("no machine of 2 runs all jobs: large cannot run on each of them",)
    assert [best.job for best in found.best] == ["b"]
    assert "error: no machine runs all jobs; 'Ruled out' says why" in said.err


def test_a_run_that_is_held_costs_its_job_alone(tmp_path: Path) -> None:
    """Another command works in it: 2, with its process, and the other job is planned."""
    held, free = write_job(tmp_path, "held"), write_job(tmp_path, "free")
    assert fitscale("plan", held).code == 0
    with RunLock(tmp_path / "runs" / "held"):
        said = fitscale("plan", held, free, "--json")
    assert said.code == 2
    found = Portfolio.from_json(said.out)
    assert [job.name for job in found.jobs] == ["free"]
    assert found.failed[0].sentence.startswith(str(tmp_path / "runs" / "held"))


def test_a_defect_that_one_job_meets_costs_the_others_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told as one, and the command ends with 1."""

    def broken(out: object, found: Any, name: str, **more: Any) -> Plan:
        if found.workload.name == "odd":
            raise ZeroDivisionError("of nothing")
        return planned_as_ever(out, found, name, **more)

    planned_as_ever: Any = planning.planned
    monkeypatch.setattr(planning, "planned", broken)
    said = fitscale("plan", write_job(tmp_path, "odd"), write_job(tmp_path, "even"), "--json")
    assert said.code == 1
    found = Portfolio.from_json(said.out)
    assert [job.name for job in found.jobs] == ["even"]
    assert "unexpected ZeroDivisionError: of nothing (FITSCALE_TRACE=1 shows where)" in found.failed[0].sentence


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "people: [{role: data scientist, skills: [pyton]}]",
            "people[0].skills[0]: no skill 'pyton' is known; did you mean",
        ),
        (
            "people: [{role: data scientits}]",
            "people[0].role: no role 'data scientits' is known; did you mean 'data scientist'",
        ),
        ("hours: {modeling: 3}", "hours.modeling: no activity 'modeling' is known; did you mean 'modelling'?"),
        ("hours: {modelling: much}", "hours.modelling: 'much' is not a number of hours a month"),
        ("machine_hour: -1", "machine_hour: -1 cannot be read"),
        ("platform_budget: 20 EUR", "convert 'EUR' first"),
        ("users: many", "users: 'many' is not a whole number"),
    ],
)
def test_a_wrong_team_stops_before_anything_is_planned(tmp_path: Path, text: str, says: str) -> None:
    """With file, line, place and the nearest word; no run folder is left."""
    job = write_job(tmp_path, "job")
    (tmp_path / "team.yaml").write_text(text)
    said = fitscale("plan", job, "--team", tmp_path / "team.yaml")
    assert (said.code, said.out) == (2, ""), said.err
    assert "team.yaml:1: " in said.err
    assert says in said.err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("flag", ["--run", "--where", "--choose", "--what-if", "--explain"])
def test_what_concerns_one_job_is_refused_for_several(tmp_path: Path, flag: str) -> None:
    """Before anything is planned."""
    said = fitscale("plan", write_job(tmp_path, "a"), write_job(tmp_path, "b"), flag, "x")
    assert (said.code, said.out) == (2, "")
    assert f"{flag}: concerns one job; plan that one by itself, without --team" in said.err
    assert not (tmp_path / "runs").exists()


def test_settings_of_one_job_are_not_those_of_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a project's file sets for its job is gone from the environment afterwards."""
    monkeypatch.delenv("FITSCALE_CHECKPOINT_S", raising=False)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "pyproject.toml").write_text("[tool.fitscale]\ncheckpoint_s = 3\n")
    said = fitscale("plan", write_job(tmp_path / "own", "a"), write_job(tmp_path, "b"))
    assert said.code == 0, said.err
    assert "FITSCALE_CHECKPOINT_S" not in os.environ
