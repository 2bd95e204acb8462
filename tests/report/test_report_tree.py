"""The decision tree on the page: all of it with the plan's path lit, or the path alone where it is of another tree."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import handmade_runs as handmade

from fitscale.planning.tree import tree
from fitscale.planning.tree.measures import MEASURES
from fitscale.records.plan import Decision, Step
from fitscale.report import tree as drawing
from fitscale.report import write
from fitscale.report.tree import Branch, tree_shown
from fitscale.store import folder


def walked(there: tree.Tree) -> Decision:
    """A decision whose path says no in each node."""
    steps: list[Step] = []
    at = 0
    while there.nodes[at].leaf is None:
        node = there.nodes[at]
        steps.append(Step(
            question=MEASURES[node.ask].question, value=f"value of {at}", threshold="1", taken=False, leads_to="", node=at
        ))  # fmt: skip
        at = node.no
    return Decision(chosen=None, reasons=(), path=tuple(steps), leaf=there.nodes[at].leaf or "", tree=there.name)


def all_of(branch: Branch) -> list[Branch]:
    return [branch, *(inner for child in branch.below for inner in all_of(child))]


def test_all_nodes_are_drawn_and_the_path_alone_is_lit() -> None:
    """Each question once with its threshold, each leaf; lit are the nodes of the path, with the user's values, and one leaf."""
    there = tree.shipped()
    decision = walked(there)
    drawn = tree_shown(decision)
    assert drawn is not None
    assert drawn.root is not None
    branches = all_of(drawn.root)
    assert len(branches) == len(there.nodes)
    lit = [branch for branch in branches if branch.lit]
    assert [branch.value for branch in lit] == [*(step.value for step in decision.path), ""]
    assert lit[-1].text == tree.SAID[decision.leaf]
    assert f"of {there.outside.workloads:,} others it leads" in drawn.said


def test_it_stands_in_the_page_of_a_run(tmp_path: Path) -> None:
    """With the note where the choice is another; strangers' words stay words."""
    run = handmade.one_model(tmp_path / "run")
    plan = folder.read_plan(run)
    decision = walked(tree.shipped())
    path = (decision.path[0].but(value=handmade.EVIL), *decision.path[1:])
    own = plan.decision.but(path=path, leaf=decision.leaf, tree=decision.tree, path_note="the tree leads elsewhere")
    (run / "plans" / "001.json").write_text(plan.but(decision=own).to_json())
    page = write(run).read_text()
    assert "The whole tree, with this path lit" in page
    assert "the tree leads elsewhere" in page
    assert handmade.EVIL not in page
    assert page.count('<li class="lit">') == len(path) + 1


def test_a_path_of_another_tree_is_shown_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of another version, and where this installation's is damaged; a plan of before both has nothing."""
    decision = walked(tree.shipped())
    other = tree_shown(decision.but(tree="0 of before"))
    assert other is not None
    assert other.root is None

    def damaged() -> tree.Tree:
        raise tree.Damaged("planning/tree/tables/tree.json: it has no nodes")

    monkeypatch.setattr(drawing, "shipped", damaged)
    torn = tree_shown(decision.but(path=(), path_note="no path is drawn"))
    assert torn is not None
    assert (torn.root, torn.note) == (None, "no path is drawn")
    assert tree_shown(Decision(chosen=None, reasons=())) is None
