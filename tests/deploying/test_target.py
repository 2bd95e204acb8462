"""Which machine is deployed to, and what is said where there is none."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
import plans
from planned import MACHINE, Planned, planned

from fitscale.deploying.target import is_deployable, reason_not, target_of
from fitscale.errors import FitscaleError, NothingMeets, NothingRuns, UsageError
from fitscale.machines.catalogue import catalogue
from fitscale.planning.decision import better
from fitscale.planning.portfolio.moving import on_machine, ways_there
from fitscale.records.plan import Decision, Plan
from fitscale.records.workload import Budget, DataSpec, Deadline, ModelSpec, Needs
from fitscale.store import folder


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Planned:
    return planned(tmp_path_factory.mktemp("target"))


def test_the_better_place_is_the_default(late: Planned) -> None:
    """As the plan has it, with the machine as the catalogue has it."""
    found = target_of(late.plan, late.snapshot, None)
    assert found.assessed == late.plan.decision.better
    assert (found.machine.provider, found.machine.region, found.machine.name) == ("aws", "us-east-1", MACHINE)


def test_what_is_modelled_later_is_what_the_plan_modelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the plan alone, a machine has the figures that the planner compared it by."""
    monkeypatch.setattr(better, "WORTH_S", 0.0)
    monkeypatch.setattr(better, "FASTER", 0.01)
    made = planned(tmp_path, better=False, evaluate={"cv": 3})
    rather = made.plan.decision.better
    assert rather is not None
    [machine] = [one for one in catalogue() if one.name == rather.candidate.machine]
    [same] = [one for one in on_machine(made.plan, made.snapshot, machine)[0] if one.candidate == rather.candidate]
    for figure in ("time_s", "memory_bytes", "storage_bytes", "cost_usd"):
        ours, theirs = getattr(same.forecast, figure), getattr(rather.forecast, figure)
        assert (ours.value, ours.low, ours.high) == pytest.approx((theirs.value, theirs.low, theirs.high), rel=1e-12)
        assert ours.origin == theirs.origin == "modelled"
    assert same.forecast.source == rather.forecast.source
    assert ways_there(made.plan, made.snapshot, [machine])[0].assessed == same  # and so does a portfolio


def test_another_machine_is_taken_by_name(late: Planned) -> None:
    """And a strategy on it: what the measurements here come to there, at its price."""
    for named in ("m8i.large", "in-memory@m8i.large"):
        found = target_of(late.plan, late.snapshot, named)
        there = found.assessed
        assert there.candidate.machine == found.machine.name == "m8i.large"
        assert there.candidate.threads == found.machine.cores == 2
        assert there.forecast.time_s.origin == "modelled"
        cost = there.forecast.cost_usd
        assert cost is not None
        assert cost.value == pytest.approx(there.forecast.time_s.value * (found.machine.usd_per_hour or 0) / 3600)


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("r7i.2xlarg", "'r7i.2xlarg': no such machine in the catalogue; did you mean 'r7i.2xlarge'?"),
        ("in-memory", "'in-memory': in-memory needs no deployment: 'fitscale train' runs it here"),
        ("here", "'here': this machine needs no deployment"),
        ("quantized@m8i.large", "no candidate 'quantized'; there are: in-memory"),
        ("g5.xlarge", "g5.xlarge has 1 × a10g, which nothing here uses: name a machine without"),
    ],
)
def test_a_machine_that_cannot_be_meant_is_told(late: Planned, named: str, told: str) -> None:
    """With the nearest name, or what runs here all the same."""
    with pytest.raises(UsageError) as raised:
        target_of(late.plan, late.snapshot, named)
    assert told in str(raised.value)


def asked(late: Planned, **needs: Any) -> Plan:
    """The plan under other needs."""
    return late.plan.but(workload=late.plan.workload.but(needs=Needs(**needs)))


@pytest.mark.parametrize(
    ("needs", "told"),
    [
        ({"deadline": Deadline(must_s=0.001)}, "over your 0.001 s"),
        ({"budget": Budget(hardware_usd_month=0.0)}, "over your 0 USD"),
    ],
)
def test_gates_hold_there_too(late: Planned, needs: dict[str, Any], told: str) -> None:
    """A deadline or a budget that is missed there ends with 4, with the sentence of the gate."""
    with pytest.raises(NothingMeets, match=r"m8i\.large: nothing of plan 2 passes there: in-memory") as raised:
        target_of(asked(late, **needs), late.snapshot, "m8i.large")
    assert told in str(raised.value)


def test_memory_that_is_not_there_ends_with_3(late: Planned) -> None:
    """What holds 40 GB here does not run on a machine of 16."""
    [chosen] = [one for one in (late.plan.decision.chosen,) if one is not None]
    memory = chosen.forecast.memory_bytes.but(value=40e9, low=39e9, high=41e9)
    large = chosen.but(forecast=chosen.forecast.but(memory_bytes=memory))
    plan = late.plan.but(decision=late.plan.decision.but(chosen=large))
    with pytest.raises(NothingRuns, match="in-memory needs 40 GB"):
        target_of(plan, late.snapshot, "in-memory@m8i.xlarge")


def without_better(**changes: Any) -> Plan:
    made = plans.plan()
    return made.but(decision=made.decision.but(better=None, **changes))


@pytest.mark.parametrize(
    ("made", "kind", "told"),
    [
        (without_better(), UsageError, "would be notably faster than this one (out-of-core, 21 min"),
        (without_better(meets=False), NothingMeets, "no machine of the catalogue meets what must be met"),
        (
            plans.plan(decision=Decision(chosen=None, reasons=("nothing",), meets=False)),
            NothingRuns,
            "found nothing that can run, here or in the catalogue",
        ),
    ],
)
def test_no_better_place_is_said(late: Planned, made: Plan, kind: type[FitscaleError], told: str) -> None:
    """With 2 where this machine will do, 4 where nothing meets a must, 3 where nothing runs; and how to name one all the same."""
    with pytest.raises(kind) as raised:
        target_of(made, late.snapshot, None, "late.yaml")
    assert told in str(raised.value)
    assert "fitscale deploy late.yaml MACHINE" in str(raised.value)
    assert not is_deployable(made)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"model": ModelSpec(live="live/estimator.pkl")}, "the estimator is a live object of a Python session"),
        ({"data": DataSpec(uri="/a/runs/late/live/frame-0.parquet", target="y")}, "the data is a frame of a Python"),
        (
            {"data": DataSpec(uri="postgresql://me@localhost:${PGPORT}/b", target="y")},
            "'localhost' is this machine itself",
        ),
        ({"data": DataSpec(uri="postgresql://me@[::1]/b", target="y")}, "'::1' is this machine itself"),
        ({"data": DataSpec(uri="postgresql:///b", target="y")}, "'a socket' is this machine itself"),
    ],
)
def test_what_another_machine_cannot_have_is_refused(late: Planned, changes: dict[str, Any], told: str) -> None:
    """What lives in a Python session, or is reached from here alone; the plan does not name the command then."""
    plan = late.plan.but(workload=late.plan.workload.but(**changes))
    with pytest.raises(UsageError, match=r"late\.yaml: ") as raised:
        target_of(plan, late.snapshot, None, "late.yaml")
    assert told in str(raised.value)
    assert not is_deployable(plan)
    assert is_deployable(late.plan)


def test_a_server_elsewhere_can_be_asked(late: Planned) -> None:
    """By a name that is not this machine's."""
    workload = plans.workload()
    [machine] = [one for one in catalogue() if one.name == MACHINE]
    assert reason_not(workload, machine) is None


def test_a_plan_that_was_written_is_read_as_it_was(late: Planned) -> None:
    """The last one is what is deployed."""
    assert folder.read_plan(late.run) == late.plan
