"""`fitscale deploy`: from the last plan to a folder, and what is said on the way."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "deploying"))
from commands import fitscale, write_job
from planned import MACHINE, Planned, planned, planned_on_a_file

from fitscale.cli.screen import plan_screen, ways_of


@pytest.fixture
def late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Planned:
    """Planned on a file, in the current folder."""
    monkeypatch.chdir(tmp_path)
    return planned_on_a_file(tmp_path)


def test_the_better_place_is_written(late: Planned) -> None:
    """Said with its dagger, what is copied there, and the command that starts it."""
    said = fitscale("deploy", "late.yaml")
    assert said.code == 0, said.err
    text = " ".join(said.out.split())
    assert f"in-memory on {MACHINE} (aws/us-east-1): " in text
    assert "are copied when a machine is launched, and mounted: " in text
    assert f"Next cd late-on-{MACHINE}; sky launch -c late skypilot.yaml" in text
    assert "† modelled: never measured on such a machine" in text
    assert Path(f"late-on-{MACHINE}", "Dockerfile").exists()


def test_the_record_has_all_of_it(late: Planned) -> None:
    """From the run folder too, to a folder that is named."""
    said = fitscale("deploy", "runs/late", "--to", "there", "--spot", "--json")
    assert said.code == 0, said.err
    record = said.record
    assert record["machine"]["name"] == MACHINE
    assert record["spot"] is True
    assert record["moved"]["bytes"] == Path("rows.parquet").stat().st_size
    assert record["moved"]["mounts"] == {"/data/rows.parquet": str(Path("rows.parquet").absolute())}
    assert record["forecast"]["time_s"]["origin"] == "modelled"
    assert sorted(record["files"]) == sorted(path.name for path in Path("there").iterdir())


def test_another_machine_by_name_or_letter(late: Planned) -> None:
    """The letters are those of the plan's table; the one of this machine needs no deployment."""
    assert fitscale("deploy", "late.yaml", "m8i.large", "--json").record["machine"]["name"] == "m8i.large"
    letter = next(letter for letter, way in ways_of(late.plan) if way is late.plan.decision.better)
    assert fitscale("deploy", "late.yaml", letter, "--json").record["machine"]["name"] == MACHINE
    said = fitscale("deploy", "late.yaml", "A")
    assert said.code == 2
    assert "A is in-memory here, which needs no deployment: fitscale train late.yaml" in said.err


def test_a_machine_of_ones_own_gets_the_container_file(late: Planned) -> None:
    """From a table of machines that no cloud rents out."""
    Path("own.csv").write_text("machine,vcpus,memory_gib,usd_per_hour\nbig-box,64,256,0.4\n")
    planned(late.job.parent, "owned", better=False, where=["local", {"catalogue": "own.csv"}])
    said = fitscale("deploy", "owned.yaml", "big-box")
    assert said.code == 0, said.err
    assert "in-memory on big-box: " in said.out
    assert "Next        cd owned-on-big-box; README.md says how it is started" in said.out
    assert "skypilot.yaml" not in {path.name for path in Path("owned-on-big-box").iterdir()}


def test_the_plan_names_the_command(late: Planned) -> None:
    """Where it works: not of a live estimator, nor in answer to a what-if, which no run keeps."""
    text = " ".join(" ".join(plan_screen(late.plan, 100, "late.yaml")).split())
    assert "(fitscale deploy late.yaml)." in text
    model = late.plan.workload.model.but(estimator=None, live="live/estimator.pkl")
    live = late.plan.but(workload=late.plan.workload.but(model=model))
    text = " ".join(" ".join(plan_screen(live, 100, "late.yaml")).split())
    assert "Would be better: " in text
    assert "fitscale deploy" not in text
    text = " ".join(plan_screen(late.plan, 100, "late.yaml", supposed=True))
    assert "fitscale deploy" not in text


def test_a_file_that_changed_is_planned_again_first(late: Planned) -> None:
    """The forecast would be of another job; the run folder stands for what was planned."""
    late.job.write_text(json.dumps({**json.loads(late.job.read_text()), "seed": 7}))
    said = fitscale("deploy", "late.yaml")
    assert said.code == 2
    assert "late.yaml: is not what plan 2 was made for; plan it again: fitscale plan late.yaml" in said.err
    assert fitscale("deploy", "runs/late").code == 0


@pytest.mark.parametrize(
    ("argv", "code", "told"),
    [
        (("late.yaml", "r7i.2xlarg"), 2, "no such machine in the catalogue; did you mean 'r7i.2xlarge'?"),
        (("late.yaml", "--to", "runs"), 2, "--to runs: is there already, and not empty; name another folder"),
        (("lat.yaml",), 2, "lat.yaml: no such file; did you mean 'late.yaml'?"),
        (("never.yaml",), 2, "has no plan yet; make one with 'fitscale plan WORKLOAD'"),
        (("fine.yaml",), 2, "no machine of the catalogue would be notably faster than this one (in-memory, "),
    ],
)
def test_what_is_asked_wrongly_is_said(late: Planned, argv: tuple[str, ...], code: int, told: str) -> None:
    """In one line, and nothing is written."""
    write_job(late.job.parent, "never")
    planned(late.job.parent, "fine", better=False)
    before = sorted(Path().rglob("*"))
    said = fitscale("deploy", *argv)
    assert said.code == code
    assert told in said.err
    assert sorted(Path().rglob("*")) == before


def test_data_that_is_gone_is_said(late: Planned) -> None:
    """What would be mounted must be there."""
    Path("rows.parquet").unlink()
    said = fitscale("deploy", "late.yaml")
    assert said.code == 2
    assert "data.uri: no file rows.parquet in" in said.err
    assert not Path(f"late-on-{MACHINE}").exists()
