"""The ledger counts each second once, and other threads' work as theirs."""

from __future__ import annotations

import threading
import time

from fitscale.work.phases import Ledger

WORK_S = 0.1


def _burn() -> None:
    until = time.thread_time() + WORK_S
    while time.thread_time() < until:
        pass


def test_an_inner_phase_is_not_counted_in_the_outer() -> None:
    ledger = Ledger()
    with ledger.phase("iterations"):
        _burn()
        with ledger.phase("read"):
            _burn()
    took = ledger.so_far()
    assert set(took) == {"iterations", "read"}
    assert 0.9 * WORK_S < took["iterations"][1] < 1.8 * WORK_S
    assert 0.9 * WORK_S < took["read"][1] < 1.8 * WORK_S


def test_what_a_thread_does_beside_takes_cpu_of_its_own_phase_and_no_wall() -> None:
    ledger = Ledger()

    def beside() -> None:
        with ledger.phase("encode"):
            _burn()

    with ledger.phase("iterations"):
        thread = threading.Thread(target=beside)
        thread.start()
        _burn()
        thread.join()
    took = ledger.so_far()
    assert took["encode"][0] == 0.0
    assert 0.9 * WORK_S < took["encode"][1] < 1.8 * WORK_S
    assert 0.9 * WORK_S < took["iterations"][1] < 1.8 * WORK_S
