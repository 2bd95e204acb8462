"""How sure a plan is, where a person meets it: on the screen by the table's letters, in the record, in the report."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import plans
from commands import fitscale, write_job

from fitscale.cli.screen import plan_screen
from fitscale.planning import loop
from fitscale.planning.decision.sureness import sureness_of
from fitscale.records.plan import Assessed, Plan


def two_ways() -> Plan:
    """The design's example, of which a second way passes, too."""
    base = plans.plan()
    second = Assessed(candidate=plans.candidate("in-memory"), forecast=plans.forecast(1_500, 5))
    decision = base.decision.but(alternatives=(second,))
    return base.but(decision=decision.but(sureness=sureness_of(decision, base.workload, base.machine)))


@pytest.mark.parametrize("width", [60, 100, 140])
def test_it_stands_under_the_verdict_by_letters(width: int) -> None:
    """The letters of the table, not the names; and within the screen's width."""
    lines = plan_screen(two_ways(), width)
    assert max(map(len, lines)) <= width
    at = next(i for i, line in enumerate(lines) if line.startswith("Sure "))
    run_here = next(i for i, line in enumerate(lines) if line.startswith("Run here: A."))
    assert at == run_here + 1
    words = " ".join(" ".join(lines[at:]).split())
    assert words.startswith("Sure A is the best by time in ")
    assert "(B in " in words.partition(";")[0]
    assert "A and B are on the front of time and memory" in words


def test_a_plan_without_a_rival_or_of_before_says_nothing() -> None:
    """No line is there for what was not asked."""
    assert not any(line.startswith("Sure") for line in plan_screen(plans.plan(), 100))
    assert not any(line.startswith("Sure") for line in plan_screen(plans.many(), 100))
    old = json.loads(two_ways().to_json())
    del old["decision"]["sureness"]
    assert not any(line.startswith("Sure") for line in plan_screen(Plan.from_json(json.dumps(old)), 100))


def test_a_run_says_it_from_its_plan_to_its_report(tmp_path: Path) -> None:
    """The screen, the record and the page agree; a what-if asks anew, and the same plan gives the same figures."""
    job = write_job(
        tmp_path, "sure", data={"uri": "synthetic://?rows=20000&columns=6", "target": "y"},
        model={"estimator": "xgboost.XGBClassifier", "params": {"n_estimators": 20}},
    )  # fmt: skip
    planned = fitscale("plan", job, "--json")
    assert planned.code == 0, planned.err
    sureness = planned.record["decision"]["sureness"]
    chosen = sureness["chances"][0]
    assert chosen["name"] == planned.record["decision"]["chosen"]["candidate"]["name"]
    assert sum(one["best"] for one in sureness["chances"]) == pytest.approx(1)
    assert "Sure        A is the best by time in" in planned.err
    again = fitscale("plan", job, "--what-if", "rows=1x", "--json")
    assert again.record["decision"]["sureness"] == sureness
    more = fitscale("plan", job, "--what-if", "rows=1000x,memory=200GB", "--json")
    assert more.record["decision"]["sureness"] != sureness

    assert fitscale("report", job).code == 0
    page = (tmp_path / "runs" / "sure" / "report.html").read_text()
    assert "How sure" in page
    assert f"{chosen['name']} is the best by time in" in page


def test_supposing_what_is_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was begun at full size tells of the other forms in a what-if as it did in the plan."""
    monkeypatch.setattr(loop, "NO_PROBE_S", 0.0)
    job = write_job(
        tmp_path, "same", data={"uri": "synthetic://?rows=60000&columns=10", "target": "y"},
        model={"estimator": "xgboost.XGBClassifier", "params": {"n_estimators": 400}},
    )  # fmt: skip
    planned = fitscale("plan", job, "--json")
    assert planned.code == 0, planned.err
    assert any(found["full_size"] for found in planned.record["measurements"])
    again = fitscale("plan", job, "--what-if", "rows=1x", "--json").record["decision"]
    there = planned.record["decision"]
    for name in ("chosen", "sureness"):
        assert again[name] == there[name]
    times = [[(a["candidate"]["name"], a["forecast"]["time_s"]) for a in d["alternatives"]] for d in (there, again)]
    assert times[0] == times[1]
