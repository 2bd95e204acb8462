"""Of several estimators the fastest of the best is trained; what was decided is kept, and said."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from doing import Interrupted, events_of, orders_of, trained, workload_of

from fitscale.errors import NotOffered, SourceChanged, UsageError, WorkloadError
from fitscale.records.contest import Contest
from fitscale.records.plan import Plan
from fitscale.running import contest
from fitscale.running.command import Told
from fitscale.running.planning import plan_only
from fitscale.store import folder, versions

ROWS = 6_000
RIDGE, TREE, BAYES = (
    "sklearn.linear_model.Ridge",
    "sklearn.tree.DecisionTreeRegressor",
    "sklearn.naive_bayes.GaussianNB",
)
HERE = "in-memory@inline"  # in this process, which has its libraries: the tests wait for no worker


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plane with noise, which a line fits and one tree does not."""
    path = tmp_path_factory.mktemp("any") / "rows.parquet"
    write(path)
    return path


def write(path: Path, seed: int = 3) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(ROWS, 4))
    y = X @ [1.0, -2.0, 0.5, 0.0] + rng.normal(size=ROWS)
    columns = {f"x{k}": X[:, k] for k in range(4)} | {"y": y, "sign": y > 0, "third": np.digitize(y, [-1.0, 1.0])}
    pq.write_table(pa.table(columns), path, row_group_size=1_000)


def document(table: Path, *entries: Any, **changes: Any) -> dict[str, Any]:
    given = {"name": "any", "data": {"uri": str(table), "target": "y", "features": {"drop": ["sign", "third"]}}}
    return {**given, "model": {"any_of": list(entries or (TREE, RIDGE))}, **changes}


def of_classes(table: Path, *entries: Any, target: str = "sign", **changes: Any) -> dict[str, Any]:
    others = [name for name in ("y", "sign", "third") if name != target]
    data = {"uri": str(table), "target": target, "features": {"drop": others}}
    return document(table, *entries, **{"data": data, **changes})


def planned(about: dict[str, Any], run: Path, **more: Any) -> Plan:
    return plan_only(workload_of(about, run.parent, cores=1), run, **{"choose": HERE, **more})


def contest_of(plan: Plan | None) -> Contest:
    assert plan is not None
    assert plan.contest is not None
    return plan.contest


def tries(run: Path) -> int:
    return sum(order.kind == "try" for order in orders_of(run))


@pytest.fixture(scope="module")
def done(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that compared the two and trained the better one."""
    run = tmp_path_factory.mktemp("any") / "run"
    trained(document(table), run, HERE, cores=1)
    return run


def test_the_better_one_is_trained(done: Path) -> None:
    """It goes the ordinary way: the version knows one estimator, and its plan how that was chosen."""
    (recipe,) = versions.manifest(done, 1).recipes.values()
    assert recipe.estimator.path == RIDGE
    plan = folder.read_plan(done)
    assert plan.workload.model.estimator == RIDGE
    contest = contest_of(plan)
    assert [entrant.verdict for entrant in contest.entrants] == ["worse", "chosen"]
    assert all(entrant.time_s and entrant.memory_bytes for entrant in contest.entrants)
    assert contest.reason.startswith("Ridge: the best by neg_root_mean_squared_error, by ")


def test_they_are_compared_on_rows_that_judge_no_result(done: Path) -> None:
    """Each on the same, fitted on the same."""
    judged = [entrant.judged for entrant in contest_of(folder.read_plan(done)).entrants]
    assert all(one is not None for one in judged)
    assert len({(one.rows, one.judged) for one in judged if one}) == 1
    held_out = versions.manifest(done, 1)
    assert held_out.metric == "neg_root_mean_squared_error"
    tasks = [folder.read_task(done, order.task) for order in orders_of(done) if order.kind == "try"]
    assert tasks
    assert all(task.recipe.folds.within is not None for task in tasks)


def test_the_plan_says_what_was_considered(done: Path) -> None:
    framework = folder.read_plan(done).considerations[1]
    assert framework.value.startswith(f"any of 2: {RIDGE}, by sklearn")
    assert framework.origin == "measured"
    assert any("Ridge: the best" in text for text in framework.changed)


def test_the_same_command_takes_what_was_decided(table: Path, done: Path) -> None:
    """Nothing is tried again, there is nothing to do, and a plan says that it was compared before."""
    before = tries(done)
    assert trained(document(table), done, HERE, cores=1).nothing_to_do
    assert contest_of(planned(document(table), done)).kept
    assert tries(done) == before


def test_what_a_plan_had_too_little_time_for_is_compared_longer_by_train(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part of the rows was all that there was time for: what is trained is chosen by more of them."""
    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(contest, "MOST_SCORE_S", 5.0)
        patch.setattr(contest, "SHARES", (0.25,))
        short = contest_of(planned(document(table), run))
    assert (short.share, short.cut_short) == (0.25, True)
    longer = contest_of(trained(document(table), run, HERE, cores=1).plan)
    assert (longer.share, longer.cut_short, longer.kept) == (1.0, False, False)


def test_another_list_or_fresh_decides_anew(table: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    planned(document(table), run)
    assert tries(run) == 2
    found = contest_of(planned(document(table, TREE, {"estimator": RIDGE, "params": {"alpha": 2.0}}), run))
    assert not found.kept
    assert tries(run) == 4
    plan = trained(document(table), run, HERE, cores=1, fresh=True).plan
    assert not contest_of(plan).kept
    assert tries(run) == 6


def test_what_is_unfinished_goes_on_with_the_estimator_that_it_was_begun_with(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a kill in the middle of training: nothing is compared, and the version is the one that was begun."""
    run = tmp_path / "run"

    def see(name: str, order: Any, event: Any) -> None:
        if order.kind == "fit" and event.kind == "started":
            raise Interrupted

    with pytest.raises(Interrupted):
        trained(document(table), run, HERE, cores=1, told=Told(event=see))
    before, told = tries(run), []
    trained(document(table), run, HERE, cores=1, told=Told(note=told.append))
    assert tries(run) == before
    assert told == ["going on with version 1, in-memory@inline"]
    assert versions.manifest(run, 1).version == 1


def test_data_that_changed_meanwhile_is_told_and_nothing_is_compared(table: Path, tmp_path: Path) -> None:
    path, run = tmp_path / "rows.parquet", tmp_path / "run"
    path.write_bytes(table.read_bytes())

    def see(name: str, order: Any, event: Any) -> None:
        if order.kind == "fit" and event.kind == "started":
            raise Interrupted

    with pytest.raises(Interrupted):
        trained(document(path), run, HERE, cores=1, told=Told(event=see))
    before = tries(run)
    write(path, seed=4)
    with pytest.raises(SourceChanged, match="the data changed since version 1 was begun"):
        trained(document(path), run, HERE, cores=1)
    assert tries(run) == before


def test_one_that_cannot_give_the_metric_is_ruled_out_with_its_sentence(table: Path, tmp_path: Path) -> None:
    about = of_classes(table, "sklearn.linear_model.RidgeClassifier", BAYES, evaluate={"metric": "neg_log_loss"})
    found = contest_of(planned(about, tmp_path / "run"))
    assert (found.chosen, found.entrants[0].verdict) == (1, "ruled out")
    assert "'neg_log_loss' needs probabilities, and the estimator gives margins alone" in found.entrants[0].why


def test_where_nobody_names_a_metric_all_have_the_one_that_each_can_give(table: Path, tmp_path: Path) -> None:
    """Of three classes one gives margins alone: accuracy. What is trained is judged by its own default."""
    about = of_classes(table, "sklearn.linear_model.RidgeClassifier", BAYES, target="third")
    found = contest_of(planned(about, tmp_path / "run"))
    assert found.metric == "accuracy"
    assert {e.judged.metric for e in found.entrants if e.judged} == {"accuracy"}


def test_what_a_library_refuses_when_it_fits_costs_that_entry_alone(table: Path, tmp_path: Path) -> None:
    """Negative values, which nothing but the fit itself finds out."""
    about = of_classes(table, "sklearn.naive_bayes.MultinomialNB", BAYES)
    found = contest_of(planned(about, tmp_path / "run"))
    assert found.chosen == 1
    assert "Negative values" in found.entrants[0].why


def test_one_that_misses_the_deadline_or_the_memory_is_ruled_out(table: Path, tmp_path: Path) -> None:
    """A forest of very many trees, by its forecast: nothing of it is fitted."""
    forest = {"estimator": "sklearn.ensemble.RandomForestRegressor", "params": {"n_estimators": 2_000_000}}
    about = document(table, forest, RIDGE, needs={"deadline": "1h"})
    found = contest_of(planned(about, tmp_path / "run", probe_s=0.5))
    assert (found.chosen, found.entrants[0].verdict, found.entrants[0].tried) == (1, "ruled out", ())
    assert found.entrants[0].why


def test_a_name_that_is_wrong_is_an_error_at_its_entry(table: Path, tmp_path: Path) -> None:
    """And leaves nothing behind."""
    run = tmp_path / "run"
    with pytest.raises(WorkloadError, match=r"model\.any_of\[1\]\.estimator: .*has no 'Rigde'; did you mean 'Ridge'"):
        planned(document(table, TREE, "sklearn.linear_model.Rigde"), run)
    with pytest.raises(WorkloadError, match=r"model\.any_of\[0\]\.params: .*no parameter 'alhpa'"):
        planned(document(table, {"estimator": RIDGE, "params": {"alhpa": 1}}, TREE), run)
    assert not run.exists()


def test_where_none_can_do_what_is_asked_the_first_says_why(table: Path, tmp_path: Path) -> None:
    about = of_classes(table, RIDGE, TREE, evaluate={"metric": "roc_auc"})
    with pytest.raises(UsageError, match=r"evaluate\.metric: 'roc_auc' is for"):
        planned(about, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_many_models_and_series_are_refused(table: Path, tmp_path: Path) -> None:
    data = {"uri": str(table), "target": "y", "groups": ["sign"]}
    with pytest.raises(NotOffered, match=r"model\.any_of: choosing among estimators for many models"):
        planned(document(table, data=data), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_way_that_none_of_them_has_is_no_beginning(table: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no candidate 'in-memry'; did you mean 'in-memory'"):
        planned(document(table), tmp_path / "run", choose="in-memry")
    assert not (tmp_path / "run").exists()


def test_a_live_estimator_is_no_entry(table: Path) -> None:
    from sklearn.linear_model import Ridge

    import fitscale

    with pytest.raises(WorkloadError, match=r"model\.any_of\[1\]: a Ridge is a live estimator"):
        fitscale.plan(document(table, TREE, Ridge()))


def test_trials_are_no_part_of_what_a_version_took(done: Path) -> None:
    from fitscale.report import actual_of

    actual = actual_of(done, 1)
    assert actual is not None
    assert not [attempt for attempt in actual.attempts if attempt.kind == "try"]
    assert [event for event in events_of(done, "attempt-started") if event["order"] == "try"]
