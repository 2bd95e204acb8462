"""What is on record was really tried: each line of the shipped table names a test that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fitscale.errors import UsageError
from fitscale.machines.catalogue import catalogue
from fitscale.machines.prices import roles
from fitscale.machines.proofs import efforts, proofs
from fitscale.planning.portfolio.people import HOURS
from fitscale.planning.scoring.abilities import KINDS

ROOT = Path(__file__).parents[2]


def test_each_line_names_a_test_that_is_there() -> None:
    """In its own file, or in the suite that its class is of."""
    suites = "".join(path.read_text() for path in (ROOT / "src" / "fitscale" / "testing").glob("*.py"))
    for proof in proofs():
        file, *classes, test = proof.how.split("::")
        text = (ROOT / file).read_text()
        assert all(f"class {name}" in text for name in classes), proof.how
        assert f"def {test}(" in (text + suites if classes else text), proof.how
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", proof.on)
        assert proof.passed


def test_every_kind_of_plug_in_was_added_by_a_package() -> None:
    assert {proof.ability for proof in proofs() if proof.family == "plug-ins"} == set(KINDS)


def test_what_people_are_judged_to_do_is_what_roles_are_for() -> None:
    """And the hours are those that a portfolio assumes: one figure stands in two places."""
    assert {one.activity: one.hours for one in efforts()} == HOURS
    assert {one.activity for one in efforts()} <= {activity for role in roles() for activity in role.what_for}


def test_a_wrong_row_is_told_with_its_line(tmp_path: Path) -> None:
    table = tmp_path / "own.csv"
    head = "family,plugin,ability,passed,as_of,source\n"
    table.write_text(head + "frameworks,mine,fitting,maybe,2026-01-01,tests/a.py\n")
    with pytest.raises(UsageError, match=r"own\.csv: line 2: passed: 'maybe' is neither yes nor no"):
        proofs(table)
    table.write_text("activity,hours_per_month,each\nmodelling,4,week\n")
    with pytest.raises(UsageError, match=r"line 2: each: 'week' is not one of job, database, kind of machine"):
        efforts(table)


def test_a_folder_of_own_tables_replaces_the_shipped_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By their names, each for itself; the machines of one are stated and not looked up. A folder that is not there is told."""
    (tmp_path / "machines.csv").write_text("machine,vcpus,memory_gib,usd_per_hour\nours,8,64,0.5\n")
    monkeypatch.setenv("FITSCALE_TABLES", str(tmp_path))
    assert [(machine.name, machine.origin) for machine in catalogue()] == [("ours", "stated")]
    assert {one.activity for one in efforts()} == set(HOURS)
    monkeypatch.setenv("FITSCALE_TABLES", str(tmp_path / "none"))
    with pytest.raises(UsageError, match=r"FITSCALE_TABLES: .*none' is not a folder"):
        efforts()
