"""The plan's screen: it fits its width, and says what a person needs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
import plans

from fitscale.cli.saying import paint
from fitscale.cli.screen import plan_screen, ways_of
from fitscale.records.ledger import Calibration, Track
from fitscale.records.plan import Assessed, Decision, Plan, Refusal


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("made", [plans.plan(), plans.many()], ids=["one", "many"])
def test_no_line_is_wider_than_the_terminal(made: Plan, width: int) -> None:
    """A terminal would break it in the middle of a word."""
    assert max(map(len, plan_screen(made, width, "jobs/late.yaml"))) <= width


@given(width=st.integers(60, 140), name=st.text("abcdefgh-", min_size=1, max_size=60), reason=st.text(max_size=300))
def test_no_words_make_a_line_too_wide(width: int, name: str, reason: str) -> None:
    """Names of candidates and machines, and sentences, may be of any length."""
    long = Assessed(
        candidate=plans.candidate("quantised", name, workers=16), forecast=plans.forecast(1e6, 3000.0, 2.0, 1234.5)
    )
    refused = Refusal(candidate=plans.candidate("in-memory", name), sentence=reason, gate="memory")
    made = plans.plan(
        decision=Decision(chosen=long, better=long, reasons=(reason,), refused=(refused,), flips=(reason,))
    )
    assert all(len(line) <= width for line in plan_screen(made, width))


@pytest.mark.parametrize("width", [80, 120])
def test_it_says_what_a_person_needs(width: int) -> None:
    """What was read, what is there, what is wanted, both verdicts, each refusal with its sentence, and what would flip it."""
    lines = plan_screen(plans.plan(), width, "jobs/late.yaml")
    text = " ".join(" ".join(lines).split())
    for sentence in (
        "Read 1.2 of 60 GB from postgresql://pg-replica/flights",
        "412M rows × 22 features = 9.1G cells",
        "Want 1h, must 4h · weekly · hardware 300 USD/month",
        "VERDICT In memory would need 140 GiB: it would be killed",
        "time (90 %)",
        "out-of-core here",
        "quantised on r7i.2xlarge",
        "Run here: A. Would be better: B (fitscale deploy jobs/late.yaml).",
        "needs 140 GiB (133–147), 29 usable",
        "quantised fits here below 370M rows or with 36 GiB",
        "Where the time of A goes:",
        "column closed_at looks like a leak (AUC 0.99 alone)",
        "from 3 probes up to 2 % of the rows",
        "† modelled: never measured on such a machine",
        "fitscale train jobs/late.yaml",
    ):
        assert sentence in text, sentence


@pytest.mark.parametrize("width", [80, 120])
def test_where_a_figure_is_from_stands_at_the_right_edge(width: int) -> None:
    """Measured, estimated, stated: in a column of their own."""
    lines = plan_screen(plans.plan(), width)
    tags = [line.rpartition("[")[2].rstrip("]") for line in lines[:4]]
    assert tags == ["measured", "estimated", "measured", "stated"]
    assert all(len(line) == width for line in lines[:4])


def test_only_what_was_never_measured_has_the_dagger() -> None:
    """A's figures are forecast from probes here, B's are modelled."""
    a, b = [line for line in plan_screen(plans.plan(), 120) if line[:2] in ("A ", "B ")]
    assert "†" not in a
    assert b.count("†") == 2
    assert "0.89" in b


def test_nothing_runs_is_said_with_every_refusal() -> None:
    """A refusal is a result: without a choice there is no table, and no command to go on with."""
    refused = Refusal(
        candidate=plans.candidate(), sentence="needs 41 GB (38–45), this machine has 24 GB", gate="memory"
    )
    decision = Decision(chosen=None, reasons=("nothing can run here",), refused=(refused,), meets=False)
    text = "\n".join(plan_screen(plans.plan(decision=decision), 80))
    assert "VERDICT  nothing can run here" in text
    assert "needs 41 GB (38–45), this machine has 24 GB" in text
    assert "time (90 %)" not in text
    assert "fitscale train" not in text


def test_what_was_not_said_is_assumed() -> None:
    """Without needs the fastest is taken, and that is ours to say."""
    text = "\n".join(plan_screen(plans.many(), 80))
    assert "nothing said, so the fastest that fits" in text
    assert "[assumed]" in text
    assert "1,141 groups of 1 to 1,950 rows, half under 169" in text


def test_letters_name_each_way_once() -> None:
    """The chosen first, what is better elsewhere last, nothing twice."""
    made = plans.plan()
    chosen, better = made.decision.chosen, made.decision.better
    assert chosen is not None
    assert better is not None
    other = Assessed(candidate=plans.candidate("quantised"), forecast=plans.forecast(2_000, 20))
    crowded = made.but(decision=made.decision.but(alternatives=(chosen, other, better)))
    assert [(letter, way.candidate.name) for letter, way in ways_of(crowded)] == [
        ("A", "out-of-core"), ("B", "quantised"), ("C", "quantised"),
    ]  # fmt: skip
    assert ways_of(crowded)[-1][1].candidate.machine == "r7i.2xlarge"


@pytest.mark.parametrize(
    ("line", "bold"),
    [("VERDICT  so it is", "VERDICT"), ("Ruled out   this", "Ruled out"), ("Run here: A.", "Run here")],
)
def test_headings_are_bold_on_a_terminal(line: str, bold: str) -> None:
    """Painting adds escapes, and changes no word."""
    assert f"\x1b[1m{bold}\x1b[0m" in paint(line)


def with_runs(n: int, on: int = 0) -> Plan:
    """A plan of somebody who trained so many times here."""
    kind = "beginning"
    track = Track(kind=kind, quantity="time", runs=n, error=0.06, within=n - 2)
    made = plans.plan()
    chosen = made.decision.chosen
    assert chosen is not None
    told = chosen.but(forecast=chosen.forecast.but(kind=kind, calibrated=on))
    return made.but(calibration=Calibration(runs=n, tracks=(track,)), decision=made.decision.but(chosen=told))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (with_runs(17), "17 past runs here: median error 6 %, 15 of 17 within the interval"),
        (with_runs(23, on=23), "calibrated on 23 runs here: median error 6 %, 21 of 23 within the interval"),
        (with_runs(41, on=23), "calibrated on 23 of 41 past runs here: median error 6 %, 39 of 41 within the interval"),
    ],
)
def test_the_track_record_stands_under_trust(made: Plan, said: str) -> None:
    """How forecasts of this kind did on this machine, beside what this one rests on."""
    text = " ".join(" ".join(plan_screen(made, 100)).split())
    assert f"Trust A is forecast from 3 probes up to 2 % of the rows; {said}; 12.4 s of probing" in text


def test_without_past_runs_nothing_is_said_of_them() -> None:
    """The first plan on a machine has nothing to show, and says nothing."""
    assert "past run" not in "\n".join(plan_screen(plans.plan(), 100))
