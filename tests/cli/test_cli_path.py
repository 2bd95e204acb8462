"""The path through the decision tree where a person meets it: on the screen, in --explain, in the record."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import plans
from commands import fitscale, write_job

from fitscale.cli.path import explained_path, path_lines
from fitscale.cli.screen import plan_screen
from fitscale.planning.tree.tree import SAID, shipped
from fitscale.records.plan import Step


def test_a_plan_shows_its_path_and_explains_it(tmp_path: Path) -> None:
    """A few lines that end at the leaf; node by node with thresholds for a candidate, and where its branch leaves."""
    job = write_job(
        tmp_path, "led", data={"uri": "synthetic://?rows=2000&columns=4", "target": "y"},
        model={"estimator": "xgboost.XGBClassifier", "params": {"n_estimators": 5}},
    )  # fmt: skip
    planned = fitscale("plan", job, "--json")
    decision = planned.record["decision"]
    assert decision["tree"] == shipped().name
    assert decision["leaf"] in SAID
    assert decision["path"][0]["node"] == 0
    said = planned.err.partition("\nPath")[2].partition("\n\n")[0]
    assert " ".join(said.split()).endswith(f"→ {SAID[decision['leaf']]}") or decision["path_note"]
    assert len(said.splitlines()) <= 8
    explained = fitscale("plan", job, "--explain", "out-of-core")
    assert decision["path"][0]["question"] in " ".join(explained.out.split())
    assert "here, out-of-core is where '" in " ".join(explained.out.split())
    more = fitscale("plan", job, "--what-if", "rows=1000000x,deadline=1m", "--json")
    assert more.record["decision"]["leaf"] in ("nothing", "rented", "out-of-core")


@pytest.mark.parametrize("width", [60, 100, 140])
def test_it_stays_within_the_screen(width: int) -> None:
    """And a plan of before, without a leaf, shows none."""
    step = Step(
        question="is it one model? " * 3, value="one model " * 9, threshold="one", taken=True, leads_to="x", node=0
    )
    decision = plans.plan().decision.but(path=(step,) * 5, leaf="in-memory", tree=shipped().name, path_note="why " * 40)
    for lines in (path_lines(decision, width), explained_path(decision, "quantised", width)):
        assert lines[0].startswith("Path ")
        assert max(map(len, lines)) <= width
    assert not any(line.startswith("Path") for line in plan_screen(plans.plan(), width))
