"""The decision tree as the report draws it: all of it, with the path of this plan lit."""

from __future__ import annotations

from dataclasses import dataclass

from fitscale.planning.tree.measures import MEASURES
from fitscale.planning.tree.tree import SAID, Damaged, Tree, shipped
from fitscale.records.plan import Decision, Step
from fitscale.report.text import percent, plain


@dataclass(frozen=True)
class Branch:
    """A node with what lies below it. ``answer``: by which answer it is reached; ``lit``: the path passes it."""

    answer: str
    text: str
    limit: str = ""  # of a question
    value: str = ""  # the user's, where it was asked
    lit: bool = False
    below: tuple[Branch, ...] = ()


@dataclass(frozen=True)
class Drawn:
    root: Branch | None  # None: the plan's path is of another tree than this installation's
    said: str
    note: str


def tree_shown(decision: Decision) -> Drawn | None:
    """None for a plan of before, which has neither path nor note."""
    if not decision.path and not decision.path_note:
        return None
    note = plain(decision.path_note, 400)
    try:
        tree = shipped()
    except Damaged:
        return Drawn(None, "", note)
    if not decision.path or decision.tree != tree.name:
        return Drawn(None, "", note)
    told = tree.outside
    said = (
        f"Tree {tree.version} of {tree.made}, fitted to the planner's choices for {sum(tree.grid.values()):,} workloads; of "
        f"{told.workloads:,} others it leads {percent(told.all)} to what the planner chooses"
    )
    return Drawn(_branch(tree, 0, "", True, {step.node: step for step in decision.path}), said, note)


def _branch(tree: Tree, at: int, answer: str, lit: bool, path: dict[int, Step]) -> Branch:
    node = tree.nodes[at]
    if node.leaf is not None:
        return Branch(answer, SAID[node.leaf], lit=lit)
    measure, step = MEASURES[node.ask], path.get(at) if lit else None
    below = tuple(
        _branch(tree, child, "yes" if yes else "no", step is not None and step.taken is yes, path)
        for child, yes in ((node.yes, True), (node.no, False))
    )
    return Branch(
        answer, measure.question, measure.limit(node.at), plain(step.value, 200) if step else "", lit=lit, below=below
    )
