"""The ten considerations where a person meets them: on the plan's screen, in its record, in the report."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
import plans
from commands import MANY, fitscale, write_job

from fitscale.cli.considered import considered_lines
from fitscale.cli.screen import plan_screen
from fitscale.planning.considered.considerations import NAMES, considered
from fitscale.records.plan import Consideration, Plan


def with_them(made: Plan) -> Plan:
    return made.but(considerations=considered(made))


@pytest.mark.parametrize("width", [60, 100, 140])
@pytest.mark.parametrize("made", [plans.plan(), plans.many()], ids=["one", "many"])
def test_each_has_a_line_with_where_it_is_from_at_its_right_edge(made: Plan, width: int) -> None:
    """All ten, in their order, after the facts and before the verdict, which they lead to."""
    lines = plan_screen(with_them(made), width)
    numbered = [line for line in lines if line[:2].strip().isdigit() and line[2] == " "]
    assert [line[3:].split("  ")[0] for line in numbered] == list(NAMES.values())
    assert all(len(line) == width and line.endswith("]") for line in numbered)
    assert max(map(len, lines)) <= width
    head = next(at for at, line in enumerate(lines) if line.startswith("Considered"))
    verdict = next(at for at, line in enumerate(lines) if line.startswith("VERDICT"))
    assert head < lines.index(numbered[0]) < lines.index(numbered[-1]) < verdict


def test_what_is_wanted_is_said_once() -> None:
    """Deadline, frequency and budget have their lines among the ten, and none above them."""
    text = "\n".join(plan_screen(with_them(plans.plan()), 100))
    assert "weekly, want 1h, must 4h" in text
    assert "hardware 300 USD/month; this machine has no price" in text
    assert "Want" not in text


def test_that_nothing_changed_the_choice_is_an_answer() -> None:
    """It stands in the heading, and there is no arrow."""
    idle = [Consideration(number=1, name="budget", value="none", origin="assumed")]
    assert considered_lines(idle, 60) == [
        "", "Considered  none of it changed the choice",
        " 1 budget    none                                  [assumed]",
    ]  # fmt: skip
    changed = considered_lines([idle[0].but(removes=(("a", "x"), ("b", "y"), ("c", "z")), changed=("so it is",))], 80)
    assert changed[-1].strip() == "→ rules out a, b and c; so it is"


@given(value=st.text(max_size=200), name=st.text("ab-", min_size=1, max_size=70), width=st.integers(60, 140))
def test_no_words_make_a_line_too_wide(value: str, name: str, width: int) -> None:
    """Names of estimators and candidates may be of any length."""
    one = Consideration(
        number=10, name="models at once", value=value, band="1,000–10,000", origin="looked up", removes=((name, value),)
    )
    assert all(len(line) <= width for line in considered_lines([one], width))


def test_a_run_shows_all_ten_from_its_plan_to_its_report(tmp_path: Path) -> None:
    """The screen, the record and the page say the same of a job with needs."""
    needs = {"deadline": {"must": "1h"}, "frequency": "weekly", "export": ["native"]}
    job = write_job(tmp_path, "considered", **MANY, needs=needs)
    planned = fitscale("plan", job, "--json")
    assert planned.code == 0, planned.err
    ten = planned.record["considerations"]
    assert [one["name"] for one in ten] == list(NAMES.values())
    values = {one["name"]: one["value"] for one in ten}
    assert values["models at once"].startswith("30, ")
    assert values["how often, when"] == "weekly, must 1h"
    assert values["export"] == "native: can be had"
    assert all(" ".join(value.split()) in " ".join(planned.err.split()) for value in values.values())

    assert fitscale("train", job).code == 0
    assert fitscale("report", job).code == 0
    page = (tmp_path / "runs" / "considered" / "report.html").read_text()
    assert "What was considered" in page
    for name in NAMES.values():
        assert f"<b>{name}</b>" in page
    assert "weekly, must 1h" in page


def test_what_if_considers_anew(tmp_path: Path) -> None:
    """A supposed deadline is a consideration like one that the file says, and rules out what misses it."""
    job = write_job(tmp_path, "supposed")
    assert fitscale("plan", job).code == 0
    late = fitscale("plan", job, "--what-if", "rows=100000x,deadline=1s", "--json")
    assert late.code == 4, late.err
    when = late.record["considerations"][6]
    assert when["value"] == "ad hoc, must 1 s"
    assert when["removes"]
    assert when["changed"][0].startswith("with it nothing here passes")
