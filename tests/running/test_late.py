"""A deadline that is going to be missed is said early, once, and only when it is sure enough; with what would still make it."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
import plans
from doing import Interrupted, interrupted, trained, units_of, workload_of

from fitscale.cli.status import status_lines
from fitscale.records.base import Figure
from fitscale.records.plan import Assessed, Decision, Plan
from fitscale.records.run import Traits
from fitscale.records.workload import Deadline
from fitscale.report import write
from fitscale.running.actual import actual_of
from fitscale.running.command import Told
from fitscale.running.late import Due, Looks, dues_of, left_of, offers_of, sentence_of
from fitscale.running.pace import Done, costs_of, wobble
from fitscale.running.progress import Progress
from fitscale.running.status import status_of
from fitscale.running.training import train

H = 3600.0
MUST, WANT = Due("must", 4 * H, "4h"), Due("want", 1 * H, "1h")


def progress(at: float, left: float, half: float = 0.1, **changes: Any) -> Progress:
    given = {
        "doing": "fitting", "task": "fit", "unit": "rounds", "done": 50, "total": 100, "seen": 20, "elapsed_s": at,
        "remaining_s": Figure.around(left, half, "forecast"),
    }  # fmt: skip
    return Progress.model_validate({**given, **changes})


# When it is said.


def test_a_sure_miss_is_said_at_once_and_once() -> None:
    """The low end is beyond the deadline: 20 min after the start, not 4 h after it."""
    looks = Looks((MUST,))
    assert looks.miss(progress(1200, 5 * H)) is None  # the first look
    missed = looks.miss(progress(1204, 5 * H))
    assert missed is not None
    due, finish = missed
    assert due == MUST
    assert finish.low == pytest.approx(1204 + 5 * H / 1.1)
    assert looks.miss(progress(1300, 6 * H)) is None


def test_the_first_seconds_say_nothing() -> None:
    """Few reports, or reports of less than three seconds."""
    looks = Looks((MUST,))
    for k in range(3):
        assert looks.miss(progress(10 + k * 0.9, 90 * H)) is None
    few = Looks((MUST,))
    for k in range(20):
        assert few.miss(progress(10 + 5 * k, 90 * H, seen=7)) is None


def test_what_is_close_is_said_when_it_stays_so() -> None:
    """The middle is beyond, the low end is not: after half a minute of that it is said."""
    looks = Looks((MUST,))
    left = 4 * H - 900
    said = [at for at in range(1000, 1100, 5) if looks.miss(progress(float(at), left, 0.3))]
    assert said == [1030]


def test_what_is_close_and_comes_back_is_not_said() -> None:
    """Noise about the deadline: each look within it starts the half minute anew."""
    looks = Looks((MUST,))
    for k in range(40):
        at = 1000.0 + 20 * k
        beyond = 300 if k % 2 else -300
        assert looks.miss(progress(at, 4 * H - at + beyond, 0.3)) is None


def test_early_stopping_may_end_it_sooner() -> None:
    """No low end is sure then: only what stays beyond is said, and with that word."""
    looks = Looks((MUST,), may_stop_early=True)
    said = [at for at in range(0, 60, 5) if looks.miss(progress(1000.0 + at, 9 * H))]
    assert said == [30]
    words = sentence_of(MUST, Figure.around(9 * H, 0.1, "forecast"), 1000.0, 0.0, may_stop_early=True)
    assert words.endswith(", unless early stopping ends it sooner")


def test_a_deadline_that_is_over_is_said_whatever_it_does() -> None:
    """While versions are put together nobody knows what is left."""
    looks = Looks((WANT,))
    late = progress(1.1 * H, 10.0, doing="finishing", remaining_s=None, seen=0)
    missed = looks.miss(late)
    assert missed is not None
    assert sentence_of(missed[0], missed[1], late.elapsed_s, 0.0) == "want 1h is over"


def test_a_must_that_is_missed_says_it_for_the_want() -> None:
    """One sentence, not two; of a want that is missed the must is still to come."""
    both = (MUST, WANT)
    looks = Looks(both)
    looks.miss(progress(100, 9 * H))
    assert looks.miss(progress(104, 9 * H)) is not None
    assert looks.miss(progress(108, 9 * H)) is None
    looks = Looks(both)
    looks.miss(progress(100, 2 * H))
    first = looks.miss(progress(104, 2 * H))
    second = looks.miss(progress(120, 9 * H))
    assert first is not None
    assert second is not None
    assert (first[0].name, second[0].name) == ("want", "must")


@given(
    st.lists(st.tuples(st.floats(0.1, 60), st.floats(1, 8 * H), st.floats(0.01, 2), st.integers(0, 30)), max_size=60)
)
def test_it_is_said_at_most_once_and_never_within_the_deadline(steps: list[tuple[float, float, float, int]]) -> None:
    """Whatever comes: what was said is beyond the deadline at that moment."""
    looks, at, said = Looks((MUST, WANT)), 0.0, []
    for step, left, half, seen in steps:
        at += step
        found = looks.miss(progress(at, left, half, seen=seen))
        if found is not None:
            due, finish = found
            assert at > due.due_s or (finish.value > due.due_s and seen >= 8)
            said.append(due.name)
    assert len(said) == len(set(said)) <= 2


def test_deadlines_count_from_the_start_of_the_command() -> None:
    """A duration from there; a time of day is the next one from there."""
    began = datetime(2026, 11, 30, 23, 30).timestamp()
    assert dues_of(Deadline(want_s=H, must_s=4 * H), began) == (MUST, WANT)
    (by,) = dues_of(Deadline(at="01:00"), began)
    assert (by.name, by.due_s, by.said) == ("must", 1.5 * H, "01:00")
    assert dues_of(Deadline(at="2020-01-01T00:00:00"), began)[0].due_s == 0.0
    assert dues_of(None, began) == ()


def test_words_of_a_miss() -> None:
    """In hours, or by the clock where the deadline is one."""
    finish = Figure(value=5.2 * H, low=4.8 * H, high=5.5 * H, origin="forecast")
    assert sentence_of(MUST, finish, 600, 0.0) == "will miss must 4h: about 5.2 h (4.8–5.5)"
    began = time.mktime((2026, 11, 30, 1, 0, 0, 0, 0, -1))
    by = Due("must", 5 * H, "06:00")
    assert sentence_of(by, finish, 600, began) == "will miss must by 06:00: about 06:12 (05:48–06:30)"
    assert sentence_of(WANT, finish, 2 * H, 0.0) == "want 1h is over, and it will be about 5.2 h (4.8–5.5)"


# What would still make it.


def made(*others: Assessed, better: Assessed | None = None) -> Plan:
    """Out of core was chosen: 4 h, of which 0.8 are rounds."""
    chosen = Assessed(candidate=plans.candidate("out-of-core"), forecast=plans.forecast(4 * H, 7, 0.1))
    decision = Decision(chosen=chosen, reasons=("so",), alternatives=others, better=better)
    return plans.plan(decision=decision)


def way(name: str, hours: float, **changes: Any) -> Assessed:
    return Assessed(candidate=plans.candidate(name, **changes), forecast=plans.forecast(hours * H, 7, 0.1))


def offered(plan: Plan, left_h: float = 5.0, due: Due = MUST, **changes: Any) -> tuple[str, ...]:
    """Half of the rounds are done after an hour, and so many hours are left."""
    chosen = plan.decision.chosen
    assert chosen is not None
    deployable = bool(changes.pop("deployable", False))
    at = progress(H, left_h * H, **changes)
    return offers_of(plan, chosen.candidate, at, due, "jobs/late.yaml", deployable=deployable)


def test_the_same_model_by_a_faster_strategy_goes_on_from_the_checkpoint() -> None:
    """It starts and reads anew, and does the rounds that are left; with the command that does so."""
    (one,) = offered(made(way("quantised", 1.2), way("in-memory", 1.0)), left_h=4.0)
    # 1.6 h of 4 were to be left, and 4 are: everything takes 2.5 times as long.
    # In memory: 0.2 h of start, reading and bins, and 0.4 of rounds.
    assert one == (
        "in-memory would still make it, in about 90 min: Ctrl-C, then "
        "fitscale train jobs/late.yaml --choose in-memory goes on from the last checkpoint"
    )


@pytest.mark.parametrize(
    "changes", [{"result": "equivalent"}, {"threads": 2}, {"ranks": 2}], ids=["result", "threads", "ranks"]
)
def test_another_model_is_no_offer(changes: dict[str, Any]) -> None:
    """Its checkpoints are others: begun anew it would have to do all rounds."""
    assert not any("in-memory" in text for text in offered(made(way("in-memory", 0.5, **changes))))


def test_what_would_be_late_too_is_no_offer() -> None:
    """At the pace of the machine now, with nine tenths of certainty."""
    assert not any("quantised" in text for text in offered(made(way("quantised", 3.9)), left_h=4.5))


def test_fewer_rows_are_a_sentence_where_nothing_else_helps() -> None:
    """3 of 6 h are there: half of the rows, less a tenth. No command: it is another model."""
    (one,) = offered(made())
    assert one == "begun anew on about 45 % of the rows (data.use) it would be done, as another model"


def test_the_better_place_is_named_where_it_can_be_deployed_to() -> None:
    """The plan's own, with its command; and not where that would refuse, or where it is late too."""
    better = Assessed(
        candidate=plans.candidate("quantised", "r7i.2xlarge"), forecast=plans.forecast(2 * H, 31, 0.5, 0.89, "modelled")
    )
    assert offered(made(better=better), deployable=True) == (
        "r7i.2xlarge would take 2 h (1.3–3) from its start: fitscale deploy jobs/late.yaml",
    )
    assert not any("deploy" in text for text in offered(made(better=better)))
    slow = better.but(forecast=plans.forecast(2.95 * H, 31, 0.5, 0.89, "modelled"))
    assert not any("deploy" in text for text in offered(made(better=slow), deployable=True))


def test_nothing_is_offered_after_the_deadline() -> None:
    """And nothing where nobody knows what is left."""
    plan = made(way("in-memory", 0.5))
    assert offered(plan, due=Due("want", 0.5 * H, "30 min")) == ()
    assert offered(plan, remaining_s=None) == ()


def test_what_keeps_no_progress_has_all_of_it_left() -> None:
    """Another strategy would begin at the first row; of five folds that are done two fifths are."""
    traits = Traits(target="classifier", can={}, input="codes", missing="ok", progress="none")
    assert left_of(made().but(traits=traits), progress(H, H, unit="")) == 1.0
    assert left_of(made(), progress(H, H)) == 0.5
    assert left_of(made(), progress(H, H, tasks=5, tasks_done=1, done=100)) == pytest.approx(0.6)


# What is left of many models.


def test_groups_and_rows_have_a_cost_each() -> None:
    """10 ms a group and 20 µs a row, told from chunks of large groups and of small ones."""
    sizes = ((1, 9000), (2, 8000), (40, 800), (60, 900), (5, 5000), (9, 100), (3, 3000), (7, 70))
    done = [Done(groups, rows, 0.01 * groups + 2e-5 * rows) for groups, rows in sizes]
    group, row = costs_of(done)
    assert group == pytest.approx(0.01)
    assert row == pytest.approx(2e-5)
    assert costs_of(done[:7]) == (0.0, 1.0)


CHUNK = st.tuples(st.integers(1, 500), st.integers(0, 10**6), st.floats(0, 100))


@given(st.lists(CHUNK, max_size=40))
def test_no_chunk_costs_less_than_nothing(done: list[tuple[int, int, float]]) -> None:
    """Whatever was measured: both are at least 0, and one of them is more."""
    group, row = costs_of([Done(*each) for each in done])
    assert group >= 0
    assert row >= 0
    assert group + row > 0


def test_a_pace_that_changes_is_not_sure() -> None:
    """Steady rounds of a second wobble by nothing; half as fast in every other quarter, by more than a half."""
    steady = [(float(k), float(k)) for k in range(41)]
    assert wobble(steady) == pytest.approx(0.0)
    at, uneven = 0.0, [(0.0, 0.0)]
    for k in range(40):
        at += 2.0 if k // 10 % 2 else 1.0
        uneven.append((at, k + 1.0))
    assert 0.5 < wobble(uneven) < 1.5
    assert wobble(uneven[:5]) == 0.0


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), max_size=70))
def test_whatever_the_pace_its_wobble_is_a_number(steps: list[tuple[float, float]]) -> None:
    """Of points that stand still, too."""
    points, at, done = [], 0.0, 0.0
    for seconds, units in steps:
        at, done = at + seconds, done + units
        points.append((at, done))
    assert 0.0 <= wobble(points) < float("inf")


# A whole run.


def test_a_run_that_will_miss_what_is_wanted_says_so_while_it_works(tmp_path: Path) -> None:
    """Long before the deadline: on the screen and in the journal, from where status and report have it; and once."""
    document = {
        "name": "slow",
        "data": {"uri": "synthetic://?rows=6000&columns=4", "target": "y"},
        "model": {"estimator": "baseline.Classifier", "params": {"passes": 1000, "sleep_s": 0.2}},
        "needs": {"deadline": {"want": "60s"}},
    }
    notes: list[str] = []

    def note(text: str) -> None:
        notes.append(text)

    def until_it_has_gone_on(name: str, order: Any, event: Any) -> None:
        if notes and event.kind == "units" and time.monotonic() > ends_at():
            raise Interrupted

    last: list[float] = []

    def ends_at() -> float:
        last[:] = last or [time.monotonic() + 2.5]  # two looks more
        return last[0]

    run = tmp_path / "run"
    told = Told(note=note, event=until_it_has_gone_on, file="jobs/slow.yaml")
    began = time.monotonic()
    with pytest.raises(Interrupted):
        train(workload_of(document, tmp_path), run, told=told)
    assert time.monotonic() - began < 55
    assert len(notes) == 1
    assert notes[0].startswith("will miss want 1m: about ")
    assert "of the rows (data.use)" in notes[0]
    status = status_of(run)
    assert [late.name for late in status.late] == ["want"]
    (shown,) = [line for line in status_lines(status, 120) if line.startswith("Late")]
    assert "will miss want 1m: about " in shown
    actual = actual_of(run, 1)
    assert actual is not None
    (late,) = actual.late
    assert late.said_s < late.due_s == 60.0 < late.finish_s.low
    assert "it was said: will miss want 1m: about " in write(run, None).read_text()


def test_a_run_that_is_in_time_says_nothing(tmp_path: Path) -> None:
    """Neither a note nor a line in its journal."""
    document = {
        "name": "quick",
        "data": {"uri": "synthetic://?rows=6000&columns=4", "target": "y"},
        "model": {"estimator": "baseline.Classifier", "params": {"passes": 30}},
        "needs": {"deadline": {"want": "20m", "must": "1h"}},
    }
    notes: list[str] = []
    train(workload_of(document, tmp_path), tmp_path / "run", choose="in-memory@inline", told=Told(note=notes.append))
    actual = actual_of(tmp_path / "run", 1)
    assert actual is not None
    assert (notes, actual.late) == ([], ())


def test_the_command_that_is_offered_goes_on_from_the_checkpoint(tmp_path: Path) -> None:
    """Begun in memory, ended by Ctrl-C, gone on with by another strategy of the same recipe: no round is done twice."""
    pytest.importorskip("xgboost")
    document = {
        "name": "crossed",
        "data": {"uri": "synthetic://?rows=6000&columns=4", "target": "y"},
        "model": {"estimator": "xgboost.XGBClassifier", "params": {"n_estimators": 60, "max_depth": 3}},
    }
    run = tmp_path / "run"
    kept = interrupted(document, run, "in-memory", at=20)
    done = trained(document, run, "quantised")
    assert done.manifest.version == 1
    resumed = units_of(run, "resumed")
    assert [units for _, units in resumed] == [kept]
    assert kept >= 20
