"""An XGBoost booster, read from its own JSON. Splits by sets of categories are exported as what they are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from fitscale.errors import NotExportable
from fitscale.exporters.onnx.answers import Answer, of_many, of_two, of_value
from fitscale.exporters.onnx.trees import Tree, ensemble

if TYPE_CHECKING:
    from fitscale.data.encoding import Encoding
    from fitscale.exporters.onnx.graph import Graph
    from fitscale.exporters.onnx.inputs import Input
    from fitscale.records.run import Recipe

# Objective → from margin to prediction. Where it is not the identity, base_score is kept as a prediction.
LINKS = {
    "reg:squarederror": "", "reg:absoluteerror": "", "reg:pseudohubererror": "", "reg:squaredlogerror": "",
    "reg:quantileerror": "", "reg:expectileerror": "", "binary:hinge": "hinge",
    "reg:logistic": "Sigmoid", "binary:logistic": "Sigmoid",
    "count:poisson": "Exp", "reg:gamma": "Exp", "reg:tweedie": "Exp",
    "multi:softprob": "Softmax", "multi:softmax": "Softmax",
}  # fmt: skip


def answer(graph: Graph, X: str, native: Any, recipe: Recipe, encoding: Encoding, inputs: tuple[Input, ...]) -> Answer:
    """See `models.CONVERTERS`."""
    learner = json.loads(bytes(native.save_raw("json")))["learner"]
    objective = learner["objective"]["name"]
    if objective not in LINKS:
        known = ", ".join(LINKS)
        raise NotExportable(f"XGBoost's objective '{objective}' has no operator in ONNX here; there are: {known}")
    link, about = LINKS[objective], learner["learner_model_param"]
    targets = max(1, int(about["num_class"]))
    base = np.atleast_1d(np.array(json.loads(about["base_score"]), np.float64))
    if link == "Sigmoid":
        base = -np.log(1 / base - 1)
    elif link == "Exp":
        base = np.log(base)
    base = np.full(targets, base[0]) if len(base) == 1 else base
    margin = ensemble(graph, X, _trees(learner["gradient_booster"]), targets, base.tolist(), strict=True)
    if link == "Softmax":
        return of_many(graph, graph.add("Softmax", margin, axis=1))
    if link == "hinge":
        margin = graph.cast(graph.add("Greater", margin, graph.constant(np.array([[0.0]], np.float32))), np.float32)
    elif link:
        margin = graph.add(link, margin)
    return of_two(graph, margin) if encoding.n_classes else of_value(graph, margin)


def _trees(booster: dict[str, Any]) -> list[Tree]:
    if booster["name"] == "dart":
        model, weights = booster["gbtree"]["model"], booster["weight_drop"]
    else:
        model, weights = booster["model"], [1.0] * len(booster["model"]["trees"])
    return [
        _tree(tree, target, weight)
        for tree, target, weight in zip(model["trees"], model["tree_info"], weights, strict=True)
    ]


def _tree(said: dict[str, Any], target: int, weight: float) -> Tree:
    left, right = (np.array(said[f"{side}_children"], np.int64) for side in ("left", "right"))
    missing_left = np.array(said["default_left"], bool)
    members: dict[int, list[int]] = {}
    for node, start, size in zip(
        said["categories_nodes"], said["categories_segments"], said["categories_sizes"], strict=True
    ):
        # Of XGBoost the set goes right: its sides are exchanged.
        members[node] = said["categories"][start : start + size]
        left[node], right[node] = right[node], left[node]
        missing_left[node] = not missing_left[node]
    values = np.array(said["split_conditions"], np.float32)  # of a leaf: its weight
    return Tree(
        feature=np.array(said["split_indices"], np.int64),
        split=values,
        left=left,
        right=right,
        missing_left=missing_left,
        value=(values * np.float32(weight)).reshape(-1, 1),
        target=target,
        members=members,
    )
