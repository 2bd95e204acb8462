"""From choices to a tree, and how well it agrees with choices that it was not fitted to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from choosing import Choice

from fitscale.planning.tree.measures import MEASURES
from fitscale.planning.tree.tree import LEAVES, Agreement, Node

LEAVES_MOST = 15
LEAST = 10  # workloads in a leaf
NAMES = tuple(MEASURES)


def fitted(choices: Sequence[Choice]) -> tuple[Node, ...]:
    """The nodes, each before those that it leads to."""
    import numpy as np
    from sklearn.tree import DecisionTreeClassifier

    values = np.array([choice.measures for choice in choices])
    chosen = np.array([choice.chosen for choice in choices])
    model = DecisionTreeClassifier(max_leaf_nodes=LEAVES_MOST, min_samples_leaf=LEAST, random_state=0)
    inner = model.fit(values, chosen).tree_
    nodes: list[Node] = []

    def add(at: int, here: Any) -> None:
        """``here``: which of the choices come to this node."""
        counts = Counter(chosen[here].tolist())
        own, place = _leaf(inner, at, model.classes_), len(nodes)
        if own is not None:
            nodes.append(Node(leaf=own, count=len(here)))
            return
        column = int(inner.feature[at])
        found = values[here, column]
        threshold = nicest(found[found <= inner.threshold[at]].max(), found[found > inner.threshold[at]].min())
        nodes.append(Node(ask=NAMES[column], at=threshold, yes=place + 1, no=place + 2, count=sum(counts.values())))
        add(inner.children_left[at], here[found <= threshold])
        nodes[place] = nodes[place].but(no=len(nodes))
        add(inner.children_right[at], here[found > threshold])

    add(0, np.arange(len(choices)))
    return tuple(nodes)


def _leaf(inner: Any, at: int, classes: Any) -> str | None:
    """The class of a node below which all leaves are of one."""
    if inner.children_left[at] < 0:
        return str(classes[inner.value[at][0].argmax()])
    below = {_leaf(inner, child, classes) for child in (inner.children_left[at], inner.children_right[at])}
    return below.pop() if len(below) == 1 else None


def nicest(low: float, high: float) -> float:
    """The number with the fewest digits from ``low`` on and under ``high``: every workload stays on its side."""
    if low <= 0 < high:
        return 0.0
    for digits in range(1, 17):
        scale = 10.0 ** (math.floor(math.log10(max(abs(low), abs(high)))) + 1 - digits)
        least = math.ceil(low / scale)
        found = [float(f"{step * scale:.12g}") for step in range(least, least + 11)]
        inside = [value for value in found if low <= value < high]
        if inside:
            return min(inside, key=lambda value: abs(value - (low + high) / 2))
    return low


def led_to(nodes: Sequence[Node], choice: Choice) -> str:
    """Where the tree leads."""
    at = 0
    while (leaf := nodes[at].leaf) is None:
        value = choice.measures[NAMES.index(nodes[at].ask)]
        at = nodes[at].yes if value <= nodes[at].at else nodes[at].no
    return leaf


def agreement(nodes: Sequence[Node], choices: Sequence[Choice]) -> Agreement:
    pairs = Counter((choice.chosen, led_to(nodes, choice)) for choice in choices)
    there = [leaf for leaf in LEAVES if any(chosen == leaf for chosen, _ in pairs)]
    confusion = {own: {leaf: pairs[own, leaf] for leaf in LEAVES if pairs[own, leaf]} for own in there}
    right = sum(confusion[own].get(own, 0) for own in there)
    return Agreement(
        workloads=len(choices),
        all=round(right / len(choices), 4),
        each={own: round(confusion[own].get(own, 0) / sum(confusion[own].values()), 4) for own in there},
        confusion=confusion,
    )
