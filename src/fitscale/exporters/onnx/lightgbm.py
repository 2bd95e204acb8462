"""A LightGBM booster, read from its own dump. Splits by sets of categories are exported as what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fitscale.errors import NotExportable
from fitscale.exporters.onnx.answers import Answer, of_many, of_two, of_value
from fitscale.exporters.onnx.trees import Tree, ensemble, float32_below

if TYPE_CHECKING:
    from fitscale.data.encoding import Encoding
    from fitscale.exporters.onnx.graph import Graph
    from fitscale.exporters.onnx.inputs import Input
    from fitscale.records.run import Recipe

# Objective → from margin to prediction.
LINKS = {
    "regression": "", "regression_l1": "", "huber": "", "fair": "", "quantile": "", "mape": "",
    "poisson": "Exp", "gamma": "Exp", "tweedie": "Exp",
    "binary": "Sigmoid", "cross_entropy": "Sigmoid", "multiclass": "Softmax", "multiclassova": "Sigmoid",
}  # fmt: skip


def answer(graph: Graph, X: str, native: Any, recipe: Recipe, encoding: Encoding, inputs: tuple[Input, ...]) -> Answer:
    """See `models.CONVERTERS`."""
    said = native.dump_model()
    name, *about = said["objective"].split()
    if name not in LINKS or "sqrt" in about:
        known = ", ".join(LINKS)
        raise NotExportable(
            f"LightGBM's objective '{said['objective']}' has no operator in ONNX here; there are: {known}"
        )
    targets = int(said["num_tree_per_iteration"])
    rounds = len(said["tree_info"]) // targets if said["average_output"] else 1
    trees = [_tree(tree["tree_structure"], k % targets, rounds) for k, tree in enumerate(said["tree_info"])]
    margin = ensemble(graph, X, trees, targets, [0.0] * targets, strict=False)
    scale = next((float(word.partition(":")[2]) for word in about if word.startswith("sigmoid:")), 1.0)
    if scale != 1.0:
        margin = graph.add("Mul", margin, graph.constant(np.array([[scale]], np.float32)))
    if LINKS[name] == "Softmax":
        return of_many(graph, graph.add("Softmax", margin, axis=1))
    if LINKS[name]:
        margin = graph.add(LINKS[name], margin)
    if not encoding.n_classes:
        return of_value(graph, margin)
    if targets == 1:
        return of_two(graph, margin)
    total = graph.add("ReduceSum", margin, graph.constant(np.array([1], np.int64)), keepdims=1)
    return of_many(graph, graph.add("Div", margin, total))


def _tree(root: dict[str, Any], target: int, rounds: int) -> Tree:
    nodes: list[dict[str, Any]] = []
    left: list[int] = []
    right: list[int] = []
    members: dict[int, list[int]] = {}
    waiting: list[tuple[dict[str, Any], list[int] | None, int]] = [(root, None, 0)]
    while waiting:
        node, side, parent = waiting.pop()
        number = len(nodes)
        nodes.append(node)
        left.append(-1)
        right.append(-1)
        if side is not None:
            side[parent] = number
        if "left_child" in node:
            waiting += [(node["right_child"], right, number), (node["left_child"], left, number)]
            if node["decision_type"] == "==":
                members[number] = [int(code) for code in str(node["threshold"]).split("||")]
        elif "leaf_coeff" in node:
            raise NotExportable("LightGBM's linear trees have no operator in ONNX: leave out linear_tree")
    splits = [float(node.get("threshold", 0.0)) if k not in members else 0.0 for k, node in enumerate(nodes)]
    return Tree(
        feature=np.array([node.get("split_feature", 0) for node in nodes], np.int64),
        split=float32_below(np.array(splits)),
        left=np.array(left, np.int64),
        right=np.array(right, np.int64),
        missing_left=np.array([_missing_left(node, split) for node, split in zip(nodes, splits, strict=True)], bool),
        value=np.array([[node.get("leaf_value", 0.0) / rounds] for node in nodes], np.float32),
        target=target,
        members=members,
    )


def _missing_left(node: dict[str, Any], split: float) -> bool:
    if "left_child" not in node or node["decision_type"] == "==":
        return False  # a missing category is in no set
    if node["missing_type"] == "Zero":
        raise NotExportable("LightGBM's zero_as_missing has no operator in ONNX: leave it out")
    # A column that missed nothing when it was learnt: LightGBM takes 0 for what is missing later.
    return bool(node["default_left"]) if node["missing_type"] == "NaN" else split >= 0
