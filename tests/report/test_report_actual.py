"""What a version really took: the sums over its commands and attempts, and figures in words."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
import handmade_runs as handmade

from fitscale.records.plan import Phase
from fitscale.records.run import Event
from fitscale.report import text
from fitscale.running.actual import CUT_OFF, AttemptActual, actual_of, summed
from fitscale.running.events import paused_s, phases_of
from fitscale.store import folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return handmade.one_model(tmp_path / "run")


def test_time_is_counted_once_and_rest_not_at_all(run: Path) -> None:
    """60 s until the kill and 152.5 s after it; the hour between them is idle, probes stand apart."""
    actual = actual_of(run, 1)
    assert actual is not None
    assert actual.finished
    assert actual.commands == 2
    assert actual.wall_s == pytest.approx(60 + 152.5)
    assert actual.idle_s == pytest.approx(3600)
    assert actual.probing_s == pytest.approx(6.5)
    assert actual.work_s == pytest.approx(52 + 148.2 + 1.1)
    assert actual.cut_off_s == pytest.approx(52)
    assert actual.other_s == pytest.approx(212.5 - 6.5 - 201.3)


def test_phases_are_summed_over_attempts_without_the_probes(run: Path) -> None:
    """The start of a process counts until its first word; save is that of the fit and of the finish."""
    actual = actual_of(run, 1)
    assert actual is not None
    assert actual.phases["start"] == Phase(wall_s=2.0, cpu_s=1.5)
    assert actual.phases["iterations"] == Phase(wall_s=110.0, cpu_s=212.0)
    assert actual.phases["save"].wall_s == pytest.approx(0.6)


def test_ends_peaks_and_resumptions(run: Path) -> None:
    """The attempt whose command was killed has no end of its own; the next says from which unit it went on."""
    actual = actual_of(run, 1)
    assert actual is not None
    assert [a.cause for a in actual.attempts] == ["done", CUT_OFF, "done", "done"]
    assert [a.kind for a in actual.attempts] == ["probe", "fit", "fit", "finish"]
    assert [a.resumed_units for a in actual.attempts] == [None, None, 40, None]
    assert actual.killed == 1
    assert actual.peak_bytes == int(1.28e9)
    assert actual.limit_bytes == 2 * handmade.GB


def test_a_torn_line_is_passed_over(run: Path) -> None:
    """A kill may tear the last line of the events and of the journal."""
    before = actual_of(run, 1)
    for path in [run / "attempts" / "1-2" / "events.0.jsonl", run / "journal" / "000001.jsonl"]:
        with open(path, "a") as file:
            file.write('{"kind": "uni')
    assert actual_of(run, 1) == before


def test_commands_that_had_nothing_to_do_do_not_count(run: Path) -> None:
    """A later `train` without work, and a version that nobody began."""
    before = actual_of(run, 1)
    handmade.write_journal(run, 3, {"kind": "command", "at": handmade.T0 + 9000, "command": "train"})
    assert actual_of(run, 1) == before
    assert actual_of(run, 2) is None


def test_a_version_begins_after_the_one_before_it(run: Path) -> None:
    """The second version has its own commands, and the idle `train` between the two is nobody's."""
    t = handmade.T0 + 20_000
    begun = handmade.begun()
    begun["begun"] |= {"version": 2}
    handmade.write_journal(run, 3, {"kind": "command", "at": t - 5000, "command": "train"})
    handmade.write_journal(
        run, 4,
        {"kind": "command", "at": t, "command": "train"},
        {"at": t + 1, **begun},
        {"kind": "attempt-started", "at": t + 2, "attempt": "2-2", "candidate": "quantised", "order": "finish"},
        {"kind": "attempt-ended", "at": t + 3, "attempt": "2-2", "cause": "done", "peak": 5},
        {"kind": "version-finished", "at": t + 4, "version": 2},
    )  # fmt: skip
    actual = actual_of(run, 2)
    assert actual is not None
    assert (actual.commands, actual.wall_s, actual.peak_bytes) == (1, 4.0, 5)
    assert not actual.fitted  # all models were there: only put together anew


def _fresh(run: Path, at: float, began: bool) -> None:
    """`train --fresh`, which forgets what there is and fits it anew: to its end, or killed once it had forgotten."""
    fit = folder.read_order(run, "1-2").but(epoch=5)
    done = [(at + 4, "started", {"cpu_s": 1.5}), (at + 50, "finished", {"phases": {"iterations": (45.0, 80.0)}})]
    handmade.write_attempt(run, "5-1", fit, done, int(1e9))
    handmade.write_journal(
        run, 5,
        {"kind": "command", "at": at, "command": "train"},
        {"kind": "forgotten", "at": at + 1},
        *([{"at": at + 2, **handmade.begun()}] if began else []),
        {"kind": "attempt-started", "at": at + 3, "attempt": "5-1", "candidate": "quantised", "order": "fit"},
        {"kind": "attempt-ended", "at": at + 50, "attempt": "5-1", "cause": "done", "peak": int(1e9)},
        {"kind": "version-finished", "at": at + 51, "version": 1},
    )  # fmt: skip


@pytest.mark.parametrize("began", [True, False])
def test_what_fresh_forgot_is_no_part_of_the_version(tmp_path: Path, began: bool) -> None:
    """A plan that was killed, a version that was killed, then `--fresh`: its own time alone is what the version took."""
    run = tmp_path / "run"
    handmade.plan(run)
    handmade.killed_and_went_on(run, finished=False)
    handmade.write_version(run, handmade.one_index(), {"fit": handmade.recipe()}, {"roc_auc": 0.7})
    fit = folder.read_order(run, "1-2").but(epoch=2)
    handmade.write_attempt(run, "2-1", fit, [(handmade.T0 + 102, "started", {"cpu_s": 1.5})], ends=False)
    handmade.write_journal(
        run, 2,
        {"kind": "command", "at": handmade.T0 + 100, "command": "plan"},
        {"kind": "attempt-started", "at": handmade.T0 + 101, "attempt": "2-1", "candidate": "quantised", "order": "fit"},
    )  # fmt: skip
    _fresh(run, handmade.T0 + 1000, began)
    actual = actual_of(run, 1)
    assert actual is not None
    assert (actual.commands, actual.wall_s, actual.idle_s, actual.killed) == (1, 51.0, 0.0, 0)
    assert [a.name for a in actual.attempts] == ["5-1"]
    assert actual.phases["iterations"] == Phase(wall_s=45.0, cpu_s=80.0)
    assert actual.began == handmade.T0 + 1000


@given(
    st.lists(
        st.tuples(st.floats(0, 50), st.floats(0, 100), st.sampled_from(["fit", "probe", "finish"]), st.booleans()),
        max_size=12,
    )
)
def test_the_sums_add_up(parts: list[tuple[float, float, str, bool]]) -> None:
    """Whatever the attempts: waited = worked + probed + other, and the ledgers and cut-off attempts are what was worked."""
    at, attempts = 0.0, []
    for pause, took, kind, cut in parts:
        at += pause
        phases = {} if cut or kind == "probe" else {"iterations": Phase(wall_s=took, cpu_s=took)}
        attempts.append(
            AttemptActual(name=f"1-{len(attempts)}", kind=kind, candidate="c", began=at, ended=at + took, wall_s=took,
                          cause=CUT_OFF if cut else "done", phases=phases)
        )  # fmt: skip
        at += took
    actual = summed(1, 1, attempts, [], [(0.0, at / 2), (at / 2 + 7, at + 7)], True)
    assert actual.wall_s == pytest.approx(at)
    assert actual.idle_s == pytest.approx(7)
    assert actual.wall_s == pytest.approx(actual.work_s + actual.probing_s + actual.other_s)
    assert actual.work_s == pytest.approx(actual.cut_off_s + sum(p.wall_s for p in actual.phases.values()))
    assert actual.busy_s(at + 7) == pytest.approx(at)


def test_processes_of_an_attempt_share_its_wall_time_and_add_their_cpu() -> None:
    """Two workers that worked 10 s each side by side took 10 s, and 20 s of CPU."""
    events = [Event(kind="finished", at=10, rank=k, data={"phases": {"iterations": (10.0, 10.0)}}) for k in (0, 1)]
    assert phases_of(events, 0.0) == {"iterations": Phase(wall_s=10.0, cpu_s=20.0)}


def test_the_time_of_a_parked_attempt_does_not_count() -> None:
    """Planning parks an attempt while it probes a rival."""
    events = [
        Event(kind=kind, at=at) for kind, at in (("paused", 3), ("unpaused", 8), ("paused", 10), ("unpaused", 11))
    ]
    assert paused_s(events) == 6


@pytest.mark.parametrize(
    ("actual", "forecast", "shown"),
    [(112, 100, "+12 %"), (88, 100, "−12 %"), (100.2, 100, "0 %"), (5000, 100, "50 ×"), (1, 0, "–")],
)
def test_errors_in_words(actual: float, forecast: float, shown: str) -> None:
    """How far from its forecast a figure lies."""
    assert text.error(actual, forecast) == shown


@given(st.text(max_size=400))
def test_a_strangers_text_is_one_printable_line(value: str) -> None:
    """No control, direction or line character gets through, and it is cut."""
    shown = text.plain(value, 60)
    assert len(shown) <= 60
    assert shown.isprintable()
