"""What a place costs: hours on demand and spot, disks, the way of the data, licences."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
from plans import candidate, forecast, workload
from plans import plan as planned

from fitscale.machines.catalogue import catalogue
from fitscale.planning.costs import spot
from fitscale.planning.costs.monthly import costs_of, priced, shipped
from fitscale.planning.costs.storing import SYSTEM_GB
from fitscale.planning.portfolio.schedule import MONTH_S
from fitscale.records.base import Figure
from fitscale.records.costs import Cost, Costs
from fitscale.records.machine import Machine
from fitscale.records.plan import Assessed, Plan
from fitscale.records.workload import DataSpec, Needs

HOURS = 2.0
GIB = 2**30


def rented(name: str = "r7i.2xlarge", **changes: Any) -> Machine:
    return next(m for m in catalogue() if m.name == name).but(**changes)


def job(uri: str = "rows.parquet", **changes: Any) -> Plan:
    """60 GB of files here, once a week, unless it is said otherwise."""
    own = workload(data=DataSpec(uri=uri, target="y"), **{"needs": Needs(frequency="weekly"), **changes})
    return planned(workload=own)


def costed(plan: Plan, machine: Machine, name: str = "quantised") -> Costs:
    way = candidate(name, machine.name)
    return costs_of(
        plan, Assessed(candidate=way, forecast=forecast(HOURS * 3600, 31, origin="modelled")), machine, shipped()
    )


def line(costs: Costs, part: str, begins: str = "") -> Cost:
    return next(one for one in costs.lines if one.part == part and begins in one.what)


def known(figure: Figure | None) -> float:
    assert figure is not None
    return figure.value


# The machine.


def test_hours_by_price_and_by_month() -> None:
    """A run is its hours at the price of the catalogue, a month as many of them as the frequency says."""
    machine = rented()
    worked = line(costed(job(), machine), "machine", "of work")
    assert worked.usd_run is not None
    assert worked.usd_month is not None
    assert worked.usd_run.value == pytest.approx(HOURS * machine.usd_per_hour)
    assert worked.usd_month.value == pytest.approx(4.35 * worked.usd_run.value)
    assert worked.usd_run.low < worked.usd_run.value < worked.usd_run.high
    assert worked.as_of == machine.as_of


def test_every_line_says_where_it_is_from() -> None:
    """Value, origin and source; what was looked up has its date."""
    for machine in (rented(), rented("n2-standard-4")):
        for one in costed(job(), machine).lines:
            assert one.source, one
            assert one.as_of or one.origin != "looked up", one


def test_the_sums_are_those_of_the_lines_that_count() -> None:
    """Other ways of keeping the data and of paying for hours stand beside the sum, and are not in it."""
    costs = costed(job(), rented())
    counted = [one for one in costs.lines if one.counted]
    assert costs.usd_month.value == pytest.approx(sum(one.usd_month.value for one in counted if one.usd_month))
    assert costs.usd_run.value == pytest.approx(sum(one.usd_run.value for one in counted if one.usd_run))
    assert {one.part for one in costs.lines if not one.counted} == {"spot", "storage"}
    assert costs.unknown == ()
    assert costs.spot_usd_month is not None
    assert costs.spot_usd_month.value < costs.usd_month.value


def test_a_slow_uplink_is_paid_by_the_hour() -> None:
    """60 GB over 80 Mbit/s take 6,000 s, in which the machine waits; over a network that is slower than the uplink, its time."""
    slow = costed(job(), rented(uplink_bytes_per_s=1e7))
    assert known(line(slow, "transfer", "data").time_s) == pytest.approx(6000)
    waited = line(slow, "machine", "to start").time_s
    assert waited is not None
    assert waited.value == pytest.approx(6300)
    narrow = costed(job(), rented(uplink_bytes_per_s=1e12, network_bytes_per_s=1e8))
    assert known(line(narrow, "transfer", "data").time_s) == pytest.approx(600)
    assert not any("uplink" in text for text in narrow.assumptions)
    assert any("uplink from here 100 Mbit/s" in text for text in costed(job(), rented()).assumptions)


# Spot.


def test_interruptions_cost_a_restart_and_half_a_segment() -> None:
    """In ten hours with one an hour, each of 6 minutes and half of 12: 12.5 hours."""
    assert spot.expected_s(36_000, 1.0, 360, 720) == pytest.approx(36_000 / (1 - 720 / 3600))
    assert spot.expected_s(36_000, 0.0, 360, 720) == 36_000


def test_what_keeps_nothing_begins_anew() -> None:
    """The waiting time for a span without an interruption: (exp(rate × work) − 1) / rate, and a restart for each that failed."""
    assert spot.expected_s(3600, 1.0, 0, math.inf) == pytest.approx((math.e - 1) * 3600)
    assert spot.expected_s(3600, 1.0, 60, math.inf) == pytest.approx((math.e - 1) * 3660)
    assert spot.expected_s(3600 * 100, 1.0, 60, math.inf) == math.inf
    assert spot.expected_s(36_000, 4.0, 900, 720) == math.inf


@given(st.floats(1, 1e6), st.floats(0, 2), st.floats(0, 600), st.floats(1, 1e7))
def test_interruptions_never_save_time(work: float, rate: float, restart: float, segment: float) -> None:
    """More of them, and longer restarts, take longer."""
    took = spot.expected_s(work, rate, restart, segment)
    assert took >= work
    nearly = took * (1 - 1e-12)
    assert spot.expected_s(work, rate * 1.1, restart, segment) >= nearly
    assert spot.expected_s(work, rate, restart + 10, segment) >= nearly


@pytest.mark.parametrize("segment", [60.0, 600.0, math.inf])
def test_the_formula_is_what_interruptions_come_to(segment: float) -> None:
    """3,000 runs of two hours, played with one interruption in two hours, take on average what is expected, within 3 %."""
    rng = np.random.default_rng(0)
    work, rate, restart = 7200.0, 0.5 / 3600, 400.0
    took = []
    for _ in range(3000):
        now, done, ready = 0.0, 0.0, 0.0  # ready: when work goes on
        while True:
            gone = now + rng.exponential(1 / rate)
            if ready + (work - done) <= gone:
                took.append(ready + work - done)
                break
            worked = max(0.0, gone - ready)
            done = 0.0 if math.isinf(segment) else done + worked // segment * segment
            now, ready = gone, gone + restart
    assert spot.expected_s(work, rate * 3600, restart, segment) == pytest.approx(np.mean(took), rel=0.03)


def test_spot_is_assumed_until_it_is_stated() -> None:
    """A price and a rate of the user's own replace what is assumed, and are not told as assumed."""
    assumed = line(costed(job(), rented()), "spot")
    assert assumed.origin == "assumed"
    costs = costed(job(), rented(usd_per_hour_spot=0.1, interruptions_per_hour=0.0))
    stated = line(costs, "spot")
    assert "0.1 USD an hour (stated), 0 interruptions an hour (stated)" in stated.source
    assert not any("spot" in text for text in costs.assumptions)


def test_a_machine_of_ones_own_is_not_taken_away() -> None:
    """No cloud rents it out: no spot, no volume, no way out that is paid for."""
    machine = Machine(
        name="rack", kind="catalogue", cores=64, memory_bytes=512 * GIB, usd_per_hour=1.2, origin="stated",
        disk_free_bytes=10**12,
    )  # fmt: skip
    costs = costed(job(), machine)
    assert costs.spot_usd_month is None
    assert not any(one.part == "spot" for one in costs.lines)
    assert known(line(costs, "storage").usd_month) == 0
    assert costs.unknown == ()
    unsaid = costed(job(), machine.but(disk_free_bytes=None))
    assert unsaid.unknown == (
        "storage: disk, 60 GB (the table of machines does not say what disk it has (local_disk_gb))",
    )


# Disks.


def test_a_volume_is_paid_while_the_machine_is_rented() -> None:
    """System, data and run on the cheapest kind whose speed is known; its reading stands beside it."""
    costs = costed(job(), rented(uplink_bytes_per_s=1e12, network_bytes_per_s=None))
    block = line(costs, "storage", "EBS gp3 (block), 120 GB")
    rented_s = HOURS * 3600 + 300
    assert block.usd_run is not None
    assert block.usd_run.value == pytest.approx(
        0.08 * (SYSTEM_GB * 1e9 + 60.005e9) / GIB * rented_s / MONTH_S, rel=0.01
    )
    assert "read once in 7.6 min" in block.what
    kept = [one.what.partition(",")[0] for one in costs.lines if one.part == "storage" and not one.counted]
    assert kept == ["or EBS gp3 (block)", "or S3 Standard (object)"]


def test_the_machines_own_ssd_costs_nothing_where_it_is_large_enough() -> None:
    """It holds data and run; the system's volume is still paid."""
    costs = costed(job(), rented(disk_free_bytes=75 * 10**9))
    own = line(costs, "storage", "own SSD")
    assert own.usd_month is not None
    assert own.usd_month.value == 0
    assert line(costs, "storage", f"(block), {SYSTEM_GB} GB").counted
    small = costed(job(), rented(disk_free_bytes=10 * 10**9))
    assert not any("own SSD" in one.what for one in small.lines)


# The way of the data.


def test_data_of_the_same_region_moves_for_nothing() -> None:
    """A managed database names its region; from another region, and out of the cloud, its bytes are paid."""
    uri = "postgresql://u@db.abc.us-east-1.rds.amazonaws.com/x"
    same = line(costed(job(uri), rented()), "transfer", "data")
    assert same.usd_run is not None
    assert same.usd_run.value == 0
    far = line(costed(job(uri.replace("us-east-1", "us-west-2")), rented()), "transfer", "data")
    assert far.usd_run is not None
    assert far.usd_run.value == pytest.approx(0.02 * 60e9 / GIB)
    away = line(costed(job(uri), rented("n2-standard-4")), "transfer", "data")
    assert away.usd_run is not None
    assert away.usd_run.value == pytest.approx(0.09 * 60e9 / GIB)


def test_an_unknown_region_may_be_the_same() -> None:
    """Between nothing and the price of another region."""
    moved = line(costed(job("s3://bucket/rows.parquet"), rented()), "transfer", "data").usd_run
    assert moved is not None
    assert (moved.low, moved.high) == (0.0, pytest.approx(0.02 * 60e9 / GIB))


def test_what_is_not_known_is_said_and_in_no_sum() -> None:
    """A server whose address does not say where it stands; a framework that is in no table."""
    costs = costed(job("postgresql://pg-replica/flights"), rented())
    assert costs.unknown == ("transfer: data, 60 GB from its server (its address does not say where it stands)",)
    way = candidate("in-memory", "r7i.2xlarge").but(framework="theirs")
    one = Assessed(candidate=way, forecast=forecast(60, 1))
    assert costs_of(job(), one, rented(), shipped()).unknown == (
        "licences: theirs (it is not in the table of licences)",
    )


def test_made_up_rows_are_made_where_the_run_is() -> None:
    """Nothing is sent, nothing is kept."""
    costs = costed(job("synthetic://?rows=1000"), rented())
    assert known(line(costs, "transfer", "data: made where the run is").usd_month) == 0


# This machine, and a plan.


def test_this_machine_at_a_price_and_without() -> None:
    """Nothing is moved and its disk is there; without a price its hours are not known, and not free."""
    plan = job()
    costs = costed(plan, plan.machine.but(usd_per_hour=0.12, origin="stated"))
    assert costs.usd_run.value == pytest.approx(HOURS * 0.12)
    assert costs.unknown == ()
    unpriced = costed(plan, plan.machine)
    assert unpriced.usd_month.value == 0
    assert unpriced.unknown[0].startswith("machine: 2 h")


def test_a_plan_prices_its_better_place() -> None:
    """The record of what would be better has its costs; a plan without one stays as it is."""
    plan = job()
    better = priced(plan, catalogue()).decision.better
    assert better is not None
    assert better.costs is not None
    assert better.costs.machine == "r7i.2xlarge"
    assert type(better).from_json(better.to_json()) == better
    alone = plan.but(decision=plan.decision.but(better=None))
    assert priced(alone, catalogue()) == alone


def test_a_month_over_the_budget_is_said() -> None:
    """The gate looks at work alone; a budget of nothing is passed by any cent."""
    from fitscale.records.workload import Budget

    needs = Needs(frequency="daily", budget=Budget(hardware_usd_month=0))
    assert costed(job(needs=needs), rented()).over_budget.endswith("over your 0 USD for hardware")
    rich = Needs(frequency="daily", budget=Budget(hardware_usd_month=1e6))
    assert costed(job(needs=rich), rented()).over_budget == ""
