"""Past runs on this machine, and what they change in a forecast: intervals that hold, and no run that spoils them."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))
from fitscale.planning.decision.gates import p99_bytes
from fitscale.planning.forecasts.calibrating import (
    LEAST,
    LEAST_ADMITTED,
    adjusted_for,
    calibrated,
    calibration_of,
    conformal,
    halves,
    track_for,
)
from fitscale.planning.forecasts.spread import quantile
from fitscale.planning.forecasts.trust import moves_told, track_told
from fitscale.records.base import Figure
from fitscale.records.ledger import Calibration
from fitscale.records.plan import Forecast
from past_runs import entry, runs, said


def forecast(seconds: float = 100.0, half: float = 0.1, kind: str = "parts", **changes: Any) -> Forecast:
    time_s = Figure.around(seconds, math.expm1(half), "forecast")
    held = Figure.around(1e9, math.expm1(half), "forecast")
    given = {
        "time_s": time_s, "time_p50_s": seconds, "memory_bytes": held, "storage_bytes": Figure.exact(1e6), "kind": kind,
        "phases": {"start": 0.1 * seconds, "iterations": 0.9 * seconds}, "memory_p99_bytes": quantile(held, 0.99),
    }  # fmt: skip
    return Forecast.model_validate({**given, **changes})


def normal(n: int, sigma: float = 0.1, mean: float = 0.0, seed: int = 0) -> list[float]:
    return (mean + sigma * np.random.default_rng(seed).standard_normal(n)).tolist()


def moved(bench: Any, calibration: Calibration, before: Forecast | None = None, **more: Any) -> Forecast:
    return calibrated(before or forecast(), bench.candidate(**more), calibration, bench.machine())


# The quantile.


def test_the_finite_sample_is_counted_in() -> None:
    """Nine tenths of 19 scores to come are below the 18th; of 20 the 19th; nine scores are the least that can tell."""
    assert conformal(range(1, 20), 0.9) == 18
    assert conformal(range(1, 21), 0.9) == 19
    assert conformal(range(1, 10), 0.9) == 9
    assert conformal(range(1, 9), 0.9) == math.inf
    assert conformal(range(1, 100), 0.99) == 99
    assert conformal(range(1, 99), 0.99) == math.inf


SCORES = st.lists(st.floats(0, 1e6), min_size=9, max_size=60)


@given(scores=SCORES, seed=st.integers(0, 1000))
def test_the_order_of_runs_does_not_count(scores: list[float], seed: int) -> None:
    """They are exchangeable, or nothing is promised."""
    drawn = np.random.default_rng(seed).permutation(scores)
    assert conformal(drawn, 0.9) == conformal(scores, 0.9)


@given(scores=SCORES, at=st.integers(0, 59), more=st.floats(0, 1e6))
def test_a_worse_run_never_narrows_it(scores: list[float], at: int, more: float) -> None:
    """Monotone in each score."""
    worse = [*scores]
    worse[at % len(scores)] += more
    assert conformal(worse, 0.9) >= conformal(scores, 0.9)


@settings(max_examples=12)
@given(
    n=st.integers(20, 120), shape=st.sampled_from(["normal", "skewed", "heavy"]), sigma=st.floats(0.02, 0.6),
    mean=st.floats(-0.7, 0.7), seed=st.integers(0, 2**20),
)  # fmt: skip
def test_nine_of_ten_runs_to_come_are_within(n: int, shape: str, sigma: float, mean: float, seed: int) -> None:
    """Whatever the errors' distribution and bias, and however wrong what was said: over 400 ledgers, but for chance."""
    rng = np.random.default_rng(seed)
    draw = {"normal": rng.standard_normal, "skewed": rng.standard_exponential, "heavy": lambda k: rng.standard_t(3, k)}
    within, trials = 0, 400
    for _ in range(trials):
        residuals = np.clip(mean + sigma * draw[shape](n + 1), -6, 6)
        by = adjusted_of(residuals[:n])
        off = residuals[n] - by.shift
        within += abs(off) <= by.scale * 0.1
    # Of 400 draws with nine in ten within, three deviations are 18.
    assert within >= 0.9 * trials - 3 * math.sqrt(trials * 0.09)


def adjusted_of(residuals: Any) -> Any:
    """What runs with these residuals and half-widths of 0.1 change, without the detour over a ledger of records."""
    from fitscale.planning.forecasts import calibrating

    found = runs_of(residuals)
    return calibrating._adjusted("parts", "time", "", found)


def runs_of(residuals: Any) -> list[Any]:
    class Bare:
        def __init__(self, residual: float) -> None:
            self.actual = {"time": math.exp(residual)}

        def raw_of(self, quantity: str) -> tuple[float, float, float]:
            return math.exp(-0.1), 1.0, math.exp(0.1)

    made = [Bare(float(residual)) for residual in residuals]
    return [(one, one) for one in made]


@given(seed=st.integers(0, 1000))
def test_the_order_of_the_ledger_does_not_count(seed: int) -> None:
    """Of as many runs as are looked at: what they change is the same in any order."""
    found = runs(normal(30, mean=0.1, seed=seed))
    drawn = [found[k] for k in np.random.default_rng(seed).permutation(len(found))]
    for one, other in zip(calibration_of(found).adjusted, calibration_of(drawn).adjusted, strict=True):
        assert (one.shift, one.scale) == pytest.approx((other.shift, other.scale))


# What changes, and from when on.


def test_below_twenty_runs_nothing_changes(bench: Any) -> None:
    """Neither value nor interval nor origin; the twentieth run changes all three."""
    few = calibration_of(runs(normal(LEAST - 1, mean=0.2)))
    assert moved(bench, few) == forecast()
    assert track_told(few, forecast()).startswith("19 past runs here: median error")
    enough = moved(bench, calibration_of(runs(normal(LEAST, mean=0.2))))
    assert enough.time_s.origin == "calibrated"
    assert enough.calibrated == LEAST
    assert enough.time_s.value > 100
    assert enough.raw == {"time": forecast().time_s}


def test_a_bias_is_believed_as_far_as_there_are_runs(bench: Any) -> None:
    """All 20 took twice as long: 20 / 30 of that as a logarithm; of 200, 200 / 210."""
    for n in (20, 200):
        found = moved(bench, calibration_of(runs([math.log(2)] * n))).time_s
        assert found.value == pytest.approx(100 * 2 ** (n / (n + 10)))
        assert found.low <= 200 <= found.high * 1.0001


def test_intervals_that_were_too_wide_become_narrow(bench: Any) -> None:
    """Errors of 2 % where 30 % had been said."""
    before = forecast(half=0.3)
    found = moved(bench, calibration_of(runs(normal(50, 0.02), half=0.3)), before).time_s
    assert halves((found.low, found.value, found.high))[1] < 0.06


def test_intervals_that_were_too_narrow_become_wide(bench: Any) -> None:
    """Errors of 30 % where 10 % had been said: nine tenths of a normal law are within 1.64 deviations."""
    found = moved(bench, calibration_of(runs(normal(200, 0.3)))).time_s
    assert halves((found.low, found.value, found.high))[1] == pytest.approx(1.64 * 0.3, rel=0.2)


def test_phases_and_cost_go_with_the_time(bench: Any) -> None:
    """What is shown adds up: the phases to the time, the price of the time that is shown."""
    before = forecast(half=0.3)
    machine = bench.machine(usd_per_hour=3.6)
    found = calibrated(before, bench.candidate(), calibration_of(runs([0.5] * 30)), machine)
    assert sum(found.phases.values()) == pytest.approx(found.time_s.value)
    assert found.time_p50_s == found.time_s.value
    assert found.cost_usd is not None
    assert found.cost_usd.value == pytest.approx(found.time_s.value / 1000)


def test_nothing_is_forecast_below_its_floor(bench: Any) -> None:
    """Past runs that were ten times as fast do not make this one faster than physics allows."""
    found = moved(bench, calibration_of(runs([-2.3] * 40)), forecast(floor_s=60.0)).time_s
    assert (found.low, found.value) == (60.0, 60.0)
    assert found.high >= 60.0


def test_only_runs_of_the_same_kind_count(bench: Any) -> None:
    """What parts of the rows told says nothing of iterations at full size, and nothing here of another machine."""
    calibration = calibration_of(runs([0.5] * 30))
    begun = forecast(kind="beginning")
    assert moved(bench, calibration, begun) == begun
    assert track_told(calibration, begun) == ""
    modelled = forecast().but(kind=None)
    assert moved(bench, calibration, modelled) == modelled


def test_the_narrowest_scope_that_has_enough_is_taken(bench: Any) -> None:
    """Path, then framework, then all: 25 runs of this path took twice as long, 30 of another framework half."""
    own = runs([0.7] * 25)
    others = runs([-0.7] * 30, framework="lightgbm")
    calibration = calibration_of([*own, *others])
    here = adjusted_for(calibration, "parts", "time", bench.candidate())
    assert here is not None
    assert (here.scope, here.runs) == ("xgboost in-memory matrix", 25)
    of_framework = adjusted_for(calibration, "parts", "time", bench.candidate("quantised"))
    assert of_framework is not None
    assert (of_framework.scope, of_framework.runs) == ("xgboost", 25)
    of_all = adjusted_for(calibration, "parts", "time", bench.candidate(framework="sklearn"))
    assert of_all is not None
    assert (of_all.scope, of_all.runs) == ("", 55)
    few = calibration_of([*runs([0.7] * 10), *others])
    fallen_back = adjusted_for(few, "parts", "time", bench.candidate())
    assert fallen_back is not None
    assert fallen_back.scope == ""


def test_what_was_calibrated_is_judged_by_what_the_measurements_said(bench: Any) -> None:
    """Else a bias that was corrected would be taken for none, and come back."""
    corrected = [one.but(said=(one.said[0].but(figures={"time": (150.0, 200.0, 260.0)}, raw={"time": (90.0, 100.0, 110.0)}),),
                         actual={"time": 200.0}) for one in runs([0.0] * 30)]  # fmt: skip
    calibration = calibration_of(corrected)
    assert moved(bench, calibration).time_s.value == pytest.approx(100 * 2 ** (30 / 40))
    track = track_for(calibration, "parts")
    assert track is not None
    assert (track.error, track.within) == (0.0, 30)


def test_each_run_counts_once_for_a_kind() -> None:
    """Though `plan` and `train` both forecast it, and by the last of the two."""
    both = [entry(200.0, said(100.0, by="plan"), said(199.0)) for _ in range(5)]
    track = track_for(calibration_of(both), "parts")
    assert track is not None
    assert (track.runs, track.within) == (5, 5)


def test_a_run_beside_busy_neighbours_has_no_time() -> None:
    """Others used half of the machine: its memory counts, the time that it took does not."""
    crowded = [one.but(contention=0.5) for one in runs([1.0] * 30)]
    calm = runs([0.0] * 3)
    track = track_for(calibration_of([*crowded, *calm]), "parts")
    assert track is not None
    assert (track.runs, track.error) == (3, 0.0)
    held = [one.but(contention=0.5) for one in runs([0.1] * 5, quantity="memory")]
    assert track_for(calibration_of(held), "parts", "memory") is not None


@given(at=st.integers(0, 29), worst=st.sampled_from([-6.9, 6.9]), seed=st.integers(0, 100))
def test_one_poisoned_run_changes_little(at: int, worst: float, seed: int) -> None:
    """A run that took up to a thousand times what was said: no interval grows beyond the second worst of the others."""
    residuals = normal(30, seed=seed)
    poisoned = [*residuals]
    poisoned[at] = worst
    clean, spoilt = (calibration_of(runs(each)).adjusted[0] for each in (residuals, poisoned))
    assert abs(spoilt.shift - clean.shift) < 0.1
    assert spoilt.scale < 2 * max(abs(r) for r in residuals) / 0.1


# Memory is admitted by its 99 % bound.


def test_memory_is_admitted_by_less_only_after_a_hundred_runs(bench: Any) -> None:
    """Of 20 to 99 runs that held just what was said the bound stays; the hundredth lets it down."""
    for n, smaller in ((LEAST, False), (LEAST_ADMITTED - 1, False), (LEAST_ADMITTED, True)):
        found = moved(bench, calibration_of(runs(normal(n, 0.01), quantity="memory")))
        assert (p99_bytes(found) < p99_bytes(forecast())) is smaller, n
        assert p99_bytes(found) >= found.memory_bytes.value


def test_memory_is_admitted_by_more_at_once(bench: Any) -> None:
    """Twenty runs held half as much again as was said."""
    found = moved(bench, calibration_of(runs(normal(LEAST, 0.1, mean=0.4), quantity="memory")))
    assert p99_bytes(found) > 1.2 * p99_bytes(forecast())
    assert found.memory_bytes.origin == "calibrated"
    assert found.time_s == forecast().time_s


def test_of_many_runs_one_in_a_hundred_passes_the_bound(bench: Any) -> None:
    """400 runs, and 4,000 to come of the same law."""
    found = moved(bench, calibration_of(runs(normal(200, 0.2, seed=1), half=0.1, quantity="memory")))
    to_come = 1e9 * np.exp(normal(4000, 0.2, seed=2))
    assert np.mean(to_come > p99_bytes(found)) <= 0.02


# In words.


def test_the_track_record_in_words() -> None:
    """One run has no median; from 20 on it says on how many runs it is calibrated."""
    one = calibration_of(runs([0.04]))
    assert track_told(one, forecast()) == "1 past run here: error 4.1 %, within the interval"
    assert track_told(calibration_of(runs([0.5])), forecast()) == "1 past run here: error 65 %, outside the interval"
    some = calibration_of([*runs([0.04] * 15), *runs([0.5] * 2)])
    assert track_told(some, forecast()) == "17 past runs here: median error 4.1 %, 15 of 17 within the interval"
    assert track_told(Calibration(), forecast()) == ""


def test_what_was_calibrated_says_on_which_runs(bench: Any) -> None:
    """On the screen in a clause, by --explain figure by figure."""
    calibration = calibration_of(runs([0.05] * 23))
    found = moved(bench, calibration)
    assert track_told(calibration, found).startswith("calibrated on 23 runs here: median error")
    mixed = calibration_of([*runs([0.05] * 23), *runs([0.0] * 5, framework="lightgbm")])
    assert track_told(mixed, moved(bench, mixed)).startswith("calibrated on 23 of 28 past runs here")
    told = moves_told(mixed, moved(bench, mixed), bench.candidate())
    # 23 of 33 parts of 5 % are believed; what is left of it is 0.15 of the half-width that was said.
    assert told == ("time × 1, its interval × 0.15, by 23 runs here of xgboost in-memory matrix",)
    assert moves_told(calibration, forecast(), bench.candidate()) == ()


@given(st.lists(st.floats(-5, 5), min_size=0, max_size=40), st.floats(0.01, 2.0))
def test_a_calibrated_figure_is_a_figure(bench: Any, residuals: list[float], half: float) -> None:
    """Low, value, high in this order and finite, whatever happened before; the plan's JSON takes it."""
    found = moved(bench, calibration_of(runs(residuals, half=half)), forecast(half=half)).time_s
    assert 0 < found.low <= found.value <= found.high < math.inf
    assert Calibration.from_json(calibration_of(runs(residuals)).to_json()) == calibration_of(runs(residuals))
