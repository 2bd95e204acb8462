"""The path of a plan through the decision tree: in each node the user's value, the threshold, and the branch that is taken.

The tree knows forecasts. What the planner learnt beyond them, a probe that failed or an attempt that is under way, may make
another choice: then that is said.
"""

from __future__ import annotations

from typing import NamedTuple

from fitscale.planning import wording
from fitscale.planning.decision.gates import p99_bytes, usable_bytes
from fitscale.planning.tree.measures import MEASURES, Circumstances, measured
from fitscale.planning.tree.tree import SAID, Damaged, Tree, shipped
from fitscale.records.plan import Assessed, Decision, Step


class Walked(NamedTuple):
    steps: tuple[Step, ...]
    leaf: str
    node: int  # the leaf's


def with_path(decision: Decision, circumstances: Circumstances) -> Decision:
    """The decision with its path; where the package's tree is damaged, with a sentence in its place."""
    try:
        tree = shipped()
    except Damaged as error:
        told = f"no path is drawn: the decision tree of this installation is damaged, install fitscale again ({error})"
        return decision.but(path=(), path_note=told)
    walked = walk(tree, circumstances)
    return decision.but(
        path=walked.steps, leaf=walked.leaf, tree=tree.name, path_note=_unlike(decision, walked.leaf, circumstances)
    )


def walk(tree: Tree, c: Circumstances) -> Walked:
    """From the root to a leaf. Only what a node asks for is found out."""
    steps: list[Step] = []
    at = 0
    while (leaf := tree.nodes[at].leaf) is None:
        node = tree.nodes[at]
        measure, found = MEASURES[node.ask], measured(node.ask, c)
        yes = found.value <= node.at
        then = node.yes if yes else node.no
        below = tree.nodes[then]
        steps.append(Step(
            question=measure.question,
            value=found.words,
            threshold=measure.limit(node.at),
            taken=yes,
            leads_to=SAID[below.leaf] if below.leaf else MEASURES[below.ask].question,
            node=at,
        ))  # fmt: skip
        at = then
    return Walked(tuple(steps), leaf, at)


def class_of(decision: Decision) -> str:
    """What a decision is, in the words of the tree's leaves."""
    if decision.chosen is not None and (decision.meets or decision.overridden):
        return decision.chosen.candidate.strategy
    return "rented" if decision.better is not None else "nothing"


def _unlike(decision: Decision, leaf: str, c: Circumstances) -> str:
    """Where the planner chose otherwise: what it knew that the tree does not."""
    own = class_of(decision)
    if own == leaf:
        return ""
    return (
        f"the tree leads to: {SAID[leaf]}; the planner's choice is: {SAID.get(own, own)}, {_because(decision, leaf, c)}"
    )


def _because(decision: Decision, leaf: str, c: Circumstances) -> str:
    if decision.overridden:
        return "which --choose named"
    refusal = next((r for r in decision.refused if r.candidate.strategy == leaf), None)
    if refusal is not None:
        return f"as {refusal.candidate.name} {refusal.sentence.partition(';')[0]}"
    chosen = decision.chosen
    if chosen is None or not decision.meets:
        return "by a forecast for each rented machine" if c.machines else "as no machine may be rented"
    if chosen.forecast.done_s:
        return "which is begun already, and left only for what is surely better"
    other = next((a for a in decision.alternatives if a.candidate.strategy == leaf), None)
    return f"by its forecasts {chosen.forecast.source}: {_weighed(chosen, c)}" + (
        f", against {_weighed(other, c)}" if other is not None else ""
    )


def _weighed(a: Assessed, c: Circumstances) -> str:
    held, usable = wording.size(p99_bytes(a.forecast)), wording.size(usable_bytes(a.candidate, c.machine))
    return f"{a.candidate.name} {wording.duration(a.forecast.time_s.value)}, at P99 {held} of {usable}"
