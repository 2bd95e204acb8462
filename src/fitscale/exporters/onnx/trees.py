"""Trees of any library as one node: TreeEnsembleRegressor, which old runtimes know, or where a split asks whether a
category is in a set TreeEnsemble (ai.onnx.ml 5, onnxruntime from 1.20 on).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from fitscale.exporters.onnx.graph import ML, Graph

SET_OPSET = 5
MODES = {"BRANCH_LEQ": 0, "BRANCH_LT": 1, "BRANCH_MEMBER": 6}


class Tree(NamedTuple):
    """m nodes, the root first. A node without a left child is a leaf."""

    feature: np.ndarray  # (m,) int
    split: np.ndarray  # (m,) float32: what is below (or equal) goes left
    left: np.ndarray  # (m,) int, −1 of a leaf
    right: np.ndarray
    missing_left: np.ndarray  # (m,) bool
    value: np.ndarray  # (m, targets) of leaves; (m, 1) where all is for one target
    target: int | None = None  # of a tree that speaks for one target alone
    members: Mapping[int, Sequence[int]] = {}  # node → the codes that go left, of a categorical split

    @property
    def inner(self) -> np.ndarray:
        return np.asarray(self.left >= 0)


def float32_below(split: np.ndarray) -> np.ndarray:
    """The largest float32 that is not above: float32 values are then on the same side of ``<=`` as before."""
    near = split.astype(np.float32)
    return np.where(near.astype(np.float64) > split, np.nextafter(near, np.float32(-np.inf)), near).astype(np.float32)


def ensemble(graph: Graph, X: str, trees: Sequence[Tree], targets: int, base: Sequence[float], *, strict: bool) -> str:
    """(n, targets) float32: ``base`` and the sum over the trees. ``strict``: below goes left, else below or equal."""
    mode = "BRANCH_LT" if strict else "BRANCH_LEQ"
    if any(tree.members for tree in trees):
        total = _with_sets(graph, X, trees, targets, mode)
        return graph.add("Add", total, graph.constant(np.array([base], np.float32)))
    said: dict[str, list[Any]] = {f"nodes_{name}": [] for name in (
        "treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids", "missing_value_tracks_true",
    )} | {f"target_{name}": [] for name in ("treeids", "nodeids", "ids", "weights")}  # fmt: skip
    for number, tree in enumerate(trees):
        inner, m = tree.inner, len(tree.left)
        said["nodes_treeids"] += [number] * m
        said["nodes_nodeids"] += range(m)
        said["nodes_featureids"] += np.where(inner, tree.feature, 0).tolist()
        said["nodes_values"] += np.where(inner, tree.split, 0).astype(np.float32).tolist()
        said["nodes_modes"] += [mode if is_inner else "LEAF" for is_inner in inner]
        said["nodes_truenodeids"] += np.where(inner, tree.left, 0).tolist()
        said["nodes_falsenodeids"] += np.where(inner, tree.right, 0).tolist()
        said["nodes_missing_value_tracks_true"] += (inner & tree.missing_left).astype(int).tolist()
        for leaf in np.flatnonzero(~inner).tolist():
            for k, weight in enumerate(tree.value[leaf].tolist()):
                said["target_treeids"].append(number)
                said["target_nodeids"].append(leaf)
                said["target_ids"].append(k if tree.target is None else tree.target)
                said["target_weights"].append(weight)
    more = {"n_targets": targets, "base_values": [float(value) for value in base]}
    return graph.add("TreeEnsembleRegressor", X, domain=ML, **said, **more)


def _with_sets(graph: Graph, X: str, trees: Sequence[Tree], targets: int, mode: str) -> str:
    """TreeEnsemble numbers splits and leaves apart, and ends each split's set with NaN."""
    from onnx import numpy_helper

    graph.needs(ML, SET_OPSET)
    single = [one for tree in trees for one in _by_target(tree)]
    sizes = [max(1, int(tree.inner.sum())) for tree in single]
    leaves = [int((~tree.inner).sum()) for tree in single]
    rows: dict[str, list[Any]] = {name: [] for name in (
        "featureids", "splits", "modes", "truenodeids", "trueleafs", "falsenodeids", "falseleafs",
        "missing_value_tracks_true",
    )}  # fmt: skip
    values: list[float] = []
    weights: list[float] = []
    ids: list[int] = []
    starts = [0, *accumulate(sizes)]
    leaf_starts = [0, *accumulate(leaves)]
    for tree, first, first_leaf in zip(single, starts, leaf_starts, strict=False):
        inner = tree.inner
        place = np.where(inner, np.cumsum(inner) - 1 + first, np.cumsum(~inner) - 1 + first_leaf)
        splits = np.flatnonzero(inner).tolist() or [0]  # a leaf alone: a split whose both sides are it
        for node in splits:
            left, right = (int(tree.left[node]), int(tree.right[node])) if inner[node] else (0, 0)
            rows["featureids"].append(int(tree.feature[node]) if inner[node] else 0)
            rows["splits"].append(0.0 if node in tree.members or not inner[node] else float(tree.split[node]))
            rows["modes"].append(MODES["BRANCH_MEMBER" if node in tree.members else mode])
            for side, child in (("true", left), ("false", right)):
                rows[f"{side}nodeids"].append(int(place[child]))
                rows[f"{side}leafs"].append(int(not inner[child]))
            rows["missing_value_tracks_true"].append(int(tree.missing_left[node]))
            if node in tree.members:
                # onnxruntime wants one value at least; no code is below 0
                values += [*map(float, tree.members[node] or (-1,)), np.nan]
        found = np.flatnonzero(~inner)
        weights += tree.value[found, 0].tolist()
        ids += [tree.target or 0] * len(found)
    arrays = {"splits": np.float32, "modes": np.uint8}
    said = {
        f"nodes_{name}": numpy_helper.from_array(np.array(rows[name], arrays[name])) if name in arrays else rows[name]
        for name in rows
    }
    return str(
        graph.add(
            "TreeEnsemble", X, domain=ML, **said,
            tree_roots=starts[:-1], leaf_targetids=ids, n_targets=targets, aggregate_function=1, post_transform=0,
            leaf_weights=numpy_helper.from_array(np.array(weights, np.float32)),
            membership_values=numpy_helper.from_array(np.array(values, np.float32)),
        )
    )  # fmt: skip


def _by_target(tree: Tree) -> list[Tree]:
    """A leaf of TreeEnsemble has one weight: a tree whose leaves speak for several targets is repeated for each."""
    if tree.value.shape[1] == 1:
        return [tree._replace(target=tree.target or 0)]
    return [tree._replace(value=tree.value[:, [k]], target=k) for k in range(tree.value.shape[1])]
