"""Speed carried over to a machine that was never measured: by a stated rule, with an interval, said so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitscale.machines.modelled import relative_speed, wall_scale
from fitscale.records.machine import Machine


def machine(name: str = "m", cores: int = 4, clock: float | None = None, loop: float | None = None) -> Machine:
    return Machine(name=name, cores=cores, memory_bytes=2**34, clock_ghz=clock, cpu_ns=loop)


def test_the_same_machine_is_exactly_as_fast() -> None:
    """No interval and no model where there is nothing to carry over."""
    here = machine(clock=3.0)
    assert relative_speed(here, here).low == relative_speed(here, here).high == 1
    assert wall_scale(here, here, parallel=0.9).origin == "measured"


def test_the_loop_goes_before_the_clock() -> None:
    """Where both machines ran the fixed loop, clocks are not asked, and the interval is narrower."""
    by_loop = relative_speed(machine("a", clock=3.0, loop=2.0), machine("b", clock=3.0, loop=1.0))
    assert by_loop.value == 2.0
    by_clock = relative_speed(machine("a", clock=2.0, loop=2.0), machine("b", clock=4.0))
    assert by_clock.value == 2.0
    assert (by_loop.origin, by_clock.origin) == ("modelled", "modelled")
    assert by_loop.high / by_loop.low < by_clock.high / by_clock.low


def test_nothing_known_is_assumed() -> None:
    """Without clock or loop: as fast as here, with the widest interval, and said to be assumed."""
    figure = relative_speed(machine("a"), machine("b", clock=3.0))
    assert (figure.value, figure.origin) == (1.0, "assumed")
    assert figure.low < 0.7
    assert figure.high > 1.4


def test_serial_work_gains_nothing_from_threads() -> None:
    """Only the parallel part is divided."""
    here, there = machine("a", cores=1, clock=3.0), machine("b", cores=8, clock=3.0)
    assert wall_scale(here, there, parallel=0.0).value == pytest.approx(1.0)
    assert wall_scale(here, there, parallel=1.0).value == pytest.approx(1 / 8)
    assert wall_scale(here, there, parallel=0.5).value == pytest.approx(0.5 + 0.5 / 8)
    with pytest.raises(ValueError, match=r"1\.5"):
        wall_scale(here, there, parallel=1.5)


@given(st.floats(0, 1), st.integers(1, 256), st.integers(1, 256), st.floats(1, 5), st.floats(1, 5), st.integers(1, 256))
def test_intervals_hold_their_value_and_threads_never_harm(
    parallel: float, few: int, more: int, clock: float, other: float, beyond: int
) -> None:
    """The value is inside its interval; more threads are never modelled slower."""
    here, there = machine("a", few, clock), machine("b", more, other)
    figure = wall_scale(here, there, parallel=parallel)
    assert 0 < figure.low <= figure.value <= figure.high
    further = wall_scale(here, there, parallel=parallel, threads_there=more + beyond)
    assert further.value <= figure.value * (1 + 1e-9)
    assert further.high / further.low >= figure.high / figure.low * (1 - 1e-9)
