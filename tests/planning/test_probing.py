"""What the beginning of a run shows of its pace and size, whatever is worked on at once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitscale.planning.forecasts.holding import memory_of
from fitscale.planning.probing import from_beginning, is_measured
from fitscale.records.plan import Term
from fitscale.records.run import Event


def told(threads: int, each: int, seconds: float, offsets: list[float], rounds: int) -> list[Event]:
    """The reports of threads that do ``each`` units in ``seconds``, again and again, each begun at its own moment."""
    ends = sorted(offsets[t] + seconds * (k + 1) for t in range(threads) for k in range(rounds))
    return [
        Event(
            kind="units", at=at, data={"units": (i + 1) * each, "cpu_s": at * threads, "size": (i + 1) * each * 1_000}
        )
        for i, at in enumerate(ends)
    ]


@settings(deadline=None)
@given(
    threads=st.integers(1, 6), each=st.integers(1, 5), seconds=st.floats(0.6, 50.0), shares=st.lists(st.floats(0, 0.2), min_size=6)
)  # fmt: skip
def test_the_pace_of_threads_is_that_of_whole_rounds(
    bench: Any, threads: int, each: int, seconds: float, shares: list[float]
) -> None:
    """As soon as a beginning counts as measured its pace is right, however close together the threads report."""
    events = told(threads, each, seconds, [share * seconds for share in shares], 6)
    seen = next(n for n in range(len(events)) if is_measured(events[:n], threads))
    found = from_beginning(bench.candidate(threads=threads), bench.shape(), events[:seen], 0.0, threads)
    assert found is not None
    assert found.unit_s == pytest.approx(seconds / (threads * each), rel=0.25)
    assert found.units % each == 0
    assert (found.done, found.model_bytes) == (seen * each, seen * each * 1_000)


def test_two_threads_that_report_together_are_not_taken_for_speed(bench: Any) -> None:
    """Eight trees after ten seconds and eight after twenty: 1.25 s a tree, not the moment between two reports."""
    events = told(2, 4, 10.0, [0.0, 0.1], 2)
    assert [event.data["units"] for event in events] == [4, 8, 12, 16]
    assert not is_measured(events[:3], 2)
    assert is_measured(events, 2)
    found = from_beginning(bench.candidate(), bench.shape(), events, 0.0, 2)
    assert found is not None
    assert found.unit_s == pytest.approx(1.25)


def forest(bench: Any, prior: float) -> Any:
    """A law whose model has so many bytes by prior: half of them there when half of the units are."""
    grown = Term(name="model", amount=prior, prior=1.0)
    base, rows = Term(name="base", amount=1, prior=1e8), Term(name="rows", amount=1e6, prior=100.0)
    memory = (base, rows, grown)
    return bench.law(bench.shape()).but(memory=memory, late=(grown,), end=(base, grown.but(prior=2.0)))


@pytest.mark.parametrize("prior", [1e7, 1e8, 1e10])
def test_a_model_whose_size_was_told_is_foreseen(bench: Any, prior: float) -> None:
    """Ten of 100 units had 5 MB: 45 MB will come, whatever the prior said."""
    m, _ = bench.sample(bench.candidate(), bench.shape())
    m = m.but(full_size=True, units=8, done=10, model_bytes=5_000_000, peak_bytes=205_000_000)
    law = forest(bench, prior)
    figure, _ = memory_of(bench.candidate(), law, bench.shape(), [(m, law)])
    assert figure.value == pytest.approx(250e6)
    other, _ = memory_of(bench.candidate("parts-and-merge"), law, bench.shape(), [], m)
    assert other.value == pytest.approx(250e6)


def test_a_large_model_counts_twice_at_the_end(bench: Any) -> None:
    """Ten of 100 units had 100 MB: written and read again, without the rows, the whole holds 2 GB and the process."""
    m, _ = bench.sample(bench.candidate(), bench.shape())
    m = m.but(full_size=True, units=8, done=10, model_bytes=100_000_000, peak_bytes=300_000_000)
    law = forest(bench, 1e7)
    figure, _ = memory_of(bench.candidate(), law, bench.shape(), [(m, law)])
    assert figure.value == pytest.approx(2.1e9)


def test_a_model_of_unknown_size_widens_the_interval(bench: Any) -> None:
    """Where most of the peak is yet to come, by prior, it is as uncertain as the prior."""
    m, _ = bench.sample(bench.candidate(), bench.shape())
    m = m.but(full_size=True, units=8, peak_bytes=205_000_000)
    sure, unsure = (
        memory_of(bench.candidate(), law, bench.shape(), [(m, law)])[0]
        for law in (forest(bench, 1e7), forest(bench, 1e10))
    )
    assert sure.high / sure.value < 1.1
    assert unsure.high / unsure.value > 1.4
