"""A scikit-learn estimator: trees, forests and histogram boosting by their nodes, all others through skl2onnx.

skl2onnx 1.20 leaves out what trees learnt of missing values, and sets of categories: both would predict otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fitscale.errors import NotExportable
from fitscale.exporters.onnx import histograms
from fitscale.exporters.onnx.answers import Answer, flat, of_many, of_two, of_value, picked, spread
from fitscale.exporters.onnx.graph import ML, ML_OPSET
from fitscale.exporters.onnx.trees import Tree, ensemble, float32_below

if TYPE_CHECKING:
    import onnx

    from fitscale.data.encoding import Encoding
    from fitscale.exporters.onnx.graph import Graph
    from fitscale.exporters.onnx.inputs import Input
    from fitscale.records.run import Recipe

SKL_OPSET = 18
TIED = 1e-6  # half of the trees, summed up in float32, may come to a little more than one half


def answer(graph: Graph, X: str, native: Any, recipe: Recipe, encoding: Encoding, inputs: tuple[Input, ...]) -> Answer:
    """See `models.CONVERTERS`."""
    bases = {f"{cls.__module__}.{cls.__name__}" for cls in type(native).__mro__}
    if X and bases & {"sklearn.tree._classes.BaseDecisionTree", "sklearn.ensemble._forest.BaseForest"}:
        found = _forest(graph, X, native, encoding)
    elif X and "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.BaseHistGradientBoosting" in bases:
        found = histograms.answer(graph, X, native, encoding)
    else:
        found = _by_skl2onnx(graph, X, native, encoding, inputs)
        return spread(graph, found, _codes(native), encoding.n_classes)  # its labels are codes already
    if not encoding.n_classes:
        return found
    return picked(graph, spread(graph, found, _codes(native), encoding.n_classes), _codes(native))


def _codes(native: Any) -> list[int]:
    return [int(code) for code in getattr(native, "classes_", ())]


def _forest(graph: Graph, X: str, native: Any, encoding: Encoding) -> Answer:
    """The mean over the trees of a forest, each tree's leaves with the shares of its classes; or one tree."""
    parts = getattr(native, "estimators_", [native])
    classes = len(_codes(native))
    trees = [_tree(part.tree_, len(parts), classes) for part in parts]
    width = trees[0].value.shape[1]
    total = ensemble(graph, X, trees, width, [0.0] * width, strict=False)
    if not encoding.n_classes:
        return of_value(graph, total)
    return of_two(graph, total, TIED) if classes == 2 else of_many(graph, total)


def _tree(tree: Any, of: int, classes: int) -> Tree:
    value = tree.value[:, 0, :]
    if classes:
        value = value / value.sum(axis=1, keepdims=True)
        value = value[:, 1:] if classes == 2 else value
    missing = getattr(tree, "missing_go_to_left", np.zeros(tree.node_count, np.uint8))
    return Tree(
        feature=tree.feature,
        split=float32_below(tree.threshold),
        left=tree.children_left,
        right=tree.children_right,
        missing_left=missing.astype(bool),
        value=(value / of).astype(np.float32),
    )


def _by_skl2onnx(graph: Graph, X: str, native: Any, encoding: Encoding, inputs: tuple[Input, ...]) -> Answer:
    from skl2onnx.common import data_types as t

    if X:
        # What fitscale fits on one-hot columns it fits in double precision, and so its model is converted first
        # (onnxruntime has no support vectors in it).
        in_double = encoding.input == "one-hot" and not type(native).__module__.startswith("sklearn.svm")
        kinds = (t.DoubleTensorType, t.FloatTensorType) if in_double else (t.FloatTensorType,)
        tries = [[("X", kind([None, encoding.width]))] for kind in kinds]
    else:
        tries = [_columns(inputs, encoding, t)]
    for number, types in enumerate(tries):
        try:
            model = _converted(native, types)
        except Exception as error:  # a converter can raise anything
            if number + 1 < len(tries):
                continue
            raise NotExportable(f"skl2onnx cannot convert {type(native).__name__}: {_first_line(error)}") from error
        double = {name for name, kind in types if isinstance(kind, t.DoubleTensorType)}
        given = {"X": X} if X else {one.name: one.name for one in inputs}
        connected = {
            name: graph.cast(source, np.float64 if name in double else np.float32)
            if _is_number(name, types, t)
            else source
            for name, source in given.items()
        }
        outputs = graph.graft(model, connected)
        break
    if not encoding.n_classes:
        return of_value(graph, graph.cast(outputs[0], np.float32))
    # Margins, which some give in place of probabilities, are left out.
    proba = graph.cast(outputs[1], np.float32) if hasattr(native, "predict_proba") and len(outputs) > 1 else None
    return Answer(flat(graph, outputs[0]), proba)


def _is_number(name: str, types: Sequence[tuple[str, Any]], t: Any) -> bool:
    return isinstance(dict(types)[name], (t.FloatTensorType, t.DoubleTensorType))


def _columns(inputs: tuple[Input, ...], encoding: Encoding, t: Any) -> list[tuple[str, Any]]:
    """Types of the raw columns that a Pipeline takes. Fractions are taken in single precision: it mixes no two."""
    for column in encoding.columns:
        if column.kind in ("date", "unsupported"):
            raise NotExportable(
                f"column '{column.name}' is of type {column.type}, which a Pipeline in ONNX cannot take; drop it with "
                "data.features.drop, or take a bare estimator, whose encoding knows dates"
            )
    kinds = {
        "float": t.FloatTensorType, "double": t.FloatTensorType, "int64": t.Int64TensorType,
        "bool": t.BooleanTensorType, "string": t.StringTensorType,
    }  # fmt: skip
    return [(one.name, kinds[one.type]([None, 1])) for one in inputs]


def _converted(native: Any, types: Sequence[tuple[str, Any]]) -> onnx.ModelProto:
    import warnings

    from skl2onnx import convert_sklearn
    from sklearn.base import is_classifier

    def convert(options: dict[int, Any] | None) -> onnx.ModelProto:
        made: onnx.ModelProto = convert_sklearn(
            native, initial_types=list(types), options=options, target_opset={"": SKL_OPSET, ML: ML_OPSET}
        )
        return made

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries about each other
        if not is_classifier(native):
            return convert(None)
        try:
            return convert({id(native): {"zipmap": False}})  # arrays, no list of dictionaries
        except NameError:  # it has no such option, since it gives arrays as it is
            return convert(None)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
