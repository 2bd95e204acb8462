"""A forest in a plan: both ways to grow it are weighed, and what cannot be is refused with its reason."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from doing import trained, units_of, workload_of

from fitscale.records.plan import Plan
from fitscale.records.run import Event, Order
from fitscale.running.command import Told
from fitscale.running.planning import plan_only
from fitscale.running.progress import Tracker
from fitscale.store import folder

pytest.importorskip("sklearn")

FOREST = "sklearn.ensemble.RandomForestClassifier"


def job(estimator: str = FOREST, rows: int = 4_000, **params: Any) -> dict[str, Any]:
    return {
        "name": "forest",
        "data": {"uri": f"synthetic://?rows={rows}&columns=4", "target": "y"},
        "model": {"estimator": estimator, "params": {"n_estimators": 200, "max_depth": 3, **params}},
    }


def planned(document: dict[str, Any], run: Path) -> Plan:
    return plan_only(workload_of(document, run.parent), run)


def test_a_forest_can_be_grown_in_memory_or_by_parts(tmp_path: Path) -> None:
    """Both are candidates of the same result and as many threads; the others are refused by what a forest is."""
    decision = planned(job(), tmp_path / "run").decision
    assert decision.chosen is not None
    ways = {a.candidate.name: a for a in (decision.chosen, *decision.alternatives)}
    assert set(ways) == {"in-memory", "parts-and-merge"}
    parts = ways["parts-and-merge"].candidate
    assert (parts.workers, parts.threads, parts.result, parts.limits) == (2, 2, "same", 1)
    told = {refusal.candidate.strategy: refusal.sentence for refusal in decision.refused}
    assert told["quantised"].endswith("has no compact bins that can be filled batch by batch")
    assert told["out-of-core"].endswith("needs all of the rows at once")


def test_a_forest_that_judges_its_trees_is_of_one_piece(tmp_path: Path) -> None:
    """The reason is its own parameter, by name."""
    decision = planned(job(oob_score=True), tmp_path / "run").decision
    (sentence,) = [r.sentence for r in decision.refused if r.candidate.strategy == "parts-and-merge"]
    assert sentence.startswith(f"{FOREST} scores each tree on the rows that it left out (oob_score)")


def test_nobody_asks_others_for_parts(tmp_path: Path) -> None:
    """A model of one piece has no such candidate, not even a refused one."""
    decision = planned(job("sklearn.tree.DecisionTreeClassifier") | {
        "model": {"estimator": "sklearn.tree.DecisionTreeClassifier"}
    }, tmp_path / "run").decision  # fmt: skip
    assert decision.chosen is not None
    seen = [a.candidate for a in (decision.chosen, *decision.alternatives)] + [r.candidate for r in decision.refused]
    assert all(candidate.strategy != "parts-and-merge" for candidate in seen)


def test_progress_is_told_in_trees(tmp_path: Path) -> None:
    """What a person sees counts the trees, and ends with all of them."""
    tracker = Tracker()
    shown = []

    def see(name: str, order: Order, event: Event) -> None:
        if not tracker.knows(order.task):
            tracker.learn(order.task, folder.read_task(tmp_path / "run", order.task))
        tracker.see(name, order, event)
        if event.kind == "units":
            shown.append(tracker.progress(event.at))

    trained(job(), tmp_path / "run", "parts-and-merge", told=Told(event=see))
    assert [(p.unit, p.total) for p in shown] == [("parts", 200)] * len(shown)
    assert [p.done for p in shown] == [units for _, units in units_of(tmp_path / "run")]
    assert shown[-1].done == 200
