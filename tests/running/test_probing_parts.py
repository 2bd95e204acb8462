"""Which parts of the rows a plan fits: what the first shows decides on the next."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from doing import orders_of, workload_of

from fitscale.planning import loop
from fitscale.planning.known import Known
from fitscale.records.plan import Candidate
from fitscale.records.run import Event
from fitscale.running import probes
from fitscale.running.planning import plan_only

JOB = {
    "name": "parts",
    "data": {"uri": "synthetic://?rows=400000&columns=4&categorical=0", "target": "y"},
    "model": {"estimator": "sklearn.naive_bayes.GaussianNB"},
}


def test_what_was_thought_dear_and_is_cheap_is_fitted_on_more_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A prior that is far too high lets only the smallest part be tried, from which little follows."""
    seconds = Known.work_s
    thought = {False: 700.0, True: 1.0}  # of which a 64th is affordable, and a 16th is not

    def dear(self: Known, candidate: Candidate) -> float:
        return max(seconds(self, candidate), thought[self.is_measured(candidate)])

    monkeypatch.setattr(Known, "work_s", dear)
    monkeypatch.setattr(loop, "PLAN_BUDGET_S", 60.0)
    monkeypatch.setattr(loop, "PLAN_PROBE_S", 20.0)
    plan = plan_only(workload_of(JOB, tmp_path), tmp_path / "run", choose="in-memory")
    probed = [[sample.rows for sample in order.samples] for order in orders_of(tmp_path / "run") if order.samples]
    assert probed == [[6_250], [25_000]]
    assert plan.decision.chosen is not None
    assert plan.decision.chosen.forecast.source == "from 2 probes up to 6.2 % of the rows"


def test_what_is_thought_not_to_fit_costs_the_smallest_part_alone(tmp_path: Path) -> None:
    """The time is for what may fit: ten of fifteen seconds went to a path that was refused for its memory afterwards."""
    params = {"loss": "log_loss", "shuffle": False, "tol": None, "max_iter": 10}  # a stream reads ten times
    job = {
        **JOB,
        "data": {**JOB["data"], "uri": "synthetic://?rows=4000000&columns=40&categorical=0"},
        "model": {"estimator": "sklearn.linear_model.SGDClassifier", "params": params},
    }
    before = plan_only(workload_of(job, tmp_path), tmp_path / "roomy", choose="in-memory", probe_s=0.0)
    assert before.decision.chosen is not None
    thought = before.decision.chosen.forecast.memory_bytes
    room = {"local": {"memory": f"{thought.value * 0.95 / 1e6:.0f} MB"}}
    plan_only(workload_of({**job, "where": [room]}, tmp_path), tmp_path / "run")
    probed = {order.form: [sample.rows for sample in order.samples] for order in orders_of(tmp_path / "run")}
    assert probed["matrix"] == [7_812]
    assert max(probed["stream"]) >= 62_500


@pytest.mark.parametrize(("within_s", "waits"), [(30.0, True), (18.0, False)])
def test_a_part_that_would_take_too_long_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, within_s: float, waits: bool
) -> None:
    """Of four times the seconds four times as many are expected; what was fitted counts once its memory is known."""
    clock = [0.0]
    monkeypatch.setattr(probes.time, "monotonic", lambda: clock[0])
    too_long = probes._NextTooLong([1.0, 4.0], within_s)
    seen = []
    for at, kind in ((3.0, "started"), (7.0, "sampled"), (7.1, "memory")):  # four seconds, and so sixteen
        clock[0] = at
        attempt = SimpleNamespace(events=[Event(kind=kind, at=at, data={})])
        seen.append(too_long(attempt))  # type: ignore[arg-type]
    assert seen == [False, False, not waits]
