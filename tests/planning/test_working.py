"""What a forecast of CPU seconds promises."""

from __future__ import annotations

from typing import Any

import pytest

from fitscale.planning.forecasts import forecasting
from fitscale.planning.forecasts.grouped import joining_s
from fitscale.records.plan import Law, Measurement, Phase, Term


def cpu_of(forecast: Any) -> float:
    assert forecast.cpu_s is not None
    assert 0 < forecast.cpu_s.low <= forecast.cpu_s.value <= forecast.cpu_s.high
    return float(forecast.cpu_s.value)


def test_without_measurements_the_priors_are_cpu_seconds(bench: Any) -> None:
    """The sum of the terms, whatever the threads: they divide the wall time alone."""
    shape = bench.shape()
    priors = sum(term.amount * term.prior for terms in bench.law(shape).time.values() for term in terms)
    feeding = shape.rows * (20 + 29 + 1) * 1e-8  # read, encoded, learnt
    one = bench.forecast(bench.candidate(threads=1), shape)
    two = bench.forecast(bench.candidate(), shape)
    assert cpu_of(one) == pytest.approx(2.0 + priors + feeding, rel=0.01)
    assert cpu_of(one) == cpu_of(two)
    assert two.time_s.value < one.time_s.value


def test_samples_carry_their_cpu_seconds_however_busy_the_machine_was(bench: Any) -> None:
    """Others stretch wall times and intervals, and no CPU second."""
    candidate, full = bench.candidate(), bench.shape()
    quiet, busy = (
        tuple(
            bench.sample(candidate, bench.shape(full.rows // share), faster=0.5, contention=crowd) for share in (64, 16)
        )
        for crowd in (0.0, 0.5)
    )
    calm, noisy = bench.forecast(candidate, full, quiet), bench.forecast(candidate, full, busy)
    assert noisy.cpu_s == calm.cpu_s
    truth = sum(phase.cpu_s for phase in bench.sample(candidate, full, faster=0.5)[0].phases.values())
    assert cpu_of(calm) == pytest.approx(truth, rel=0.1)


def test_a_beginning_at_full_size_tells_the_cpu_seconds_of_a_round(bench: Any) -> None:
    """Of all rounds so many times."""
    candidate, full = bench.candidate(), bench.shape()
    m, law = bench.sample(candidate, full)
    m = m.but(full_size=True, units=5, phases={"bin": m.phases["bin"]}, unit_cpu_s=3.0)
    forecast = bench.forecast(candidate, full, ((m, law),))
    assert cpu_of(forecast) == pytest.approx(300 + m.phases["bin"].cpu_s, rel=0.05)


def test_ranks_add_up_and_do_not_wait(bench: Any) -> None:
    """Each works on its share by a law of its own; that they wait for each other is wall time."""
    shape = bench.shape(1_500_000)  # of one rank
    one = bench.forecast(bench.candidate(threads=1), shape)
    two = bench.forecast(bench.candidate("data-parallel", ranks=2, threads=1), shape)
    assert two.time_s.value > one.time_s.value
    assert cpu_of(two) == pytest.approx(2 * cpu_of(one), rel=0.05)


def test_workers_share_groups_and_each_starts(bench: Any) -> None:
    """The CPU seconds of the chunks that were seen, for all rows; a largest group is waited for, and works no longer for it."""
    shape = bench.shape(800_000, holdout_rows=200_000, groups=1000, largest_group=500_000, threads=1)
    law = Law(
        units=1000, time={"iterations": (Term(name="rows", amount=800_000, prior=1e-3),)},
        memory=(Term(name="base", amount=2, prior=1e8),),
    )  # fmt: skip
    seconds = []
    for workers in (2, 4):
        candidate = bench.candidate("many-models", workers=workers, threads=1)
        m = Measurement(
            path=candidate.path, shape=shape, full_size=True, phases={"start": Phase(wall_s=1.5, cpu_s=1.0)}, units=50_000,
            unit_s=4e-4 / workers, unit_cpu_s=4e-4,
        )  # fmt: skip
        seconds.append(cpu_of(bench.forecast(candidate, shape, ((m, law),), law=law)))
    assert seconds == pytest.approx([400 + 2 + joining_s(shape), 400 + 4 + joining_s(shape)])


def test_several_fits_work_as_often_and_another_machine_is_not_known(bench: Any) -> None:
    """Five folds are five times one; where nothing was measured there is no figure."""
    machine = bench.machine(cpu_ns=2.0)
    forecast = bench.forecast(bench.candidate(), bench.shape(), machine=machine)
    assert cpu_of(forecasting.repeated(forecast, 5, machine)) == pytest.approx(5 * cpu_of(forecast))
    there = machine.but(name="big", cores=4, cpu_ns=1.0)
    assert forecasting.elsewhere(forecast, bench.law(bench.shape()), machine, there).cpu_s is None
