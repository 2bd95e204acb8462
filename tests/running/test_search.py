"""Parameters are tuned within a time; what was tried is kept, and the own ones stay where nothing is surely better."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent))
from doing import Interrupted, events_of, orders_of, trained, workload_of

from fitscale.errors import NotOffered, WorkloadError
from fitscale.records.plan import Plan
from fitscale.records.tuning import Step, Tuned
from fitscale.running import tuning
from fitscale.running.command import Told
from fitscale.running.planning import plan_only
from fitscale.store import folder, searches, versions

ROWS = 6_000
TREE, RIDGE = "sklearn.tree.DecisionTreeRegressor", "sklearn.linear_model.Ridge"
HERE = "in-memory@inline"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plane with noise: a tree of the library's defaults learns the noise by heart."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(ROWS, 4))
    y = X @ [1.0, -2.0, 0.5, 0.0] + rng.normal(size=ROWS)
    path = tmp_path_factory.mktemp("search") / "rows.parquet"
    pq.write_table(pa.table({f"x{k}": X[:, k] for k in range(4)} | {"y": y}), path, row_group_size=1_000)
    return path


def document(table: Path, estimator: str = TREE, params: Any = None, **search: Any) -> dict[str, Any]:
    tuned = {"budget": "1m", "trials": 12, **search}
    model = {"estimator": estimator, "params": params or {}, "search": tuned}
    return {"name": "tuned", "data": {"uri": str(table), "target": "y"}, "evaluate": {"metric": "r2"}, "model": model}


def planned(about: dict[str, Any], run: Path, **more: Any) -> Plan:
    return plan_only(workload_of(about, run.parent, cores=1), run, **{"choose": HERE, **more})


def tuned_of(plan: Plan | None) -> Tuned:
    assert plan is not None
    assert plan.searched is not None
    return plan.searched.found[plan.searched.chosen]


def steps_of(run: Path) -> list[Step]:
    (key,) = (path.name for path in (run / "search").iterdir())
    return searches.steps(run, key)


def tunings(run: Path) -> int:
    return sum(order.kind == "tune" for order in orders_of(run))


@pytest.fixture(scope="module")
def done(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that tuned a tree and trained it."""
    run = tmp_path_factory.mktemp("search") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tuning, "QUICK_S", 0.0)  # so that parts of the rows are tried first
        trained(document(table), run, HERE, cores=1)
    return run


def test_what_is_surely_better_is_trained(done: Path) -> None:
    """On all training rows, as an ordinary version of ordinary parameters."""
    found = tuned_of(folder.read_plan(done))
    assert found.better
    assert found.better_by is not None
    assert found.better_by.low > 0
    (recipe,) = versions.manifest(done, 1).recipes.values()
    assert {name: recipe.estimator.params[name] for name in found.model.params} == found.model.params
    assert set(found.model.params) == {"max_depth", "min_samples_leaf"}
    score = versions.manifest(done, 1).scores["r2"]
    assert score is not None
    assert score > (found.own_score or 0.0)


def test_what_was_tried_is_written_down(done: Path) -> None:
    """The own parameters first, as many trials as were allowed, and of those some were stopped on a part of the rows."""
    steps = steps_of(done)
    found = tuned_of(folder.read_plan(done))
    assert (steps[0].trial, steps[0].params) == (0, {})
    assert {step.trial for step in steps} == set(range(13))
    assert found.trials == 12
    assert found.done + found.stopped + found.failed == 12
    assert found.stopped > 0
    assert all(step.rows < ROWS / 2 for step in steps if step.state == "stopped")


def test_the_time_stands_in_forecast_and_actual(done: Path) -> None:
    """As a phase of its own, in both."""
    from fitscale.report import actual_of

    plan, actual = folder.read_plan(done), actual_of(done, 1)
    assert plan.decision.chosen is not None
    assert actual is not None
    spent_s = tuned_of(plan).spent_s
    assert plan.decision.chosen.forecast.phases["search"] == pytest.approx(spent_s)
    assert actual.phases["search"].wall_s == pytest.approx(spent_s, abs=0.01)
    assert actual.work_s > spent_s
    (event,) = events_of(done, "searched")
    assert event["trials"] == 12


def test_the_ledger_of_past_runs_learns_no_time_from_it(table: Path, tmp_path: Path) -> None:
    """A time that was given is no forecast that held."""
    from fitscale.machines.here import fingerprint
    from fitscale.running.training import train
    from fitscale.store import ledger

    workload = workload_of(document(table, trials=2), tmp_path, cores=1)
    train(workload, tmp_path / "run", choose=HERE, ledger=tmp_path / "ledger.jsonl")
    (entry,) = ledger.read(tmp_path / "ledger.jsonl", fingerprint()).entries
    assert entry.said
    assert all("time" not in said.figures and "memory" in said.figures for said in entry.said)


def test_a_plan_searches_nothing_and_says_what_it_will_take(table: Path, tmp_path: Path) -> None:
    plan = planned(document(table, budget="10m"), tmp_path / "run")
    assert plan.decision.chosen is not None
    assert plan.decision.chosen.forecast.phases["search"] == 600
    assert plan.decision.chosen.forecast.time_s.value > 600
    assert (plan.search_s.value, plan.search_s.origin) == (600, "stated") if plan.search_s else False
    assert not tunings(tmp_path / "run")
    missed = document(table, budget="10m") | {"needs": {"deadline": {"want": "1m", "must": "600.5s"}}}
    assert not planned(missed, tmp_path / "late").decision.meets


def test_the_same_command_takes_what_was_found(table: Path, done: Path) -> None:
    before = tunings(done)
    assert trained(document(table), done, HERE, cores=1).nothing_to_do
    plan = planned(document(table), done)
    assert tuned_of(plan).kept
    assert plan.search_s is None
    assert tunings(done) == before


def test_a_search_goes_on_where_it_was_interrupted(table: Path, tmp_path: Path) -> None:
    """What was tried is not tried again, and the time that was spent counts."""
    run, told = tmp_path / "run", []

    def see(name: str, order: Any, event: Any) -> None:
        if event.kind == "searched" and event.data["trials"] >= 5:
            raise Interrupted

    with pytest.raises(Interrupted):
        trained(document(table), run, HERE, cores=1, told=Told(event=see))
    before = steps_of(run)
    assert before
    plan = trained(document(table), run, HERE, cores=1, told=Told(event=lambda *a: told.append(a))).plan
    after = steps_of(run)
    assert after[: len(before)] == before
    begun = [step.trial for step in after if step.state == "begun"]
    assert begun == list(range(13))
    ended = [step.trial for step in after if step.state in ("done", "stopped", "failed")]
    assert sorted(ended) == begun
    assert all(first.spent_s <= then.spent_s for first, then in pairwise(after))
    assert tuned_of(plan).trials == 12


def test_a_larger_budget_goes_on_from_what_was_tried(table: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    trained(document(table, trials=3), run, HERE, cores=1)
    before = steps_of(run)
    trained(document(table, trials=5), run, HERE, cores=1)
    assert steps_of(run)[: len(before)] == before
    assert tuned_of(planned(document(table, trials=5), run)).trials == 5
    fresh = trained(document(table, trials=5), run, HERE, cores=1, fresh=True).plan
    assert not tuned_of(fresh).kept
    assert len([step for step in steps_of(run) if step.state == "begun"]) == 6


def test_the_own_parameters_stay_where_nothing_is_surely_better(table: Path, tmp_path: Path) -> None:
    """A ridge without a reason to be another: the version is the one that would have been trained without a search."""
    plan = trained(document(table, RIDGE, {"alpha": 1.0}), tmp_path / "run", HERE, cores=1).plan
    found = tuned_of(plan)
    assert (found.better, found.model.params) == (False, {"alpha": 1.0})
    assert "they are kept" in found.reason
    plain = document(table, RIDGE, {"alpha": 1.0})
    del plain["model"]["search"]
    trained(plain, tmp_path / "plain", HERE, cores=1)
    ours, theirs = (versions.manifest(tmp_path / name, 1) for name in ("run", "plain"))
    assert ours == theirs


def test_a_budget_that_is_too_short_keeps_the_own_parameters(table: Path, tmp_path: Path) -> None:
    plan = trained(document(table, budget="0.001s"), tmp_path / "run", HERE, cores=1).plan
    found = tuned_of(plan)
    assert (found.trials, found.better) == (0, False)
    assert "your own parameters" in found.reason


def test_what_a_library_refuses_is_a_trial_that_failed(table: Path, tmp_path: Path) -> None:
    """One of the choices is for targets that are never negative: the search goes on."""
    space = {"criterion": {"choices": ["poisson", "squared_error"]}, "max_depth": [2, 20]}
    plan = trained(document(table, space=space, trials=6), tmp_path / "run", HERE, cores=1).plan
    found = tuned_of(plan)
    assert (found.trials, found.better) == (6, True)
    assert 0 < found.failed < 6
    assert any("negative" in step.why for step in steps_of(tmp_path / "run") if step.state == "failed")


def test_each_of_several_is_tuned_and_the_best_of_them_trained(table: Path, tmp_path: Path) -> None:
    """The line is better than any tree: what was found for both is told."""
    about = document(table)
    about["model"] = {"any_of": [TREE, RIDGE], "search": {"budget": "1m", "trials": 4}}
    plan = trained(about, tmp_path / "run", HERE, cores=1).plan
    assert plan is not None
    assert plan.searched is not None
    assert {one.own.estimator for one in plan.searched.found} == {TREE, RIDGE}
    assert [one.budget_s for one in plan.searched.found] == [30.0, 30.0]
    assert tuned_of(plan).own.estimator == RIDGE
    assert plan.contest is not None
    assert trained(about, tmp_path / "run", HERE, cores=1).nothing_to_do


def test_one_that_is_not_to_be_tuned_is_compared_as_it_is(table: Path, tmp_path: Path) -> None:
    about = document(table)
    tuned = {"estimator": TREE, "search": {"budget": "30s", "trials": 3}}
    about["model"] = {"any_of": [tuned, RIDGE]}
    plan = trained(about, tmp_path / "run", HERE, cores=1).plan
    assert plan is not None
    assert plan.searched is not None
    assert {one.own.estimator: one.trials for one in plan.searched.found} == {TREE: 3, RIDGE: 0}
    assert plan.workload.model.estimator == RIDGE


@pytest.mark.slow
def test_a_trial_that_memory_ends_costs_itself_alone(tmp_path: Path) -> None:
    """Its worker is ended by its limit; another goes on with the next, and the trial counts as failed."""
    (tmp_path / "greedy.py").write_text(
        "import numpy as np\n"
        "from sklearn.linear_model import Ridge\n"
        "class Greedy(Ridge):\n"
        "    def __init__(self, alpha=1.0, size=0):\n"
        "        super().__init__(alpha)\n"
        "        self.size = size\n"
        "    def fit(self, X, y, sample_weight=None):\n"
        "        held = [np.ones((1 << 17) * 8) for _ in range(self.size)]\n"
        "        return super().fit(X, y)\n"
    )
    about = {
        "name": "greedy",
        "data": {"uri": "synthetic://?rows=2000&columns=3&classes=0", "target": "y"},
        "model": {
            "estimator": "greedy.Greedy",
            "search": {"budget": "2m", "trials": 3, "space": {"size": {"choices": [0, 4_000]}, "alpha": [0.1, 10.0]}},
        },
    }
    workload = workload_of(about, tmp_path, cores=1, memory="1 GB")
    from fitscale.running.training import train

    plan = train(workload, tmp_path / "run").plan
    found = tuned_of(plan)
    failed = [step for step in steps_of(tmp_path / "run") if step.state == "failed"]
    assert found.trials == 3
    assert found.failed == len(failed) > 0
    assert all(step.why == "ended by its memory limit" for step in failed)
    assert tunings(tmp_path / "run") == len(failed) + 1


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_command_that_is_ended_while_it_tunes_goes_on_later(table: Path, tmp_path: Path, how: signal.Signals) -> None:
    """By kill -9 or Ctrl-C, which ends with 130: no worker is left, and the same command finishes with all that was tried."""
    (tmp_path / "job.yaml").write_text(
        yaml.safe_dump(document(table, trials=40) | {"where": [{"local": {"cores": 1}}]})
    )
    argv = [sys.executable, "-m", "fitscale", "train", "job.yaml", "--no-report"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = subprocess.Popen(argv, cwd=tmp_path, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run = tmp_path / "runs" / "tuned"
    until = time.monotonic() + 120
    while time.monotonic() < until and len(list(run.glob("search/*/trials.jsonl"))) == 0:
        time.sleep(0.02)
    while time.monotonic() < until and sum(step.state == "done" for step in steps_of(run)) < 2:
        time.sleep(0.02)
    command.send_signal(how)
    code = command.wait(60)
    assert code == (130 if how is signal.SIGINT else -9)
    before = steps_of(run)
    assert before
    plan = trained(document(table, trials=40), run, "in-memory@inline", cores=1).plan
    assert tuned_of(plan).trials == 40
    assert steps_of(run)[: len(before)] == before


def test_what_cannot_be_searched_is_told_before_the_run_is_begun(table: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(WorkloadError, match=r"model\.search\.space: is missing: there is no published space"):
        planned(document(table, "sklearn.linear_model.HuberRegressor"), run)
    with pytest.raises(WorkloadError, match=r"model\.search\.space: .*no parameter 'depth'"):
        planned(document(table, space={"depth": [1, 3]}), run)
    about = document(table)
    about["model"] = {"any_of": [RIDGE, {"estimator": TREE, "search": {"budget": "1m", "space": {"depth": [1, 3]}}}]}
    with pytest.raises(WorkloadError, match=r"model\.any_of\[1\]\.search\.space: .*no parameter 'depth'"):
        planned(about, run)
    with pytest.raises(NotOffered, match=r"model\.search: tuning for many models is not offered yet"):
        planned(document(table) | {"data": {"uri": str(table), "target": "y", "groups": ["x0"]}}, run)
    assert not run.exists()
