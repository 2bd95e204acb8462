"""scikit-learn's histogram boosting by its nodes, splits by sets of categories included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fitscale.errors import NotExportable
from fitscale.exporters.onnx.answers import Answer, of_many, of_two, of_value
from fitscale.exporters.onnx.trees import Tree, ensemble, float32_below

if TYPE_CHECKING:
    from fitscale.data.encoding import Encoding
    from fitscale.exporters.onnx.graph import Graph

EXPONENTIAL = ("poisson", "gamma")


def answer(graph: Graph, X: str, native: Any, encoding: Encoding) -> Answer:
    """Margins are the sum over all trees; one tree a class and round."""
    order, known = _columns(native)
    targets = native.n_trees_per_iteration_
    trees = [
        _tree(predictor, target, order, known, encoding.categories)
        for round_ in native._predictors
        for target, predictor in enumerate(round_)
    ]
    base = np.broadcast_to(np.asarray(native._baseline_prediction, np.float64).ravel(), (targets,))
    margin = ensemble(graph, X, trees, targets, base.tolist(), strict=False)
    if encoding.n_classes:
        if targets == 1:
            return of_two(graph, graph.add("Sigmoid", margin))
        return of_many(graph, graph.add("Softmax", margin, axis=1))
    if native.loss in EXPONENTIAL:
        return of_value(graph, graph.add("Exp", margin))
    if not isinstance(native.loss, str):
        raise NotExportable("a loss of one's own has no operator in ONNX")
    return of_value(graph, margin)


def _columns(native: Any) -> tuple[list[int], dict[int, np.ndarray]]:
    """The encoded column behind each column of the trees, and the codes behind the bits of those that are categories."""
    mask = native.is_categorical_
    if mask is None:
        return list(range(native.n_features_in_)), {}
    # It puts the categories first, as their places among the values that it saw.
    order = [*np.flatnonzero(mask).tolist(), *np.flatnonzero(~np.asarray(mask)).tolist()]
    encoder = native._preprocessor.named_transformers_["encoder"]
    seen = (np.asarray(values, np.float64) for values in encoder.categories_)
    return order, {k: values[~np.isnan(values)].astype(np.int64) for k, values in enumerate(seen)}


def _tree(predictor: Any, target: int, order: list[int], known: dict[int, np.ndarray], codes: tuple[int, ...]) -> Tree:
    nodes = predictor.nodes
    leaf = nodes["is_leaf"].astype(bool)
    members: dict[int, list[int]] = {}
    for node in np.flatnonzero(nodes["is_categorical"].astype(bool) & ~leaf).tolist():
        column = int(nodes["feature_idx"][node])
        words = predictor.raw_left_cat_bitsets[nodes["bitset_idx"][node]]
        bits = np.unpackbits(words.view(np.uint8), bitorder="little")
        left = set(known[column][bits[: len(known[column])] == 1].tolist())
        if nodes["missing_go_to_left"][node]:  # so do codes that the fit did not see
            left |= set(range(codes[order[column]])) - set(known[column].tolist())
        members[node] = sorted(left)
    return Tree(
        feature=np.array(order)[np.where(leaf, 0, nodes["feature_idx"])],
        split=float32_below(nodes["num_threshold"]),
        left=np.where(leaf, -1, nodes["left"].astype(np.int64)),
        right=np.where(leaf, -1, nodes["right"].astype(np.int64)),
        missing_left=nodes["missing_go_to_left"].astype(bool),
        value=nodes["value"].astype(np.float32).reshape(-1, 1),
        target=target,
        members=members,
    )
