"""Which parts of the rows are tried, when it is enough, and what is taken."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from curves import WHOLE, tried, truths

from fitscale.planning.trials.curve_words import cost, left_out, taken, told
from fitscale.planning.trials.ladder import LEAST_ROWS, SHARES, Climb, decided, ladder
from fitscale.planning.trials.tolerance import tolerance_of
from fitscale.records.curve import Curve
from fitscale.records.trials import Trial, Tried

MOST = 80_000


def climbed(truth, seconds, **about) -> tuple[list[Tried], Climb]:  # type: ignore[no-untyped-def]
    """Climb the ladder with trials that take ``seconds`` of their rows."""
    rng, trials = np.random.default_rng(0), ladder(MOST, seconds(WHOLE))
    every = [
        one.but(seconds=seconds(one.rows)) for one in tried(truth, rng, most=MOST, trials=trials)
    ]  # fmt: skip
    climb = Climb(trials, MOST, WHOLE, about.pop("prior_s", seconds(WHOLE)), **about)
    done: list[Tried] = []
    for one in every:
        done.append(one)
        if climb.is_over(done, sum(each.seconds for each in done)):
            break
    return done, climb


@given(st.integers(1, 10**10), st.sampled_from([1.0, 1e6]))
def test_a_ladder_rises_to_all_rows(rows: int, whole_s: float) -> None:
    """From 500 rows or more, the smallest repeated; the last trial has all rows, and is done once."""
    trials = ladder(rows, whole_s)
    sizes = [trial.rows or rows for trial in trials]
    assert sizes == sorted(sizes)
    assert trials[-1] == Trial()
    assert len({(trial.rows, trial.seed) for trial in trials}) == len(trials) <= 25
    if rows >= 2_000:
        assert min(sizes) >= LEAST_ROWS
        assert len(set(sizes)) >= 4
        assert sizes.count(sizes[0]) == 3
    if rows >= 600_000:
        assert min(sizes) == pytest.approx(rows / 1024, rel=0.01)


def test_where_all_rows_are_cheap_they_are_measured() -> None:
    """Twenty seconds are enough for all trials: none is left out."""
    done, climb = climbed(truths(np.random.default_rng(0))["power law"], lambda n: 0.1 + n * 1e-5)
    assert done[-1].rows == MOST
    assert climb.settled


def test_no_more_is_tried_than_a_tenth_of_what_all_rows_take() -> None:
    """By what the trials took, where the forecast was wrong about it."""
    for prior_s in (1.0, 1_000.0, 100_000.0):
        done, climb = climbed(truths(np.random.default_rng(0))["logarithm"], lambda n: 1.0 + n * 1e-2, prior_s=prior_s)
        assert sum(one.seconds for one in done) <= 1.02 * climb.budget_s(done) <= 0.11 * 1e-2 * WHOLE
        assert done[-1].rows < MOST


def test_it_ends_when_the_next_trial_costs_more_than_it_could_save() -> None:
    """A curve that is flat needs no large trial."""
    done, climb = climbed(truths(np.random.default_rng(0))["flat"], lambda n: 0.01 + n * 1e-2, tolerance=0.05)
    assert climb.settled
    assert done[-1].rows < MOST / 16
    assert decided(done, WHOLE, tolerance=0.05, settled=True).use == 0.01


def test_a_limit_is_kept_and_said() -> None:
    done, climb = climbed(truths(np.random.default_rng(0))["power law"], lambda n: 0.5 + n * 1e-2, limit_s=30.0)
    assert sum(one.seconds for one in done) <= 30.0
    assert climb.cut_short(done)
    assert not climb.settled


def curve_of(name: str, tolerance: float | None, **changes: object) -> Curve:
    rng = np.random.default_rng(3)
    done = [one.but(**changes) for one in tried(truths(rng)[name], rng, most=MOST)]
    return decided(done, WHOLE, tolerance=tolerance, settled=True, seconds=12.3)


def test_the_smallest_share_is_taken_that_surely_loses_no_more() -> None:
    """By the upper end of its interval; each larger tolerance takes no more rows."""
    uses = []
    for tolerance in (0.0005, 0.002, 0.01, 0.05, 0.5):
        curve = curve_of("power law", tolerance)
        uses.append(curve.use)
        for level in curve.levels:
            assert (level.loss.high <= tolerance) == (level.share >= curve.use)
    assert uses == sorted(uses, reverse=True)
    assert uses[-1] == SHARES[0]
    assert curve_of("exponential", 1e-9).use == 1.0


def test_no_share_smaller_than_what_was_tried_is_taken() -> None:
    rng = np.random.default_rng(3)
    trials = [trial for trial in ladder(MOST) if trial.rows is None or trial.rows >= 10_000]
    curve = decided(tried(lambda n: 0.8, rng, most=MOST, trials=trials), WHOLE, tolerance=0.5, settled=True)
    assert min(level.rows for level in curve.levels) >= 10_000


def test_what_may_be_lost_by_default() -> None:
    """0.002 of a score; half a per cent of an error."""
    assert tolerance_of("roc_auc", 0.8) == tolerance_of("r2", 0.1) == 0.002
    assert tolerance_of("neg_root_mean_squared_error", -40.0) == pytest.approx(0.2)
    assert curve_of("power law", None).tolerance == 0.002
    errors = curve_of("power law", None, metric="neg_log_loss")
    assert errors.tolerance == pytest.approx(0.004, rel=0.05)
    assert not errors.stated


def test_without_a_score_all_rows_are_taken() -> None:
    """And the library's own words say why."""
    failed = [Tried(trial=trial, why="needs samples of at least 2 classes") for trial in ladder(4_000)[:3]]
    curve = decided(failed, WHOLE, tolerance=None, settled=False)
    assert curve.use == 1.0
    assert curve.why == "no trial could be judged (needs samples of at least 2 classes)"
    assert told(curve).startswith(f"all rows are taken: {curve.why}; learning curve: 3 trials")


def test_of_a_curve_that_falls_all_rows_are_taken() -> None:
    """Made to rise it would be flat, and nothing seem lost."""
    rng = np.random.default_rng(3)
    truth = {n: 0.8 - 0.08 * (k % 2) for k, n in enumerate(sorted({t.rows or MOST for t in ladder(MOST)}))}
    curve = decided(tried(lambda n: truth[int(n)], rng, most=MOST), WHOLE, tolerance=0.01, settled=True)
    assert curve.weights == {"last value": 1.0}
    assert curve.use == 1.0
    assert curve.levels[-1].loss.high >= 0.07


def test_small_parts_that_have_one_class_are_left_out() -> None:
    """The curve begins where parts are large enough."""
    rng = np.random.default_rng(3)
    done = tried(truths(rng)["power law"], rng, most=MOST)
    some = [one.but(score=None, blocks=(), why="one class") if one.rows < 2_000 else one for one in done]
    curve = decided(some, WHOLE, tolerance=0.02, settled=True)
    assert 0.02 <= curve.use < 1.0
    assert all(level.rows >= 2_000 for level in curve.levels)


def test_a_curve_in_words() -> None:
    """The share, what it loses with its interval, the time that it takes, and what finding out cost."""
    curve = curve_of("power law", 0.02)
    level = curve.level
    assert level is not None
    curve = curve.but(levels=tuple(one.but(time=0.21) for one in curve.levels))
    words = taken(curve)
    assert words.startswith(f"{100 * level.share:.0f} % of the rows give roc_auc within 0.02 of all of them (0.0")
    assert words.endswith(") in 21 % of the time")
    assert cost(curve) == f"learning curve: {len(curve.tried)} trials, 12 s"
    assert left_out(curve)[0].startswith(f"{100 * (1 - level.share):.0f} % of the rows are left out")
    none = curve_of("power law", 1e-6)
    assert told(none).startswith("all rows are taken: every smaller share loses more (70 %: 0.0")
    assert left_out(none) == ()
    assert Curve.from_json(curve.to_json()) == curve
