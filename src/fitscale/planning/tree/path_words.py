"""The path through the decision tree in words: for the screen in a few lines, node by node where there is room."""

from __future__ import annotations

from fitscale.planning.tree.tree import SAID, Damaged, shipped
from fitscale.records.plan import Decision, Step


def short(decision: Decision) -> str:
    """``one model → in-memory needs 1.2 GB at P99 of 25 GB usable, 0.05 × → … → here, in memory``."""
    if not decision.leaf:
        return ""  # a plan of before
    # Two nodes may ask for one quantity.
    return " → ".join([*dict.fromkeys(step.value for step in decision.path), SAID.get(decision.leaf, decision.leaf)])


def asked(step: Step) -> str:
    """One node: ``does it fit? quantised needs 1.9 × (at most 1 ×): no``."""
    return f"{step.question} {step.value} ({step.threshold}): {'yes' if step.taken else 'no'}"


def where_apart(decision: Decision, strategy: str) -> str:
    """At which node another strategy's branch leaves the path; nothing where it does not, or the tree is another."""
    try:
        tree = shipped()
    except Damaged:
        return ""
    if not decision.path or decision.tree != tree.name:
        return ""
    for step in reversed(decision.path):  # the last node from which its leaf could still be reached
        node = tree.nodes[step.node]
        other = node.no if step.taken else node.yes
        if strategy in tree.below(other):
            return f"{SAID[strategy]} is where '{step.question}' has the answer {'no' if step.taken else 'yes'}"
    return ""
