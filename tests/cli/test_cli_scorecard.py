"""The scorecard where a person meets it: a short block on the plan's screen, all of one with --explain, the record, the report."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import plans
from commands import MANY, fitscale, write_job

from fitscale.cli.scoring import card_lines, score_lines
from fitscale.cli.screen import plan_screen, ways_of
from fitscale.planning.scoring.card import scorecard_of
from fitscale.planning.scoring.ground import MEASURES
from fitscale.records.plan import Plan
from fitscale.records.scorecard import Facts, Need, Proof


def scored(made: Plan, **facts: Any) -> Plan:
    need = Need(activity="modelling", hours=4, each="job", origin="judged", role="data scientist", level="mid", in_team=False,
                usd_hour=50, source="judged: because", as_of="2025-05-01", wage_source="BLS")  # fmt: skip
    proof = Proof(family="frameworks", plugin="xgboost", ability="resume", passed=True, how="tests/a.py::T::test_b",
                  on="2026-11-30")  # fmt: skip
    made = made.but(facts=Facts(progress="rounds", needs=(need,), proofs=(proof,), **facts))
    return made.but(scorecard=scorecard_of(made))


@pytest.mark.parametrize("width", [60, 80, 100, 140])
@pytest.mark.parametrize("made", [plans.plan(), plans.many()], ids=["two", "one"])
def test_eight_lines_each_with_where_it_is_from(made: Plan, width: int) -> None:
    """Between the verdict and what was ruled out, within the screen; what is judged in parentheses."""
    lines = plan_screen(scored(made), width)
    head = next(at for at, line in enumerate(lines) if line.startswith("Scorecard"))
    eight = lines[head + 1 : head + 9]
    assert [line.split()[1] for line in eight] == list(MEASURES)
    assert all(len(line) == width and line.endswith("]") for line in eight)
    assert max(map(len, lines)) <= width
    assert eight[7].endswith("[judged]")
    assert "(1.00)" in eight[7]
    assert lines.index(next(line for line in lines if line.startswith("Run here"))) < head


def test_the_chosen_stands_beside_the_better_place() -> None:
    """By the letters of the table, each with its measured sum; and whether people change the cheaper place is said."""
    plan = scored(plans.plan())
    lines = score_lines(plan, ways_of(plan), 100)
    assert lines[0].split() == ["Scorecard", "A", "B"]
    text = " ".join(" ".join(lines).split())
    assert "measured, of 1: A 0." in text
    assert ", B 0." in text
    assert "people cost 200 USD a month here, 200 USD on r7i.2xlarge [judged]" in text
    assert "this machine has no price" in text
    assert "--explain out-of-core" in text


def test_weights_are_named_with_whose_they_are() -> None:
    plan = scored(plans.plan(), weights={"time": 3, "budget": 1}, weights_from="team")
    assert "by the team's weights: time 3, budget 1" in " ".join(
        " ".join(score_lines(plan, ways_of(plan), 200)).split()
    )


def test_a_plan_of_before_has_no_such_block() -> None:
    """An older plan still loads, and says nothing of what was not found out."""
    old = json.loads(plans.plan().to_json())
    del old["facts"], old["scorecard"]
    loaded = Plan.from_json(json.dumps(old))
    assert not any(line.startswith("Scorecard") for line in plan_screen(loaded, 100))


@pytest.mark.parametrize("width", [60, 100])
def test_all_of_one_has_anchors_and_sources(width: int) -> None:
    """What is counted first, then what is in no sum; no line is too wide."""
    lines = card_lines(scored(plans.plan()).scorecard.cards[0], width)
    assert max(map(len, lines)) <= width
    text = " ".join(" ".join(lines).split())
    assert "1 at 60 min, 0 at 4 h (stated) [forecast]" in text
    assert "Apart judged, or not known: in no sum" in text
    assert text.index("5 time") < text.index("Apart") < text.index("8 people")
    assert "source: hours: judged: because; wages: BLS" in text


def test_a_run_has_its_scorecard_from_its_plan_to_its_report(tmp_path: Path) -> None:
    """Tried, recorded and not offered: a function that is not there is no error, and is told on the screen."""
    needs = {
        "export": ["native"],
        "functions": ["collaboration"],
        "frequency": "weekly",
        "weights": {"time": "60%", "cost": "40%"},
    }
    job = write_job(tmp_path, "scored", **MANY, needs=needs)
    planned = fitscale("plan", job, "--json")
    assert planned.code == 0, planned.err
    cards = planned.record["scorecard"]["cards"]
    assert planned.record["scorecard"]["weights"] == {"time": 60, "budget": 40}
    found = {entry["name"]: entry for entry in cards[0]["entries"]}
    assert found["functions"]["shown"] == "3 of 4"
    assert "not offered: collaboration" in " ".join(planned.err.split())
    assert "by your weights" in " ".join(planned.err.split())
    assert found["openness"]["origin"] == "looked up"
    assert found["people"]["counted"] is False

    explained = fitscale("plan", job, "--explain", cards[0]["name"], "--json")
    assert explained.code == 0, explained.err
    assert explained.record["card"]["entries"] == cards[0]["entries"]
    assert "collaboration: not offered" in " ".join(explained.err.split())

    assert fitscale("train", job).code == 0
    assert fitscale("report", job).code == 0
    page = (tmp_path / "runs" / "scored" / "report.html").read_text()
    section = page.partition("<h2>The scorecard</h2>")[2].partition("</section>")[0]
    assert all(f"<b>{name}</b>" in section for name in MEASURES)
    assert "by your weights: time 60, budget 40" in section
    assert section.index("<b>in all</b>") < section.index("<b>people</b>")


def test_a_table_of_the_users_own_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Judged hours can be replaced; a wrong row is told with its line."""
    tables = tmp_path / "tables"
    tables.mkdir()
    own = tables / "efforts.csv"
    own.write_text("activity,hours_per_month,each,as_of,source\nmodelling,40,job,2026-01-01,our timesheets\n")
    monkeypatch.setenv("FITSCALE_TABLES", str(tables))
    job = write_job(tmp_path, "own")
    planned = fitscale("plan", job, "--json")
    people = planned.record["scorecard"]["cards"][0]["entries"][7]
    assert people["value"] == 40
    assert "our timesheets" in people["source"]
    own.write_text("activity,hours_per_month,each\nmodelling,-1,job\n")
    wrong = fitscale("plan", job)
    assert wrong.code == 2
    assert f"{own}: line 2: hours_per_month: '-1' must be at least 0" in " ".join(wrong.err.split())
    monkeypatch.setenv("FITSCALE_TABLES", str(tmp_path / "none"))
    assert "FITSCALE_TABLES" in fitscale("plan", job).err
