"""The ten considerations on the page: a row for each, with the refusals that are due to it."""

from __future__ import annotations

import html
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import handmade_runs as handmade

from fitscale.planning.considered.considerations import NAMES, considered
from fitscale.records.plan import Plan
from fitscale.report import write
from fitscale.report.considered import considered_shown
from fitscale.store import folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run whose plan is older than the considerations."""
    return handmade.one_model(tmp_path / "run")


def told(run: Path, plan: Plan) -> None:
    """The run's plan, with its considerations."""
    (run / "plans" / "001.json").write_text(plan.but(considerations=considered(plan)).to_json())


def rows_of(page: str) -> list[str]:
    """The words of each row of the table."""
    table = page.partition("What was considered")[2].partition("</table>")[0]
    cells = [re.sub(r"<[^>]+>", " ", row) for row in table.split("<tr>")[2:]]
    return [" ".join(html.unescape(row).split()) for row in cells]


def test_the_page_of_an_older_plan_has_no_such_table(run: Path) -> None:
    """Nothing is told of what was not found out."""
    assert "What was considered" not in write(run).read_text()
    assert considered_shown(folder.read_plan(run)) == []


def test_each_has_a_row_with_what_it_changed(run: Path) -> None:
    """The refusals stand in it with their sentences; 'nothing' where there is nothing."""
    plan = folder.read_plan(run)
    told(run, plan)
    rows = rows_of(write(run).read_text())
    assert len(rows) == len(NAMES)
    assert all(row.startswith(f"{number} {name} ") for (number, name), row in zip(NAMES.items(), rows, strict=True))
    assert "rules out data-parallel : early stopping cannot be judged over several ranks" in rows[1]
    assert rows[5] == "6 users 0–20 1 user, 1 environment at once assumed nothing"


def test_names_of_strangers_stay_words(run: Path) -> None:
    """An estimator called like a script is shown as it is called."""
    plan = folder.read_plan(run)
    model = plan.workload.model.but(estimator=handmade.EVIL)
    evil = plan.but(workload=plan.workload.but(model=model))
    told(run, evil)
    page = write(run).read_text()
    assert handmade.EVIL not in page
    assert "&lt;script&gt;alert" in page.partition("What was considered")[2]
