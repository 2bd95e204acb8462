"""Promises of settings, the team file and the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitscale.errors import UsageError, WorkloadError
from fitscale.records.workload import Person, Team
from fitscale.workload import Settings, expand, load_team, settings
from fitscale.workload.team import parse_team, team_document


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home, a project with a folder of jobs, and a folder where the command runs."""
    for folder in ("home/.config/fitscale", "project/jobs/daily", "cwd"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "cwd")
    return tmp_path


def ask(world: Path, flags: dict[str, Any] | None = None, **environ: str) -> Settings:
    return settings(flags or {}, {"HOME": str(world / "home"), **environ}, world / "project/jobs/daily")


def user(world: Path, text: str) -> None:
    (world / "home/.config/fitscale/config.toml").write_text(text)


def project(world: Path, text: str) -> None:
    (world / "project/pyproject.toml").write_text("[tool.fitscale]\n" + text)


def test_without_anything_there_are_defaults(world: Path) -> None:
    """Runs lie beside the workload file, and each value says that it is a default."""
    got = ask(world)
    assert got.runs == str(world / "project/jobs/daily/runs")
    assert got.cache == str(world / "home/.cache/fitscale")
    assert (got.log_level, got.trust, got.probe_s) == ("warning", False, None)
    assert set(got.origins) == set(Settings.model_fields) - {"origins"}
    assert set(got.origins.values()) == {"default"}


def test_the_stronger_place_wins(world: Path) -> None:
    """Flag over variable over project over user over default, and each origin is named."""
    user(world, "log_level = 'error'\nprobe_s = '1m'\n")
    assert (ask(world).log_level, ask(world).probe_s) == ("error", 60.0)
    project(world, "log_level = 'info'\n")
    assert (ask(world).log_level, ask(world).probe_s) == ("info", 60.0)
    assert ask(world, FITSCALE_LOG_LEVEL="DEBUG").log_level == "debug"
    got = ask(world, {"log_level": "warning", "probe_s": None}, FITSCALE_LOG_LEVEL="debug")
    assert got.log_level == "warning"
    assert got.origins["log_level"] == "--log-level"
    assert got.origins["probe_s"] == f"{world}/home/.config/fitscale/config.toml: probe_s"


def test_paths_start_where_they_are_written(world: Path) -> None:
    """A relative folder in a project starts there, in a flag or variable where the command runs; ~ is the home."""
    project(world, "runs = 'out'\n")
    assert ask(world).runs == str(world / "project/out")
    assert ask(world, FITSCALE_RUNS="out").runs == str(world / "cwd/out")
    assert ask(world, {"runs": Path("there")}).runs == str(world / "cwd/there")
    assert ask(world, {"runs": "~/r"}).runs == str(world / "home/r")
    assert ask(world, {"runs": "/abs"}).runs == "/abs"


def test_the_nearest_project_that_speaks_counts(world: Path) -> None:
    """A pyproject.toml without a table for fitscale does not hide the one above it."""
    project(world, "log_level = 'info'\n")
    (world / "project/jobs/pyproject.toml").write_text("[tool.ruff]\n")
    assert ask(world).log_level == "info"


def test_a_project_cannot_trust_itself(world: Path) -> None:
    """Code from elsewhere may not switch on that it runs; the user's own file and variable may."""
    user(world, "trust = true\n")
    assert ask(world).trust
    user(world, "")
    assert ask(world, FITSCALE_TRUST="1").trust
    project(world, "trust = true\n")
    with pytest.raises(UsageError, match="cannot trust itself"):
        ask(world)


def test_the_ledger_is_the_user_s(world: Path) -> None:
    """Beside what programs keep of a user's doings; a project may neither bring one nor have one written."""
    assert ask(world).ledger == str(world / "home/.local/state/fitscale/ledger.jsonl")
    assert ask(world, XDG_STATE_HOME="/state").ledger == "/state/fitscale/ledger.jsonl"
    user(world, "ledger = '~/runs.jsonl'\n")
    assert ask(world).ledger == str(world / "home/runs.jsonl")
    assert ask(world, FITSCALE_LEDGER="/dev/null").ledger == "/dev/null"
    project(world, "ledger = 'mine.jsonl'\n")
    with pytest.raises(UsageError, match="it is the user's, not a project's; use FITSCALE_LEDGER"):
        ask(world)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("log_levle = 'info'\n", "unknown setting 'log_levle'; did you mean 'log_level'?"),
        ("log_level = 'loud'\n", "'loud' is not one of debug, info"),
        ("probe_s = 'soon'\n", "'soon' cannot be read"),
        ("runs = 3\n", "3 is not a path"),
        ("runs = [", "cannot be read"),
    ],
)
def test_wrong_settings_name_their_file(world: Path, text: str, says: str) -> None:
    """A wrong name or value in a project's or user's file is an error with the file in it."""
    for write, file in ((user, "config.toml"), (project, "pyproject.toml")):
        write(world, text)
        with pytest.raises(UsageError) as caught:
            ask(world)
        assert file in str(caught.value)
        assert says in str(caught.value)
        write(world, "")
    with pytest.raises(UsageError, match="FITSCALE_TRUST: 'maybe' is neither true nor false"):
        ask(world, FITSCALE_TRUST="maybe")


TEAM = """
people:
  - {role: data scientist, level: senior, skills: [python, spark]}
  - {role: data engineer, count: 2}
  - {role: data engineer, count: 2}
users: 12
environments: 3
platform_budget: 2000 USD/month
machine_hour: 0.12 USD/hour
hours: {modelling: 6}
"""


def test_a_team_is_read_and_written_back(tmp_path: Path) -> None:
    """People, users, environments, budget and the price of a machine-hour; equal people are several."""
    (tmp_path / "team.yaml").write_text(TEAM)
    team = load_team(tmp_path / "team.yaml")
    assert team.people[0] == Person(role="data scientist", level="senior", skills=("python", "spark"))
    assert len(team.people) == 3
    assert (team.users, team.environments, team.platform_usd_month, team.machine_usd_hour) == (12, 3, 2000.0, 0.12)
    assert team.hours == {"modelling": 6.0}
    assert parse_team(team_document(team)) == team
    assert Team.from_json(team.to_json()) == team


def test_an_empty_team_says_nothing(tmp_path: Path) -> None:
    """No figure is made up for what the file leaves out."""
    (tmp_path / "team.yaml").write_text("# to come\n")
    assert load_team(tmp_path / "team.yaml") == Team()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("peple: []", ":1: peple: unknown key; did you mean 'people'?"),
        ("people: [{level: senior}]", "people[0].role: is missing"),
        ("people: [{role: x, level: boss}]", "people[0].level: 'boss' is not one of junior, mid, senior"),
        ("people: Ada", "people: 'Ada' is not a list"),
        ("users: -1", "users: -1 must be at least 0"),
        ("machine_hour: 0.1 USD/month", "it is counted by the hour"),
        ("hours: 6", "hours: 6 is not a section"),
        ("hours: {modelling: -1}", "hours.modelling: -1 is not a number of hours a month"),
        ("[1]", "is not a section"),
    ],
)
def test_a_wrong_team_is_refused_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    """The same errors as in a workload file."""
    (tmp_path / "team.yaml").write_text(text)
    with pytest.raises(WorkloadError) as caught:
        load_team(tmp_path / "team.yaml")
    assert says in str(caught.value)


def test_variables_are_put_in_where_they_stand() -> None:
    """Each ${NAME} becomes its value, also an empty one; other dollars stay, and values are not expanded again."""
    environ = {"PGPASSWORD": "p$w${X}", "EMPTY": ""}
    assert expand("pg://me:${PGPASSWORD}@h/$db${EMPTY}", environ) == "pg://me:p$w${X}@h/$db"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pg://me:hunter2@${HOST}/db", "needs ${HOST}, which is not set: export HOST=… first"),
        ("pg://hunter2${HOST", "lacks a variable's name or its '}'"),
        ("pg://hunter2${}", "lacks a variable's name"),
    ],
)
def test_a_missing_variable_is_named_and_nothing_else_shown(text: str, says: str) -> None:
    """The error shows the variable's name and never the connection string."""
    with pytest.raises(UsageError) as caught:
        expand(text, {})
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


@given(st.text(), st.dictionaries(st.from_regex(r"[A-Z_]{1,3}", fullmatch=True), st.text()))
def test_text_without_variables_is_left_alone(text: str, environ: dict[str, str]) -> None:
    """Only ${…} is touched."""
    if "${" not in text:
        assert expand(text, environ) == text
