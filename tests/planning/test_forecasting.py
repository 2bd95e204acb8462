"""What a forecast promises, whatever was measured."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitscale.planning.forecasts import forecasting
from fitscale.planning.forecasts.grouped import joining_s
from fitscale.planning.forecasts.holding import LATER_CHUNKS
from fitscale.planning.forecasts.rates import rates_of
from fitscale.planning.forecasts.terms import floor_of
from fitscale.planning.forecasts.timing import work_of
from fitscale.records.base import Figure
from fitscale.records.data import Piece, Profile, Snapshot
from fitscale.records.plan import Law, Measurement, Phase, Term

ROWS = st.integers(20_000, 200_000_000)
FACTOR = st.floats(0.05, 20.0)
STRATEGY = st.sampled_from(["in-memory", "quantised", "out-of-core"])


def measured_at(bench: Any, candidate: Any, full: int, shares: tuple[int, ...], faster: float, leaves: float) -> Any:
    return tuple(
        bench.sample(candidate, bench.shape(max(5_000, full // share)), faster=faster, leaves=leaves)
        for share in shares
    )


def begun(bench: Any, candidate: Any, rows: int, faster: float) -> Any:
    """The beginning of the run itself, of which 5 rounds were measured."""
    m, law = bench.sample(candidate, bench.shape(rows), faster=faster)
    return m.but(full_size=True, units=5, phases={k: v for k, v in m.phases.items() if k != "iterations"}), law


@settings(max_examples=60, deadline=None)
@given(
    rows=ROWS, more=st.floats(1.0, 50.0), shares=st.sampled_from([(), (64,), (64, 16), (64, 16, 4)]), faster=FACTOR,
    leaves=FACTOR, begins=st.booleans(), strategy=STRATEGY,
)  # fmt: skip
def test_more_rows_are_never_faster_nor_smaller(
    bench: Any, rows: int, more: float, shares: Any, faster: float, leaves: float, begins: bool, strategy: str
) -> None:
    """Whatever was measured, a larger job takes at least as long and holds at least as much."""
    candidate = bench.candidate(strategy)
    measured = measured_at(bench, candidate, rows, shares, faster, leaves)
    if begins:
        measured += (begun(bench, candidate, rows, faster),)
    small = bench.forecast(candidate, bench.shape(rows), measured)
    large = bench.forecast(candidate, bench.shape(round(rows * more)), measured)
    assert large.time_s.value >= small.time_s.value * (1 - 1e-9)
    assert large.memory_bytes.value >= small.memory_bytes.value * (1 - 1e-9)
    assert large.storage_bytes.value >= small.storage_bytes.value * (1 - 1e-9)


@settings(max_examples=60, deadline=None)
@given(
    rows=ROWS, shares=st.sampled_from([(), (64,), (64, 16)]), faster=st.floats(0.001, 1000.0), leaves=FACTOR,
    begins=st.booleans(), strategy=STRATEGY,
)  # fmt: skip
def test_intervals_floors_and_phases(
    bench: Any, rows: int, shares: Any, faster: float, leaves: float, begins: bool, strategy: str
) -> None:
    """An interval holds its value, nothing is below what physics allows, and the phases add up to the time."""
    candidate, shape = bench.candidate(strategy), bench.shape(rows)
    measured = measured_at(bench, candidate, rows, shares, faster, leaves)
    if begins:
        measured += (begun(bench, candidate, rows, faster),)
    forecast = bench.forecast(candidate, shape, measured)
    law = bench.law(shape, strategy)
    for figure in (forecast.time_s, forecast.memory_bytes, forecast.storage_bytes):
        assert 0 < figure.low <= figure.value <= figure.high
    floor_s = sum(floor_of(terms, 0.5) for terms in law.time.values())
    assert forecast.time_s.low >= floor_s
    assert forecast.memory_bytes.low >= floor_of(law.memory) * (1 - 1e-12)
    assert sum(forecast.phases.values()) == pytest.approx(forecast.time_s.value)
    assert forecast.memory_p99_bytes is not None
    assert forecast.memory_p99_bytes >= forecast.memory_bytes.high


def test_without_measurements_the_priors_speak(bench: Any) -> None:
    """The sum of the terms at the candidate's threads, with the law's first error."""
    forecast = bench.forecast(bench.candidate(), bench.shape())
    cpu = 100 * 256 * 29 * 2e-6 + 100 * 87e6 * 5e-9
    assert forecast.phases["iterations"] == pytest.approx(cpu * (0.1 + 0.9 / 2))
    assert forecast.memory_bytes.value == pytest.approx(1.5e8 + 87e6 * 36)
    assert forecast.memory_bytes.high == pytest.approx(1.6 * forecast.memory_bytes.value)
    assert forecast.source == "from priors"
    assert forecast.rows == 3_000_000
    assert forecast.memory_fixed_bytes == 1.5e8


def test_two_samples_find_a_machine_that_is_four_times_as_slow(bench: Any) -> None:
    """What all priors have in common is the machine: samples of 2 % and 6 % carry it to full size."""
    candidate, full = bench.candidate(), bench.shape()
    measured = measured_at(bench, candidate, full.rows, (64, 16), 0.25, 4.0)
    truth = bench.sample(candidate, full, faster=0.25, leaves=4.0)[0].phases["iterations"].wall_s
    forecast = bench.forecast(candidate, full, measured)
    assert forecast.phases["iterations"] == pytest.approx(truth, rel=0.05)
    assert forecast.source == "from 2 probes up to 6.2 % of the rows"


def test_two_samples_tell_leaves_from_cells(bench: Any) -> None:
    """A fixed cost that dominates small samples is not carried to full size: a proportional forecast is 5 × off here."""
    candidate, full = bench.candidate(), bench.shape(10_000_000)
    measured = measured_at(bench, candidate, full.rows, (64, 16), 1.0, 6.0)
    truth = bench.sample(candidate, full, leaves=6.0)[0].phases["iterations"].wall_s
    forecast = bench.forecast(candidate, full, measured)
    assert measured[0][0].phases["iterations"].wall_s * 64 > 4 * truth
    assert forecast.phases["iterations"] == pytest.approx(truth, rel=0.25)


def test_one_small_sample_does_not_explode(bench: Any) -> None:
    """One sample that took ten times its prior, by whatever term, moves the whole by no more than ten times."""
    candidate, full = bench.candidate(), bench.shape(100_000_000)
    prior = bench.forecast(candidate, full).phases["iterations"]
    measured = measured_at(bench, candidate, full.rows, (20_000,), 0.1, 10.0)
    assert bench.forecast(candidate, full, measured).phases["iterations"] <= 10.5 * prior


def test_noise_between_two_samples_is_not_taken_for_growth(bench: Any) -> None:
    """Two sizes that lie close, the larger a tenth slower by chance: a plain line would forecast three times as much."""
    candidate, full = bench.candidate(), bench.shape(100_000_000)
    (small, law), (large, at) = (bench.sample(candidate, bench.shape(rows)) for rows in (20_000, 25_000))
    large = large.but(unit_s=1.1 * large.unit_s)
    growth = (large.unit_s - small.unit_s) / (25_000 - 20_000)
    prior = bench.forecast(candidate, full).phases["iterations"]
    assert 100 * growth * full.rows > 3 * prior
    forecast = bench.forecast(candidate, full, ((small, law), (large, at)))
    assert forecast.phases["iterations"] < 1.5 * prior


@settings(max_examples=30, deadline=None)
@given(share=st.integers(2, 2000))
def test_a_longer_reach_is_less_sure(bench: Any, share: int) -> None:
    """The further two samples are carried, the wider the interval; never wider than the prior's."""
    candidate, full = bench.candidate(), bench.shape(50_000_000)

    def width(smallest: int) -> float:
        figure = bench.forecast(
            candidate, full, measured_at(bench, candidate, full.rows, (smallest, smallest // 2), 1, 1)
        )
        return float(figure.time_s.high / figure.time_s.value)

    assert width(share) <= width(2 * share) + 1e-9
    assert width(4) < 0.9 * width(64)
    assert (
        width(2 * share) <= bench.forecast(candidate, full).time_s.high / bench.forecast(candidate, full).time_s.value
    )


def test_the_beginning_at_full_size_is_trusted_most(bench: Any) -> None:
    """Five rounds at full size: the round's time for all of them, the peak as measured, the smallest interval."""
    candidate, full = bench.candidate(), bench.shape()
    m, law = begun(bench, candidate, full.rows, 0.5)
    m = m.but(peak_bytes=2_500_000_000)
    forecast = bench.forecast(candidate, full, ((m, law),))
    assert forecast.phases["iterations"] == pytest.approx(100 * m.unit_s)
    assert forecast.phases["bin"] == pytest.approx(m.phases["bin"].wall_s)
    assert forecast.memory_bytes.value == 2.5e9
    assert forecast.memory_bytes.high == pytest.approx(2.5e9 * 1.05)
    assert forecast.time_s.high < 1.2 * forecast.time_s.value
    assert forecast.source == "from 5 iterations at full size"


def test_samples_refine_a_beginning_and_a_contradiction_does_not(bench: Any) -> None:
    """The geometric mean lies between both and near the beginning; samples that are far off change nothing."""
    candidate, full = bench.candidate(), bench.shape()
    first = begun(bench, candidate, full.rows, 1.0)
    alone = bench.forecast(candidate, full, (first,)).phases["iterations"]
    near = measured_at(bench, candidate, full.rows, (64, 16), 0.8, 1.25)
    both = bench.forecast(candidate, full, (*near, first))
    samples = bench.forecast(candidate, full, near).phases["iterations"]
    assert alone < both.phases["iterations"] < (alone * samples) ** 0.5
    assert both.source == "from 5 iterations at full size and 2 probes up to 6.2 % of the rows"
    far = measured_at(bench, candidate, full.rows, (64, 16), 0.1, 10.0)
    assert bench.forecast(candidate, full, (*far, first)).phases["iterations"] == pytest.approx(alone)


def test_a_busy_machine_counts_by_cpu_time_and_widens(bench: Any) -> None:
    """Wall times that others stretched are not taken; the interval says that they were there."""
    candidate, full = bench.candidate(), bench.shape()
    quiet = measured_at(bench, candidate, full.rows, (64, 16), 1, 1)
    busy = tuple(bench.sample(candidate, m.shape, contention=0.5) for m, _ in quiet)
    assert busy[0][0].phases["iterations"].wall_s > 5 * quiet[0][0].phases["iterations"].wall_s
    calm, noisy = bench.forecast(candidate, full, quiet), bench.forecast(candidate, full, busy)
    assert noisy.phases["iterations"] == pytest.approx(calm.phases["iterations"], rel=0.02)
    assert noisy.time_s.high / noisy.time_s.value > calm.time_s.high / calm.time_s.value
    assert bench.forecast(candidate, full, (*quiet, *busy)).time_s == calm.time_s


def test_memory_samples_move_what_grows_not_what_stays(bench: Any) -> None:
    """Twice the bytes a cell, seen at two sizes, is twice at full size; the process stays one process."""
    candidate, full = bench.candidate(), bench.shape()
    measured = []
    for m, law in measured_at(bench, candidate, full.rows, (16, 4), 1, 1):
        measured.append((m.but(peak_bytes=round(1.5e8 + 72 * m.shape.cells)), law))
    forecast = bench.forecast(candidate, full, tuple(measured))
    assert forecast.memory_bytes.value == pytest.approx(1.5e8 + 72 * full.cells, rel=0.05)
    assert forecast.memory_fixed_bytes == pytest.approx(1.5e8, rel=0.3)


def test_ranks_hold_memory_each(bench: Any) -> None:
    """A law is one rank's; the machine holds them all."""
    one = bench.forecast(bench.candidate(), bench.shape())
    two = bench.forecast(bench.candidate("data-parallel", ranks=2, threads=1), bench.shape())
    assert two.memory_bytes.value == pytest.approx(2 * one.memory_bytes.value)


def test_cost_is_time_at_the_machines_price(bench: Any) -> None:
    """No price, no cost: it is never invented."""
    priced = bench.forecast(bench.candidate(), bench.shape(), machine=bench.machine(usd_per_hour=3.6))
    assert priced.cost_usd is not None
    assert priced.cost_usd.value == pytest.approx(priced.time_s.value * 0.001)
    assert bench.forecast(bench.candidate(), bench.shape()).cost_usd is None


def test_data_beyond_memory_takes_the_disks_time(bench: Any) -> None:
    """What cannot stay in the page cache is read at the disk's speed, and no forecast is below that."""
    machine = bench.machine(2e9, disk_read_bytes_per_s=100e6)
    tiny = Law(time={}, memory=(Term(name="base", amount=1, prior=1e8),))
    forecast = bench.forecast(bench.candidate(), bench.shape(1000, source_bytes=50_000_000_000), (), machine, tiny)
    assert forecast.time_s.low >= 500


def grouped(bench: Any, workers: int, largest: int = 3_000) -> tuple[Any, Any, Law]:
    candidate = bench.candidate("many-models", workers=workers, threads=1)
    shape = bench.shape(800_000, holdout_rows=200_000, groups=1000, largest_group=largest, threads=1)
    terms = (Term(name="rows", amount=800_000, prior=1e-3),)
    law = Law(units=1000, time={"iterations": terms}, memory=(Term(name="base", amount=workers, prior=1e8),))
    return candidate, shape, law


def test_workers_share_the_groups_but_not_the_largest(bench: Any) -> None:
    """Twice the workers halve the fitting; beyond that the largest group is what is waited for."""
    seconds = {}
    for workers in (1, 2, 100):
        candidate, shape, law = grouped(bench, workers, largest=100_000)
        seconds[workers] = bench.forecast(candidate, shape, law=law).phases["iterations"]
    assert seconds[1] == pytest.approx(800)
    assert seconds[2] == pytest.approx(400)
    assert seconds[100] == pytest.approx(80)


def test_first_chunks_forecast_the_rest(bench: Any) -> None:
    """A unit is a row: all rows, held-out ones too, at the pace of the first chunks."""
    candidate, shape, law = grouped(bench, 2)
    m = Measurement(
        path=candidate.path, shape=shape, full_size=True, phases={"start": Phase(wall_s=1.5, cpu_s=1.5)}, units=50_000,
        unit_s=2e-4, unit_cpu_s=4e-4, peak_bytes=3 * 10**8, attempt="4 chunks, 50,000 of 1,000,000 rows",
    )  # fmt: skip
    forecast = bench.forecast(candidate, shape, ((m, law),), law=law)
    assert forecast.phases == pytest.approx({"start": 1.5, "iterations": 200.0, "save": joining_s(shape)})
    assert forecast.memory_bytes.value == pytest.approx(3e8 * LATER_CHUNKS)
    assert forecast.source == "from 4 chunks, 50,000 of 1,000,000 rows"


def test_measured_chunks_know_the_largest_group(bench: Any) -> None:
    """A group of half the rows is waited for, whatever the chunks before it showed of many workers."""
    candidate, shape, law = grouped(bench, 100, largest=500_000)
    m = Measurement(
        path=candidate.path, shape=shape, full_size=True, phases={}, units=50_000, unit_s=4e-6, unit_cpu_s=4e-4,
    )  # fmt: skip
    assert bench.forecast(candidate, shape, ((m, law),), law=law).phases["iterations"] == pytest.approx(200)


def test_elsewhere_is_modelled(bench: Any) -> None:
    """Twice the cores, twice as fast each: the parallel part four times as fast, the rest twice; nothing is 'measured'."""
    here = bench.machine(cpu_ns=2.0)
    there = here.but(name="big", cores=4, cpu_ns=1.0, usd_per_hour=1.0)
    law = bench.law(bench.shape())
    forecast = bench.forecast(bench.candidate(), bench.shape(), machine=here)
    moved = forecasting.elsewhere(forecast, law, here, there)
    assert moved.phases["start"] == pytest.approx(forecast.phases["start"] / 2)
    amdahl = (0.1 + 0.9 / 4) / (0.1 + 0.9 / 2) / 2
    assert moved.phases["iterations"] == pytest.approx(forecast.phases["iterations"] * amdahl)
    assert moved.time_s.high / moved.time_s.value > forecast.time_s.high / forecast.time_s.value
    assert moved.cost_usd is not None
    assert moved.cost_usd.value == pytest.approx(moved.time_s.value / 3600)
    origins = {moved.time_s.origin, moved.memory_bytes.origin, moved.storage_bytes.origin, moved.cost_usd.origin}
    assert origins == {"modelled"}
    assert sum(moved.phases.values()) == pytest.approx(moved.time_s.value)


def profile_of(rows: int, read_rows: int, read_bytes: int, read_s: float) -> Profile:
    return Profile(
        rows=Figure.exact(rows), bytes=10_000, columns=(), read_rows=read_rows, read_bytes=read_bytes, read_s=read_s
    )


def test_reading_is_measured_where_the_profile_read_enough(bench: Any) -> None:
    """A profile that read all says the pace; one that read nothing to speak of leaves the prior."""
    piece = Piece(path="a", bytes=10_000, pin="p", parts=((1_000_000, 10_000),))
    snapshot = Snapshot(source="files", root=".", columns=(("x", "float"), ("y", "float")), pieces=(piece,))
    shape = bench.shape(1_000_000)
    rates = rates_of(profile_of(1_000_000, 1_000_000, 10_000, 2.0), snapshot, shape)
    assert rates.read_s_per_cell.value == pytest.approx(1e-6)
    assert rates.read_s_per_cell.origin == "measured"
    assert rates_of(profile_of(1_000_000, 100, 10, 0.001), snapshot, shape).read_s_per_cell.origin == "assumed"


def test_filling_in_what_is_missing_takes_a_pass_to_learn_it(bench: Any) -> None:
    """Means of all columns are learnt before the rows are encoded: more than where missing values stay."""
    piece = Piece(path="a", bytes=10_000, pin="p", parts=((1_000_000, 10_000),))
    snapshot = Snapshot(source="files", root=".", columns=(("x", "float"), ("y", "float")), pieces=(piece,))
    shape, about = bench.shape(1_000_000), profile_of(1_000_000, 100, 10, 0.001)
    kept, filled = (rates_of(about, snapshot, shape, imputes=imputes) for imputes in (False, True))
    law = bench.law(shape)
    seconds = [
        sum(term.amount * term.prior for term in work_of(bench.candidate(), law, shape, rates)["encode"])
        for rates in (kept, filled)
    ]
    assert seconds[1] > 2 * seconds[0]


@pytest.mark.parametrize("cores", [1, 2, 4, 8, 32])
def test_ranks_of_one_machine_are_no_faster_than_one_process(bench: Any, cores: int) -> None:
    """By priors: they share its cores, and what threads cannot share, and exchange what one process has."""
    machine, shape = bench.machine(cores=cores), bench.shape()
    one = bench.forecast(bench.candidate(threads=cores), shape, machine=machine)
    half = bench.shape(shape.rows // 2)  # what a rank has, by the law that a framework gives of it
    ranks = bench.candidate("data-parallel", ranks=2, threads=max(1, cores // 2))
    two = bench.forecast(ranks, shape, machine=machine, law=bench.law(half, "data-parallel"))
    assert two.time_s.value > one.time_s.value
    if cores == 1:
        assert two.time_s.value > 1.2 * one.time_s.value  # they take turns
