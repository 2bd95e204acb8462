"""`fitscale plan --explain CANDIDATE@MACHINE`: what a place costs, and the line beside the verdict."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "deploying"))
from commands import fitscale
from planned import MACHINE, Planned, planned, planned_on_a_file
from plans import plan as made

from fitscale.cli.screen import plan_screen
from fitscale.machines.catalogue import catalogue
from fitscale.planning.costs.monthly import priced


@pytest.fixture
def late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Planned:
    """Planned on a file, in the current folder, to be run every night."""
    monkeypatch.chdir(tmp_path)
    return planned_on_a_file(tmp_path, needs={"frequency": "daily"})


def test_a_place_is_priced_part_by_part(late: Planned) -> None:
    """Machine, spot, storage, transfer and licences, with what was assumed; on any machine of the catalogue."""
    for machine in (MACHINE, "n2-standard-4"):
        said = fitscale("plan", "late.yaml", "--explain", f"in-memory@{machine}")
        assert said.code == 0, said.err
        text = " ".join(said.out.split())
        assert f"Costs {machine} (" in text
        assert "daily: 30 runs a month" in text
        for part in ("machine", "spot", "storage", "transfer", "licences", "together", "on spot"):
            assert f" {part} " in text
        assert "uplink from here 100 Mbit/s (20–1,000)" in text
        assert all(len(line) <= 100 for line in said.out.splitlines())


def test_the_record_has_sources_and_dates(late: Planned) -> None:
    """With --json each line says where it is from."""
    costs = fitscale("plan", "late.yaml", "--explain", f"in-memory@{MACHINE}", "--json").record["costs"]
    assert costs["runs_a_month"] == pytest.approx(30.4)
    assert all(line["origin"] and line["source"] for line in costs["lines"])
    assert {line["part"] for line in costs["lines"]} == {"machine", "spot", "storage", "transfer", "licences"}


def test_an_unknown_machine_or_way_there_names_the_nearest(late: Planned) -> None:
    """A machine that the catalogue does not have, a candidate that the plan does not."""
    said = fitscale("plan", "late.yaml", "--explain", "in-memory@r7i.2xlage")
    assert said.code == 2
    assert "no machine 'r7i.2xlage' in the catalogue; did you mean 'r7i.2xlarge'?" in said.err
    said = fitscale("plan", "late.yaml", "--explain", f"in-memry@{MACHINE}")
    assert said.code == 2
    assert f"there are: in-memory@{MACHINE}" in said.err


def test_a_machine_of_ones_own_states_its_prices(late: Planned) -> None:
    """From a table with spot price, interruptions and uplink: nothing of them is assumed."""
    Path("own.csv").write_text(
        "machine,vcpus,memory_gib,usd_per_hour,usd_per_hour_spot,interruptions_per_hour,uplink_mbit,local_disk_gb\n"
        "big-box,64,256,0.4,0.1,0.01,1000,500\n"
    )
    planned(late.job.parent, "owned", better=False, where=["local", {"catalogue": "own.csv"}])
    said = fitscale("plan", "owned.yaml", "--explain", "in-memory@big-box")
    assert said.code == 0, said.err
    text = " ".join(said.out.split())
    assert "0.4 USD an hour" not in text  # stands in the record
    assert "spot costs" not in text
    assert "the machine's own SSD" in text
    assert "Not known" not in text


def test_the_verdict_says_what_the_better_place_costs() -> None:
    """One sentence with the month and where its parts are; the record has them."""
    plan = priced(made(), catalogue())
    text = " ".join(" ".join(plan_screen(plan, 100, "late.yaml")).split())
    assert "B with its disk and the data's way there: " in text
    assert " a month (weekly), on spot about " in text
    assert " USD, 1 part not known; --explain" in text
    assert "--explain quantised@r7i.2xlarge has each part" in text


def test_a_budget_of_nothing_rules_out_what_is_rented(tmp_path: Path) -> None:
    """What runs here has no price and passes; a rented machine is refused with its sentence, and priced all the same."""
    job = planned(tmp_path, better=False, needs={"budget": {"hardware": 0}})
    assert job.plan.decision.meets
    assert job.plan.decision.better is None
    said = fitscale("plan", job.job, "--explain", f"in-memory@{MACHINE}")
    assert said.code == 0, said.err
    text = " ".join(said.out.split())
    assert "Verdict refused: " in text
    assert "over your 0 USD" in text
    assert "a month with all that goes around the work: over your 0 USD for hardware" in text
