"""What a fit does to its process costs that fit alone."""

from __future__ import annotations

import faulthandler
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitscale.work.forking import Fatal, Limits, fit_forked, fit_side_by_side


def run(items: list[int], fit: Any, **options: Any) -> dict[int, Any]:
    found = list(fit_forked(items, fit, **options))
    assert sorted(item for item, _ in found) == sorted(items), "each item exactly once"
    return dict(found)


def test_results_come_back_from_one_child() -> None:
    """All items of a healthy batch are fitted in one forked process, which is not this one."""
    found = run(list(range(20)), lambda i: (i * i, os.getpid()))
    assert [found[i][0] for i in range(20)] == [i * i for i in range(20)]
    assert len({pid for _, pid in found.values()}) == 1
    assert found[0][1] != os.getpid()


@pytest.mark.parametrize(
    ("end", "kind", "why"),
    [
        (lambda: os._exit(3), "exited", "code 3"),
        (lambda: os._exit(0), "exited", "code 0"),
        (lambda: os.kill(os.getpid(), signal.SIGSEGV), "killed", "SIGSEGV"),
        (lambda: os.abort(), "killed", "SIGABRT"),
    ],
)
def test_an_item_that_ends_its_process_costs_itself_alone(end: Any, kind: str, why: str) -> None:
    """It is tried once more, then given up with how it ended; the others are fitted."""

    def fit(i: int) -> int:
        if i == 4:
            faulthandler.disable()  # what the test runner would print of it
            end()
        return i

    found = run(list(range(10)), fit)
    assert isinstance(found[4], Fatal)
    assert found[4].kind == kind
    assert why in found[4].why
    assert all(found[i] == i for i in range(10) if i != 4)


@pytest.mark.parametrize("waits", [False, True])
def test_an_item_that_never_ends_costs_itself_alone(waits: bool) -> None:
    """One that works on and on is ended by its CPU seconds, one that waits for ever by the clock; neither is tried again."""
    began: list[float] = []

    def fit(i: int) -> int:
        while i == 2:
            time.sleep(10.0 if waits else 0.0)
        return i

    def seconds(i: int) -> float:
        began.append(time.monotonic())
        return 0.3

    found = run(list(range(5)), fit, limits=Limits(seconds=seconds))
    assert isinstance(found[2], Fatal)
    assert found[2].kind == "time"
    assert "CPU seconds" in found[2].why
    assert all(found[i] == i for i in (0, 1, 3, 4))
    assert began


def test_an_item_may_take_its_time() -> None:
    """Others' seconds are not its own: a child does many."""
    work = lambda i: sum(k * k for k in range(400_000))  # noqa: E731
    found = run(list(range(12)), work, limits=Limits(seconds=lambda i: 60.0))
    assert not any(isinstance(value, Fatal) for value in found.values())


def children() -> set[str]:
    """Processes of this one that have not been waited for; other tests' servers may be among them."""
    return {pid for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()}


@settings(max_examples=8, deadline=None)
@given(st.sets(st.integers(0, 11)), st.sets(st.integers(0, 11)))
def test_any_mixture_of_deaths_loses_nobody_else(dies: set[int], dies_first: set[int]) -> None:
    """Items that always die are Fatal; those that die at the first try only are fitted; all others once."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:

        def fit(i: int) -> int:
            mark = Path(folder) / str(i)
            if i in dies or (i in dies_first and not mark.exists()):
                mark.touch()
                os._exit(7)
            return i

        found = run(list(range(12)), fit)
    assert {i for i, value in found.items() if isinstance(value, Fatal)} == dies


def test_an_item_that_takes_too_much_memory_is_ended() -> None:
    """Its child passes the limit of one fit and is ended; the others go on."""

    def fit(i: int) -> int:
        if i == 1:
            hoard = [bytearray(os.urandom(1 << 20)) * 8 for _ in range(200)]
            time.sleep(5)
            return len(hoard)
        return i

    found = run([0, 1, 2], fit, limits=Limits(bytes=200_000_000), retries=0)
    assert found[1] == Fatal("memory", "the fit needed more memory than one fit may take")
    assert (found[0], found[2]) == (0, 2)


def test_large_results_pass() -> None:
    """A payload far beyond the size of a pipe comes back whole."""
    found = run([0, 1], lambda i: bytes([i]) * 5_000_000)
    assert found[1] == b"\x01" * 5_000_000


def test_closing_leaves_no_child() -> None:
    """A caller that stops early leaves no process behind."""
    going = fit_forked(range(1000), lambda i: (time.sleep(0.01), os.getpid())[1])
    _, pid = next(going)
    going.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@settings(max_examples=8, deadline=None)
@given(st.sets(st.integers(0, 7)), st.sets(st.integers(0, 7)), st.integers(1, 4))
def test_side_by_side_each_item_ends_once(dies: set[int], raises_late: set[int], at_once: int) -> None:
    """Items that always die are Fatal, the others come back, whatever the order; no child is left."""

    def fit(i: int) -> int:
        if i in raises_late:
            time.sleep(0.005)
        if i in dies:
            os._exit(3)
        return i * i

    before = children()
    found = list(fit_side_by_side(range(8), fit, at_once))
    assert sorted(item for item, _ in found) == list(range(8))
    for item, end in found:
        assert isinstance(end, Fatal) if item in dies else end == item * item
    assert children() == before


def test_so_many_are_at_work_at_once() -> None:
    """As many processes as asked for, and each item has one of its own."""

    def fit(i: int) -> tuple[int, float, float]:
        began = time.monotonic()
        time.sleep(0.1)
        return os.getpid(), began, time.monotonic()

    ends = [end for _, end in fit_side_by_side(range(4), fit, 2)]
    assert len({pid for pid, _, _ in ends}) == 4
    most = max(sum(began <= at < ended for _, began, ended in ends) for _, at, _ in ends)
    assert most == 2


def test_what_comes_between_ends_all() -> None:
    """An error that is raised while children are at work leaves none of them."""
    calls = iter(range(100))

    def between() -> None:
        if next(calls) == 3:
            raise KeyError("enough")

    before = children()
    with pytest.raises(KeyError):
        list(fit_side_by_side(range(4), lambda i: time.sleep(60), 2, between=between))
    assert children() == before


def test_what_is_put_off_is_done_while_a_child_is_at_work(tmp_path):
    waiting, done = tmp_path / "waiting", []

    def fit(item):
        while item == 0 and not waiting.exists():  # goes on only once the parent has done what was put off
            time.sleep(0.01)
        return item

    def meanwhile():
        done.append(1)
        waiting.touch()

    assert list(fit_forked(range(3), fit, meanwhile=meanwhile)) == [(0, 0), (1, 1), (2, 2)]
    assert done == [1]
