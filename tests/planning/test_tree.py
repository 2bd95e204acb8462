"""The decision tree: what a shipped file must be, the path of a plan, and where the planner chooses otherwise."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitscale.planning.decision import deciding
from fitscale.planning.decision.gates import p99_bytes, usable_bytes
from fitscale.planning.tree import path, tree
from fitscale.planning.tree.measures import MEASURES, NONE, Circumstances, measured
from fitscale.planning.tree.path_words import asked, short, where_apart
from fitscale.records.plan import Assessed, Decision, Step

GB = 1e9


def circumstances(
    bench: Any, ways: list[Assessed], memory: float = 24 * GB, models: int = 1, **asked: Any
) -> Circumstances:
    laws = [(one, bench.law(bench.shape(), one.candidate.strategy)) for one in ways]
    return Circumstances(bench.workload(**asked), bench.machine(memory), models, laws, ())


def decided(
    bench: Any, ways: list[Assessed], memory: float = 24 * GB, choose: str | None = None, **asked: Any
) -> Decision:
    """With the path that a plan would have."""
    c = circumstances(bench, ways, memory, **asked)
    decision = deciding.decide(c.workload, c.machine, ways, (), choose=choose, settled=True, elsewhere=())
    return path.with_path(decision, c)


def three(bench: Any) -> list[Assessed]:
    sizes = {"in-memory": (24, 3.5), "quantised": (28, 0.86), "out-of-core": (31, 0.4)}
    return [bench.known(name, seconds, gb * GB) for name, (seconds, gb) in sizes.items()]


def test_the_shipped_tree_is_whole() -> None:
    """At most 15 leaves, every class a plan may have, each question one that is known, and its agreement as was promised."""
    there = tree.shipped()
    assert there.leaves <= 15
    assert {node.leaf for node in there.nodes if node.leaf} == set(tree.LEAVES)
    assert max(there.grid.values()) <= 0.4 * sum(there.grid.values())
    assert there.outside.all >= 0.95
    assert min(there.outside.each.values()) >= 0.85
    assert set(there.outside.each) == set(tree.LEAVES)
    assert sum(d.count for d in there.departures) == round((1 - there.outside.all) * there.outside.workloads)
    for node in there.nodes:
        if node.leaf is None:
            assert node.count == there.nodes[node.yes].count + there.nodes[node.no].count


@pytest.mark.parametrize(
    ("memory", "leaf"), [(24 * GB, "in-memory"), (2 * GB, "quantised"), (0.7 * GB, "out-of-core"), (0.3 * GB, "nothing")]
)  # fmt: skip
def test_a_path_leads_where_the_planner_goes(bench: Any, memory: float, leaf: str) -> None:
    """The less memory there is, the further down; each step has a value, a threshold, and where it leads."""
    decision = decided(bench, three(bench), memory)
    assert (decision.leaf, decision.path_note) == (leaf, "")
    assert decision.path[0].node == 0
    assert all(step.value and step.threshold and step.leads_to for step in decision.path)
    assert decision.path[-1].leads_to == tree.SAID[leaf]
    assert short(decision).endswith(f"→ {tree.SAID[leaf]}")
    for step, after in zip(decision.path, decision.path[1:], strict=False):
        assert step.leads_to == after.question
    assert Decision.from_json(decision.to_json()) == decision


def test_values_are_those_of_the_plan(bench: Any) -> None:
    """Memory at P99 and time stand in the node that asks for them, with their share."""
    found = measured("here", circumstances(bench, three(bench), 2 * GB, must=3600))
    least = min(three(bench), key=lambda a: p99_bytes(a.forecast))
    assert found.value == pytest.approx(
        p99_bytes(least.forecast) / usable_bytes(least.candidate, bench.machine(2 * GB))
    )
    assert found.words == "out-of-core needs 487 MB at P99 of 1.9 GB and 31 s of 60 min, 0.25 ×"


def test_what_is_asked_of_a_deadline(bench: Any) -> None:
    """The tighter of memory and time counts, and a job without a deadline is never late."""
    ways = three(bench)
    assert measured("here", circumstances(bench, ways, must=12)).value == pytest.approx(24 / 12)
    assert measured("here", circumstances(bench, ways)).value < 0.1
    assert measured("here", circumstances(bench, [])).value == NONE


def test_equal_ways_are_told_apart_as_the_planner_does(bench: Any) -> None:
    """Within a twentieth of time less memory is ahead, and where that is equal, too, the simpler is."""
    smaller = [bench.known("in-memory", 102, 3.5 * GB), bench.known("quantised", 103, 0.9 * GB)]
    equal = [bench.known("in-memory", 100.1, GB), bench.known("quantised", 100, GB)]
    assert measured("quantised ahead", circumstances(bench, smaller)).value > 0
    assert measured("quantised ahead", circumstances(bench, equal)).value <= 0
    for ways in (smaller, equal):
        assert decided(bench, ways).path_note == ""


def test_another_choice_is_said_with_why(bench: Any) -> None:
    """What was named, a probe that failed: the tree knows nothing of either."""
    named = decided(bench, three(bench), choose="out-of-core")
    assert named.leaf == "in-memory"
    assert named.path_note == (
        "the tree leads to: here, in memory; the planner's choice is: here, out-of-core, which --choose named"
    )
    ways = three(bench)
    c = circumstances(bench, ways)
    failed = deciding.probe_failed(ways[0], ())
    decision = deciding.decide(c.workload, c.machine, ways[1:], (failed,), choose=None, settled=True, elsewhere=())
    note = path.with_path(decision, c).path_note
    assert note.endswith("the planner's choice is: here, quantised, as in-memory failed in its probe: without a word")


def test_where_another_branch_leaves_the_path(bench: Any) -> None:
    """Told for the last node from which it could be reached; not for the leaf itself, nor by another tree."""
    decision = decided(bench, three(bench))
    told = where_apart(decision, "quantised")
    assert told.startswith("here, quantised is where '")
    assert told.endswith(("the answer yes", "the answer no"))
    assert where_apart(decision.but(tree="9 of another"), "quantised") == ""
    assert asked(decision.path[0]).endswith((": yes", ": no"))


BAD = {
    "it is no JSON": "{",
    "it has no nodes": lambda there: there.update(nodes=[]),
    "another format": lambda there: there.update(format=2),
    "an unknown question": lambda there: there["nodes"][0].update(ask="the weather"),
    "a way back": lambda there: there["nodes"][0].update(yes=0),
    "a way out": lambda there: there["nodes"][0].update(no=99),
    "an unknown leaf": lambda there: there["nodes"][-1].update(leaf="the moon"),
    "an unknown key": lambda there: there.update(colour="green"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_damaged_tree_costs_a_plan_its_path_alone(bench: Any, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """It is the package's fault: the plan says so and stands."""
    change: Any = BAD[what]
    text = change
    if callable(change):
        there = json.loads(tree.shipped().to_json())
        change(there)
        text = json.dumps(there)
    with pytest.raises(tree.Damaged, match=r"^planning/tree/tables/tree.json: "):
        tree.read(text)

    def damaged() -> tree.Tree:
        return tree.read(text)

    monkeypatch.setattr(path, "shipped", damaged)
    decision = decided(bench, three(bench))
    assert decision.chosen is not None
    assert decision.path == ()
    assert decision.path_note.startswith(
        "no path is drawn: the decision tree of this installation is damaged, install fitscale again "
        "(planning/tree/tables/tree.json: "
    )


def test_a_file_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "FILE", "tables/gone.json")
    with pytest.raises(tree.Damaged, match=r"gone.json"):
        tree.shipped.__wrapped__()


def test_plans_of_before_still_load(bench: Any) -> None:
    """Their steps had no node, and no leaf was told."""
    step = Step(
        question="is it done in time?", value="28 s", threshold="60 min", taken=True, leads_to="here"
    ).model_dump()
    del step["node"]
    old = json.loads(decided(bench, three(bench)).to_json())
    for field in ("leaf", "tree", "path_note"):
        del old[field]
    old["path"] = [step]
    decision = Decision.from_json(json.dumps(old))
    assert (decision.path, decision.leaf, short(decision)) == ((Step.model_validate(step),), "", "")


@settings(max_examples=80, deadline=None)
@given(
    seconds=st.lists(st.floats(1, 1e6), min_size=3, max_size=3),
    sizes=st.lists(st.floats(1e7, 1e12), min_size=3, max_size=3),
    memory=st.floats(1e8, 1e12),
    must=st.none() | st.floats(1, 1e6),
)
def test_every_walk_ends_at_what_is_chosen_or_says_why(
    bench: Any, seconds: list[float], sizes: list[float], memory: float, must: float | None
) -> None:
    """Whatever the forecasts are: a leaf, and where it is not the planner's choice, a sentence with both."""
    names = ("in-memory", "quantised", "out-of-core")
    ways = [bench.known(name, s, b) for name, s, b in zip(names, seconds, sizes, strict=True)]
    decision = decided(bench, ways, memory, must=must)
    assert decision.leaf in tree.LEAVES
    assert (decision.path_note == "") == (path.class_of(decision) == decision.leaf)
    if decision.path_note:
        assert tree.SAID[decision.leaf] in decision.path_note
    assert all(step.question in {m.question for m in MEASURES.values()} for step in decision.path)
